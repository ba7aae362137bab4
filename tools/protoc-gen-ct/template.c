/* SPDX-License-Identifier: Apache-2.0 */
#include "template.h"

#include "base/check.h"

#include <string.h>

static void add_value(struct gen_text *out, const struct gen_service *s, const struct gen_method *m,
		      const char *key, size_t key_len)
{
	const struct {
		const char *key, *value;
	} rows[] = {
		{ "service", s->full_name },
		{ "prefix", s->prefix },
		{ "method", m != NULL ? m->full_name : NULL },
		{ "stub", m != NULL ? m->stub : NULL },
		{ "member", m != NULL ? m->c_name : NULL },
		{ "req", m != NULL ? m->req_type : NULL },
		{ "reqd", m != NULL ? m->req_desc : NULL },
		{ "resp", m != NULL ? m->resp_type : NULL },
		{ "respd", m != NULL ? m->resp_desc : NULL },
	};
	const char *value = NULL;

	for (size_t i = 0; i < CT_ARRAY_N(rows); i++) {
		if (strlen(rows[i].key) == key_len && memcmp(rows[i].key, key, key_len) == 0)
			value = rows[i].value;
	}
	CT_CHECK(value != NULL); /* every key of our own pieces is in the table */
	gen_text_add(out, value, strlen(value));
}

void gen_template_add(struct gen_text *out, const struct gen_service *s, const struct gen_method *m,
		      const char *piece)
{
	for (;;) {
		const size_t plain = strcspn(piece, "$");
		size_t key_len;

		gen_text_add(out, piece, plain);
		if (piece[plain] == '\0')
			return;
		piece += plain + 1;
		key_len = strspn(piece, "abcdefghijklmnopqrstuvwxyz");
		add_value(out, s, m, piece, key_len);
		piece += key_len;
	}
}
