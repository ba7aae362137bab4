/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include "sdtm-import/row.h"
#include "sdtm-import/table.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(table, .fini = leak_check, .timeout = 60);

static struct sdtm_csv_row *row_of(const char *text)
{
	struct sdtm_csv_row *row = malloc(sizeof(*row));
	size_t used;

	cr_assert_not_null(row);
	cr_assert_eq(sdtm_csv_scan(row, ct_bytes_of_str(text), true, &used), SDTM_CSV_FOUND_ROW);
	row->line = 7;
	return row;
}

static bool bind(enum sdtm_table_id id, const char *header, struct sdtm_binding *b, char why[256])
{
	struct sdtm_csv_row *row = row_of(header);
	const bool ok = sdtm_bind(sdtm_table(id), row, b, why, 256);

	free(row);
	return ok;
}

Test(table, columns_are_found_in_any_order_and_case_and_others_ignored)
{
	struct sdtm_binding b;
	char why[256] = "";

	cr_assert(bind(SDTM_SV, "foo,svstdtc, Visitnum ,USUBJID,studyid,FOO", &b, why), "%s", why);

	cr_assert_eq(b.field[SV_STUDYID], 4);
	cr_assert_eq(b.field[SV_USUBJID], 3);
	cr_assert_eq(b.field[SV_VISITNUM], 2);
	cr_assert_eq(b.field[SV_SVSTDTC], 1);
	cr_assert_eq(b.field[SV_VISIT], -1);
	cr_assert_eq(b.fields_n, 6);
}

Test(table, every_missing_required_column_is_named)
{
	struct sdtm_binding b;
	char why[256] = "";

	cr_assert_not(bind(SDTM_LB, "STUDYID,LBSEQ,LBORRES,VISITNUM,LBDTC", &b, why));
	cr_assert_str_eq(why, "required column missing: USUBJID, LBTESTCD");
}

Test(table, known_column_that_comes_twice_is_refused_by_name)
{
	struct sdtm_binding b;
	char why[256] = "";

	cr_assert_not(bind(SDTM_SV, "STUDYID,USUBJID,VISITNUM,SVSTDTC,visitnum", &b, why));
	cr_assert_str_eq(why, "column VISITNUM comes twice");
}

Test(table, every_table_begins_with_study_and_subject)
{
	for (int id = 0; id < SDTM_TABLES_N; id++) {
		const struct sdtm_table *t = sdtm_table((enum sdtm_table_id)id);

		cr_assert_str_eq(t->columns[0].name, "STUDYID");
		cr_assert_str_eq(t->columns[1].name, "USUBJID");
		cr_assert_leq(t->columns_n, SDTM_COLUMNS_MAX);
	}
}

TestSuite(row, .fini = leak_check, .timeout = 60);

static const char HEADER[] = "STUDYID,USUBJID,VISITNUM,SVSTDTC,VISITDY,SVENDTC";

struct fixture {
	struct sdtm_binding binding;
	struct sdtm_csv_row *csv;
	struct sdtm_row row;
};

static void begin(struct fixture *f, const char *text)
{
	char why[256];

	cr_assert(bind(SDTM_SV, HEADER, &f->binding, why));
	f->csv = row_of(text);
	sdtm_row_begin(&f->row, &f->binding, f->csv, NULL);
}

Test(row, blank_key_spoils_the_row_and_names_line_and_column)
{
	struct fixture f;

	begin(&f, "S,,1,2013-01-01,,");

	cr_assert(f.row.spoiled);
	cr_assert_eq(f.row.why.line, 7);
	cr_assert_str_eq(f.row.why.column, "USUBJID");
	cr_assert_eq(f.row.why.field, 2);
	cr_assert_str_eq(f.row.why.reason, "must not be blank");
	free(f.csv);
}

Test(row, wrong_number_of_fields_spoils_the_row)
{
	struct fixture f;

	begin(&f, "S,P,1,2013-01-01,");

	cr_assert(f.row.spoiled);
	cr_assert_null(f.row.why.column);
	cr_assert_str_eq(f.row.why.reason, "the row has 5 fields, the header has 6");
	free(f.csv);
}

