/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_WORLD_H
#define CT_TESTS_WORLD_H

#include "load/load.h"

enum { WORLD_CALLS_MAX = 4096, FIRST_NS = 1000000000 };

#define MS INT64_C(1000000)
#define SECOND INT64_C(1000000000)

/*
 * A target and a clock in one thread: time passes only while the generator waits, and
 * every call ends when its time has come. Nothing ends between stall_from and stall_to.
 */
struct world {
	struct load_clock clock;
	int64_t now_ns, zero_ns;
	/* how the target behaves */
	int64_t service_ns, stall_from_ns, stall_to_ns;
	int status;
	bool inside;         /* calls end inside start */
	bool never;          /* they do not end */
	uint64_t stop_after; /* ends; 0: never */
	/* what it has seen */
	struct load_call *pending[WORLD_CALLS_MAX];
	int64_t ends_ns[WORLD_CALLS_MAX];
	unsigned under_way, under_way_max, depth, depth_max, opened, closed, told, prepared;
	uint64_t started, ended;
	int64_t told_ns; /* elapsed, as told last */
};

void world_init(struct world *w);
/* A plan on it; the loop is the test's to choose. */
struct load_plan world_plan(struct world *w);
load_start_fn world_start;

#endif
