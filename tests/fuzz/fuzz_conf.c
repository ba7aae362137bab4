/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A settings file, and after the first byte 01 an override. It loads, or each
 * error is a line without control characters and nothing changed. What loads
 * prints as a file that loads to the same.
 */
#include "conf/conf.h"

#include "base/check.h"
#include "tests/unit/conf/example.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OVERRIDE_MAX = 255 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 loses a string that a syntax error follows; the process that was
 * given such a file ends. All other leaks count. */
const char *__lsan_default_suppressions(void)
{
	return "leak:strbuf_append\nleak:libconfig_yylex\n";
}

static void check_report(const struct ct_conf_report *r)
{
	CT_CHECK(r->len == strlen(r->text));
	CT_CHECK(r->errors_n > 0);
	CT_CHECK(r->len > 0 && r->text[r->len - 1] == '\n');
	for (size_t i = 0; i < r->len; i++)
		CT_CHECK(r->text[i] == '\n' ||
			 ((unsigned char)r->text[i] >= 0x20 && r->text[i] != 0x7f));
}

static char *print(const struct example *e, size_t *ret_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	CT_CHECK(out != NULL);
	CT_CHECK(ct_conf_print(&example_schema, e, out) == CT_OK);
	CT_CHECK(fclose(out) == 0);
	return text;
}

static void check_round_trip(const struct example *e)
{
	struct ct_conf_report report;
	struct example again;
	size_t len, len_again;
	char *text = print(e, &len), *text_again;

	CT_CHECK(ct_conf_load_text(&example_schema, "again", ct_bytes_of(text, len), NULL, &again,
				   &report) == CT_OK);
	text_again = print(&again, &len_again);
	CT_CHECK(len == len_again && memcmp(text, text_again, len) == 0);
	free(text);
	free(text_again);
	ct_conf_fini(&example_schema, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *split = size > 0 ? memchr(data, 1, size) : NULL;
	const size_t text_len = split != NULL ? (size_t)(split - data) : size;
	char override[OVERRIDE_MAX + 1] = "";
	const char *const overrides[] = { override };
	const struct ct_conf_source src = { NULL, overrides, split != NULL ? 1 : 0 };
	struct ct_conf_report report;
	struct example e, before;

	if (split != NULL) {
		const size_t rest = size - text_len - 1;

		memcpy(override, split + 1, rest < OVERRIDE_MAX ? rest : OVERRIDE_MAX);
	}
	memset(&e, 0x5a, sizeof(e));
	memcpy(&before, &e, sizeof(e));
	if (ct_conf_load_text(&example_schema, "fuzz", ct_bytes_of(data, text_len), &src, &e,
			      &report) == CT_OK) {
		CT_CHECK(report.errors_n == 0 && report.len == 0);
		check_round_trip(&e);
		ct_conf_fini(&example_schema, &e);
	} else {
		check_report(&report);
		CT_CHECK(memcmp(&e, &before, sizeof(e)) == 0);
	}
	return 0;
}
