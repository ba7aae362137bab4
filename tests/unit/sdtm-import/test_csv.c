/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(csv, .fini = leak_check, .timeout = 60);

/* All rows as one text: fields joined by '|', rows by ';', a bad row as
 * "!<field>@<line>", the end as ".", a failure as "X<line>". */
static void read_all(const char *text, size_t len, size_t step, const char *fails, char *out,
		     size_t size)
{
	struct text_source t = { .text = text, .len = len, .step = step, .fails = fails };
	const struct sdtm_csv_source source = text_source_of(&t);
	const struct sdtm_csv_row *row;
	struct sdtm_csv *csv;
	size_t at = 0;

	cr_assert_eq(sdtm_csv_new(&source, &csv), CT_OK);
	for (;;) {
		const enum sdtm_csv_got got = sdtm_csv_next(csv, &row);

		if (got == SDTM_CSV_END || got == SDTM_CSV_FAIL) {
			at += (size_t)snprintf(out + at, size - at,
					       got == SDTM_CSV_END ? "." : "X%d", (int)row->line);
			cr_assert_eq(sdtm_csv_next(csv, &row), got, "the end repeats");
			break;
		}
		if (got == SDTM_CSV_BAD) {
			cr_assert_not_null(row->fault);
			at += (size_t)snprintf(out + at, size - at, "!%u@%d;", row->fault_at,
					       (int)row->line);
			continue;
		}
		for (uint32_t i = 0; i < row->fields_n; i++) {
			cr_assert_eq(strlen(row->fields[i].text), row->fields[i].len);
			at += (size_t)snprintf(out + at, size - at, "%s%s", i > 0 ? "|" : "",
					       row->fields[i].text);
		}
		at += (size_t)snprintf(out + at, size - at, ";");
	}
	csv = sdtm_csv_free(csv);
}

/* However the bytes arrive, the rows are the same. */
static void expect(const char *text, const char *want)
{
	static const size_t steps[] = { 0, 1, 2, 3, 7 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		char got[4096];

		read_all(text, strlen(text), steps[i], NULL, got, sizeof(got));
		cr_assert_str_eq(got, want, "%zu at a time: %s", steps[i], got);
	}
}

Test(csv, rows_end_with_lf_crlf_or_the_end_of_the_text)
{
	expect("a,b\nc,d\r\ne,f", "a|b;c|d;e|f;.");
	expect("a,b\n", "a|b;.");
	expect("", ".");
}

Test(csv, fields_may_be_empty_at_both_ends_and_in_a_row_of_nothing_but_commas)
{
	expect(",a,\n,,\n", "|a|;||;.");
	expect("a,", "a|;.");
	expect("\"\"\n", ";.");
}

Test(csv, quoted_fields_hold_commas_line_ends_and_doubled_quotes)
{
	expect("\"a,b\",\"c\nd\",\"e\r\nf\"\ng,h,i\n", "a,b|c\nd|e\r\nf;g|h|i;.");
	expect("\"say \"\"ah\"\"\",\"\"\"\"\n", "say \"ah\"|\";.");
	expect("x,\"last\"", "x|last;.");
}

Test(csv, blanks_belong_to_the_field)
{
	expect(" a , b \n", " a | b ;.");
}

Test(csv, byte_order_mark_is_skipped_once_and_only_at_the_start)
{
	expect("\xef\xbb\xbf"
	       "a,b\n\xef\xbb\xbf"
	       "c,d\n",
	       "a|b;\xef\xbb\xbf"
	       "c|d;.");
}

Test(csv, empty_lines_are_no_rows_but_count_as_lines)
{
	expect("\n\na\n\r\nb\"\n", "a;!1@5;.");
}

Test(csv, chinese_text_comes_through)
{
	expect("张三,协和医院\n", "张三|协和医院;.");
}

Test(csv, quote_inside_an_unquoted_field_costs_its_own_row)
{
	expect("a,b\nc,5\" pipe\nd,e\n", "a|b;!2@2;d|e;.");
}

Test(csv, text_after_a_closing_quote_costs_its_own_row)
{
	expect("\"a\"b,c\nd,e\n", "!1@1;d|e;.");
}

Test(csv, unclosed_quote_costs_its_own_row_and_not_the_rest_of_the_file)
{
	expect("a,b\nc,\"d\ne,f\ng,h\n", "a|b;!2@2;e|f;g|h;.");
	expect("a,\"", "!2@1;.");
	expect("c,\"d\ne,\"f, g\"\n", "!2@1;e|f, g;.");
}

