/* SPDX-License-Identifier: Apache-2.0 */
/* rpcctl bench METHOD [JSON] and its own options, in any order. */
#include "rpcctl/args.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define RATE_MAX 1e6
#define OUTSTANDING_MAX 32768.0 /* ct_client_opts.outstanding_max */
#define CONNECTIONS_MAX 16.0    /* ct_client_opts.connections */

enum { OPT_OUTSTANDING = 256, OPT_RATE, OPT_DURATION, OPT_CONNECTIONS, OPT_JSON };
enum { OUTSTANDING_DEFAULT = 8, DURATION_MS_DEFAULT = 10000 };

static bool parse_number(const char *text, double least, double most, double *ret)
{
	char *end;
	double v;

	errno = 0;
	v = strtod(text, &end);
	if (end == text || *end != '\0' || errno != 0 || !(v >= least && v <= most))
		return false;
	*ret = v;
	return true;
}

static bool parse_count(const char *text, double most, uint32_t *ret)
{
	double v;

	if (!parse_number(text, 1, most, &v) || v != (double)(uint32_t)v)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static bool parse_option(int opt, const char *text, struct rpcctl_bench_args *b)
{
	uint32_t connections;

	switch (opt) {
	case OPT_OUTSTANDING:
		return parse_count(text, OUTSTANDING_MAX, &b->outstanding);
	case OPT_RATE:
		return parse_number(text, 1 / RATE_MAX, RATE_MAX, &b->rate);
	case OPT_DURATION:
		return rpcctl_parse_duration(text, &b->duration_ms);
	case OPT_CONNECTIONS:
		if (!parse_count(text, CONNECTIONS_MAX, &connections))
			return false;
		b->connections = (uint16_t)connections;
		return true;
	default: /* OPT_JSON */
		b->json = true;
		return true;
	}
}

enum rpcctl_parsed rpcctl_bench_args_parse(int argc, char **argv, struct rpcctl_args *a)
{
	static const struct option longs[] = {
		{ "outstanding", required_argument, NULL, OPT_OUTSTANDING },
		{ "rate", required_argument, NULL, OPT_RATE },
		{ "duration", required_argument, NULL, OPT_DURATION },
		{ "connections", required_argument, NULL, OPT_CONNECTIONS },
		{ "json", no_argument, NULL, OPT_JSON },
		{ NULL, 0, NULL, 0 },
	};
	static char program[] = "rpcctl bench"; /* what getopt complains as */
	struct rpcctl_bench_args b = { .duration_ms = DURATION_MS_DEFAULT };
	int opt;

	a->command = argv[0];
	argv[0] = program;
	optind = 0; /* begin anew, and let options stand behind operands */
	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (opt == '?') {
			fputs("rpcctl --help lists the options\n", stderr);
			return RPCCTL_WRONG;
		}
		if (!parse_option(opt, optarg, &b))
			return rpcctl_args_wrong("not possible for bench", optarg);
	}
	if (b.outstanding > 0 && b.rate > 0)
		return rpcctl_args_wrong("either --outstanding or --rate", "");
	if (b.outstanding == 0 && !(b.rate > 0))
		b.outstanding = OUTSTANDING_DEFAULT;
	if (argc - optind < 1)
		return rpcctl_args_wrong("not enough operands for", "bench");
	if (argc - optind > RPCCTL_OPERANDS_MAX)
		return rpcctl_args_wrong("too many operands for", "bench");
	while (optind < argc)
		a->operands[a->operands_n++] = argv[optind++];
	a->bench = b;
	return RPCCTL_RUN;
}
