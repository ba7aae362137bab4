/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/median.h"

#include <criterion/criterion.h>

TestSuite(median);

Test(median, knows_nothing_before_the_first_and_takes_that_as_it_is)
{
	struct ct_median m = { 0 };

	cr_assert_eq(ct_median_ns(&m), 0);
	ct_median_record(&m, 5000);
	cr_assert_eq(ct_median_ns(&m), 5000);
}

Test(median, times_of_nothing_are_known_to_be_short)
{
	struct ct_median m = { 0 };

	for (int i = 0; i < 100; i++)
		ct_median_record(&m, 0);
	cr_assert_eq(ct_median_ns(&m), 1);
}

Test(median, one_in_a_hundred_does_not_move_it)
{
	struct ct_median m = { 0 };
	uint64_t most = 0;

	for (int i = 0; i < 10000; i++) {
		ct_median_record(&m, i % 100 == 50 ? 100000000 : 2000);
		most = ct_median_ns(&m) > most ? ct_median_ns(&m) : most;
	}
	cr_assert_lt(most, 2500);
	cr_assert_geq(ct_median_ns(&m), 1800);
}

Test(median, lies_between_two_halves)
{
	struct ct_median m = { 0 };

	for (int i = 0; i < 1000; i++)
		ct_median_record(&m, i % 2 == 0 ? 1000 : 9000);
	cr_assert_geq(ct_median_ns(&m), 900);
	cr_assert_leq(ct_median_ns(&m), 9600);
}

Test(median, follows_a_change_within_a_hundred)
{
	struct ct_median m = { 0 };

	for (int i = 0; i < 100; i++)
		ct_median_record(&m, 1000);
	for (int i = 0; i < 100; i++)
		ct_median_record(&m, 50000);
	cr_assert_gt(ct_median_ns(&m), 45000);
	for (int i = 0; i < 100; i++)
		ct_median_record(&m, 1000);
	cr_assert_lt(ct_median_ns(&m), 1200);
}
