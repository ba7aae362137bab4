/* SPDX-License-Identifier: Apache-2.0 */
/* study-gen: writes a synthetic SDTM study. The same arguments make the same bytes. */
#include "study-gen/tables.h"

#include "base/status.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { EXIT_USAGE = 2, SUBJECTS_MAX = 100000, SITES_MAX = 200 };

struct args {
	uint32_t subjects, sites;
	uint64_t seed;
	const char *dir;
};

static const char usage[] =
	"usage: study-gen [--subjects N] [--seed S] [--sites K] OUTDIR\n"
	"\n"
	"Writes a synthetic clinical study to OUTDIR: dm, ae, mh, cm, lb, vs and sv\n"
	"as .csv.gz in SDTM's form. Everybody in it is invented. The same arguments\n"
	"make the same bytes; a subject stays the same when there are more of them.\n"
	"\n"
	"  --subjects N  how many, 1 to 100000; default 300\n"
	"  --seed S      whole number that decides everything; default 1\n"
	"  --sites K     hospitals they are spread over, 1 to 200; default 12\n"
	"  --help        this text\n"
	"  --version     the version\n";

static int complain(const char *what, const char *value)
{
	fprintf(stderr, "study-gen: %s%s%s\nTry 'study-gen --help'.\n", what,
		value != NULL ? ": " : "", value != NULL ? value : "");
	return EXIT_USAGE;
}

static bool take_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
	char *end = NULL;
	unsigned long long value;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0' || value < min || value > max)
		return false;
	*ret_value = value;
	return true;
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, struct args *ret_args)
{
	static const struct option options[] = {
		{ "subjects", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "sites", required_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	uint64_t subjects = 300;
	uint64_t sites = GEN_SITES_N;
	uint64_t seed = 1;
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (opt) {
		case 'n':
			if (!take_number(optarg, 1, SUBJECTS_MAX, &subjects))
				return complain("--subjects wants a number from 1 to 100000, not",
						optarg);
			break;
		case 's':
			if (!take_number(optarg, 0, UINT64_MAX, &seed))
				return complain("--seed wants a whole number, not", optarg);
			break;
		case 'k':
			if (!take_number(optarg, 1, SITES_MAX, &sites))
				return complain("--sites wants a number from 1 to 200, not",
						optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		case 'V':
			puts("study-gen " CT_VERSION);
			return EXIT_SUCCESS;
		case ':':
			return complain("this option wants a value", argv[optind - 1]);
		default:
			return complain("unknown option", argv[optind - 1]);
		}
	}
	if (optind == argc)
		return complain("OUTDIR is missing", NULL);
	if (optind + 1 < argc)
		return complain("only one OUTDIR, please, not also", argv[optind + 1]);
	*ret_args = (struct args){ (uint32_t)subjects, (uint32_t)sites, seed, argv[optind] };
	return -1;
}

static bool make_study(const struct args *a, struct gen_out *outs[GEN_TABLES_N],
		       const char **ret_why)
{
	for (size_t i = 0; i < GEN_TABLES_N; i++) {
		if (gen_out_open(a->dir, gen_tables[i].name, gen_tables[i].header, &outs[i],
				 ret_why) != CT_OK)
			return false;
	}
	for (uint32_t number = 1; number <= a->subjects; number++) {
		struct gen_subject s;

		gen_subject_make(&s, a->seed, number, a->sites);
		for (size_t i = 0; i < GEN_TABLES_N; i++)
			gen_tables[i].fn(outs[i], &s);
	}
	return true;
}

int main(int argc, char **argv)
{
	struct gen_out *outs[GEN_TABLES_N] = { NULL };
	const char *why = "";
	struct args a;
	const int done = parse(argc, argv, &a);
	bool ok;

	if (done >= 0)
		return done;
	if (mkdir(a.dir, 0777) != 0 && errno != EEXIST) {
		fprintf(stderr, "study-gen: %s: %s\n", a.dir, strerror(errno));
		return EXIT_FAILURE;
	}
	ok = make_study(&a, outs, &why);
	for (size_t i = 0; i < GEN_TABLES_N; i++) {
		const uint64_t rows = outs[i] != NULL ? gen_out_rows(outs[i]) : 0;

		if (gen_out_close(outs[i], ok, &why) != CT_OK)
			ok = false;
		else if (ok)
			printf("%s/%s.csv.gz: %llu rows\n", a.dir, gen_tables[i].name,
			       (unsigned long long)rows);
	}
	if (!ok)
		fprintf(stderr, "study-gen: %s: %s\n", a.dir, why);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
