/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_OBS_MEAN_H
#define CT_OBS_MEAN_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * A moving mean of times, over about the last sixty: what many of them take together,
 * where obs/median.h says what one of them usually takes. Zeroed memory knows nothing
 * yet. Any thread; an update that is lost to a neighbour is no harm.
 */
struct ct_mean {
	_Atomic uint64_t ns; /* relaxed; 0: nothing was recorded */
};

enum { CT_MEAN_SHIFT = 6 };

/* 0: unknown. */
static inline uint64_t ct_mean_ns(const struct ct_mean *m)
{
	return atomic_load_explicit(&m->ns, memory_order_relaxed);
}

static inline void ct_mean_record(struct ct_mean *m, uint64_t ns)
{
	const uint64_t old = ct_mean_ns(m);
	const uint64_t next = old == 0 ? ns + 1
				       : old - (old >> CT_MEAN_SHIFT) + (ns >> CT_MEAN_SHIFT);

	atomic_store_explicit(&m->ns, next > 0 ? next : 1, memory_order_relaxed);
}

#endif
