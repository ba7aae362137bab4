/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include "tests/lib/fake_clock.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

TestSuite(clock, .fini = leak_check, .timeout = 60);

#define AT(n) ((ct_instant){ .ns = (n) })

Test(clock, the_system_clock_never_goes_back)
{
	ct_instant before = ct_now(ct_clock_system());

	for (int i = 0; i < 10000; i++) {
		const ct_instant now = ct_now(ct_clock_system());

		cr_assert_geq(now.ns, before.ns);
		before = now;
	}
	cr_assert_gt(before.ns, 0);
}

Test(clock, adding_time_moves_an_instant_by_exactly_that)
{
	cr_assert_eq(ct_instant_add_us(AT(5), 7).ns, 7005);
	cr_assert_eq(ct_instant_add_us(AT(5), 0).ns, 5);
	cr_assert_eq(ct_instant_add_us(AT(-3000), 1).ns, -2000);
}

Test(clock, adding_saturates_at_never_instead_of_wrapping)
{
	const uint64_t us_max = (uint64_t)INT64_MAX / 1000;

	cr_assert_eq(ct_instant_add_us(CT_NEVER, 1).ns, INT64_MAX);
	cr_assert_eq(ct_instant_add_us(AT(0), CT_BUDGET_NONE).ns, INT64_MAX);
	cr_assert_eq(ct_instant_add_us(AT(0), us_max).ns, INT64_MAX);
	cr_assert_eq(ct_instant_add_us(AT(INT64_MAX - 500), 1).ns, INT64_MAX);
	cr_assert_eq(ct_instant_add_us(AT(0), us_max - 1).ns, (int64_t)(us_max - 1) * 1000);
}

Test(clock, the_time_between_rounds_down_and_is_never_negative)
{
	cr_assert_eq(ct_instant_us_between(AT(0), AT(1999)), 1);
	cr_assert_eq(ct_instant_us_between(AT(0), AT(2000)), 2);
	cr_assert_eq(ct_instant_us_between(AT(9), AT(9)), 0);
	cr_assert_eq(ct_instant_us_between(AT(5000), AT(0)), 0);
}

Test(clock, a_deadline_is_so_many_ms_after_now_of_the_given_clock)
{
	struct fake_clock f;

	fake_clock_init(&f);
	cr_assert_eq(ct_deadline_after_ms(&f.clk, 50).ns, INT64_C(1050000000));
	cr_assert_eq(ct_deadline_after_ms(&f.clk, 0).ns, INT64_C(1000000000));
	cr_assert_eq(ct_deadline_after_ms(&f.clk, UINT32_MAX).ns,
		     INT64_C(1000000000) + (int64_t)UINT32_MAX * 1000000);
}

Test(clock, a_deadline_has_passed_from_its_very_instant_on)
{
	struct fake_clock f;
	ct_instant d;

	fake_clock_init(&f);
	d = ct_deadline_after_ms(&f.clk, 1);
	fake_clock_step_ns(&f, 999999);
	cr_assert_not(ct_deadline_passed(&f.clk, d));
	fake_clock_step_ns(&f, 1);
	cr_assert(ct_deadline_passed(&f.clk, d));
	cr_assert_not(ct_deadline_passed(&f.clk, CT_NEVER));
}

Test(clock, never_is_later_than_everything)
{
	cr_assert_eq(ct_deadline_sooner(AT(3), CT_NEVER).ns, 3);
	cr_assert_eq(ct_deadline_sooner(CT_NEVER, AT(3)).ns, 3);
	cr_assert_eq(ct_deadline_sooner(AT(4), AT(3)).ns, 3);
	cr_assert_eq(ct_deadline_sooner(CT_NEVER, CT_NEVER).ns, INT64_MAX);
}

Test(clock, the_time_left_rounds_up_so_that_nobody_undershoots)
{
	cr_assert_eq(ct_deadline_left_us(AT(0), AT(1)), 1);
	cr_assert_eq(ct_deadline_left_us(AT(0), AT(1000)), 1);
	cr_assert_eq(ct_deadline_left_us(AT(0), AT(1001)), 2);
	cr_assert_eq(ct_deadline_left_us(AT(7), AT(7)), 0);
	cr_assert_eq(ct_deadline_left_us(AT(8), AT(7)), 0);
	cr_assert_eq(ct_deadline_left_us(AT(8), CT_NEVER), CT_BUDGET_NONE);
}

Test(clock, wall_time_is_of_this_age)
{
	const int64_t y2020_us = INT64_C(1577836800) * 1000000;

	cr_assert_gt(ct_wall_us(), y2020_us);
}
