/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks: exactly once, on the thread that trips, never after remove returned. */
#include "base/mem.h"
#include "conc/thread.h"
#include "tests/lib/gate.h"
#include "tests/lib/leak_check.h"
#include "tests/unit/conc/ctx_fixture.h"

#include <criterion/criterion.h>
#include <sched.h>

TestSuite(ctx_hooks, .fini = leak_check, .timeout = 60);

static struct fixture f;

Test(ctx_hooks, each_runs_once_in_order_on_the_thread_that_cancels)
{
	enum { N = 5 };
	struct witness w[N];
	struct ct_ctx *ctx;
	int turn = 0;

	fixture_init(&f);
	ctx = new_root(&f, CT_NEVER);
	for (int i = 0; i < N; i++) {
		watch(ctx, &w[i]);
		w[i].turn = &turn;
	}
	cr_assert(ct_ctx_cancel(ctx, CT_CANCEL_DRAIN));
	cr_assert_not(ct_ctx_cancel(ctx, CT_CANCEL_CALLER));
	for (int i = 0; i < N; i++) {
		cr_assert_eq(atomic_load(&w[i].runs), 1);
		cr_assert_eq(w[i].place, i);
		cr_assert_eq(w[i].why, CT_CANCEL_DRAIN);
		cr_assert(pthread_equal(w[i].thread, pthread_self()));
		cr_assert_not(ct_ctx_hook_remove(ctx, &w[i].hook)); /* it ran */
	}
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx_hooks, one_that_is_set_too_late_runs_at_once_on_this_thread)
{
	struct witness w;
	struct ct_ctx *ctx;

	fixture_init(&f);
	ctx = new_root(&f, in_ms(&f, 5));
	pass_ms(&f, 5);
	watch(ctx, &w);
	cr_assert_eq(atomic_load(&w.runs), 1);
	cr_assert_eq(w.why, CT_CANCEL_DEADLINE);
	cr_assert(pthread_equal(w.thread, pthread_self()));
	cr_assert_not(ct_ctx_hook_remove(ctx, &w.hook));
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx_hooks, a_removed_one_never_runs_and_the_others_do)
{
	struct witness w[3];
	struct ct_ctx *ctx;

	fixture_init(&f);
	ctx = new_root(&f, CT_NEVER);
	for (int i = 0; i < 3; i++)
		watch(ctx, &w[i]);
	cr_assert(ct_ctx_hook_remove(ctx, &w[1].hook));
	cr_assert(ct_ctx_hook_remove(ctx, &w[1].hook)); /* still so */
	ct_ctx_cancel(ctx, CT_CANCEL_CALLER);
	cr_assert_eq(atomic_load(&w[0].runs), 1);
	cr_assert_eq(atomic_load(&w[1].runs), 0);
	cr_assert_eq(atomic_load(&w[2].runs), 1);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

/* ---- what an fn may do --------------------------------------------------------------- */

struct meddler {
	struct ct_ctx_hook hook;
	struct ct_ctx *ctx;
	struct witness other;
	bool removed_self, removed_other;
};

static void remove_fn(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct meddler *m = CT_CONTAINER_OF(hook, struct meddler, hook);

	(void)why;
	m->removed_self = ct_ctx_hook_remove(m->ctx, hook);
	m->removed_other = ct_ctx_hook_remove(m->ctx, &m->other.hook);
}

Test(ctx_hooks, fn_may_remove_itself_and_one_that_is_still_to_run)
{
	struct meddler m = { .removed_self = true };

	fixture_init(&f);
	m.ctx = new_root(&f, CT_NEVER);
	ct_ctx_on_cancel(m.ctx, &m.hook, remove_fn);
	watch(m.ctx, &m.other);
	ct_ctx_cancel(m.ctx, CT_CANCEL_CALLER);
	cr_assert_not(m.removed_self);
	cr_assert(m.removed_other);
	cr_assert_eq(atomic_load(&m.other.runs), 0);
	ct_ctx_unref(m.ctx);
	fixture_fini(&f);
}

static void set_another_fn(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct meddler *m = CT_CONTAINER_OF(hook, struct meddler, hook);

	CT_CHECK(!ct_ctx_cancel(m->ctx, CT_CANCEL_DRAIN));
	watch(m->ctx, &m->other);
	CT_CHECK(atomic_load(&m->other.runs) == 1);
	CT_CHECK(m->other.why == why);
	CT_CHECK(!ct_ctx_hook_remove(m->ctx, &m->other.hook));
}

Test(ctx_hooks, one_that_is_set_within_an_fn_runs_within_it)
{
	struct meddler m = { .removed_self = false };

	fixture_init(&f);
	m.ctx = new_root(&f, CT_NEVER);
	ct_ctx_on_cancel(m.ctx, &m.hook, set_another_fn);
	ct_ctx_cancel(m.ctx, CT_CANCEL_CALLER);
	cr_assert_eq(atomic_load(&m.other.runs), 1);
	cr_assert_eq(ct_ctx_reason(m.ctx), CT_CANCEL_CALLER);
	ct_ctx_unref(m.ctx);
	fixture_fini(&f);
}

static int freed;

static void free_fn(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	(void)why;
	ct_mem_free(hook);
	freed++;
}

Test(ctx_hooks, fn_may_free_the_hook)
{
	struct ct_ctx *ctx;

	fixture_init(&f);
	ctx = new_root(&f, CT_NEVER);
	for (int i = 0; i < 3; i++) {
		struct ct_ctx_hook *h = ct_mem_alloc(sizeof(*h));

		cr_assert_not_null(h);
		if (i == 2)
			ct_ctx_cancel(ctx, CT_CANCEL_CALLER); /* the last runs at once */
		ct_ctx_on_cancel(ctx, h, free_fn);
	}
	cr_assert_eq(freed, 3);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

static void unref_fn(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct meddler *m = CT_CONTAINER_OF(hook, struct meddler, hook);

	(void)why;
	m->ctx = ct_ctx_unref(m->ctx);
}

Test(ctx_hooks, fn_may_give_up_the_reference_of_the_one_who_trips)
{
	struct meddler m = { .removed_self = false };
	struct ct_ctx *ctx;

	fixture_init(&f);
	m.ctx = ctx = new_root(&f, CT_NEVER);
	ct_ctx_on_cancel(m.ctx, &m.hook, unref_fn);
	cr_assert(ct_ctx_cancel(ctx, CT_CANCEL_CALLER));
	cr_assert_null(m.ctx);

	m.ctx = ctx = new_root(&f, in_ms(&f, 0));
	ct_ctx_on_cancel(ctx, &m.hook, unref_fn);
	cr_assert_null(m.ctx);

	m.ctx = new_root(&f, in_ms(&f, 5));
	ct_ctx_on_cancel(m.ctx, &m.hook, unref_fn);
	pass_ms(&f, 5);
	cr_assert_null(m.ctx);
	fixture_fini(&f);
}

/* ---- remove waits ------------------------------------------------------------------------ */

enum { YIELDS = 2000 }; /* time enough for a remove that does not wait to be caught */

struct slow {
	struct ct_ctx_hook hook;
	struct ct_ctx *ctx;
	sem_t entered;
	sem_t leave; /* held_fn */
	atomic_bool returned;
};

static void slow_fn(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct slow *s = CT_CONTAINER_OF(hook, struct slow, hook);

	(void)why;
	CT_CHECK(sem_post(&s->entered) == 0);
	for (int i = 0; i < YIELDS; i++)
		sched_yield();
	atomic_store(&s->returned, true);
}

/* Stays until it is let go. */
static void held_fn(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct slow *s = CT_CONTAINER_OF(hook, struct slow, hook);

	(void)why;
	CT_CHECK(sem_post(&s->entered) == 0);
	AWAIT(&s->leave);
	atomic_store(&s->returned, true);
}

static void slow_init(struct slow *s)
{
	*s = (struct slow){ .ctx = new_root(&f, CT_NEVER) };
	CT_CHECK(sem_init(&s->entered, 0, 0) == 0);
	CT_CHECK(sem_init(&s->leave, 0, 0) == 0);
}

static void *cancel_it(void *arg)
{
	struct slow *s = arg;

	CT_CHECK(ct_ctx_cancel(s->ctx, CT_CANCEL_CALLER));
	return NULL;
}

static void *set_it(void *arg)
{
	struct slow *s = arg;

	ct_ctx_on_cancel(s->ctx, &s->hook, slow_fn);
	return NULL;
}

static void assert_remove_waits(struct slow *s, ct_thread_fn *runner)
{
	pthread_t t;

	cr_assert_eq(ct_thread_start(&t, "runner", runner, s), CT_OK);
	AWAIT(&s->entered);
	cr_assert_not(ct_ctx_hook_remove(s->ctx, &s->hook));
	cr_assert(atomic_load(&s->returned));
	ct_thread_join(t);
	ct_ctx_unref(s->ctx);
}

Test(ctx_hooks, remove_waits_for_an_fn_that_runs_on_the_thread_that_cancels)
{
	struct slow s;

	fixture_init(&f);
	slow_init(&s);
	ct_ctx_on_cancel(s.ctx, &s.hook, slow_fn);
	assert_remove_waits(&s, cancel_it);
	fixture_fini(&f);
}

Test(ctx_hooks, remove_waits_for_an_fn_that_runs_on_the_thread_that_sets_it)
{
	struct slow s;

	fixture_init(&f);
	slow_init(&s);
	ct_ctx_cancel(s.ctx, CT_CANCEL_CALLER);
	assert_remove_waits(&s, set_it);
	fixture_fini(&f);
}

Test(ctx_hooks, remove_does_not_wait_for_another_hooks_fn)
{
	struct witness w;
	struct slow s;
	pthread_t t;

	fixture_init(&f);
	slow_init(&s);
	ct_ctx_on_cancel(s.ctx, &s.hook, held_fn);
	watch(s.ctx, &w);
	cr_assert_eq(ct_thread_start(&t, "runner", cancel_it, &s), CT_OK);
	AWAIT(&s.entered);
	cr_assert(ct_ctx_hook_remove(s.ctx, &w.hook)); /* the slow one is before it */
	cr_assert_not(atomic_load(&s.returned));
	CT_CHECK(sem_post(&s.leave) == 0);
	ct_thread_join(t);
	cr_assert_eq(atomic_load(&w.runs), 0);
	ct_ctx_unref(s.ctx);
	fixture_fini(&f);
}

/* ---- set from the start ------------------------------------------------------------ */

static atomic_int released_n;

static void count_release(struct ct_ctx *ctx)
{
	(void)ctx;
	atomic_fetch_add(&released_n, 1);
}

static void init_watched(struct ct_ctx *ctx, struct ct_ctx *parent, ct_instant deadline, int refs,
			 struct witness *w)
{
	*w = (struct witness){ .why = CT_CANCEL_NONE };
	atomic_store(&released_n, 0);
	ct_ctx_init_opts(ctx, &(struct ct_ctx_opts){ .parent = parent,
						     .timers = f.timers,
						     .deadline = deadline,
						     .now = ct_now(&f.clock.clk),
						     .release = count_release,
						     .refs = refs,
						     .hook = &w->hook,
						     .hook_fn = witness_fn });
}

Test(ctx_hooks, one_that_is_set_from_the_start_runs_once_like_any_other)
{
	struct witness first, second;
	struct ct_ctx ctx;

	fixture_init(&f);
	init_watched(&ctx, NULL, in_ms(&f, 5), 1, &first);
	watch(&ctx, &second);
	pass_ms(&f, 4);
	cr_assert_eq(atomic_load(&first.runs), 0);
	pass_ms(&f, 1);
	cr_assert_eq(atomic_load(&first.runs), 1);
	cr_assert_eq(atomic_load(&second.runs), 1);
	cr_assert_eq(first.why, CT_CANCEL_DEADLINE);
	cr_assert_not(ct_ctx_end_with_hook(&ctx, &first.hook), "it ran");
	ct_ctx_unref(&ctx);
	fixture_fini(&f);
}

Test(ctx_hooks, one_that_is_set_from_the_start_is_removed_like_any_other)
{
	struct witness w;
	struct ct_ctx ctx;

	fixture_init(&f);
	init_watched(&ctx, NULL, in_ms(&f, 5), 1, &w);
	cr_assert(ct_ctx_hook_remove(&ctx, &w.hook));
	pass_ms(&f, 10);
	cr_assert(ct_ctx_done(&ctx));
	cr_assert_eq(atomic_load(&w.runs), 0);
	ct_ctx_unref(&ctx);
	fixture_fini(&f);
}

Test(ctx_hooks, context_that_is_tripped_from_the_start_runs_none_of_the_start)
{
	struct witness late, below;
	struct ct_ctx ctx, child;

	fixture_init(&f);
	init_watched(&ctx, NULL, ct_now(&f.clock.clk), 1, &late);
	init_watched(&child, &ctx, CT_NEVER, 1, &below);
	cr_assert(ct_ctx_done(&ctx));
	cr_assert(ct_ctx_done(&child));
	cr_assert_eq(atomic_load(&late.runs), 0);
	cr_assert_eq(atomic_load(&below.runs), 0);
	cr_assert_not(ct_ctx_hook_remove(&child, &below.hook), "it is as one that ran");
	cr_assert_not(ct_ctx_end_with_hook(&ctx, &late.hook));
	ct_ctx_unref(&child);
	ct_ctx_unref(&ctx);
	fixture_fini(&f);
}

Test(ctx_hooks, context_with_references_from_the_start_lives_until_the_last_is_gone)
{
	enum { REFS = 3 };
	struct witness w;
	struct ct_ctx ctx;

	fixture_init(&f);
	init_watched(&ctx, NULL, in_ms(&f, 5), REFS, &w);
	for (int i = 0; i < REFS; i++) {
		cr_assert_eq(atomic_load(&released_n), 0);
		ct_ctx_unref(&ctx);
	}
	cr_assert_eq(atomic_load(&released_n), 1);
	pass_ms(&f, 10);
	cr_assert_eq(atomic_load(&w.runs), 0, "its deadline is disarmed");
	fixture_fini(&f);
}
