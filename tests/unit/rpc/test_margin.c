/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/margin.h"

#include <criterion/criterion.h>

TestSuite(margin);

#define MS UINT64_C(1000000)

static uint64_t of(const struct ct_margin *m)
{
	return ct_margin_of(m, UINT64_MAX);
}

Test(margin, answers_in_time_need_none)
{
	struct ct_margin m = { 0 };

	for (int i = 0; i < 1000; i++)
		ct_margin_in_time(&m);
	cr_assert_eq(of(&m), 0);
}

/* Of every hundred, those are late that have less than their part of 10 ms. */
Test(margin, rests_where_one_in_a_hundred_is_late)
{
	struct ct_margin m = { 0 };
	unsigned late = 0;

	for (uint64_t i = 0; i < 200000; i++) {
		const uint64_t needs = i * 7919 % 1000 * MS / 100;

		if (needs <= of(&m)) {
			ct_margin_in_time(&m);
			continue;
		}
		ct_margin_late(&m);
		late += i >= 100000;
	}
	cr_assert_gt(late, 700);
	cr_assert_lt(late, 1300);
	cr_assert_gt(of(&m), 9 * MS);
}

Test(margin, goes_when_all_are_in_time_again)
{
	struct ct_margin m = { 0 };

	for (int i = 0; i < 50; i++)
		ct_margin_late(&m);
	cr_assert_gt(of(&m), 2 * MS);
	for (int i = 0; i < 10000; i++)
		ct_margin_in_time(&m);
	cr_assert_lt(of(&m), MS / 10);
}

Test(margin, leaves_a_quarter_of_what_a_caller_gives)
{
	struct ct_margin m = { 0 };

	for (int i = 0; i < 10000; i++)
		ct_margin_late(&m);
	cr_assert_eq(of(&m), CT_MARGIN_NS_MAX);
	cr_assert_eq(ct_margin_of(&m, 12 * MS), 9 * MS);
}
