/* SPDX-License-Identifier: Apache-2.0 */
/* What the importer tells people: tally, rejects, progress. */
#include "help.h"

#include "sdtm-import/progress.h"
#include "sdtm-import/rejects.h"
#include "sdtm-import/tally.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(tally, .fini = leak_check, .timeout = 60);

static void text_of(FILE *f, char *out, size_t size)
{
	rewind(f);
	out[fread(out, 1, size - 1, f)] = '\0';
	cr_assert_eq(fclose(f), 0);
}

Test(tally, rows_of_every_fate_add_up_to_the_rows_read)
{
	struct sdtm_tally t[SDTM_TABLES_N] = { { .read = 0 } };
	char text[2048];
	FILE *f = tmpfile();

	cr_assert_not_null(f);
	t[SDTM_LB] = (struct sdtm_tally){ .present = true, .read = 10, .items = 3 };
	sdtm_tally_add(&t[SDTM_LB], SDTM_CREATED, 4);
	sdtm_tally_add(&t[SDTM_LB], SDTM_UNCHANGED, 5);
	sdtm_tally_add(&t[SDTM_LB], SDTM_REJECTED, 1);
	sdtm_tally_close(&t[SDTM_LB]);
	cr_assert_eq(t[SDTM_LB].rows[SDTM_LEFT], 0);
	cr_assert_not(sdtm_tally_all_stored(t));
	sdtm_tally_print(t, 2.0, f);
	text_of(f, text, sizeof(text));

	cr_assert_str_eq(
		text,
		"table    rows read     created     updated   unchanged    rejected   sent as\n"
		"lb              10           4           0           5           1   3 reports\n"
		"total           10           4           0           5           1\n"
		"2.0 s, 5 rows/s; each row is counted once\n");
}

Test(tally, rows_nobody_settled_are_not_sent)
{
	struct sdtm_tally t[SDTM_TABLES_N] = { { .read = 0 } };
	char text[2048];
	FILE *f = tmpfile();

	cr_assert_not_null(f);
	t[SDTM_AE] = (struct sdtm_tally){ .present = true, .read = 10 };
	sdtm_tally_add(&t[SDTM_AE], SDTM_CREATED, 4);
	sdtm_tally_close(&t[SDTM_AE]);
	cr_assert_eq(t[SDTM_AE].rows[SDTM_LEFT], 6);
	cr_assert_not(sdtm_tally_all_stored(t));
	sdtm_tally_print(t, 0, f);
	text_of(f, text, sizeof(text));

	cr_assert_not_null(strstr(text, "rejected    not sent   sent as\n"));
}

Test(tally, row_settled_twice_is_a_fault_of_ours, .signal = SIGABRT)
{
	struct sdtm_tally t = { .read = 1 };

	sdtm_tally_add(&t, SDTM_CREATED, 1);
	sdtm_tally_add(&t, SDTM_REJECTED, 1);
	sdtm_tally_close(&t);
}

Test(tally, file_that_broke_off_is_not_all_stored)
{
	struct sdtm_tally t[SDTM_TABLES_N] = { { .read = 0 } };

	cr_assert(sdtm_tally_all_stored(t));
	snprintf(t[SDTM_SV].broke, sizeof(t[SDTM_SV].broke), "sv.csv.gz:7: truncated");
	cr_assert_not(sdtm_tally_all_stored(t));
}

TestSuite(rejects, .fini = leak_check, .timeout = 60);

