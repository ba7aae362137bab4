/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include "base/mem.h"
#include "sdtm-import/map.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(loader, .fini = leak_check, .timeout = 60);

static const char LB[] = "STUDYID,USUBJID,LBSEQ,LBTESTCD,LBCAT,LBORRES,LBSTRESN,VISITNUM,LBDTC\n";
static const char AE[] = "STUDYID,USUBJID,AESEQ,AETERM,AESTDTC\n";

static const Clinic__V1__DiagnosticReport *report(const struct tally *t, size_t i)
{
	return (const Clinic__V1__DiagnosticReport *)(const void *)t->kept[i]->msg;
}

/* Each line from 2 to the last was settled exactly once. */
static void expect_each_row_once(const struct tally *t, const struct sdtm_load_result *r)
{
	cr_assert_eq(t->item_rows + t->rejects, r->rows, "%d + %d != %d", (int)t->item_rows,
		     (int)t->rejects, (int)r->rows);
	for (uint64_t line = 2; line < 2 + r->rows; line++)
		cr_assert_eq(t->lines_seen[line], 1, "line %d: %d times", (int)line,
			     t->lines_seen[line]);
}

Test(loader, rows_of_one_report_need_not_stand_together)
{
	struct sdtm_load_result r;
	struct tally t;
	char text[1024];

	tally_init(&t);
	snprintf(text, sizeof(text), "%s%s", LB,
		 "S,P1,3,K,CHEM,4,4,1,2020-01-01\n"
		 "S,P1,1,NA,CHEM,140,140,1.0,2020-01-01\n"
		 "S,P2,1,K,CHEM,4,4,1,2020-01-01\n"
		 "S,P1,4,WBC,HEMA,5,5,1,2020-01-01\n"
		 "S,P1,2,K,CHEM,4,4,2,2020-01-15\n"
		 "S,P1,5,CA,CHEM,2,2,1,2020-01-01\n");
	cr_assert_eq(load_text(SDTM_LB, text, &t, NULL, &r), CT_OK);

	cr_assert_eq(t.items, 4);
	expect_each_row_once(&t, &r);
	/* handed on as soon as they are whole: P2's first, the split one last */
	cr_assert_str_eq(report(&t, 0)->report_id, "LB/S/P2/CHEM/1/2020-01-01");
	cr_assert_str_eq(report(&t, 1)->report_id, "LB/S/P1/HEMA/1/2020-01-01");
	cr_assert_str_eq(report(&t, 2)->report_id, "LB/S/P1/CHEM/2/2020-01-15");
	cr_assert_str_eq(report(&t, 3)->report_id, "LB/S/P1/CHEM/1/2020-01-01");
	cr_assert_eq(report(&t, 3)->n_results, 3);
	for (size_t i = 0; i < 3; i++) /* by --SEQ, not by line */
		cr_assert_eq(report(&t, 3)->results[i]->seq, 2 * i + 1);
	tally_fini(&t);
}

Test(loader, rows_beyond_the_bound_make_a_further_part_and_none_is_lost)
{
	const struct sdtm_group_limits limits = {
		.reports_max = 100,
		.rows_held_max = 3,
		.bytes_held_max = 1 << 20,
		.report_rows_max = 100,
		.report_bytes_max = 1 << 20,
	};
	struct sdtm_load_result r;
	struct tally t;
	char text[1024];

	tally_init(&t);
	snprintf(text, sizeof(text), "%s%s", LB,
		 "S,P1,1,K,C,4,4,1,2020\nS,P2,1,K,C,4,4,1,2020\nS,P3,1,K,C,4,4,1,2020\n"
		 "S,P1,2,NA,C,4,4,1,2020\nS,P2,2,NA,C,4,4,1,2020\nS,P3,2,NA,C,4,4,1,2020\n");
	cr_assert_eq(load_text(SDTM_LB, text, &t, &limits, &r), CT_OK);

	cr_assert_eq(t.items, 6);
	expect_each_row_once(&t, &r);
	cr_assert_str_eq(report(&t, 0)->report_id, "LB/S/P1/C/1/2020");
	cr_assert_str_eq(report(&t, 3)->report_id, "LB/S/P1/C/1/2020#2");
	cr_assert_eq(report(&t, 3)->results[0]->seq, 2);
	tally_fini(&t);
}

