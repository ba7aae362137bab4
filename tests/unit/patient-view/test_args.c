/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-view/args.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <getopt.h>

enum { GO_ON = -1, USAGE = 2, ARGS_MAX = 40 };

TestSuite(args, .init = cr_redirect_stderr, .fini = leak_check, .timeout = 60);

static struct view_args args;

/* Words separated by single blanks. */
static int parse(const char *line)
{
	static char copy[512];
	char *argv[ARGS_MAX] = { (char *)(uintptr_t) "patient-view" };
	int argc = 1;

	(void)snprintf(copy, sizeof(copy), "%s", line);
	for (char *at = copy, *word; (word = strsep(&at, " ")) != NULL;)
		if (*word != '\0' && argc < ARGS_MAX - 1)
			argv[argc++] = word;
	optind = 1;
	args = (struct view_args){ .urls_n = 0 };
	return view_args_parse(argc, argv, &args);
}

Test(args, a_subject_alone_has_defaults)
{
	cr_assert_eq(parse("01-701-1015"), GO_ON);

	cr_assert_str_eq(args.usubjid, "01-701-1015");
	cr_assert_str_eq(args.urls[0], "tcp://127.0.0.1:7001");
	cr_assert_eq(args.urls_n, 1);
	cr_assert_eq(args.rows_max, 5);
	cr_assert_eq(args.timeout_ms, 0);
	cr_assert_str_eq(args.study_id, "");
	cr_assert_not(args.must_be_whole);
}

Test(args, everything_can_be_said)
{
	cr_assert_eq(parse("-a tcp://a:1 -a ipc:///b -t 2s --rows 0 --study S1 --whole X"), GO_ON);

	cr_assert_eq(args.urls_n, 2);
	cr_assert_str_eq(args.urls[1], "ipc:///b");
	cr_assert_eq(args.timeout_ms, 2000);
	cr_assert_eq(args.rows_max, 0);
	cr_assert_str_eq(args.study_id, "S1");
	cr_assert(args.must_be_whole);
}

Test(args, times_have_a_unit_and_a_limit)
{
	cr_assert_eq(parse("-t 1ms X"), GO_ON);
	cr_assert_eq(parse("-t 600s X"), GO_ON);
	cr_assert_eq(parse("-t 601s X"), USAGE);
	cr_assert_eq(parse("-t 0ms X"), USAGE);
	cr_assert_eq(parse("-t 5 X"), USAGE);
	cr_assert_eq(parse("-t -5s X"), USAGE);
	cr_assert_eq(parse("-t 5h X"), USAGE);
	cr_assert_eq(parse("-t 99999999999999999999s X"), USAGE);
}

Test(args, rows_are_a_number)
{
	cr_assert_eq(parse("--rows 1000000 X"), GO_ON);
	cr_assert_eq(parse("--rows 1000001 X"), USAGE);
	cr_assert_eq(parse("--rows all X"), USAGE);
	cr_assert_eq(parse("--rows 5x X"), USAGE);
}

Test(args, one_subject_no_less_no_more)
{
	cr_assert_eq(parse(""), USAGE);
	cr_assert_eq(parse("X Y"), USAGE);
}

Test(args, unknown_options_and_missing_values_are_refused)
{
	cr_assert_eq(parse("--frob X"), USAGE);
	cr_assert_eq(parse("X -a"), USAGE);
}

Test(args, more_addresses_than_there_is_room_for_are_refused)
{
	cr_assert_eq(parse("-a 1 -a 2 -a 3 -a 4 -a 5 -a 6 -a 7 -a 8 -a 9 -a 10 -a 11 -a 12 -a 13 "
			   "-a 14 -a 15 -a 16 X"),
		     GO_ON);
	cr_assert_eq(parse("-a 1 -a 2 -a 3 -a 4 -a 5 -a 6 -a 7 -a 8 -a 9 -a 10 -a 11 -a 12 -a 13 "
			   "-a 14 -a 15 -a 16 -a 17 X"),
		     USAGE);
}
