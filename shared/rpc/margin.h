/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_MARGIN_H
#define CT_RPC_MARGIN_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * How long before its caller's deadline a call should be answered so that it is in time,
 * of the calls of one connection: the way there and back, and what the handler may take
 * beyond the usual. Nobody can measure that, but a server learns when a call that it took
 * in was too late: by its own clock, or by a cancel for one that it has answered. Each of
 * those makes the margin longer, and each answer a hundredth of that shorter; so it comes
 * to rest where one call in a hundred is late. Zeroed memory: no margin. Any thread; an
 * update that is lost to a neighbour is no harm.
 */
struct ct_margin {
	_Atomic uint64_t ns; /* relaxed */
};

enum {
	CT_MARGIN_SHIFT = 11, /* an answer in time: by so many halves of itself, and a bit */
	CT_MARGIN_STEP_NS = 256,
	CT_MARGIN_LATE = 100, /* so many such steps */
	CT_MARGIN_NS_MAX = 100000000,
	CT_MARGIN_LEAVES = 4, /* such a part of the time that a caller gives, always */
};

static inline uint64_t ct_margin_of(const struct ct_margin *m, uint64_t budget_ns)
{
	const uint64_t ns = atomic_load_explicit(&m->ns, memory_order_relaxed);
	const uint64_t most = budget_ns - budget_ns / CT_MARGIN_LEAVES;

	return ns < most ? ns : most;
}

static inline void ct_margin_in_time(struct ct_margin *m)
{
	const uint64_t ns = atomic_load_explicit(&m->ns, memory_order_relaxed);
	const uint64_t step = (ns >> CT_MARGIN_SHIFT) + CT_MARGIN_STEP_NS;

	if (ns > 0)
		atomic_store_explicit(&m->ns, ns > step ? ns - step : 0, memory_order_relaxed);
}

static inline void ct_margin_late(struct ct_margin *m)
{
	const uint64_t ns = atomic_load_explicit(&m->ns, memory_order_relaxed);
	const uint64_t step = (ns >> CT_MARGIN_SHIFT) + CT_MARGIN_STEP_NS;
	const uint64_t next = ns + step * CT_MARGIN_LATE;

	atomic_store_explicit(&m->ns, next < CT_MARGIN_NS_MAX ? next : CT_MARGIN_NS_MAX,
			      memory_order_relaxed);
}

#endif