Test(row, numbers_are_decimal_and_finite)
{
	static const char *const good[] = { "0", "-7", "+3", "1.1", ".5", "5.", "098.6", "1e-05" };
	static const char *const bad[] = { "NA", "<0.2",  "1,5", "0x10", "inf", "nan",  "1e",
					   "-",  "1.2.3", " 1",  "1 ",   ".",   "1e999" };
	struct fixture f;
	double value;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char text[64];

		snprintf(text, sizeof(text), "S,P,%s,2013,,", good[i]);
		begin(&f, text);
		cr_assert(sdtm_row_number(&f.row, SV_VISITNUM, &value), "%s", good[i]);
		cr_assert_float_eq(value, strtod(good[i], NULL), 1e-12);
		free(f.csv);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64];

		snprintf(text, sizeof(text), "S,P,\"%s\",2013,,", bad[i]);
		begin(&f, text);
		cr_assert_not(sdtm_row_number(&f.row, SV_VISITNUM, &value), "%s", bad[i]);
		cr_assert(f.row.spoiled, "%s", bad[i]);
		cr_assert_str_eq(f.row.why.column, "VISITNUM");
		free(f.csv);
	}
}

Test(row, days_are_whole_and_may_be_negative_and_counts_may_not)
{
	struct fixture f;
	int32_t day = 0;
	uint32_t count = 0;

	begin(&f, "S,P,1,2013,-14,");
	cr_assert(sdtm_row_day(&f.row, SV_VISITDY, &day));
	cr_assert_eq(day, -14);
	cr_assert_not(sdtm_row_count(&f.row, SV_VISITDY, &count));
	cr_assert_str_eq(f.row.why.reason, "not a whole number of a sensible size: \"-14\"");
	free(f.csv);
	begin(&f, "S,P,1,2013,1.5,");
	cr_assert_not(sdtm_row_day(&f.row, SV_VISITDY, &day));
	cr_assert(f.row.spoiled);
	free(f.csv);
}

Test(row, first_fault_is_kept_and_what_follows_reads_as_blank)
{
	struct fixture f;

	begin(&f, "S,P,1,2013-02-30,x,2013-13");

	cr_assert_str_eq(sdtm_row_date(&f.row, SV_SVSTDTC), "");
	cr_assert_str_eq(sdtm_row_date(&f.row, SV_SVENDTC), "");
	cr_assert_str_eq(sdtm_row_text(&f.row, SV_USUBJID), "");
	cr_assert_str_eq(f.row.why.column, "SVSTDTC");
	cr_assert_str_eq(f.row.why.reason, "has no such day in that month: \"2013-02-30\"");
	free(f.csv);
}

Test(row, reason_shows_neither_control_characters_nor_more_than_a_piece_of_the_value)
{
	struct fixture f;

	begin(&f, "S,P,1,\"\x1b[2Jxx\ny\",,");
	cr_assert_str_eq(sdtm_row_date(&f.row, SV_SVSTDTC), "");
	cr_assert_str_eq(f.row.why.reason, "needs a year of four digits: \"?[2Jxx?y\"");
	free(f.csv);

	begin(&f, "S,P,1,\xc2\x9b"
		  "2Jx\xc2\x85y\xe2\x80\xae,,"); /* CSI, NEL, a turn of order */
	cr_assert_str_eq(sdtm_row_date(&f.row, SV_SVSTDTC), "");
	cr_assert_str_eq(f.row.why.reason, "needs a year of four digits: \"?2Jx?y?\"");
	free(f.csv);

	/* 16 characters of 3 bytes are 48 bytes: one more would be cut in half */
	begin(&f, "S,P,1,x一二三四五六七八九十一二三四五六七,,");
	cr_assert_str_eq(sdtm_row_date(&f.row, SV_SVSTDTC), "");
	cr_assert_str_eq(f.row.why.reason,
			 "needs a year of four digits: \"x一二三四五六七八九十一二三四五...\"");
	free(f.csv);
}

Test(row, reason_is_cut_between_characters)
{
	struct sdtm_reject why;

	sdtm_reject_set(&why, 1, NULL, 0, "%0*d%s", (int)sizeof(why.reason) - 3, 0, "张三");
	cr_assert_eq(strlen(why.reason), sizeof(why.reason) - 3);
}

Test(row, private_value_is_never_in_the_reason)
{
	struct sdtm_binding b;
	struct sdtm_csv_row *csv = row_of("S,P,101,1,F,60,2013-02-30");
	struct sdtm_row row;
	char why[256];

	cr_assert(bind(SDTM_DM, "STUDYID,USUBJID,SITEID,SUBJID,SEX,AGE,BRTHDTC", &b, why));
	sdtm_row_begin(&row, &b, csv, NULL);

	cr_assert_str_eq(sdtm_row_date(&row, DM_BRTHDTC), "");

	cr_assert_str_eq(row.why.column, "BRTHDTC");
	cr_assert_str_eq(row.why.reason, "has no such day in that month");
	free(csv);
}
