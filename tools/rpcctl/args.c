/* SPDX-License-Identifier: Apache-2.0 */
#include "rpcctl/args.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: rpcctl [-a URL]... [-t TIME] [-H KEY:VALUE]... [OPTION]... COMMAND\n"
	"\n"
	"  list                    the server's methods\n"
	"  describe METHOD|MESSAGE fields, default time and lane; needs no server\n"
	"  call METHOD [JSON]      one call; JSON as it stands, @FILE, or - for stdin; default {}\n"
	"  health [SERVICE]        SERVING or not; exit status 0 only when it is\n"
	"  watch [SERVICE]         print the health whenever it changes\n"
	"  stats                   counts, queues and times of the server, as JSON\n"
	"  explain [TRACE]         the latest calls that failed or have a trace, or those of\n"
	"                          one; with several -a, one timeline of all of them\n"
	"  bench METHOD [JSON]     many such calls, and how long they took: [--duration TIME]\n"
	"                          (10s) [--connections N] [--json], and either\n"
	"    --outstanding N       N calls at all times (8), or\n"
	"    --rate R              R calls a second, whatever becomes of them\n"
	"\n"
	"  -a, --address URL   tcp://host:port or ipc:///path; repeatable; default\n"
	"                      $RPCCTL_ADDRESS, else tcp://127.0.0.1:7001\n"
	"  -t, --timeout TIME  500ms, 2s, 1m, 1500us; default: the method's own\n"
	"  -H, --header K:V    metadata of the call; repeatable; the value of a key that ends\n"
	"                      in -bin is base64\n"
	"      --criticality C sheddable, default or critical\n"
	"      --timing        show where the time went, on stderr, for every hop, and the\n"
	"                      reply's metadata\n"
	"      --compact       JSON on one line\n"
	"      --help, --version\n"
	"\n"
	"METHOD is package.Service/Method, or any end of it that is unique.\n"
	"The reply is JSON on stdout. An error is one JSON object on stderr with code,\n"
	"message, not_processed and retry_after_ms, and exit status 1; a wrong command\n"
	"line is exit status 2.\n";

static const struct command {
	const char *name;
	size_t least, most; /* operands */
} commands[] = {
	{ "list", 0, 0 },  { "describe", 1, 1 }, { "call", 1, 2 },    { "health", 0, 1 },
	{ "watch", 0, 1 }, { "stats", 0, 0 },    { "explain", 0, 1 },
};

static const struct unit {
	const char *name;
	double ms;
} units[] = { { "us", 0.001 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "", 1 } };

#define TIMEOUT_MS_MAX (24.0 * 60 * 60 * 1000)

bool rpcctl_parse_duration(const char *text, uint32_t *ret_ms)
{
	char *end;
	double v;

	errno = 0;
	v = strtod(text, &end);
	if (end == text || errno != 0 || !(v > 0))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].name) != 0)
			continue;
		v *= units[i].ms;
		if (v > TIMEOUT_MS_MAX)
			return false;
		*ret_ms = v < 1 ? 1 : (uint32_t)(v + 0.5);
		return true;
	}
	return false;
}

enum rpcctl_parsed rpcctl_args_wrong(const char *what, const char *which)
{
	fprintf(stderr, "rpcctl: %s%s%s (see rpcctl --help)\n", what, which[0] != '\0' ? ": " : "",
		which);
	return RPCCTL_WRONG;
}

static enum rpcctl_parsed take_operands(int argc, char **argv, struct rpcctl_args *a)
{
	if (optind == argc)
		return rpcctl_args_wrong("no command", "");
	if (strcmp(argv[optind], "bench") == 0)
		return rpcctl_bench_args_parse(argc - optind, argv + optind, a);
	a->command = argv[optind++];
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];

		if (strcmp(c->name, a->command) != 0)
			continue;
		if ((size_t)(argc - optind) < c->least)
			return rpcctl_args_wrong("not enough operands for", c->name);
		if ((size_t)(argc - optind) > c->most)
			return rpcctl_args_wrong("too many operands for", c->name);
		while (optind < argc)
			a->operands[a->operands_n++] = argv[optind++];
		return RPCCTL_RUN;
	}
	return rpcctl_args_wrong("unknown command", a->command);
}

static enum rpcctl_parsed add_metadata(char *text, struct rpcctl_args *a)
{
	const char *why;

	if (a->metadata_n == RPCCTL_METADATA_MAX)
		return rpcctl_args_wrong("more than 64 -H", "");
	why = rpcctl_metadata_parse(text, &a->metadata[a->metadata_n++]);
	return why == NULL ? RPCCTL_RUN : rpcctl_args_wrong(why, text);
}

enum { OPT_CRITICALITY = 256, OPT_TIMING, OPT_COMPACT, OPT_HELP, OPT_VERSION };

enum rpcctl_parsed rpcctl_args_parse(int argc, char **argv, struct rpcctl_args *ret)
{
	static const struct option longs[] = {
		{ "address", required_argument, NULL, 'a' },
		{ "timeout", required_argument, NULL, 't' },
		{ "header", required_argument, NULL, 'H' },
		{ "criticality", required_argument, NULL, OPT_CRITICALITY },
		{ "timing", no_argument, NULL, OPT_TIMING },
		{ "compact", no_argument, NULL, OPT_COMPACT },
		{ "help", no_argument, NULL, OPT_HELP },
		{ "version", no_argument, NULL, OPT_VERSION },
		{ NULL, 0, NULL, 0 },
	};
	struct rpcctl_args a = { .urls_n = 0 };
	const char *env = getenv("RPCCTL_ADDRESS");
	enum rpcctl_parsed end;
	int opt;

	while ((opt = getopt_long(argc, argv, "+a:t:H:", longs, NULL)) != -1) {
		switch (opt) {
		case 'a':
			if (a.urls_n == RPCCTL_URLS_MAX)
				return rpcctl_args_wrong("more than 16 addresses", "");
			a.urls[a.urls_n++] = optarg;
			break;
		case 't':
			if (!rpcctl_parse_duration(optarg, &a.timeout_ms))
				return rpcctl_args_wrong("not a time", optarg);
			break;
		case 'H':
			if (add_metadata(optarg, &a) != RPCCTL_RUN)
				return RPCCTL_WRONG;
			break;
		case OPT_CRITICALITY:
			if (!ct_criticality_parse(optarg, &a.criticality))
				return rpcctl_args_wrong("not sheddable, default or critical",
							 optarg);
			break;
		case OPT_TIMING:
			a.timing = true;
			break;
		case OPT_COMPACT:
			a.compact = true;
			break;
		case OPT_HELP:
			fputs(usage, stdout);
			return RPCCTL_SHOWN;
		case OPT_VERSION:
			puts("rpcctl " CT_VERSION);
			return RPCCTL_SHOWN;
		default:
			fputs("rpcctl --help lists the options\n", stderr);
			return RPCCTL_WRONG;
		}
	}
	if (a.urls_n == 0)
		a.urls[a.urls_n++] = env != NULL ? env : "tcp://127.0.0.1:7001";
	end = take_operands(argc, argv, &a);
	if (end == RPCCTL_RUN)
		*ret = a;
	return end;
}
