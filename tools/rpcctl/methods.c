/* SPDX-License-Identifier: Apache-2.0 */
#include "rpcctl/methods.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { NESTING_MAX = 16 };

/* `name`, or an end of it that begins at a word. */
static bool matches(const char *full, const char *name)
{
	const size_t full_len = strlen(full), len = strlen(name);

	if (len > full_len || strcmp(full + full_len - len, name) != 0)
		return false;
	return len == full_len || full[full_len - len - 1] == '/' ||
	       full[full_len - len - 1] == '.';
}

const struct ct_method *rpcctl_find_method(const char *name)
{
	const struct ct_method *found = NULL;

	for (size_t s = 0; rpcctl_services[s] != NULL; s++) {
		for (size_t i = 0; rpcctl_services[s][i] != NULL; i++) {
			const struct ct_method *m = rpcctl_services[s][i];

			if (!matches(m->name, name))
				continue;
			if (found != NULL) {
				fprintf(stderr, "rpcctl: '%s' may be %s or %s\n", name, found->name,
					m->name);
				return NULL;
			}
			found = m;
		}
	}
	if (found == NULL)
		fprintf(stderr, "rpcctl: unknown method '%s'\n", name);
	return found;
}

static const ProtobufCMessageDescriptor *find_in(const ProtobufCMessageDescriptor *d,
						 const char *name, unsigned depth)
{
	const ProtobufCMessageDescriptor *found = matches(d->name, name) ? d : NULL;

	for (unsigned i = 0; i < d->n_fields && found == NULL && depth > 0; i++)
		if (d->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
			found = find_in(d->fields[i].descriptor, name, depth - 1);
	return found;
}

const ProtobufCMessageDescriptor *rpcctl_find_message(const char *name)
{
	const ProtobufCMessageDescriptor *found = NULL;

	for (size_t s = 0; rpcctl_services[s] != NULL && found == NULL; s++) {
		for (size_t i = 0; rpcctl_services[s][i] != NULL && found == NULL; i++) {
			found = find_in(rpcctl_services[s][i]->request, name, NESTING_MAX);
			if (found == NULL)
				found = find_in(rpcctl_services[s][i]->response, name, NESTING_MAX);
		}
	}
	return found;
}
