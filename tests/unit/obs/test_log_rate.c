/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/log_rate.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

#define NS_PER_MS INT64_C(1000000)

static ct_instant at_ms(int64_t ms)
{
	return (ct_instant){ .ns = ms * NS_PER_MS };
}

TestSuite(log_rate, .fini = leak_check, .timeout = 60);

Test(log_rate, passes_the_first_and_then_one_in_each_interval)
{
	struct ct_log_rate r = { 0 };
	uint64_t held_back = 99;

	cr_assert(ct_log_rate_pass(&r, at_ms(5000), 1000, &held_back));
	cr_assert_eq(held_back, 0);
	cr_assert_not(ct_log_rate_pass(&r, at_ms(5000), 1000, &held_back));
	cr_assert_not(ct_log_rate_pass(&r, at_ms(5999), 1000, &held_back));

	cr_assert(ct_log_rate_pass(&r, at_ms(6000), 1000, &held_back));
	cr_assert_eq(held_back, 2);
	cr_assert(ct_log_rate_pass(&r, at_ms(9000), 1000, &held_back));
	cr_assert_eq(held_back, 0);
}

Test(log_rate, leaves_the_output_alone_while_it_holds_back)
{
	struct ct_log_rate r = { 0 };
	uint64_t held_back = 0;

	cr_assert(ct_log_rate_pass(&r, at_ms(1), 1000, &held_back));
	held_back = 42;
	cr_assert_not(ct_log_rate_pass(&r, at_ms(2), 1000, &held_back));

	cr_assert_eq(held_back, 42);
}
