/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_REGRET_H
#define CT_RPC_REGRET_H

#include "base/clock.h"

#include <stdatomic.h>
#include <stdbool.h>

/*
 * Whether it was right to refuse a call for lack of time. Of one refused call at a time the
 * server remembers when it came and when it would have had to begin. The first call behind
 * it that has its turn, or the last of the line, shows when it would have begun: in time or
 * not. If it could have been in time and nobody has its turn instead, the refusal cost an
 * answer; else somebody else has it. One for a line. Zeroed memory is ready. Any thread.
 */
struct ct_regret {
	_Atomic int64_t came_ns; /* FREE, TAKEN while it is written or read, or when */
	int64_t latest_ns;       /* of whoever has TAKEN it */
	_Atomic uint64_t looked, in_time, unused; /* refused calls, each among those before */
};

enum { CT_REGRET_FREE = 0, CT_REGRET_TAKEN = -1 };

/* A call is refused now that would be in time if it began by latest. */
static inline void ct_regret_refused(struct ct_regret *r, ct_instant now, int64_t latest_ns)
{
	int64_t was = CT_REGRET_FREE;

	if (atomic_load_explicit(&r->came_ns, memory_order_relaxed) != CT_REGRET_FREE ||
	    !atomic_compare_exchange_strong(&r->came_ns, &was, CT_REGRET_TAKEN))
		return; /* another one is looked at */
	r->latest_ns = latest_ns;
	atomic_store_explicit(&r->came_ns, now.ns, memory_order_release);
}

/* Somebody's turn comes now who came then; last: nobody is left in line. */
static inline void ct_regret_turn(struct ct_regret *r, ct_instant came, ct_instant now, bool last)
{
	int64_t at = atomic_load_explicit(&r->came_ns, memory_order_acquire);
	bool in_time;

	if (at <= CT_REGRET_FREE || (came.ns <= at && !last) ||
	    !atomic_compare_exchange_strong(&r->came_ns, &at, CT_REGRET_TAKEN))
		return;
	in_time = now.ns <= r->latest_ns;
	atomic_store_explicit(&r->came_ns, CT_REGRET_FREE, memory_order_release);
	atomic_fetch_add_explicit(&r->looked, 1, memory_order_relaxed);
	if (in_time)
		atomic_fetch_add_explicit(&r->in_time, 1, memory_order_relaxed);
	if (in_time && last && came.ns <= at)
		atomic_fetch_add_explicit(&r->unused, 1, memory_order_relaxed);
}

#endif
