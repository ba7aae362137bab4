/* SPDX-License-Identifier: Apache-2.0 */
#include "conc/timers.h"

#include "base/mem.h"
#include "tests/lib/leak_check.h"
#include "tests/unit/conc/timers_fixture.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>

TestSuite(timers, .fini = leak_check, .timeout = 60);

Test(timers, a_timer_fires_once_at_its_very_nanosecond_and_not_before)
{
	struct ct_timers *w = on_fake_clock();
	struct probe p;

	probe_init(&p, &fake.clk, NULL);
	ct_timers_arm(w, &p.timer, in_ns(1234567));
	fake_clock_step_ns(&fake, 1234566);
	ct_timers_poke(w);
	cr_assert_eq(atomic_load(&p.fired), 0);

	fake_clock_step_ns(&fake, 1);
	ct_timers_poke(w);
	cr_assert_eq(atomic_load(&p.fired), 1);

	fake_clock_step_ms(&fake, 100000);
	ct_timers_poke(w);
	cr_assert_eq(atomic_load(&p.fired), 1);
	ct_timers_free(w);
}

Test(timers, on_the_system_clock_none_fires_early_and_all_fire)
{
	enum { N = 200 };
	static struct probe p[N];
	ct_instant due[N];
	struct ct_timers *w;
	const struct ct_clock *clk = ct_clock_system();
	const ct_instant begin = ct_now(clk);

	cr_assert_eq(ct_timers_new(NULL, &w), CT_OK);
	cr_assert_eq(ct_timers_clock(w), clk);
	for (int i = 0; i < N; i++) {
		probe_init(&p[i], clk, NULL);
		due[i] = ct_instant_add_us(begin, (uint64_t)(i * 7919 % 100000));
		ct_timers_arm(w, &p[i].timer, due[i]);
	}
	for (int i = 0; i < N; i++) {
		AWAIT(&p[i].done);
		cr_assert_geq(p[i].at.ns, due[i].ns);
	}
	ct_timers_free(w);
}

/* The thread finds the timer by its slot, but does not wait for the slot's end. One
 * in time is proof; a busy machine may be late nearly always. */
Test(timers, on_the_system_clock_an_instant_is_met_to_much_less_than_a_slot)
{
	enum { TRIES = 40, SLOT_MS = 64, LATE_NS_MAX = 8000000 };
	const struct ct_clock *clk = ct_clock_system();
	struct ct_timers *w;
	int64_t best = INT64_MAX;
	struct probe p;

	cr_assert_eq(ct_timers_new(NULL, &w), CT_OK);
	for (int i = 0; i < TRIES && best > LATE_NS_MAX; i++) {
		/* the first instant of a slot that is far enough to be a coarse one */
		const int64_t ms = ct_now(clk).ns / 1000000;
		const ct_instant at = { .ns = (ms / SLOT_MS + 2) * SLOT_MS * 1000000 };

		probe_init(&p, clk, NULL);
		ct_timers_arm(w, &p.timer, at);
		AWAIT(&p.done);
		if (p.at.ns - at.ns < best)
			best = p.at.ns - at.ns;
	}
	ct_timers_free(w);
	cr_assert_leq(best, LATE_NS_MAX);
}

Test(timers, an_instant_that_has_passed_fires_at_once_without_a_poke)
{
	struct ct_timers *w = on_fake_clock();
	struct probe p;

	probe_init(&p, &fake.clk, NULL);
	ct_timers_arm(w, &p.timer, in_ns(-5));
	AWAIT(&p.done);
	ct_timers_arm(w, &p.timer, (ct_instant){ .ns = 0 });
	AWAIT(&p.done);
	ct_timers_arm(w, &p.timer, (ct_instant){ .ns = -7 });
	AWAIT(&p.done);
	ct_timers_free(w);
}

Test(timers, never_arms_nothing)
{
	struct ct_timers *w = on_fake_clock();
	struct probe p;

	probe_init(&p, &fake.clk, NULL);
	ct_timers_arm(w, &p.timer, CT_NEVER);
	cr_assert_not(ct_timers_cancel(w, &p.timer));
	ct_timers_arm(w, &p.timer, in_ns(1)); /* it is not armed: this is allowed */
	cr_assert(ct_timers_cancel(w, &p.timer));
	ct_timers_free(w);
}

Test(timers, what_is_due_together_fires_in_the_order_of_its_ms)
{
	enum { N = 300 };
	static struct probe p[N];
	struct ct_timers *w = on_fake_clock();
	atomic_int turn = 0;

	for (int i = 0; i < N; i++) {
		probe_init(&p[i], &fake.clk, &turn);
		ct_timers_arm(w, &p[i].timer, in_ns((int64_t)(i * 101 % N + 1) * 37000000));
	}
	fake_clock_step_ms(&fake, 37 * (N + 1));
	ct_timers_poke(w);
	for (int i = 0; i < N; i++)
		cr_assert_eq(p[i].place, i * 101 % N);
	ct_timers_free(w);
}

Test(timers, a_cancelled_timer_never_fires_and_can_be_armed_again)
{
	struct ct_timers *w = on_fake_clock();
	struct probe p;

	probe_init(&p, &fake.clk, NULL);
	cr_assert_not(ct_timers_cancel(w, &p.timer));
	ct_timers_arm(w, &p.timer, in_ns(1000));
	cr_assert(ct_timers_cancel(w, &p.timer));
	cr_assert_not(ct_timers_cancel(w, &p.timer));
	fake_clock_step_ms(&fake, 10);
	ct_timers_poke(w);
	cr_assert_eq(atomic_load(&p.fired), 0);

	ct_timers_arm(w, &p.timer, in_ns(1000));
	fake_clock_step_ms(&fake, 10);
	ct_timers_poke(w);
	cr_assert_eq(atomic_load(&p.fired), 1);
	cr_assert_not(ct_timers_cancel(w, &p.timer));
	ct_timers_free(w);
}

