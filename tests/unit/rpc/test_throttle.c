/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/throttle.h"

#include <criterion/criterion.h>

TestSuite(throttle, .timeout = 10);

#define MS INT64_C(1000000)
#define WINDOW_MS (CT_THROTTLE_SLICES * CT_THROTTLE_SLICE_MS)
#define NEVER_PASSES 0 /* of the random bits: the first to be held back */

static const ct_instant start = { .ns = 1000 * WINDOW_MS * MS };

static ct_instant after_ms(int64_t ms)
{
	return (ct_instant){ .ns = start.ns + ms * MS };
}

/* A small generator, so that a failure can be repeated. */
static uint64_t random_bits(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 32;
}

/* So many that go out, of which so many are refused. */
static struct ct_throttle_account after(unsigned sent, unsigned refused)
{
	struct ct_throttle_account a = { 0 };

	for (unsigned i = 0; i < sent; i++)
		ct_throttle_sent(&a, start);
	for (unsigned i = 0; i < refused; i++)
		ct_throttle_refused(&a, start);
	return a;
}

/* Whether the next one is held back, with these bits; nothing is counted. */
static bool holds(const struct ct_throttle_account *a, ct_instant now, uint64_t random)
{
	struct ct_throttle_account copy = *a;

	return !ct_throttle_ask(&copy, now, random);
}

/* ---- how many -------------------------------------------------------------------------- */

Test(throttle, nothing_is_held_back_while_all_is_taken_in)
{
	struct ct_throttle_account a = { 0 };

	for (unsigned i = 0; i < 10000; i++)
		cr_assert(ct_throttle_ask(&a, after_ms(i), NEVER_PASSES));
}

Test(throttle, nothing_is_held_back_while_half_is_taken_in)
{
	const struct ct_throttle_account half = after(1000, 500), less = after(1000, 501);

	cr_assert_not(holds(&half, start, NEVER_PASSES));
	cr_assert(holds(&less, start, NEVER_PASSES));
}

Test(throttle, handful_of_refusals_holds_nothing_back)
{
	const struct ct_throttle_account few = after(CT_THROTTLE_LEAST - 1, CT_THROTTLE_LEAST - 1);
	const struct ct_throttle_account more = after(CT_THROTTLE_LEAST, CT_THROTTLE_LEAST);

	cr_assert_not(holds(&few, start, NEVER_PASSES));
	cr_assert(holds(&more, start, NEVER_PASSES));
}

Test(throttle, chance_is_what_is_over_twice_the_taken_in_of_all_that_is_asked)
{
	enum { SENT = 100, REFUSED = 75, OVER = SENT - CT_THROTTLE_TIMES * (SENT - REFUSED) };
	const struct ct_throttle_account a = after(SENT, REFUSED);
	unsigned held = 0;

	for (uint64_t i = 0; i <= SENT; i++) /* SENT + 1 values, each in the middle of its part */
		held += holds(&a, start, (2 * i + 1) * (UINT32_MAX / (2 * (SENT + 1))));
	cr_assert_eq(held, OVER, "%u of %d", held, SENT + 1);
}

Test(throttle, upper_half_of_the_random_bits_does_not_count)
{
	const struct ct_throttle_account a = after(100, 100);

	cr_assert(holds(&a, start, UINT64_MAX << 32));
	cr_assert_not(holds(&a, start, UINT32_MAX), "and it is never for certain");
}

Test(throttle, retries_count_as_asked)
{
	struct ct_throttle_account a = after(100, 60);

	cr_assert(holds(&a, start, NEVER_PASSES));
	for (unsigned i = 0; i < 20; i++)
		ct_throttle_sent(&a, start);
	cr_assert_not(holds(&a, start, NEVER_PASSES));
}

/* ---- over time --------------------------------------------------------------------------- */

/* A service that takes in so many a ms. */
struct service {
	struct ct_throttle_account a;
	uint64_t random;
	unsigned room;
	/* since the last clear() */
	unsigned sent, held, taken;
};