Test(loader, report_of_too_many_rows_is_cut_into_parts)
{
	const struct sdtm_group_limits limits = {
		.reports_max = 100,
		.rows_held_max = 100,
		.bytes_held_max = 1 << 20,
		.report_rows_max = 2,
		.report_bytes_max = 1 << 20,
	};
	struct sdtm_load_result r;
	struct tally t;
	char text[1024];

	tally_init(&t);
	snprintf(text, sizeof(text), "%s%s", LB,
		 "S,P1,1,K,C,4,4,1,2020\nS,P1,2,K,C,4,4,1,2020\nS,P1,3,K,C,4,4,1,2020\n"
		 "S,P1,4,K,C,4,4,1,2020\nS,P1,5,K,C,4,4,1,2020\n");
	cr_assert_eq(load_text(SDTM_LB, text, &t, &limits, &r), CT_OK);

	cr_assert_eq(t.items, 3);
	expect_each_row_once(&t, &r);
	cr_assert_str_eq(report(&t, 2)->report_id, "LB/S/P1/C/1/2020#3");
	tally_fini(&t);
}

Test(loader, too_many_reports_are_refused)
{
	const struct sdtm_group_limits limits = {
		.reports_max = 1,
		.rows_held_max = 100,
		.bytes_held_max = 1 << 20,
		.report_rows_max = 100,
		.report_bytes_max = 1 << 20,
	};
	struct sdtm_load_result r;
	struct tally t;
	char text[1024];

	tally_init(&t);
	snprintf(text, sizeof(text), "%s%s", LB, "S,P1,1,K,C,4,4,1,2020\nS,P2,1,K,C,4,4,1,2020\n");
	cr_assert_eq(load_text(SDTM_LB, text, &t, &limits, &r), CT_OUT_OF_RANGE);

	cr_assert_str_eq(r.why, "the table makes too many reports, split it");
	cr_assert_eq(t.items, 0);
	tally_fini(&t);
}

Test(loader, bad_rows_are_rejected_and_their_neighbours_kept)
{
	struct sdtm_load_result r;
	struct tally t;
	char text[1024];

	tally_init(&t);
	snprintf(text, sizeof(text), "%s%s", LB,
		 "S,P1,1,K,C,4,4,1,2020-02-30\n" /* no such day */
		 "S,P1,2,K,C,4,four,1,2020\n"    /* not a number, last of its report but one */
		 "S,P1,3,K,C,4,4,1,2020\n"       /* good */
		 "S,P1,4,K,C,4,4,x,2020\n"       /* not a visit */
		 "S,P1,,K,C,4,4,1,2020\n"        /* no sequence number */
		 "S,P1,5,,C,4,4,1,2020\n"        /* no test */
		 "S,P1,6,K,C,4,4,1\n"            /* a field short */
		 "S,P1,7,K,C,4\",4,1,2020\n"     /* a stray quote */
		 "S,P1,8,K,C,4,NA,1,2020\n");    /* the last of its report */
	cr_assert_eq(load_text(SDTM_LB, text, &t, NULL, &r), CT_OK);

	cr_assert_eq(r.rows, 9);
	cr_assert_eq(t.rejects, 8);
	cr_assert_eq(t.items, 1);
	expect_each_row_once(&t, &r);
	cr_assert_eq(t.last.line, 10);
	cr_assert_str_eq(t.last.column, "LBSTRESN");
	cr_assert_str_eq(t.last.reason, "not a number: \"NA\"");
	tally_fini(&t);
}

