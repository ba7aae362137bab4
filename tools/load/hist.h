/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOAD_HIST_H
#define LOAD_HIST_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * How long calls took, in ns: log-linear like obs/hist.h, but finer and for shorter
 * times. Values below 128 have a bucket each; above, every power of two is divided
 * into 64, so that a percentile is at most 0.8 % off. Values past 2^41 - 1 ns (36
 * minutes) count in the last bucket; sum and max stay exact.
 *
 * This is the plain form, to read and to compute with: one thread at a time. Zeroed
 * memory is an empty histogram.
 */
enum {
	LOAD_HIST_SUB_BITS = 6,
	LOAD_HIST_LINEAR = 2 << LOAD_HIST_SUB_BITS,
	LOAD_HIST_TOP_BIT = 40, /* the highest power of two with buckets */
	LOAD_HIST_BUCKETS = LOAD_HIST_LINEAR +
			    ((LOAD_HIST_TOP_BIT - LOAD_HIST_SUB_BITS) << LOAD_HIST_SUB_BITS),
};

struct load_hist {
	uint64_t bucket[LOAD_HIST_BUCKETS];
	uint64_t count; /* the sum of the buckets */
	uint64_t sum_ns;
	uint64_t max_ns;
};

void load_hist_add(struct load_hist *h, uint64_t ns);

/* Which bucket counts ns, and the values that bucket i counts: *ret_lo..*ret_hi, both
 * inclusive; the last one's upper end is UINT64_MAX. i < LOAD_HIST_BUCKETS. */
unsigned load_hist_bucket(uint64_t ns);
void load_hist_bounds_ns(unsigned i, uint64_t *ret_lo, uint64_t *ret_hi);

/* The value that the share q (0..1) of the recordings does not exceed, within 0.8 %
 * and never above max_ns; q = 1: max_ns. 0: nothing was recorded. */
uint64_t load_hist_percentile_ns(const struct load_hist *h, double q);
uint64_t load_hist_mean_ns(const struct load_hist *h); /* 0: nothing was recorded */

/* How many recordings lie in lo..hi, by the middle of their buckets. */
uint64_t load_hist_between(const struct load_hist *h, uint64_t lo_ns, uint64_t hi_ns);

#ifdef __cplusplus
}
#endif

#endif
