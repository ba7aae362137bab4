/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/mean.h"

#include <criterion/criterion.h>

TestSuite(mean);

Test(mean, knows_nothing_before_the_first_and_takes_that_as_it_is)
{
	struct ct_mean m = { 0 };

	cr_assert_eq(ct_mean_ns(&m), 0);
	ct_mean_record(&m, 5000);
	cr_assert_leq(ct_mean_ns(&m), 5001);
	cr_assert_geq(ct_mean_ns(&m), 5000);
}

Test(mean, counts_the_long_ones_in)
{
	struct ct_mean m = { 0 };

	for (int i = 0; i < 10000; i++)
		ct_mean_record(&m, i % 10 == 0 ? 1000000 : 100000);
	cr_assert_gt(ct_mean_ns(&m), 160000);
	cr_assert_lt(ct_mean_ns(&m), 220000);
}

Test(mean, times_of_nothing_are_known)
{
	struct ct_mean m = { 0 };

	for (int i = 0; i < 1000; i++)
		ct_mean_record(&m, 0);
	cr_assert_eq(ct_mean_ns(&m), 1);
}
