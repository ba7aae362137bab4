/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_CTX_FIXTURE_H
#define CT_TESTS_CTX_FIXTURE_H

/* What the tests of contexts share: a wheel on a fake clock, and a hook that
 * remembers. */

#include "base/check.h"
#include "conc/ctx.h"
#include "tests/lib/fake_clock.h"

#include <pthread.h>

struct fixture {
	struct fake_clock clock;
	struct ct_timers *timers;
};

static inline void fixture_init(struct fixture *f)
{
	fake_clock_init(&f->clock);
	CT_CHECK(ct_timers_new(&f->clock.clk, &f->timers) == CT_OK);
}

static inline void fixture_fini(struct fixture *f)
{
	f->timers = ct_timers_free(f->timers);
}

/* Moves the clock and lets everything that is due happen. */
static inline void pass_ms(struct fixture *f, int64_t ms)
{
	fake_clock_step_ms(&f->clock, ms);
	ct_timers_poke(f->timers);
}

static inline ct_instant in_ms(struct fixture *f, uint32_t ms)
{
	return ct_deadline_after_ms(&f->clock.clk, ms);
}

static inline struct ct_ctx *new_root(struct fixture *f, ct_instant deadline)
{
	struct ct_ctx *ctx;

	CT_CHECK(ct_ctx_new_root(f->timers, deadline, &ctx) == CT_OK);
	return ctx;
}

static inline struct ct_ctx *new_child(struct ct_ctx *parent, ct_instant deadline)
{
	struct ct_ctx *ctx;

	CT_CHECK(ct_ctx_with_deadline(parent, deadline, &ctx) == CT_OK);
	return ctx;
}

struct witness {
	struct ct_ctx_hook hook;
	atomic_int runs;
	enum ct_cancel_reason why;
	pthread_t thread;
	int place, *turn;
};

static inline void witness_fn(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct witness *w = CT_CONTAINER_OF(hook, struct witness, hook);

	w->why = why;
	w->thread = pthread_self();
	if (w->turn != NULL)
		w->place = (*w->turn)++;
	atomic_fetch_add(&w->runs, 1);
}

static inline void watch(struct ct_ctx *ctx, struct witness *w)
{
	*w = (struct witness){ .why = CT_CANCEL_NONE };
	ct_ctx_on_cancel(ctx, &w->hook, witness_fn);
}

#endif
