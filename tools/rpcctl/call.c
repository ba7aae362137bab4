/* SPDX-License-Identifier: Apache-2.0 */
/* rpcctl call METHOD JSON */
#include "rpcctl/commands.h"

#include "base/arena.h"
#include "base/mem.h"
#include "rpcctl/methods.h"
#include "json/json.h"

#include <errno.h>
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

static int make_call(struct session *s, const struct ct_method *m, const ProtobufCMessage *req)
{
	const ct_status st = session_call(s, m, req);
	int status = st == CT_OK ? rpcctl_show(s, false) : rpcctl_show_error(s);

	if (s->args->timing)
		rpcctl_show_timing(s, m);
	return status;
}

int rpcctl_call(struct session *s)
{
	const struct ct_method *m = rpcctl_find_method(s->args->operands[0]);
	const char *operand = s->args->operands_n > 1 ? s->args->operands[1] : "{}";
	ProtobufCMessage *req;
	char err[512], *text;
	size_t len;
	int status = RPCCTL_EXIT_USAGE;

	if (m == NULL || read_json(operand, &text, &len) != CT_OK)
		return RPCCTL_EXIT_USAGE;
	if (ct_json_to_message(ct_bytes_of(text, len), m->request, NULL, &req, err, sizeof(err)) !=
	    CT_OK) {
		fprintf(stderr, "rpcctl: %s: %s\n", m->request->name, err);
	} else {
		status = make_call(s, m, req);
		protobuf_c_message_free_unpacked(req, NULL);
	}
	ct_mem_free(text);
	return status;
}
