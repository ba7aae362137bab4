/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/args.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"usage: sdtm-import DIR [--patient URL] [--report URL] [options]\n"
	"\n"
	"Loads an SDTM study from DIR into the services: the tables dm, ae, mh, cm, lb,\n"
	"vs and sv, each as NAME.csv or NAME.csv.gz; those that are not there are left\n"
	"out. May be stopped and run again at any time: what is stored already is\n"
	"unchanged.\n"
	"\n"
	"  --patient URL    patient-svc, tcp://host:port or ipc:///path; repeatable;\n"
	"                   default tcp://127.0.0.1:7001\n"
	"  --report URL     report-svc; repeatable; default tcp://127.0.0.1:7002\n"
	"  --concurrency N  calls at once, 1 to 256; default 8\n"
	"  --batch N        items in a call, 1 to 1000; default 100\n"
	"  --deadline TIME  of one call, as 500ms, 2s, 1m; default: the method's own\n"
	"  --retry-for TIME how long to go on sending what a service that is busy or\n"
	"                   away did not take; default 30s\n"
	"  --rejects FILE   write every rejected row to FILE: file,line,column,reason\n"
	"  --help           this text\n"
	"  --version        the version\n"
	"\n"
	"Exit status: 0 every row is stored, 1 some were rejected or a file broke off,\n"
	"2 it could not run or not to the end.\n";

static int complain(const char *what, const char *value)
{
	fprintf(stderr, "sdtm-import: %s%s%s\nTry 'sdtm-import --help'.\n", what,
		value != NULL ? ": " : "", value != NULL ? value : "");
	return EXIT_USAGE;
}

/* A whole number; *ret_end: what follows it. */
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

static bool take_count(const char *text, unsigned long max, uint32_t *ret_value)
{
	unsigned long value = 0;
	const char *end = "";

	if (!take_number(text, max, &value, &end) || *end != '\0' || value == 0)
		return false;
	*ret_value = (uint32_t)value;
	return true;
}

/* "500ms", "2s", "1m"; at most an hour. */
static bool take_time(const char *text, uint32_t *ret_ms)
{
	static const struct {
		const char *unit;
		unsigned long ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 } };
	unsigned long value = 0;
	const char *end = "";

	if (!take_number(text, 3600000, &value, &end) || value == 0)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) == 0 && value * units[i].ms <= 3600000) {
			*ret_ms = (uint32_t)(value * units[i].ms);
			return true;
		}
	}
	return false;
}

static bool add_url(const char *urls[SDTM_URLS_MAX], size_t *n, const char *url)
{
	if (*n == SDTM_URLS_MAX || url[0] == '\0')
		return false;
	urls[(*n)++] = url;
	return true;
}

enum option_id { PATIENT = 1, REPORT, CONCURRENCY, BATCH, DEADLINE, RETRY_FOR, REJECTS };

static const struct option options[] = {
	{ "patient", required_argument, NULL, PATIENT },
	{ "report", required_argument, NULL, REPORT },
	{ "concurrency", required_argument, NULL, CONCURRENCY },
	{ "batch", required_argument, NULL, BATCH },
	{ "deadline", required_argument, NULL, DEADLINE },
	{ "retry-for", required_argument, NULL, RETRY_FOR },
	{ "rejects", required_argument, NULL, REJECTS },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

/* NULL: taken; else what is wrong with the value. */
static const char *take_option(struct sdtm_args *a, enum option_id id, const char *value)
{
	switch (id) {
	case PATIENT:
		return add_url(a->patient, &a->patient_n, value) ? NULL
								 : "--patient wants 1 to 16 URLs";
	case REPORT:
		return add_url(a->report, &a->report_n, value) ? NULL
							       : "--report wants 1 to 16 URLs";
	case CONCURRENCY:
		return take_count(value, 256, &a->concurrency)
			       ? NULL
			       : "--concurrency wants 1 to 256, not";
	case BATCH:
		return take_count(value, 1000, &a->batch) ? NULL : "--batch wants 1 to 1000, not";
	case DEADLINE:
		return take_time(value, &a->deadline_ms)
			       ? NULL
			       : "--deadline wants a time as 500ms, 2s or 1m, at most 60m, not";
	case RETRY_FOR:
		return take_time(value, &a->retry_ms)
			       ? NULL
			       : "--retry-for wants a time as 500ms, 2s or 1m, at most 60m, not";
	case REJECTS:
		a->rejects = value;
		return value[0] != '\0' ? NULL : "--rejects wants the name of a file";
	}
	return "unknown option";
}

int sdtm_args_parse(int argc, char **argv, struct sdtm_args *ret_args)
{
	struct sdtm_args a = { .concurrency = 8, .batch = 100, .retry_ms = 30000 };
	const char *wrong;
	int opt;

	opterr = 0;
	optind = 1;
	while ((opt = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (opt) {
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		case 'V':
			puts("sdtm-import " CT_VERSION);
			return EXIT_SUCCESS;
		case ':':
			return complain("this option wants a value", argv[optind - 1]);
		case '?':
			return complain("unknown option", argv[optind - 1]);
		default:
			wrong = take_option(&a, (enum option_id)opt, optarg);
			if (wrong != NULL)
				return complain(wrong, optarg);
		}
	}
	if (optind == argc)
		return complain("DIR is missing, the folder of the study", NULL);
	if (optind + 1 < argc)
		return complain("only one DIR, please, not also", argv[optind + 1]);
	a.dir = argv[optind];
	if (a.patient_n == 0)
		(void)add_url(a.patient, &a.patient_n, "tcp://127.0.0.1:7001");
	if (a.report_n == 0)
		(void)add_url(a.report, &a.report_n, "tcp://127.0.0.1:7002");
	*ret_args = a;
	return -1;
}
