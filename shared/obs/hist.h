/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_OBS_HIST_H
#define CT_OBS_HIST_H

#include "base/log_linear.h"

#include <stdatomic.h>
#include <stdint.h>

/*
 * How long things took, in µs: a log-linear histogram of fixed size. Values to
 * 31 have a bucket each; above, every power of two is divided into 16, so a
 * percentile is at most 1/32 (3.2 %) off. Values past 2^32 - 1 µs (71 minutes)
 * count in the last bucket; sum and max stay exact.
 *
 * Zeroed memory is an empty histogram. Any thread; recording is lock-free.
 */
enum {
	CT_HIST_SUB_BITS = 4, /* 16 buckets a power of two */
	CT_HIST_TOP_BIT = 31, /* the highest power of two with buckets */
	CT_HIST_BUCKETS = CT_LOG_LINEAR_BUCKETS(CT_HIST_SUB_BITS, CT_HIST_TOP_BIT), /* 464 */
};

struct ct_hist {
	/* release, after sum and max: what a snapshot counts is in its sum and max too */
	_Atomic uint64_t bucket[CT_HIST_BUCKETS];
	_Atomic uint64_t sum_us; /* relaxed, as max_us */
	_Atomic uint64_t max_us;
};

/* A copy to compute with. One thread at a time. */
struct ct_hist_snap {
	uint64_t bucket[CT_HIST_BUCKETS];
	uint64_t count; /* the sum of the buckets */
	uint64_t sum_us;
	uint64_t max_us;
};

void ct_hist_record(struct ct_hist *h, uint64_t us);

/* What was recorded before the call is in; what is recorded meanwhile may be. */
void ct_hist_snapshot(const struct ct_hist *h, struct ct_hist_snap *ret_snap);

/* Adds `from` to `into`. */
void ct_hist_merge(struct ct_hist_snap *into, const struct ct_hist_snap *from);

/* The value that the share q (0..1) of the recordings does not exceed, within 3.2 %
 * and never above max_us. q = 1, and where only the last bucket is left: max_us.
 * 0: nothing was recorded. */
uint64_t ct_hist_percentile_us(const struct ct_hist_snap *s, double q);

/* The values a bucket counts: *ret_lo..*ret_hi, both inclusive; the last one's upper
 * end is UINT64_MAX. i < CT_HIST_BUCKETS. */
void ct_hist_bounds_us(unsigned i, uint64_t *ret_lo, uint64_t *ret_hi);

#endif
