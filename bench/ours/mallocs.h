/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_MALLOCS_H
#define BENCH_MALLOCS_H

#include <stdint.h>
#include <stdio.h>

/*
 * Counts what a program asks of the heap, its libraries included: a program that links
 * mallocs.c has malloc, calloc, realloc and free of that file's, which count and hand on
 * to libc's. Whose call it was is told by its return address. Any thread.
 */
enum mallocs_origin {
	MALLOCS_OURS, /* the program itself: the runtime, stubs, handlers, the generator */
	MALLOCS_NNG,
	MALLOCS_PROTOBUF_C,
	MALLOCS_REST, /* libc, and whatever ran before mallocs_init() */
	MALLOCS_ORIGINS
};

struct mallocs {
	uint64_t allocs[MALLOCS_ORIGINS]; /* malloc, calloc and realloc */
	uint64_t frees[MALLOCS_ORIGINS];  /* of something */
};

/* From here on origins are told apart. Call it once, before the first thread. */
void mallocs_init(void);

void mallocs_read(struct mallocs *ret);

/* What happened between two readings, and for each of `calls`:
 * {"ours": {"allocs": …, "frees": …}, "nng": …, …, "allocs_per_call": …} */
void mallocs_json(const struct mallocs *from, const struct mallocs *to, uint64_t calls, FILE *out);

#endif