Test(rejects, all_go_to_the_file_as_csv_and_the_first_to_people)
{
	static const char head[] = "file,line,column,reason\n"
				   "lb.csv,7,LBSTRESN,\"not a number: \"\"1,5\"\"\"\n"
				   "lb.csv,8,3,not UTF-8\n"
				   "lb.csv,9,,has the same key as line 2\n";
	static const char shown_head[] = "lb.csv:7:LBSTRESN: not a number: \"1,5\"\n"
					 "lb.csv:8:3: not UTF-8\n"
					 "lb.csv:9: has the same key as line 2\n";
	const char *path = file_of("", 0);
	struct sdtm_rejects *r = NULL;
	struct sdtm_reject one;
	const char *why = "";
	uint32_t shown = 0;
	char text[4096];
	char said[4096];
	FILE *f;

	cr_assert_eq(sdtm_rejects_open(path, &r, &why), CT_OK);
	capture_begin();
	sdtm_reject_set(&one, 7, "LBSTRESN", 11, "not a number: \"1,5\"");
	shown += sdtm_rejects_add(r, "lb.csv", &one);
	sdtm_reject_set(&one, 8, NULL, 3, "not UTF-8");
	shown += sdtm_rejects_add(r, "lb.csv", &one);
	sdtm_reject_set(&one, 9, NULL, 0, "has the same key as line 2");
	for (int i = 0; i < 30; i++)
		shown += sdtm_rejects_add(r, "lb.csv", &one);
	capture_end(said, sizeof(said));
	cr_assert_eq(shown, 20);
	cr_assert_eq(sdtm_rejects_next_table(r), 12);
	cr_assert_eq(sdtm_rejects_next_table(r), 0);
	cr_assert_eq(sdtm_rejects_close(r, &why), CT_OK);
	f = fopen(path, "r");
	cr_assert_not_null(f);
	text_of(f, text, sizeof(text));

	cr_assert_eq(strncmp(text, head, strlen(head)), 0, "%s", text);
	cr_assert_eq(strncmp(said, shown_head, strlen(shown_head)), 0, "%s", said);
	file_remove(path);
}

Test(rejects, file_that_cannot_be_made_or_written_is_told)
{
	struct sdtm_rejects *r = NULL;
	const char *why = "";

	cr_assert_eq(sdtm_rejects_open("/nonexistent/rejects.csv", &r, &why),
		     CT_FAILED_PRECONDITION);
	cr_assert_str_eq(why, "No such file or directory");
	cr_assert_null(r);
	cr_assert_eq(sdtm_rejects_open("/dev/full", &r, &why), CT_OK);
	cr_assert_eq(sdtm_rejects_close(r, &why), CT_FAILED_PRECONDITION);
	cr_assert_str_eq(why, "No space left on device");
}

TestSuite(progress, .fini = leak_check, .timeout = 60);

struct still_clock {
	struct ct_clock clk;
	int64_t ns;
};

static ct_instant still_now(const struct ct_clock *self)
{
	return (ct_instant){ .ns = ((const struct still_clock *)(const void *)self)->ns };
}

Test(progress, elsewhere_it_is_a_plain_line_every_few_seconds)
{
	struct still_clock clock = { .clk = { still_now }, .ns = 0 };
	struct sdtm_progress p;
	char text[1024];
	FILE *f = tmpfile();

	cr_assert_not_null(f);
	sdtm_progress_init(&p, f, false, &clock.clk);
	sdtm_progress_set(&p, "ae", 100, 0.1);
	clock.ns = INT64_C(5000000000);
	sdtm_progress_set(&p, "lb", 1000, 0.25);
	sdtm_progress_set(&p, "lb", 1001, 0.26);
	sdtm_progress_clear(&p);
	text_of(f, text, sizeof(text));

	cr_assert_str_eq(text, " 25%  lb  1000 rows  200 rows/s  0:15 left\n");
}

Test(progress, on_a_terminal_one_line_is_drawn_over_and_taken_away)
{
	struct still_clock clock = { .clk = { still_now }, .ns = 0 };
	struct sdtm_progress p;
	char text[1024];
	FILE *f = tmpfile();

	cr_assert_not_null(f);
	sdtm_progress_init(&p, f, true, &clock.clk);
	clock.ns = INT64_C(1000000000);
	sdtm_progress_set(&p, "lb", 1000, 0.5);
	sdtm_progress_tick(&p); /* too soon */
	sdtm_progress_clear(&p);
	sdtm_progress_clear(&p);
	text_of(f, text, sizeof(text));

	cr_assert_str_eq(text,
			 "\r\033[K[############............]  50%  lb  1000 rows  1000 rows/s  "
			 "0:01 left\r\033[K");
}