Test(timers, timers_far_in_the_future_cascade_down_to_their_instant)
{
	static const int64_t ms[] = { 1,           63,          64,           65,
				      4095,        4096,        4097,         262143,
				      262144,      262145,      16777215,     16777216,
				      86400000,    604800000,   1073741823,   1073741824,
				      31536000000, 68719476736, 3153600000000 };
	static struct probe p[CT_ARRAY_N(ms)];
	struct ct_timers *w = on_fake_clock();
	int64_t now_ms = 0;

	for (size_t i = 0; i < CT_ARRAY_N(ms); i++) {
		probe_init(&p[i], &fake.clk, NULL);
		ct_timers_arm(w, &p[i].timer, in_ns(ms[i] * 1000000 + 17));
	}
	for (size_t i = 0; i < CT_ARRAY_N(ms); i++) {
		fake_clock_step_ns(&fake, (ms[i] - now_ms) * 1000000 + (i == 0 ? 16 : 0));
		now_ms = ms[i];
		ct_timers_poke(w);
		cr_assert_eq(atomic_load(&p[i].fired), 0, "%ld ms fired early", (long)ms[i]);
		fake_clock_step_ns(&fake, 1);
		ct_timers_poke(w);
		cr_assert_eq(atomic_load(&p[i].fired), 1, "%ld ms did not fire", (long)ms[i]);
		fake_clock_step_ns(&fake, -1);
	}
	ct_timers_free(w);
}

/* xorshift: the same schedule every time. */
static uint64_t rnd(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Spans from ns to years, so that every level of the wheel is used. */
static int64_t some_span_ns(uint64_t *state)
{
	return (int64_t)(rnd(state) >> (10 + rnd(state) % 54));
}

Test(timers, after_any_steps_exactly_those_have_fired_whose_instant_has_come)
{
	enum { N = 64, STEPS = 4000 };
	static struct probe p[N];
	static int64_t due[N]; /* 0: not armed */
	static int want[N];
	struct ct_timers *w = on_fake_clock();
	uint64_t seed = 0x1dea5eed;
	int fired = 0;

	for (int i = 0; i < N; i++)
		probe_init(&p[i], &fake.clk, NULL);
	for (int step = 0; step < STEPS; step++) {
		for (int k = 0; k < 8; k++) {
			const size_t i = rnd(&seed) % N;

			if (due[i] == 0) {
				due[i] = in_ns(1 + some_span_ns(&seed) / 4).ns;
				ct_timers_arm(w, &p[i].timer, (ct_instant){ .ns = due[i] });
			} else if (rnd(&seed) % 4 == 0) {
				cr_assert(ct_timers_cancel(w, &p[i].timer));
				due[i] = 0;
			}
		}
		fake_clock_step_ns(&fake, some_span_ns(&seed) / 4096);
		ct_timers_poke(w);
		for (int i = 0; i < N; i++) {
			if (due[i] != 0 && due[i] <= in_ns(0).ns) {
				want[i]++;
				due[i] = 0;
				fired++;
			}
			cr_assert_eq(atomic_load(&p[i].fired), want[i], "step %d timer %d", step,
				     i);
		}
	}
	cr_assert_gt(fired, STEPS); /* the schedule is worth its name */
	ct_timers_free(w);
}

/* ---- the thread --------------------------------------------------------------------- */

Test(timers, on_a_fake_clock_the_thread_sleeps_until_something_earlier_is_armed)
{
	enum { N = 500 };
	static struct probe p[N];
	struct ct_timers *w = on_fake_clock();
	uint64_t reads;

	for (int i = 0; i < N; i++)
		probe_init(&p[i], &fake.clk, NULL);
	ct_timers_arm(w, &p[0].timer, in_ns(2000000));
	ct_timers_poke(w);
	reads = atomic_load(&fake.reads);
	for (int i = 1; i < N; i++)
		ct_timers_arm(w, &p[i].timer, in_ns(2000000 + i));
	for (int i = 0; i < YIELDS; i++)
		sched_yield();
	cr_assert_eq(atomic_load(&fake.reads), reads, "arming a later timer woke the thread");

	cr_assert(ct_timers_cancel(w, &p[1].timer));
	ct_timers_arm(w, &p[1].timer, in_ns(0));
	AWAIT(&p[1].done);
	ct_timers_free(w);
}

Test(timers, free_leaves_armed_timers_unfired)
{
	struct ct_timers *w = on_fake_clock();
	struct probe p;

	probe_init(&p, &fake.clk, NULL);
	ct_timers_arm(w, &p.timer, in_ns(1000));
	ct_timers_poke(w);            /* it has looked, and sleeps */
	fake_clock_step_ms(&fake, 1); /* due, but nobody said so */
	w = ct_timers_free(w);
	cr_assert_null(w);
	cr_assert_eq(atomic_load(&p.fired), 0);
	cr_assert_null(ct_timers_free(NULL));
}

Test(timers, without_memory_there_are_none)
{
	struct ct_timers *w = (struct ct_timers *)(void *)&fake;

	ct_mem_fail_nth(1);
	cr_assert_eq(ct_timers_new(NULL, &w), CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(w, (struct ct_timers *)(void *)&fake);
}

Test(timers, arming_an_armed_timer_is_a_programming_error, .signal = SIGABRT)
{
	struct ct_timers *w = on_fake_clock();
	struct probe p;

	probe_init(&p, &fake.clk, NULL);
	ct_timers_arm(w, &p.timer, in_ns(5));
	ct_timers_arm(w, &p.timer, in_ns(6));
}