Test(loader, bad_rows_take_nothing_from_their_report)
{
	enum { ROWS = 600, LONG = 16000 }; /* together more than an item may hold */
	char *text = malloc(ROWS * (LONG + 64));
	size_t len = (size_t)snprintf(text, 128, "%s", LB);
	struct sdtm_load_result r;
	struct tally t;

	for (int i = 1; i <= ROWS; i++)
		len += (size_t)snprintf(text + len, LONG + 64, "S,P1,%d,K,C,%0*d,%s,1,2020\n", i,
					LONG, 0, i % ROWS > 1 ? "four" : "4");
	tally_init(&t);
	cr_assert_eq(load_text(SDTM_LB, text, &t, NULL, &r), CT_OK);

	cr_assert_eq(t.items, 1);
	cr_assert_eq(report(&t, 0)->n_results, 2);
	cr_assert_eq(t.rejects, ROWS - 2);
	expect_each_row_once(&t, &r);
	tally_fini(&t);
	free(text);
}

Test(loader, key_that_repeats_is_rejected_with_the_line_of_the_first)
{
	struct sdtm_load_result r;
	struct tally t;
	char text[1024];

	tally_init(&t);
	snprintf(text, sizeof(text), "%s%s", AE,
		 "S,P1,1,PAIN,2020-01\nS,P1,2,PAIN,bad\nS,P1,2,PAIN,2020-01\n"
		 "S,P2,1,PAIN,2020-01\nS,P1,01,PAIN,2020-01\n");
	cr_assert_eq(load_text(SDTM_AE, text, &t, NULL, &r), CT_OK);

	cr_assert_eq(t.items, 3, "a bad row does not stand in the way of a good one");
	cr_assert_eq(t.rejects, 2);
	cr_assert_eq(t.last.line, 6);
	cr_assert_str_eq(t.last.reason, "has the same key as line 2");
	tally_fini(&t);
}

Test(loader, rows_of_unknown_subjects_are_rejected)
{
	struct sdtm_load_result r;
	struct tally t;
	char text[1024];

	tally_init(&t);
	t.unknown = "P9";
	snprintf(text, sizeof(text), "%s%s", LB, "S,P9,1,K,C,4,4,1,2020\nS,P1,1,K,C,4,4,1,2020\n");
	cr_assert_eq(load_text(SDTM_LB, text, &t, NULL, &r), CT_OK);

	cr_assert_eq(t.rejects, 1);
	cr_assert_eq(t.items, 1);
	cr_assert_str_eq(t.last.column, "USUBJID");
	cr_assert_str_eq(t.last.reason, "no such subject in this study: \"P9\"");
	tally_fini(&t);
}

Test(loader, file_without_header_or_needed_column_is_refused_and_nothing_is_handed_on)
{
	struct sdtm_load_result r;
	struct tally t;

	tally_init(&t);
	cr_assert_eq(load_text(SDTM_AE, "", &t, NULL, &r), CT_FAILED_PRECONDITION);
	cr_assert_str_eq(r.why, "the file is empty, it has no header");
	cr_assert_eq(load_text(SDTM_AE, "STUDYID,AESEQ\nS,1\n", &t, NULL, &r),
		     CT_FAILED_PRECONDITION);
	cr_assert_str_eq(r.why, "required column missing: USUBJID, AETERM, AESTDTC");
	cr_assert_eq(r.line, 1);
	cr_assert_eq(load_text(SDTM_AE, "\xff\xfeS\n", &t, NULL, &r), CT_FAILED_PRECONDITION);
	cr_assert_eq(t.items + t.rejects + r.rows, 0);
	tally_fini(&t);
}

Test(loader, table_with_too_many_rows_stops_and_says_where)
{
	const char *file = file_of("STUDYID,USUBJID,AESEQ,AETERM,AESTDTC\nS,P,1,A,\nS,P,2,A,\n",
				   55);
	struct sdtm_load_result r;
	struct tally t;
	struct sdtm_load_opts opts = { .table = sdtm_table(SDTM_AE), .path = file, .rows_max = 1 };

	tally_init(&t);
	opts.sink = &t.sink;
	cr_assert_eq(sdtm_load(&opts, &r), CT_OUT_OF_RANGE);

	cr_assert_eq(t.items, 1);
	cr_assert_eq(r.line, 3);
	file_remove(file);
	tally_fini(&t);
}

