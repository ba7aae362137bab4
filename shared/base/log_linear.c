/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log_linear.h"

#include "base/check.h"

static unsigned buckets_n(struct ct_log_linear s)
{
	return CT_LOG_LINEAR_BUCKETS(s.sub_bits, s.top_bit);
}

void ct_log_linear_bounds(struct ct_log_linear s, unsigned i, uint64_t *ret_lo, uint64_t *ret_hi)
{
	const unsigned linear = 2U << s.sub_bits, sub_n = 1U << s.sub_bits;
	unsigned shift;
	uint64_t lo;

	CT_CHECK(i < buckets_n(s));
	if (i < linear) {
		*ret_lo = *ret_hi = i;
		return;
	}
	shift = (i - linear) / sub_n + 1;
	lo = (uint64_t)(sub_n + (i - linear) % sub_n) << shift;
	*ret_lo = lo;
	*ret_hi = i == buckets_n(s) - 1 ? UINT64_MAX : lo + (UINT64_C(1) << shift) - 1;
}

uint64_t ct_log_linear_middle(struct ct_log_linear s, unsigned i)
{
	uint64_t lo, hi;

	ct_log_linear_bounds(s, i, &lo, &hi);
	return lo + (hi - lo) / 2;
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

uint64_t ct_log_linear_percentile(struct ct_log_linear s, const uint64_t *buckets, uint64_t count,
				  uint64_t max, double q)
{
	uint64_t rank, below = 0;

	CT_CHECK(q >= 0.0 && q <= 1.0);
	if (count == 0)
		return 0;
	rank = rank_of(q, count);
	if (rank >= count)
		return max;
	for (unsigned i = 0; i < buckets_n(s) - 1; i++) {
		below += buckets[i];
		if (below >= rank) {
			const uint64_t middle = ct_log_linear_middle(s, i);

			return middle < max ? middle : max;
		}
	}
	return max; /* the last bucket has no upper end */
}
