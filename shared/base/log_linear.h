/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_BASE_LOG_LINEAR_H
#define CT_BASE_LOG_LINEAR_H

#include <stdint.h>

/*
 * The buckets of a log-linear histogram: values below 2 << sub_bits have one each;
 * above, every power of two up to that of top_bit is divided into 1 << sub_bits. The
 * last one counts all that is longer, too. Pure: whoever counts has the buckets.
 */
struct ct_log_linear {
	unsigned sub_bits, top_bit;
};

#define CT_LOG_LINEAR_BUCKETS(sub_bits, top_bit) \
	((2U << (sub_bits)) + (((top_bit) - (sub_bits)) << (sub_bits)))

/* Which bucket counts v. */
static inline unsigned ct_log_linear_bucket(struct ct_log_linear s, uint64_t v)
{
	const uint64_t most = (UINT64_C(2) << s.top_bit) - 1;
	unsigned shift;

	if (v > most)
		v = most;
	if (v < UINT64_C(2) << s.sub_bits)
		return (unsigned)v;
	shift = 63 - (unsigned)__builtin_clzll(v) - s.sub_bits;
	return (shift << s.sub_bits) + (unsigned)(v >> shift);
}

/* The values that bucket i counts: *ret_lo..*ret_hi, both inclusive; the last one's upper
 * end is UINT64_MAX. i must be one of the shape's. */
void ct_log_linear_bounds(struct ct_log_linear s, unsigned i, uint64_t *ret_lo, uint64_t *ret_hi);
uint64_t ct_log_linear_middle(struct ct_log_linear s, unsigned i);

/* The value that the share q (0..1) of count recordings does not exceed, within half a
 * bucket and never above max. q = 1, and where only the last bucket is left: max. 0:
 * nothing was recorded. count is the sum of the buckets. */
uint64_t ct_log_linear_percentile(struct ct_log_linear s, const uint64_t *buckets, uint64_t count,
				  uint64_t max, double q);

#endif
