/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_OBS_MEDIAN_H
#define CT_OBS_MEDIAN_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * About the median of a stream of times: it steps towards each by a sixteenth of
 * itself, and so comes to rest where half of them are longer. A time in a hundred
 * that is far longer does not move it, as it would a mean; a change of all of them is
 * followed within some dozens. Zeroed memory knows nothing yet. Any thread; an update
 * that is lost to a neighbour is no harm.
 */
struct ct_median {
	_Atomic uint64_t ns; /* relaxed; 0: nothing was recorded */
};

enum { CT_MEDIAN_STEP_SHIFT = 4, CT_MEDIAN_STEP_MIN_NS = 64 };

/* 0: unknown. */
static inline uint64_t ct_median_ns(const struct ct_median *m)
{
	return atomic_load_explicit(&m->ns, memory_order_relaxed);
}

static inline void ct_median_record(struct ct_median *m, uint64_t ns)
{
	const uint64_t old = ct_median_ns(m);
	const uint64_t step = (old >> CT_MEDIAN_STEP_SHIFT) + CT_MEDIAN_STEP_MIN_NS;
	uint64_t next = ns > 0 ? ns : 1;

	if (old != 0 && ns > old + step)
		next = old + step;
	else if (old > ns + step)
		next = old - step;
	atomic_store_explicit(&m->ns, next, memory_order_relaxed);
}

#endif
