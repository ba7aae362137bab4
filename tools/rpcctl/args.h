/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPCCTL_ARGS_H
#define RPCCTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the command line said. Strings point into argv. */
enum { RPCCTL_URLS_MAX = 16, RPCCTL_OPERANDS_MAX = 2 };

struct rpcctl_args {
	const char *urls[RPCCTL_URLS_MAX]; /* -a, repeatable */
	size_t urls_n;
	uint32_t timeout_ms; /* -t; 0: the method's own */
	bool timing;         /* --timing */
	bool compact;        /* --compact */
	const char *command;
	const char *operands[RPCCTL_OPERANDS_MAX];
	size_t operands_n;
};

/* What is left to do after parsing. */
enum rpcctl_parsed { RPCCTL_RUN, RPCCTL_SHOWN, RPCCTL_WRONG };

/* SHOWN: --help or --version was printed on stdout. WRONG: stderr says what is
 * wrong. */
enum rpcctl_parsed rpcctl_args_parse(int argc, char **argv, struct rpcctl_args *ret);

/* "500ms", "2s", "1500us", "1m"; a bare number is ms. False: not a duration, or
 * outside 1 ms .. 1 day. */
bool rpcctl_parse_duration(const char *text, uint32_t *ret_ms);

#endif
