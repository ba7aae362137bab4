/* SPDX-License-Identifier: Apache-2.0 */
#include "load/hist.h"

#include "base/log_linear.h"

static const struct ct_log_linear shape = { LOAD_HIST_SUB_BITS, LOAD_HIST_TOP_BIT };

_Static_assert(LOAD_HIST_BUCKETS == CT_LOG_LINEAR_BUCKETS(LOAD_HIST_SUB_BITS, LOAD_HIST_TOP_BIT),
	       "C++ reads the header, and base has none for it");

unsigned load_hist_bucket(uint64_t ns)
{
	return ct_log_linear_bucket(shape, ns);
}

void load_hist_bounds_ns(unsigned i, uint64_t *ret_lo, uint64_t *ret_hi)
{
	ct_log_linear_bounds(shape, i, ret_lo, ret_hi);
}

void load_hist_add(struct load_hist *h, uint64_t ns)
{
	h->bucket[load_hist_bucket(ns)]++;
	h->count++;
	h->sum_ns += ns;
	if (ns > h->max_ns)
		h->max_ns = ns;
}

uint64_t load_hist_percentile_ns(const struct load_hist *h, double q)
{
	return ct_log_linear_percentile(shape, h->bucket, h->count, h->max_ns, q);
}

uint64_t load_hist_mean_ns(const struct load_hist *h)
{
	return h->count > 0 ? h->sum_ns / h->count : 0;
}

uint64_t load_hist_between(const struct load_hist *h, uint64_t lo_ns, uint64_t hi_ns)
{
	uint64_t n = 0;

	for (unsigned i = load_hist_bucket(lo_ns); i < LOAD_HIST_BUCKETS; i++) {
		const uint64_t middle = ct_log_linear_middle(shape, i);

		if (middle > hi_ns)
			break;
		if (middle >= lo_ns)
			n += h->bucket[i];
	}
	return n;
}
