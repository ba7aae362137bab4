/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_TALLY_H
#define CT_TESTS_TALLY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What a test program without Criterion has found out. One thread. */
static struct {
	unsigned passed, failed;
} tally;

static inline void expect(bool ok, const char *what)
{
	printf("%s: %s\n", ok ? "ok" : "FAILED", what);
	if (ok)
		tally.passed++;
	else
		tally.failed++;
}

/* The last line, as the test runner reads it, and main's result. */
static inline int tally_end(void)
{
	printf("%u passed, %u failed\n", tally.passed, tally.failed);
	return tally.failed == 0 ? 0 : 1;
}

/* xorshift: cheap, and the same schedule every time. The state is not 0. */
static inline uint64_t rnd(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#endif
