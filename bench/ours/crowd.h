/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include "bench/ours/stand.h"
#include "load/load.h"

#include <pthread.h>

/*
 * Many callers: calls of one kind of work at a rate, on threads of their own. One in ten
 * belongs to a crowd whose caller gives up before the deadline, all at once.
 */
struct crowd_opts {
	unsigned hops;       /* 1 or 2 */
	struct work work;    /* each call's */
	double rate;         /* calls a second */
	uint32_t timeout_ms; /* after which callers give up */
	uint32_t duration_ms;
	/* Nothing tells the servers that a caller gives up: no deadline goes with a call and
	 * no cancel behind it. */
	bool unchecked;
};

struct crowd;

/* Begins. NULL: no memory or threads. */
struct crowd *crowd_start(struct stand *s, const struct crowd_opts *opts);
/* Ends it, at once or after its duration, and waits for its calls. ret NULL: not wanted.
 * Returns NULL. */
struct crowd *crowd_end(struct crowd *c, bool at_once, struct load_result *ret);

/* How many such calls a second the servers can do: a closed loop of a second. 0: none. */
double crowd_capacity(struct stand *s, unsigned hops, struct work work);

#endif
