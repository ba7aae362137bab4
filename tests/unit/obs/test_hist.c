/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/hist.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_N = 20000 };

static const double quantiles[] = { 0.0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0 };

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

TestSuite(hist, .fini = leak_check, .timeout = 60);

Test(hist, empty_one_answers_zero)
{
	static struct ct_hist h;
	struct ct_hist_snap s;

	ct_hist_snapshot(&h, &s);

	cr_assert_eq(s.count, 0);
	cr_assert_eq(s.sum_us, 0);
	cr_assert_eq(ct_hist_percentile_us(&s, 0.5), 0);
	cr_assert_eq(ct_hist_percentile_us(&s, 1.0), 0);
}

Test(hist, buckets_cover_every_value_once_and_in_order)
{
	uint64_t lo, hi, next = 0;

	for (unsigned i = 0; i < CT_HIST_BUCKETS; i++) {
		ct_hist_bounds_us(i, &lo, &hi);
		cr_assert_eq(lo, next, "bucket %u begins at %lu, not %lu", i, lo, next);
		cr_assert_geq(hi, lo);
		next = hi + 1;
	}
	cr_assert_eq(hi, UINT64_MAX);
}

Test(hist, recording_counts_in_the_bucket_whose_bounds_hold_the_value)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		for (int64_t step = -1; step <= 1; step++) {
			const uint64_t v = (UINT64_C(1) << bit) + (uint64_t)step;
			static struct ct_hist h;
			struct ct_hist_snap s;
			uint64_t lo, hi;

			memset(&h, 0, sizeof(h));
			ct_hist_record(&h, v);
			ct_hist_snapshot(&h, &s);
			for (unsigned i = 0; i < CT_HIST_BUCKETS; i++) {
				ct_hist_bounds_us(i, &lo, &hi);
				cr_assert_eq(s.bucket[i], v >= lo && v <= hi ? 1 : 0,
					     "value %lu, bucket %u", v, i);
			}
		}
	}
}

/* Against the exact answer of a sorted list, for values of all sizes. */
Test(hist, percentiles_are_within_3_2_percent_of_the_exact_ones)
{
	static uint64_t values[VALUES_N];
	static struct ct_hist h;
	uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);
	struct ct_hist_snap s;

	for (size_t i = 0; i < VALUES_N; i++) {
		values[i] = (next_random(&seed) & UINT32_MAX) >> (next_random(&seed) % 32);
		ct_hist_record(&h, values[i]);
	}
	ct_hist_snapshot(&h, &s);
	qsort(values, VALUES_N, sizeof(values[0]), by_value);

	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		const size_t rank = (size_t)(quantiles[i] * VALUES_N + 0.9999999);
		const double exact = (double)values[rank == 0 ? 0 : rank - 1];
		const double got = (double)ct_hist_percentile_us(&s, quantiles[i]);

		cr_assert_leq(got, exact * 1.032, "q %g: %g for %g", quantiles[i], got, exact);
		cr_assert_geq(got, exact * 0.968, "q %g: %g for %g", quantiles[i], got, exact);
	}
	cr_assert_eq(s.count, VALUES_N);
	cr_assert_eq(s.max_us, values[VALUES_N - 1]);
}

Test(hist, a_percentile_never_exceeds_the_largest_recording)
{
	static struct ct_hist h;
	struct ct_hist_snap s;

	for (int i = 0; i < 10; i++)
		ct_hist_record(&h, 1024);
	ct_hist_snapshot(&h, &s);

	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		cr_assert_eq(ct_hist_percentile_us(&s, quantiles[i]), 1024);
}

Test(hist, values_past_the_last_bucket_keep_their_sum_and_max)
{
	static struct ct_hist h;
	struct ct_hist_snap s;

	ct_hist_record(&h, UINT64_C(1) << 40);
	ct_hist_record(&h, 5);
	ct_hist_snapshot(&h, &s);

	cr_assert_eq(s.bucket[CT_HIST_BUCKETS - 1], 1);
	cr_assert_eq(s.sum_us, (UINT64_C(1) << 40) + 5);
	cr_assert_eq(ct_hist_percentile_us(&s, 0.5), 5);
	cr_assert_eq(ct_hist_percentile_us(&s, 0.9), UINT64_C(1) << 40);
}

Test(hist, merging_equals_recording_everything_in_one)
{
	static struct ct_hist a, b, both;
	struct ct_hist_snap sa, sb, sboth;
	uint64_t seed = 7;

	for (int i = 0; i < 1000; i++) {
		const uint64_t v = next_random(&seed) % 1000000;

		ct_hist_record(i % 3 == 0 ? &a : &b, v);
		ct_hist_record(&both, v);
	}
	ct_hist_snapshot(&a, &sa);
	ct_hist_snapshot(&b, &sb);
	ct_hist_snapshot(&both, &sboth);
	ct_hist_merge(&sa, &sb);

	cr_assert_eq(memcmp(&sa, &sboth, sizeof(sa)), 0);
}