Test(csv, lone_carriage_return_is_a_fault)
{
	expect("a,b\rc\nd,e\n", "!2@1;d|e;.");
	expect("a\r", "!1@1;.");
}

Test(csv, lines_inside_quotes_count)
{
	expect("\"a\nb\nc\",d\nx\"\n", "a\nb\nc|d;!1@4;.");
}

Test(csv, nul_byte_and_invalid_utf8_are_faults_that_name_the_field)
{
	char got[256];

	read_all("a,b\0c\nd,e\n", 10, 0, NULL, got, sizeof(got));
	cr_assert_str_eq(got, "!2@1;d|e;.");
	expect("a,\xd5\xc5\xc8\xfd\nd,e\n", "!2@1;d|e;."); /* a name in GB 18030 */
	expect("\xed\xa0\x80\n", "!1@1;.");                /* a surrogate */
	expect("\xc0\xaf\n", "!1@1;.");                    /* an overlong slash */
}

Test(csv, invalid_text_in_a_row_of_several_lines_costs_the_whole_row)
{
	expect("\"a\n\xff\nc\",d\ne,f\n", "!1@1;e|f;.");
}

static char *long_row(size_t bytes, char fill, const char *tail)
{
	char *text = malloc(bytes + strlen(tail) + 1);

	cr_assert_not_null(text);
	memset(text, fill, bytes);
	memcpy(text + bytes, tail, strlen(tail) + 1);
	return text;
}

Test(csv, field_and_row_at_their_limits_are_read_and_above_them_refused)
{
	char got[2 * SDTM_CSV_FIELD_BYTES_MAX];
	char *fits = long_row(SDTM_CSV_FIELD_BYTES_MAX, 'x', "\nb\n");
	char *field = long_row(SDTM_CSV_FIELD_BYTES_MAX + 1, 'x', "\nb\n");
	char *row = long_row(SDTM_CSV_ROW_BYTES_MAX + 1, 'x', "\nb\n");
	char *line = long_row(8 * SDTM_CSV_ROW_BYTES_MAX, 'x', "\nb\n");

	read_all(fits, strlen(fits), 0, NULL, got, sizeof(got));
	cr_assert_eq(strlen(got), SDTM_CSV_FIELD_BYTES_MAX + 4);
	read_all(field, strlen(field), 0, NULL, got, sizeof(got));
	cr_assert_str_eq(got, "!1@1;b;.");
	read_all(row, strlen(row), 0, NULL, got, sizeof(got));
	cr_assert_str_eq(got, "!1@1;b;.");
	read_all(line, strlen(line), 0, NULL, got, sizeof(got));
	cr_assert_str_eq(got, "!1@1;b;.");

	free(fits);
	free(field);
	free(row);
	free(line);
}

Test(csv, unclosed_quote_before_a_large_file_costs_one_row)
{
	const size_t rows = 30000;
	char *text = malloc(16 + rows * 8);
	struct text_source t = { 0 };
	const struct sdtm_csv_source source = text_source_of(&t);
	const struct sdtm_csv_row *row;
	struct sdtm_csv *csv;
	size_t good = 0;
	size_t bad = 0;

	cr_assert_not_null(text);
	t.len = (size_t)snprintf(text, 16, "\"open,1\n");
	for (size_t i = 0; i < rows; i++)
		t.len += (size_t)snprintf(text + t.len, 9, "%06zu\n", i);
	t.text = text;
	cr_assert_eq(sdtm_csv_new(&source, &csv), CT_OK);
	for (enum sdtm_csv_got got; (got = sdtm_csv_next(csv, &row)) != SDTM_CSV_END;) {
		good += got == SDTM_CSV_ROW;
		bad += got == SDTM_CSV_BAD;
	}

	cr_assert_eq(good, rows);
	cr_assert_eq(bad, 1);
	csv = sdtm_csv_free(csv);
	free(text);
}

Test(csv, more_fields_than_the_limit_are_a_fault)
{
	char got[64];
	char *text = long_row(SDTM_CSV_FIELDS_MAX, ',', "\na,b\n");

	read_all(text, strlen(text), 0, NULL, got, sizeof(got));
	cr_assert_str_eq(got, "!513@1;a|b;.");

	free(text);
}

Test(csv, source_that_fails_hands_on_the_whole_rows_before_and_names_the_line)
{
	char got[64];

	read_all("a\nb\nc,unfinis", 13, 0, "cable cut", got, sizeof(got));
	cr_assert_str_eq(got, "a;b;X3");
	read_all("", 0, 0, "cable cut", got, sizeof(got));
	cr_assert_str_eq(got, "X1");
}
