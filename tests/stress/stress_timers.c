/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads arm, cancel and wait for timers on one wheel, some of them on timers
 * that another thread cancels too. Checks that every arming ends exactly once
 * (fired or cancelled), that none fires early, and that after cancel_wait the
 * memory is the caller's: its bytes are spoilt at once and nobody notices.
 */
#include "base/check.h"
#include "conc/thread.h"
#include "conc/timers.h"
#include "tests/lib/gate.h"
#include "tests/lib/tally.h"

#include <sched.h>
#include <string.h>

enum {
	THREADS = 4,
	ROUNDS = 150000,
	SLOTS = 32,
	SPAN_US_MAX = 400,
	RIVAL_ROUNDS = 20000,
	RIVAL_SPAN_US_MAX = 20,
	SPOILT = 0x5a,
};

static struct {
	struct ct_timers *w;
	_Atomic uint64_t armed, fired, cancelled, waited, early, double_ends;
} all;

struct slot {
	struct ct_timer timer;
	ct_instant at;
	atomic_int fired; /* of this arming */
	bool armed;
};

static void slot_fn(struct ct_timer *t)
{
	struct slot *s = CT_CONTAINER_OF(t, struct slot, timer);

	if (ct_now(ct_clock_system()).ns < s->at.ns)
		atomic_fetch_add(&all.early, 1);
	atomic_fetch_add(&all.fired, 1);
	atomic_fetch_add(&s->fired, 1); /* the last touch: the owner may spoil it from here */
}

static void arm(struct slot *s, uint64_t after_us)
{
	s->at = ct_instant_add_us(ct_now(ct_clock_system()), after_us);
	atomic_init(&s->fired, 0);
	s->armed = true;
	ct_timer_init(&s->timer, slot_fn);
	atomic_fetch_add(&all.armed, 1);
	ct_timers_arm(all.w, &s->timer, s->at);
}

/* Ends an arming one of three ways and spoils the memory. */
static void end(struct slot *s, bool wait)
{
	bool cancelled = false;

	if (wait) {
		ct_timers_cancel_wait(all.w, &s->timer);
		cancelled = atomic_load(&s->fired) == 0;
		atomic_fetch_add(&all.waited, 1);
	} else {
		cancelled = ct_timers_cancel(all.w, &s->timer);
		while (!cancelled && atomic_load(&s->fired) == 0)
			sched_yield(); /* it fires right now */
	}
	if (cancelled)
		atomic_fetch_add(&all.cancelled, 1);
	if (atomic_load(&s->fired) != !cancelled)
		atomic_fetch_add(&all.double_ends, 1);
	memset(&s->timer, SPOILT, sizeof(s->timer));
	s->armed = false;
}

static void *churn(void *arg)
{
	uint64_t seed = 0xabcdef + (uint64_t)(size_t)arg;
	struct slot slots[SLOTS] = { { .armed = false } };

	for (int i = 0; i < ROUNDS; i++) {
		struct slot *s = &slots[rnd(&seed) % SLOTS];

		if (!s->armed)
			arm(s, rnd(&seed) % SPAN_US_MAX);
		else
			end(s, rnd(&seed) % 2 == 0);
		if (rnd(&seed) % 64 == 0)
			ct_timers_poke(all.w);
	}
	for (int i = 0; i < SLOTS; i++)
		if (slots[i].armed)
			end(&slots[i], true);
	return NULL;
}

static void churns(void)
{
	pthread_t th[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		CT_CHECK(ct_thread_start(&th[i], "churn", churn, (void *)i) == CT_OK);
	for (size_t i = 0; i < THREADS; i++)
		ct_thread_join(th[i]);
	printf("armed %lu: fired %lu, cancelled %lu; %lu by waiting\n", (unsigned long)all.armed,
	       (unsigned long)all.fired, (unsigned long)all.cancelled, (unsigned long)all.waited);
	expect(all.armed == all.fired + all.cancelled, "armed = fired + cancelled");
	expect(all.double_ends == 0, "each arming ended once");
	expect(all.early == 0, "none fired early");
	expect(all.fired > 0 && all.cancelled > 0, "some fired and some were cancelled");
}

/* ---- two threads cancel the same timer --------------------------------------------- */

static struct {
	struct slot slot;
	pthread_barrier_t round;
	atomic_int cancels;
} rival;

static void *cancel_too(void *arg)
{
	(void)arg;
	for (int i = 0; i < RIVAL_ROUNDS; i++) {
		(void)pthread_barrier_wait(&rival.round);
		if (ct_timers_cancel(all.w, &rival.slot.timer))
			atomic_fetch_add(&rival.cancels, 1);
		(void)pthread_barrier_wait(&rival.round);
	}
	return NULL;
}

static void rivals(void)
{
	uint64_t seed = 0x12345;
	int exact = 0, fired = 0;
	pthread_t th;

	CT_CHECK(pthread_barrier_init(&rival.round, NULL, 2) == 0);
	CT_CHECK(ct_thread_start(&th, "rival", cancel_too, NULL) == CT_OK);
	for (int i = 0; i < RIVAL_ROUNDS; i++) {
		atomic_store(&rival.cancels, 0);
		arm(&rival.slot, rnd(&seed) % RIVAL_SPAN_US_MAX);
		if (rnd(&seed) % 2 == 0)
			ct_timers_poke(all.w);
		(void)pthread_barrier_wait(&rival.round);
		if (ct_timers_cancel(all.w, &rival.slot.timer))
			atomic_fetch_add(&rival.cancels, 1);
		(void)pthread_barrier_wait(&rival.round);
		ct_timers_cancel_wait(all.w, &rival.slot.timer); /* it may fire right now */
		fired += atomic_load(&rival.slot.fired);
		exact += atomic_load(&rival.cancels) + atomic_load(&rival.slot.fired) == 1;
	}
	ct_thread_join(th);
	CT_CHECK(pthread_barrier_destroy(&rival.round) == 0);
	printf("%d rounds, fired in %d\n", RIVAL_ROUNDS, fired);
	expect(fired > 0 && fired < RIVAL_ROUNDS, "both happened");
	expect(exact == RIVAL_ROUNDS, "of two who cancel, exactly one does, or it fires");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	CT_CHECK(ct_timers_new(NULL, &all.w) == CT_OK);
	churns();
	rivals();
	all.w = ct_timers_free(all.w);
	return tally_end();
}