static void clear(struct service *s)
{
	s->sent = s->held = s->taken = 0;
}

static void ask(struct service *s, int64_t from_ms, int64_t to_ms, unsigned per_ms)
{
	for (int64_t ms = from_ms; ms < to_ms; ms++) {
		unsigned room = s->room;

		for (unsigned i = 0; i < per_ms; i++) {
			if (!ct_throttle_ask(&s->a, after_ms(ms), random_bits(&s->random))) {
				s->held++;
				continue;
			}
			s->sent++;
			s->taken += room > 0;
			if (room > 0)
				room--;
			else
				ct_throttle_refused(&s->a, after_ms(ms));
		}
	}
}

Test(throttle, service_meets_twice_what_it_takes_in)
{
	struct service s = { .room = 10 };

	ask(&s, 0, WINDOW_MS, 100);
	clear(&s);
	ask(&s, WINDOW_MS, 10 * WINDOW_MS, 100);
	cr_assert_gt(s.taken, 9U * WINDOW_MS * 10 * 99 / 100, "and has enough to do: %u", s.taken);
	cr_assert_gt(s.sent, s.taken * 19 / 10);
	cr_assert_lt(s.sent, s.taken * 22 / 10, "%u of %u", s.sent, s.taken);
}

Test(throttle, service_that_takes_in_nothing_meets_a_trickle)
{
	struct service s = { .room = 0 };

	ask(&s, 0, WINDOW_MS, 100);
	clear(&s);
	ask(&s, WINDOW_MS, 101 * WINDOW_MS, 100);
	cr_assert_geq(s.sent, 100 * CT_THROTTLE_LEAST);
	cr_assert_leq(s.sent, 200 * CT_THROTTLE_LEAST, "%u", s.sent);
}

Test(throttle, all_go_out_again_soon_after_an_overload)
{
	struct service s = { .room = 10 };

	ask(&s, 0, 5 * WINDOW_MS, 100);
	cr_assert_gt(s.held, 0);
	ask(&s, 5 * WINDOW_MS, 5 * WINDOW_MS + CT_THROTTLE_SLICE_MS, 7);
	clear(&s);
	ask(&s, 5 * WINDOW_MS + CT_THROTTLE_SLICE_MS, 10 * WINDOW_MS, 7);
	cr_assert_eq(s.held, 0, "%u", s.held);
}

/* Of so few a slice tells nothing; the window has to pass. */
Test(throttle, few_that_are_taken_in_do_not_show_the_end_of_an_overload)
{
	struct ct_throttle_account a = after(100, 100);

	for (unsigned i = 0; i < CT_THROTTLE_LEAST - 1; i++)
		ct_throttle_sent(&a, after_ms(CT_THROTTLE_SLICE_MS));
	cr_assert(holds(&a, after_ms(2 * CT_THROTTLE_SLICE_MS), NEVER_PASSES));

	ct_throttle_sent(&a, after_ms(CT_THROTTLE_SLICE_MS));
	cr_assert_not(holds(&a, after_ms(2 * CT_THROTTLE_SLICE_MS), NEVER_PASSES));
}

Test(throttle, one_refusal_in_a_slice_keeps_what_was_before)
{
	struct ct_throttle_account a = after(100, 100);

	for (unsigned i = 0; i < CT_THROTTLE_LEAST; i++)
		ct_throttle_sent(&a, after_ms(CT_THROTTLE_SLICE_MS));
	ct_throttle_refused(&a, after_ms(CT_THROTTLE_SLICE_MS));
	cr_assert(holds(&a, after_ms(2 * CT_THROTTLE_SLICE_MS), NEVER_PASSES));
}

Test(throttle, window_is_forgotten_slice_by_slice)
{
	const struct ct_throttle_account a = after(100, 100);

	cr_assert(holds(&a, after_ms(WINDOW_MS - 1), NEVER_PASSES));
	cr_assert_not(holds(&a, after_ms(WINDOW_MS), NEVER_PASSES));
	cr_assert_not(holds(&a, after_ms(1000 * WINDOW_MS), NEVER_PASSES));
}

