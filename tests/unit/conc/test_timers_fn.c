/* SPDX-License-Identifier: Apache-2.0 */
/* What a timer's fn may do, and those who wait for it to return. */
#include "conc/timers.h"

#include "base/mem.h"
#include "tests/lib/leak_check.h"
#include "tests/unit/conc/timers_fixture.h"

#include <criterion/criterion.h>
#include <sched.h>

TestSuite(timers_fn, .fini = leak_check, .timeout = 60);

/* ---- what an fn may do --------------------------------------------------------- */

static struct ct_timers *wheel; /* for fns */

struct periodic {
	struct ct_timer timer;
	int left;
};

static void again_fn(struct ct_timer *t)
{
	struct periodic *p = CT_CONTAINER_OF(t, struct periodic, timer);

	if (--p->left > 0)
		ct_timers_arm(wheel, t, in_ns(0)); /* due at once */
}

Test(timers_fn, fn_may_arm_its_own_timer_again_and_a_poke_waits_for_that_too)
{
	struct periodic p = { .left = 5 };

	wheel = on_fake_clock();
	ct_timer_init(&p.timer, again_fn);
	ct_timers_arm(wheel, &p.timer, in_ns(1));
	fake_clock_step_ms(&fake, 1);
	ct_timers_poke(wheel);
	cr_assert_eq(p.left, 0);
	ct_timers_free(wheel);
}

static atomic_int freed;

static void free_fn(struct ct_timer *t)
{
	atomic_fetch_add(&freed, 1);
	ct_mem_free(t);
}

Test(timers_fn, fn_may_free_the_timer)
{
	wheel = on_fake_clock();
	for (int i = 0; i < 100; i++) {
		struct ct_timer *t = ct_mem_alloc(sizeof(*t));

		cr_assert_not_null(t);
		ct_timer_init(t, free_fn);
		ct_timers_arm(wheel, t, in_ns(i));
	}
	fake_clock_step_ms(&fake, 1);
	ct_timers_poke(wheel);
	cr_assert_eq(atomic_load(&freed), 100);
	ct_timers_free(wheel);
}

struct killer {
	struct ct_timer timer;
	struct probe victim;
	bool cancelled;
};

static void kill_fn(struct ct_timer *t)
{
	struct killer *k = CT_CONTAINER_OF(t, struct killer, timer);

	k->cancelled = ct_timers_cancel(wheel, &k->victim.timer);
}

Test(timers_fn, a_timer_that_is_due_but_has_not_fired_can_still_be_cancelled)
{
	struct killer k = { .cancelled = false };

	wheel = on_fake_clock();
	probe_init(&k.victim, &fake.clk, NULL);
	ct_timer_init(&k.timer, kill_fn);
	ct_timers_arm(wheel, &k.timer, in_ns(1));
	ct_timers_arm(wheel, &k.victim.timer, in_ns(1));
	fake_clock_step_ms(&fake, 1);
	ct_timers_poke(wheel);
	cr_assert(k.cancelled);
	cr_assert_eq(atomic_load(&k.victim.fired), 0);
	ct_timers_free(wheel);
}

static void self_wait_fn(struct ct_timer *t)
{
	struct probe *p = CT_CONTAINER_OF(t, struct probe, timer);

	CT_CHECK(!ct_timers_cancel(wheel, t));
	ct_timers_cancel_wait(wheel, t);
	ct_timers_poke(wheel);
	CT_CHECK(sem_post(&p->done) == 0);
}

Test(timers_fn, on_the_timer_thread_nothing_waits_for_itself)
{
	struct probe p;

	wheel = on_fake_clock();
	probe_init(&p, &fake.clk, NULL);
	ct_timer_init(&p.timer, self_wait_fn);
	ct_timers_arm(wheel, &p.timer, in_ns(0));
	AWAIT(&p.done);
	ct_timers_free(wheel);
}

/* ---- cancel_wait ------------------------------------------------------------------ */

struct slow {
	struct ct_timer timer;
	sem_t entered;
	atomic_bool returned;
	bool rearm;
};

static void slow_fn(struct ct_timer *t)
{
	struct slow *s = CT_CONTAINER_OF(t, struct slow, timer);

	CT_CHECK(sem_post(&s->entered) == 0);
	for (int i = 0; i < YIELDS; i++)
		sched_yield();
	if (s->rearm)
		ct_timers_arm(wheel, t, in_ns(INT64_C(1000000000)));
	atomic_store(&s->returned, true);
}

static void start_slow(struct slow *s, bool rearm)
{
	*s = (struct slow){ .rearm = rearm };
	CT_CHECK(sem_init(&s->entered, 0, 0) == 0);
	ct_timer_init(&s->timer, slow_fn);
	ct_timers_arm(wheel, &s->timer, in_ns(0));
	AWAIT(&s->entered);
}

Test(timers_fn, cancel_does_not_wait_for_a_firing_timer_but_cancel_wait_does)
{
	struct slow s;

	wheel = on_fake_clock();
	start_slow(&s, false);
	cr_assert_not(ct_timers_cancel(wheel, &s.timer));
	ct_timers_cancel_wait(wheel, &s.timer);
	cr_assert(atomic_load(&s.returned));
	ct_timers_free(wheel);
}

Test(timers_fn, after_cancel_wait_a_timer_that_arms_itself_is_not_armed)
{
	struct slow s;

	wheel = on_fake_clock();
	start_slow(&s, true);
	ct_timers_cancel_wait(wheel, &s.timer);
	cr_assert(atomic_load(&s.returned));
	cr_assert_not(ct_timers_cancel(wheel, &s.timer));
	ct_timers_free(wheel);
}

Test(timers_fn, cancel_wait_of_an_armed_timer_disarms_it)
{
	struct ct_timers *w = on_fake_clock();
	struct probe p;

	probe_init(&p, &fake.clk, NULL);
	ct_timers_arm(w, &p.timer, in_ns(5));
	ct_timers_cancel_wait(w, &p.timer);
	ct_timers_cancel_wait(w, &p.timer);
	fake_clock_step_ms(&fake, 1);
	ct_timers_poke(w);
	cr_assert_eq(atomic_load(&p.fired), 0);
	ct_timers_free(w);
}