/* Forty subjects with two reports of four tests each, sorted by `order`. */
static char *study_text(int order, size_t *ret_len)
{
	char *text = malloc(320 * 64);
	size_t len = (size_t)snprintf(text, 128, "%s", LB);

	for (int i = 0; i < 320; i++) {
		const int subject = order == 0   ? i / 8
				    : order == 1 ? i % 40
						 : (i * 7 + i / 40) % 40;
		const int nth = order == 0 ? i % 8 : i / 40;

		len += (size_t)snprintf(text + len, 64, "S,P%02d,%d,T%d,C,1,1,%d,2020-01-%02d\n",
					subject, nth + 1, nth % 4, nth / 4 + 1, nth / 4 + 1);
	}
	*ret_len = len;
	return text;
}

Test(loader, reports_are_the_same_whatever_the_order_of_the_file)
{
	for (int order = 0; order < 3; order++) {
		struct sdtm_load_result r;
		struct tally t;
		size_t len;
		char *text = study_text(order, &len);

		tally_init(&t);
		cr_assert_eq(load_text(SDTM_LB, text, &t, NULL, &r), CT_OK);
		cr_assert_eq(t.items, 80, "order %d: %d", order, (int)t.items);
		cr_assert_eq(t.rejects, 0);
		expect_each_row_once(&t, &r);
		for (size_t i = 0; i < t.kept_n; i++)
			cr_assert_eq(report(&t, i)->n_results, 4);
		tally_fini(&t);
		free(text);
	}
}

Test(loader, truncated_gzip_hands_on_what_came_and_says_where_it_ends)
{
	struct sdtm_load_result r;
	struct tally t;
	size_t len;
	char *text = study_text(0, &len);
	const char *file = gz_file_of(text, len, 100);
	const struct sdtm_load_opts opts = {
		.table = sdtm_table(SDTM_LB),
		.path = file,
		.sink = &t.sink,
	};

	tally_init(&t);
	cr_assert_eq(sdtm_load(&opts, &r), CT_FAILED_PRECONDITION);

	cr_assert_gt(r.rows, 100);
	cr_assert_lt(r.rows, 320);
	cr_assert_eq(r.line, r.rows + 2);
	cr_assert_str_eq(r.why, "the gzip data end early, the file is truncated");
	expect_each_row_once(&t, &r);
	file_remove(file);
	free(text);
	tally_fini(&t);
}

Test(loader, sink_that_fails_stops_the_load_and_nothing_leaks)
{
	struct sdtm_load_result r;
	struct tally t;
	size_t len;
	char *text = study_text(1, &len);

	tally_init(&t);
	t.stop_at_item = 3;
	cr_assert_eq(load_text(SDTM_LB, text, &t, NULL, &r), CT_UNAVAILABLE);

	cr_assert_eq(t.items, 3);
	cr_assert_str_eq(r.why, "", "the file is not to blame");
	tally_fini(&t);
	free(text);
}

static ct_status stop(void *arg, uint64_t rows, double share)
{
	(void)arg;
	cr_assert_eq(rows, 0, "the first pass takes none");
	cr_assert_eq(share, 0);
	return CT_CANCELLED;
}

Test(loader, first_pass_can_be_stopped)
{
	struct sdtm_load_result r;
	struct tally t;
	size_t len;
	char *text = study_text(0, &len);

	tally_init(&t);
	t.sink.progress = stop;
	cr_assert_eq(load_text(SDTM_LB, text, &t, NULL, &r), CT_CANCELLED);

	cr_assert_eq(t.items + t.rejects + r.rows, 0);
	tally_fini(&t);
	free(text);
}

Test(loader, every_failed_allocation_stops_the_load_and_nothing_leaks)
{
	uint64_t failures = 0;
	size_t len;
	char *text = study_text(1, &len);

	for (;; failures++) {
		struct sdtm_load_result r;
		struct tally t;
		ct_status st;

		tally_init(&t);
		ct_mem_fail_nth(failures + 1);
		st = load_text(SDTM_LB, text, &t, NULL, &r);
		ct_mem_fail_nth(0);
		cr_assert_eq(t.rejects, 0, "no row is to blame");
		cr_assert(st == CT_RESOURCE_EXHAUSTED || t.item_rows == 320);
		tally_fini(&t);
		if (st == CT_OK)
			break;
	}

	cr_assert_gt(failures, 300, "%d", (int)failures);
	free(text);
}
