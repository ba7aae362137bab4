/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-view/args.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2, ROWS = 5, ROWS_MAX = 1000000, TIMEOUT_MS_MAX = 600000 };

static const char usage[] =
	"usage: patient-view [-a URL]... [-t TIME] [--rows N] [--study ID] [--whole] USUBJID\n"
	"\n"
	"Prints everything that is known about one patient: who it is, how each section\n"
	"of the view was had, and the first rows of each. A section that could not be\n"
	"had says why.\n"
	"\n"
	"  -a URL      patient-svc, tcp://host:port or ipc:///path; repeatable;\n"
	"              default tcp://127.0.0.1:7001\n"
	"  -t TIME     how long to wait, as 500ms or 2s; default: the method's own\n"
	"  --rows N    rows of each section; default 5, 0: all\n"
	"  --study ID  of this study; default: any\n"
	"  --whole     fail rather than show a view with a section missing\n"
	"  --help      this text\n"
	"  --version   the version\n"
	"\n"
	"Exit status: 0 the view is complete, 1 there is none, 2 wrong arguments,\n"
	"3 a section is missing or was cut off.\n";

static int complain(const char *what, const char *value)
{
	fprintf(stderr, "patient-view: %s%s%s\nTry 'patient-view --help'.\n", what,
		value != NULL ? ": " : "", value != NULL ? value : "");
	return EXIT_USAGE;
}

/* A whole number up to max; *ret_end: what follows it. */
static bool take_number(const char *text, unsigned long max, unsigned long *ret_value,
			const char **ret_end)
{
	char *end = NULL;
	unsigned long value;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || value > max)
		return false;
	*ret_value = value;
	*ret_end = end;
	return true;
}

static bool take_time(const char *text, uint32_t *ret_ms)
{
	unsigned long value = 0, factor = 0;
	const char *unit = "";

	if (!take_number(text, TIMEOUT_MS_MAX, &value, &unit))
		return false;
	if (strcmp(unit, "ms") == 0)
		factor = 1;
	else if (strcmp(unit, "s") == 0)
		factor = 1000;
	if (value == 0 || factor == 0 || value > TIMEOUT_MS_MAX / factor)
		return false;
	*ret_ms = (uint32_t)(value * factor);
	return true;
}

static bool take_rows(const char *text, size_t *ret_rows)
{
	unsigned long value = 0;
	const char *end = "";

	if (!take_number(text, ROWS_MAX, &value, &end) || *end != '\0')
		return false;
	*ret_rows = value;
	return true;
}

/* NULL: taken; else what is wrong with the value. */
static const char *take_option(struct view_args *a, int opt, const char *value)
{
	switch (opt) {
	case 'a':
		if (a->urls_n == VIEW_URLS_MAX)
			return "more than 16 addresses, at";
		a->urls[a->urls_n++] = value;
		return NULL;
	case 't':
		return take_time(value, &a->timeout_ms) ? NULL
							: "-t wants a time as 500ms or 2s, not";
	case 'r':
		return take_rows(value, &a->rows_max) ? NULL : "--rows wants a number, not";
	case 'y':
		a->study_id = value;
		return NULL;
	case 'w':
		a->must_be_whole = true;
		return NULL;
	default:
		return "unknown option";
	}
}

int view_args_parse(int argc, char **argv, struct view_args *ret_args)
{
	static const struct option options[] = {
		{ "address", required_argument, NULL, 'a' },
		{ "timeout", required_argument, NULL, 't' },
		{ "rows", required_argument, NULL, 'r' },
		{ "study", required_argument, NULL, 'y' },
		{ "whole", no_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	struct view_args a = { .rows_max = ROWS, .study_id = "" };
	const char *wrong;
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":a:t:", options, NULL)) != -1) {
		if (opt == 'h')
			return fputs(usage, stdout) == EOF;
		if (opt == 'V')
			return puts("patient-view " CT_VERSION) == EOF;
		if (opt == ':')
			return complain("this option wants a value", argv[optind - 1]);
		if (opt == '?')
			return complain("unknown option", argv[optind - 1]);
		wrong = take_option(&a, opt, optarg);
		if (wrong != NULL)
			return complain(wrong, optarg);
	}
	if (optind == argc)
		return complain("USUBJID is missing, the patient's key", NULL);
	if (optind + 1 < argc)
		return complain("only one USUBJID, please, not also", argv[optind + 1]);
	if (a.urls_n == 0)
		a.urls[a.urls_n++] = "tcp://127.0.0.1:7001";
	a.usubjid = argv[optind];
	*ret_args = a;
	return -1;
}
