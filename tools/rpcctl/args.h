/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPCCTL_ARGS_H
#define RPCCTL_ARGS_H

#include "base/criticality.h"
#include "rpc/metadata.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the command line said. Strings point into argv. */
enum { RPCCTL_URLS_MAX = 16, RPCCTL_OPERANDS_MAX = 2, RPCCTL_METADATA_MAX = 64 };

struct rpcctl_bench_args {
	uint32_t outstanding; /* closed loop; 0: rate */
	double rate;          /* calls a second */
	uint32_t duration_ms;
	uint16_t connections; /* per address */
	bool json;
};

struct rpcctl_args {
	const char *urls[RPCCTL_URLS_MAX]; /* -a, repeatable */
	size_t urls_n;
	uint32_t timeout_ms;                              /* -t; 0: the method's own */
	struct ct_metadata metadata[RPCCTL_METADATA_MAX]; /* -H, repeatable */
	size_t metadata_n;
	enum ct_criticality criticality; /* --criticality */
	bool timing;                     /* --timing */
	bool compact;                    /* --compact */
	const char *command;
	const char *operands[RPCCTL_OPERANDS_MAX];
	size_t operands_n;
	struct rpcctl_bench_args bench; /* of the command bench alone */
};

/* What is left to do after parsing. */
enum rpcctl_parsed { RPCCTL_RUN, RPCCTL_SHOWN, RPCCTL_WRONG };

/* SHOWN: --help or --version was printed on stdout. WRONG: stderr says what is
 * wrong. What -H says is split in argv itself. */
enum rpcctl_parsed rpcctl_args_parse(int argc, char **argv, struct rpcctl_args *ret);

/* metadata.c: "key:value", the value in base64 when the key ends in -bin; text is
 * split and decoded where it is, and ret borrows it. NULL, or what is wrong (static). */
const char *rpcctl_metadata_parse(char *text, struct ct_metadata *ret);

/* bench_args.c: the operands and options behind the command bench; argv[0] is "bench". As
 * rpcctl_args_parse(), and adds to *a. */
enum rpcctl_parsed rpcctl_bench_args_parse(int argc, char **argv, struct rpcctl_args *a);

/* Says on stderr what is wrong; WRONG. which "": nothing to name. */
enum rpcctl_parsed rpcctl_args_wrong(const char *what, const char *which);

/* "500ms", "2s", "1500us", "1m"; a bare number is ms. False: not a duration, or
 * outside 1 ms .. 1 day. */
bool rpcctl_parse_duration(const char *text, uint32_t *ret_ms);

#endif
