/* SPDX-License-Identifier: Apache-2.0 */
/* What a command line asks for: METHOD [JSON]. */
#include "rpcctl/request.h"

#include "base/arena.h"
#include "base/mem.h"
#include "rpcctl/methods.h"
#include "json/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK_BYTES = 64 * 1024 };

static ct_status read_all(FILE *f, const char *name, char **ret_text, size_t *ret_len)
{
	char *text = NULL;
	size_t len = 0, room = 0, n;

	do {
		if (room - len < CHUNK_BYTES) {
			char *more = len > CT_JSON_INPUT_BYTES_MAX
					     ? NULL
					     : ct_mem_realloc(text, room + CHUNK_BYTES);

			if (more == NULL) {
				ct_mem_free(text);
				fprintf(stderr, "rpcctl: %s: too large\n", name);
				return CT_RESOURCE_EXHAUSTED;
			}
			text = more;
			room += CHUNK_BYTES;
		}
		n = fread(text + len, 1, room - len, f);
		len += n;
	} while (n > 0);
	if (ferror(f) != 0) {
		fprintf(stderr, "rpcctl: %s: %s\n", name, strerror(errno));
		ct_mem_free(text);
		return CT_INTERNAL;
	}
	*ret_text = text;
	*ret_len = len;
	return CT_OK;
}

/* The operand itself, a file's text, or stdin's. */
static ct_status read_json(const char *operand, char **ret_text, size_t *ret_len)
{
	ct_status st;
	FILE *f;

	if (strcmp(operand, "-") == 0)
		return read_all(stdin, "stdin", ret_text, ret_len);
	if (operand[0] != '@') {
		*ret_text = ct_mem_strdup(operand);
		*ret_len = strlen(operand);
		return *ret_text != NULL ? CT_OK : CT_RESOURCE_EXHAUSTED;
	}
	f = fopen(operand + 1, "re");
	if (f == NULL) {
		fprintf(stderr, "rpcctl: %s: %s\n", operand + 1, strerror(errno));
		return CT_NOT_FOUND;
	}
	st = read_all(f, operand + 1, ret_text, ret_len);
	(void)fclose(f); /* only read */
	return st;
}

ct_status rpcctl_request_read(const struct rpcctl_args *args, const struct ct_method **ret_method,
			      ProtobufCMessage **ret_req)
{
	const struct ct_method *m = rpcctl_find_method(args->operands[0]);
	const char *operand = args->operands_n > 1 ? args->operands[1] : "{}";
	char err[512], *text;
	ct_status st;
	size_t len;

	if (m == NULL)
		return CT_NOT_FOUND;
	st = read_json(operand, &text, &len);
	if (st != CT_OK)
		return st;
	st = ct_json_to_message(ct_bytes_of(text, len), m->request, NULL, ret_req, err,
				sizeof(err));
	if (st == CT_OK)
		*ret_method = m;
	else
		fprintf(stderr, "rpcctl: %s: %s\n", m->request->name, err);
	ct_mem_free(text);
	return st;
}
