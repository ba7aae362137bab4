/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_TIMERS_FIXTURE_H
#define CT_TESTS_TIMERS_FIXTURE_H

#include "conc/timers.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/gate.h"

/* A timer that tells how often, when and in which place it fired. */
struct probe {
	struct ct_timer timer;
	const struct ct_clock *clk;
	atomic_int *turn;
	atomic_int fired;
	int place;
	ct_instant at;
	sem_t done;
};

static inline void probe_fn(struct ct_timer *t)
{
	struct probe *p = CT_CONTAINER_OF(t, struct probe, timer);

	p->at = ct_now(p->clk);
	p->place = p->turn != NULL ? atomic_fetch_add(p->turn, 1) : 0;
	atomic_fetch_add(&p->fired, 1);
	CT_CHECK(sem_post(&p->done) == 0);
}

static inline void probe_init(struct probe *p, const struct ct_clock *clk, atomic_int *turn)
{
	*p = (struct probe){ .clk = clk, .turn = turn };
	ct_timer_init(&p->timer, probe_fn);
	CT_CHECK(sem_init(&p->done, 0, 0) == 0);
}

static struct fake_clock fake;

static inline struct ct_timers *on_fake_clock(void)
{
	struct ct_timers *w;

	fake_clock_init(&fake);
	CT_CHECK(ct_timers_new(&fake.clk, &w) == CT_OK);
	return w;
}

static inline ct_instant in_ns(int64_t ns)
{
	return (ct_instant){ .ns = atomic_load(&fake.ns) + ns };
}

/* Enough of them for another thread to do what it must not. */
enum { YIELDS = 2000 };

#endif
