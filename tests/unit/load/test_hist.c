/* SPDX-License-Identifier: Apache-2.0 */
#include "load/hist.h"

#include "tests/lib/leak_check.h"
#include "tests/lib/tally.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { VALUES_N = 20000 };

static struct load_hist h;

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

TestSuite(load_hist, .fini = leak_check, .timeout = 60);

Test(load_hist, buckets_cover_every_value_once_and_in_order)
{
	uint64_t lo, hi, next = 0;

	for (unsigned i = 0; i < LOAD_HIST_BUCKETS; i++) {
		load_hist_bounds_ns(i, &lo, &hi);
		cr_assert_eq(lo, next, "bucket %u begins at %lu, not %lu", i, lo, next);
		cr_assert_eq(load_hist_bucket(lo), i);
		cr_assert_eq(load_hist_bucket(hi), i);
		next = hi + 1;
	}
	cr_assert_eq(hi, UINT64_MAX);
}

Test(load_hist, percentiles_are_within_eight_tenths_of_a_percent)
{
	static const double quantiles[] = { 0.01, 0.25, 0.5, 0.9, 0.99, 0.999 };
	static uint64_t values[VALUES_N];
	uint64_t state = 42;

	for (unsigned i = 0; i < VALUES_N; i++) {
		values[i] = rnd(&state) >> (24 + rnd(&state) % 24);
		load_hist_add(&h, values[i]);
	}
	qsort(values, VALUES_N, sizeof(values[0]), by_value);

	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		const double exact = (double)values[(unsigned)(quantiles[i] * VALUES_N) - 1];
		const double got = (double)load_hist_percentile_ns(&h, quantiles[i]);

		cr_assert_geq(got, exact * 0.992 - 1, "%f: %f, not %f", quantiles[i], got, exact);
		cr_assert_leq(got, exact * 1.008 + 1, "%f: %f, not %f", quantiles[i], got, exact);
	}
	cr_assert_eq(load_hist_percentile_ns(&h, 1.0), values[VALUES_N - 1]);
	cr_assert_eq(h.max_ns, values[VALUES_N - 1]);
}

Test(load_hist, an_empty_one_answers_zero)
{
	cr_assert_eq(load_hist_percentile_ns(&h, 0.5), 0);
	cr_assert_eq(load_hist_percentile_ns(&h, 1.0), 0);
	cr_assert_eq(load_hist_mean_ns(&h), 0);
}

Test(load_hist, a_share_is_counted_by_the_middle_of_its_buckets)
{
	for (uint64_t ns = 1; ns <= 100; ns++)
		load_hist_add(&h, ns);
	load_hist_add(&h, 1000000);

	cr_assert_eq(load_hist_between(&h, 11, 20), 10);
	cr_assert_eq(load_hist_between(&h, 0, 100), 100);
	cr_assert_eq(load_hist_between(&h, 101, UINT64_MAX), 1);
}
