/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/hist.h"

#include "base/log_linear.h"

static const struct ct_log_linear shape = { CT_HIST_SUB_BITS, CT_HIST_TOP_BIT };

_Static_assert(sizeof(struct ct_hist) < 4096, "a histogram stays small enough for each method");

void ct_hist_record(struct ct_hist *h, uint64_t us)
{
	uint64_t max = atomic_load_explicit(&h->max_us, memory_order_relaxed);

	while (us > max &&
	       !atomic_compare_exchange_weak_explicit(&h->max_us, &max, us, memory_order_relaxed,
						      memory_order_relaxed))
		;
	atomic_fetch_add_explicit(&h->sum_us, us, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->bucket[ct_log_linear_bucket(shape, us)], 1,
				  memory_order_release);
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

uint64_t ct_hist_percentile_us(const struct ct_hist_snap *s, double q)
{
	return ct_log_linear_percentile(shape, s->bucket, s->count, s->max_us, q);
}

void ct_hist_bounds_us(unsigned i, uint64_t *ret_lo, uint64_t *ret_hi)
{
	ct_log_linear_bounds(shape, i, ret_lo, ret_hi);
}