Test(throttle, refusal_that_outlives_its_call_is_not_taken_for_an_answer)
{
	struct ct_throttle_account a = after(100, 0);

	for (unsigned i = 0; i < 100; i++)
		ct_throttle_refused(&a, after_ms(WINDOW_MS));
	cr_assert_not(holds(&a, after_ms(WINDOW_MS), NEVER_PASSES));
	for (unsigned i = 0; i < CT_THROTTLE_LEAST; i++)
		ct_throttle_sent(&a, after_ms(WINDOW_MS));
	cr_assert(holds(&a, after_ms(WINDOW_MS), NEVER_PASSES));
	for (unsigned i = 0; i < 200; i++)
		ct_throttle_sent(&a, after_ms(WINDOW_MS));
	cr_assert_not(holds(&a, after_ms(WINDOW_MS), NEVER_PASSES));
}

Test(throttle, instant_from_before_counts_as_the_newest)
{
	struct ct_throttle_account a = after(100, 100);

	ct_throttle_sent(&a, after_ms(WINDOW_MS - 1));
	ct_throttle_refused(&a, after_ms(0));
	cr_assert_eq(a.sum.refused, 101);
	cr_assert(holds(&a, after_ms(WINDOW_MS - 1), NEVER_PASSES));
	(void)ct_throttle_ask(&a, after_ms(WINDOW_MS), NEVER_PASSES);
	cr_assert_eq(a.sum.refused, 1);
}

/* ---- kinds --------------------------------------------------------------------------------- */

Test(throttle, each_method_and_criticality_has_its_account)
{
	struct ct_throttle t = { 0 };
	struct ct_throttle_account *usual = ct_throttle_account(&t, 7, CT_CRIT_DEFAULT);
	struct ct_throttle_account *others[] = {
		ct_throttle_account(&t, 7, CT_CRIT_SHEDDABLE),
		ct_throttle_account(&t, 7, CT_CRIT_CRITICAL),
		ct_throttle_account(&t, 8, CT_CRIT_DEFAULT),
		ct_throttle_account(&t, 7 + CT_THROTTLE_ACCOUNTS, CT_CRIT_DEFAULT),
		ct_throttle_account(&t, 0, CT_CRIT_DEFAULT),
		ct_throttle_account(&t, UINT32_MAX, CT_CRIT_CRITICAL),
	};
	const size_t n = sizeof(others) / sizeof(others[0]);

	for (unsigned i = 0; i < 100; i++) {
		ct_throttle_sent(usual, start);
		ct_throttle_refused(usual, start);
	}
	cr_assert(holds(usual, start, NEVER_PASSES));
	for (size_t i = 0; i < n; i++) {
		cr_assert_neq(others[i], usual);
		cr_assert_not(holds(others[i], start, NEVER_PASSES));
		for (size_t k = 0; k < i; k++)
			cr_assert_neq(others[i], others[k]);
	}
	cr_assert_eq(ct_throttle_account(&t, 8, CT_CRIT_DEFAULT), others[2]);
	cr_assert_eq(ct_throttle_account(&t, 7, CT_CRIT_SHEDDABLE), others[0]);
}

Test(throttle, kinds_beyond_the_accounts_share_one)
{
	struct ct_throttle t = { 0 };
	struct ct_throttle_account *a;

	for (uint32_t m = 0; m < CT_THROTTLE_ACCOUNTS; m++)
		(void)ct_throttle_account(&t, m, CT_CRIT_DEFAULT);
	a = ct_throttle_account(&t, 1000, CT_CRIT_DEFAULT);
	cr_assert(a >= t.accounts && a < t.accounts + CT_THROTTLE_ACCOUNTS);
	cr_assert_eq(ct_throttle_account(&t, 1000, CT_CRIT_DEFAULT), a);
	cr_assert_eq(ct_throttle_account(&t, 5, CT_CRIT_DEFAULT), &t.accounts[5]);
}
