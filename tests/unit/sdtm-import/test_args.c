/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include "sdtm-import/args.h"
#include "sdtm-import/study.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(args, .fini = leak_check, .timeout = 60);

/* Words separated by single blanks; NULL-terminated as the kernel does. */
static int parse(char *line, struct sdtm_args *a)
{
	char *argv[32] = { NULL };
	int argc = 0;
	char *save = NULL;

	for (char *w = strtok_r(line, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	return sdtm_args_parse(argc, argv, a);
}

Test(args, defaults_stand_for_what_is_not_said)
{
	char line[] = "sdtm-import study";
	struct sdtm_args a;

	cr_assert_eq(parse(line, &a), -1);
	cr_assert_str_eq(a.dir, "study");
	cr_assert_eq(a.patient_n, 1);
	cr_assert_str_eq(a.patient[0], "tcp://127.0.0.1:7001");
	cr_assert_str_eq(a.report[0], "tcp://127.0.0.1:7002");
	cr_assert_eq(a.concurrency, 8);
	cr_assert_eq(a.batch, 100);
	cr_assert_eq(a.deadline_ms, 0);
	cr_assert_eq(a.retry_ms, 30000);
	cr_assert_null(a.rejects);
}

Test(args, options_may_stand_anywhere_and_urls_repeat)
{
	char line[] =
		"sdtm-import --patient ipc:///p study --report tcp://a:1 --report tcp://b:2 "
		"--concurrency 3 --batch=7 --deadline 1500ms --retry-for 2m --rejects out.csv";
	struct sdtm_args a;

	cr_assert_eq(parse(line, &a), -1);
	cr_assert_str_eq(a.dir, "study");
	cr_assert_str_eq(a.patient[0], "ipc:///p");
	cr_assert_eq(a.report_n, 2);
	cr_assert_str_eq(a.report[1], "tcp://b:2");
	cr_assert_eq(a.concurrency, 3);
	cr_assert_eq(a.batch, 7);
	cr_assert_eq(a.deadline_ms, 1500);
	cr_assert_eq(a.retry_ms, 120000);
	cr_assert_str_eq(a.rejects, "out.csv");
}

Test(args, what_is_wrong_is_named)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
		{ "sdtm-import", "DIR is missing" },
		{ "sdtm-import a b", "only one DIR, please, not also: b" },
		{ "sdtm-import a --bath 3", "unknown option: --bath" },
		{ "sdtm-import a --batch", "this option wants a value: --batch" },
		{ "sdtm-import a --batch 0", "--batch wants 1 to 1000, not: 0" },
		{ "sdtm-import a --batch 1001", "--batch wants 1 to 1000, not: 1001" },
		{ "sdtm-import a --batch 5x", "--batch wants 1 to 1000, not: 5x" },
		{ "sdtm-import a --batch -5", "--batch wants 1 to 1000, not: -5" },
		{ "sdtm-import a --concurrency 257", "--concurrency wants 1 to 256, not: 257" },
		{ "sdtm-import a --deadline 5", "--deadline wants a time as 500ms, 2s or 1m" },
		{ "sdtm-import a --deadline 61m", "--deadline wants a time" },
		{ "sdtm-import a --retry-for 99999999999999999999s", "--retry-for wants a time" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char said[512];
		char line[256];
		struct sdtm_args a;
		int status;

		snprintf(line, sizeof(line), "%s", rows[i].line);
		capture_begin();
		status = parse(line, &a);
		capture_end(said, sizeof(said));
		cr_assert_eq(status, 2, "%s", rows[i].line);
		cr_assert_not_null(strstr(said, rows[i].says), "%s: %s", rows[i].line, said);
	}
}

TestSuite(folder, .fini = leak_check, .timeout = 60);

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	cr_assert_not_null(f);
	fputs(text, f);
	cr_assert_eq(fclose(f), 0);
}

/* A folder with these files, looked at and removed again. */
static bool find(const char *const (*files)[2], size_t n, struct sdtm_study *study)
{
	char dir[] = "/tmp/sdtm-study-XXXXXX";
	char path[512];
	bool found;

	cr_assert_not_null(mkdtemp(dir));
	for (size_t i = 0; i < n; i++)
		write_file(dir, files[i][0], files[i][1]);
	found = sdtm_study_find(dir, study);
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i][0]);
		cr_assert_eq(unlink(path), 0);
	}
	cr_assert_eq(rmdir(dir), 0);
	return found;
}

static const char SV[] = "STUDYID,USUBJID,VISITNUM,SVSTDTC\n";

Test(folder, tables_that_are_there_are_found)
{
	static const char *const files[][2] = { { "sv.csv", SV }, { "notes.txt", "x" } };
	struct sdtm_study study;

	cr_assert(find(files, 2, &study));
	cr_assert(study.files[SDTM_SV].present);
	cr_assert_str_eq(study.files[SDTM_SV].name, "sv.csv");
	cr_assert_not(study.files[SDTM_DM].present);
	cr_assert_eq(study.bytes, strlen(SV));
}

Test(folder, bad_header_of_any_table_refuses_the_study)
{
	static const char *const files[][2] = { { "sv.csv", SV },
						{ "ae.csv", "STUDYID,USUBJID\n" } };
	struct sdtm_study study;
	char said[512];
	bool found;

	capture_begin();
	found = find(files, 2, &study);
	capture_end(said, sizeof(said));

	cr_assert_not(found);
	cr_assert_not_null(
		strstr(said, "/ae.csv:1: required column missing: AESEQ, AETERM, AESTDTC"), "%s",
		said);
}

Test(folder, both_forms_of_a_table_or_none_of_any_are_refused)
{
	static const char *const both[][2] = { { "sv.csv", SV }, { "sv.csv.gz", SV } };
	static const char *const none[][2] = { { "notes.txt", "x" } };
	struct sdtm_study study;
	bool found[4];
	char said[1024];

	capture_begin();
	found[0] = find(both, 2, &study);
	found[1] = find(none, 1, &study);
	found[2] = sdtm_study_find("/nonexistent", &study);
	found[3] = sdtm_study_find("/dev/null", &study);
	capture_end(said, sizeof(said));

	for (size_t i = 0; i < 4; i++)
		cr_assert_not(found[i]);
	cr_assert_not_null(strstr(said, "/sv.csv: there is a .csv.gz of the table, too"));
	cr_assert_not_null(strstr(said, "none of dm, ae, mh, cm, lb, vs, sv is here"));
	cr_assert_not_null(strstr(said, "/nonexistent: No such file or directory"));
	cr_assert_not_null(strstr(said, "/dev/null: not a folder"));
}
