/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/hist.h"

#include "base/check.h"

#include <string.h>

enum { SUB_N = 1 << CT_HIST_SUB_BITS };

_Static_assert(sizeof(struct ct_hist) < 4096, "a histogram stays small enough for each method");

static unsigned bucket_of(uint64_t us)
{
	const uint64_t v = us > UINT32_MAX ? UINT32_MAX : us;
	unsigned top, shift;

	if (v < CT_HIST_LINEAR)
		return (unsigned)v;
	top = 63 - (unsigned)__builtin_clzll(v);
	shift = top - CT_HIST_SUB_BITS;
	return CT_HIST_LINEAR + (shift - 1) * SUB_N + ((unsigned)(v >> shift) & (SUB_N - 1));
}

void ct_hist_record(struct ct_hist *h, uint64_t us)
{
	uint64_t max = atomic_load_explicit(&h->max_us, memory_order_relaxed);

	while (us > max &&
	       !atomic_compare_exchange_weak_explicit(&h->max_us, &max, us, memory_order_relaxed,
						      memory_order_relaxed))
		;
	atomic_fetch_add_explicit(&h->sum_us, us, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->bucket[bucket_of(us)], 1, memory_order_release);
}

void ct_hist_snapshot(const struct ct_hist *h, struct ct_hist_snap *ret_snap)
{
	ret_snap->count = 0;
	for (unsigned i = 0; i < CT_HIST_BUCKETS; i++) {
		ret_snap->bucket[i] = atomic_load_explicit(&h->bucket[i], memory_order_acquire);
		ret_snap->count += ret_snap->bucket[i];
	}
	ret_snap->sum_us = atomic_load_explicit(&h->sum_us, memory_order_relaxed);
	ret_snap->max_us = atomic_load_explicit(&h->max_us, memory_order_relaxed);
}

void ct_hist_merge(struct ct_hist_snap *into, const struct ct_hist_snap *from)
{
	for (unsigned i = 0; i < CT_HIST_BUCKETS; i++)
		into->bucket[i] += from->bucket[i];
	into->count += from->count;
	into->sum_us += from->sum_us;
	if (from->max_us > into->max_us)
		into->max_us = from->max_us;
}

/* How many recordings must lie at or below the answer; at least 1. */
static uint64_t rank_of(double q, uint64_t count)
{
	const double exact = q * (double)count;
	uint64_t rank = (uint64_t)exact;

	if ((double)rank < exact)
		rank++;
	return rank > 0 ? rank : 1;
}

uint64_t ct_hist_percentile_us(const struct ct_hist_snap *s, double q)
{
	uint64_t rank, below = 0;

	CT_CHECK(q >= 0.0 && q <= 1.0);
	if (s->count == 0)
		return 0;
	rank = rank_of(q, s->count);
	if (rank >= s->count)
		return s->max_us;
	for (unsigned i = 0; i < CT_HIST_BUCKETS - 1; i++) {
		uint64_t lo, hi, middle;

		below += s->bucket[i];
		if (below < rank)
			continue;
		ct_hist_bounds_us(i, &lo, &hi);
		middle = lo + (hi - lo) / 2;
		return middle < s->max_us ? middle : s->max_us;
	}
	return s->max_us; /* the last bucket has no upper end */
}

void ct_hist_bounds_us(unsigned i, uint64_t *ret_lo, uint64_t *ret_hi)
{
	unsigned shift;
	uint64_t lo;

	CT_CHECK(i < CT_HIST_BUCKETS);
	if (i < CT_HIST_LINEAR) {
		*ret_lo = *ret_hi = i;
		return;
	}
	shift = (i - CT_HIST_LINEAR) / SUB_N + 1;
	lo = (uint64_t)(SUB_N + (i - CT_HIST_LINEAR) % SUB_N) << shift;
	*ret_lo = lo;
	*ret_hi = i == CT_HIST_BUCKETS - 1 ? UINT64_MAX : lo + (UINT64_C(1) << shift) - 1;
}
