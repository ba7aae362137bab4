/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/retry.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

TestSuite(retry, .fini = leak_check, .timeout = 60);

static const struct ct_method plain = { .name = "s/Plain" };
static const struct ct_method idempotent = { .name = "s/Safe", .idempotent = true };

static struct ct_retry_case a_case(const struct ct_method *m, ct_status st, bool not_processed)
{
	return (struct ct_retry_case){ .method = m,
				       .status = st,
				       .attempts = 1,
				       .attempts_max = 3,
				       .not_processed = not_processed };
}

static bool worth(const struct ct_method *m, ct_status st, bool not_processed)
{
	const struct ct_retry_case c = a_case(m, st, not_processed);

	return ct_retry_worth(&c);
}

Test(retry, unavailable_is_tried_again_when_nothing_ran_or_running_twice_is_harmless)
{
	cr_assert(worth(&plain, CT_UNAVAILABLE, true));
	cr_assert(worth(&idempotent, CT_UNAVAILABLE, false));
	cr_assert_not(worth(&plain, CT_UNAVAILABLE, false));
}

Test(retry, a_full_queue_is_tried_again_only_when_nothing_ran)
{
	cr_assert(worth(&plain, CT_RESOURCE_EXHAUSTED, true));
	cr_assert_not(worth(&idempotent, CT_RESOURCE_EXHAUSTED, false));
}

Test(retry, every_other_status_is_final)
{
	for (uint32_t n = 0; n < CT_STATUS_N; n++) {
		const ct_status st = ct_status_from_wire(n);

		if (st == CT_UNAVAILABLE || st == CT_RESOURCE_EXHAUSTED)
			continue;
		cr_assert_not(worth(&idempotent, st, true), "%s", ct_status_name(st));
	}
}

Test(retry, attempts_are_bounded_and_the_server_may_forbid_more)
{
	struct ct_retry_case c = a_case(&idempotent, CT_UNAVAILABLE, true);

	c.attempts = 3;
	cr_assert_not(ct_retry_worth(&c));
	c.attempts = 2;
	cr_assert(ct_retry_worth(&c));
	c.no_retry = true;
	cr_assert_not(ct_retry_worth(&c));
}

Test(retry, when_everything_fails_retries_stop_at_half_the_tokens)
{
	struct ct_retry_budget b;
	unsigned taken = 0;

	ct_retry_budget_init(&b);
	for (int i = 0; i < 100; i++) {
		ct_retry_budget_call(&b);
		ct_retry_budget_failure(&b);
		taken += ct_retry_budget_take(&b);
	}
	cr_assert_eq(taken, CT_RETRY_TOKENS / 2, "got %u", taken);
}

Test(retry, in_the_long_run_retries_are_a_tenth_of_the_calls)
{
	enum { CALLS = 10000 };
	struct ct_retry_budget b;
	unsigned taken = 0;

	ct_retry_budget_init(&b);
	for (int i = 0; i < CALLS; i++) {
		ct_retry_budget_call(&b);
		for (int k = 0; k < 10; k++)
			ct_retry_budget_success(&b); /* the tokens are never what stops it */
		taken += ct_retry_budget_take(&b);
	}
	cr_assert_leq(taken, CALLS / 10 + CT_RETRY_TOKENS);
	cr_assert_geq(taken, CALLS / 10);
}

Test(retry, success_earns_retries_back)
{
	struct ct_retry_budget b;

	ct_retry_budget_init(&b);
	for (int i = 0; i < CT_RETRY_TOKENS; i++)
		ct_retry_budget_failure(&b);
	cr_assert_not(ct_retry_budget_take(&b));

	for (int i = 0; i < 50; i++)
		ct_retry_budget_success(&b);
	cr_assert(ct_retry_budget_take(&b));
}

Test(retry, the_backoff_doubles_within_a_fifth_and_heeds_the_hint)
{
	for (uint64_t random = 0; random < 5000; random += 7) {
		const uint64_t second = ct_retry_backoff_us(10, 2, 0, random);
		const uint64_t third = ct_retry_backoff_us(10, 3, 0, random);

		cr_assert(second >= 8000 && second <= 12000);
		cr_assert(third >= 16000 && third <= 24000);
		cr_assert_geq(ct_retry_backoff_us(10, 2, 500, random), 500000);
	}
	cr_assert_leq(ct_retry_backoff_us(10, 255, 0, 400), 6000000, "it has a ceiling");
}
