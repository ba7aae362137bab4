/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts tripped from all sides at once. In each round threads race on one
 * small tree: a cancel, a deadline that is about to pass, owners that finish and
 * let go, hooks that are set and removed, children that come and go. Checks that
 * a context is tripped once, by one cause; that a hook runs exactly once or was
 * removed, and never after remove returned; that whatever hangs below a tripped
 * context is tripped; and that release is the last touch: memory is spoilt in it.
 */
#include "base/check.h"
#include "conc/ctx.h"
#include "conc/thread.h"
#include "tests/lib/gate.h"
#include "tests/lib/tally.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

enum {
	THREADS = 4,
	ROUNDS = 8000,
	HOOKS = 6,     /* on the root, each owned by one thread */
	CHILDREN = 4,  /* of each thread in a round */
	SLEEPS = 4000, /* of each thread */
	SPAN_US = 150, /* within which deadlines pass */
	SPOILT = 0xa5,
};

static struct {
	struct ct_timers *timers;
	pthread_barrier_t barrier;
	_Atomic uint64_t cancels_won, deadlines_won, untripped, hooks_ran, hooks_removed, children,
		below_finished;
	_Atomic uint64_t hook_twice, hook_after_remove, not_propagated, bad_reason, bad_release,
		slept, bad_sleep;
} all;

struct watched {
	struct ct_ctx_hook hook;
	atomic_int runs;
	atomic_bool removed; /* ct_ctx_hook_remove() has returned */
};

static void watched_fn(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct watched *w = CT_CONTAINER_OF(hook, struct watched, hook);

	if (why == CT_CANCEL_NONE)
		atomic_fetch_add(&all.bad_reason, 1);
	if (atomic_load(&w->removed))
		atomic_fetch_add(&all.hook_after_remove, 1);
	atomic_fetch_add(&w->runs, 1);
}

/* A context in a call's memory. */
struct call {
	struct ct_ctx ctx;
	struct watched watched;
	struct call *below;
	sem_t released;
};

static void call_release(struct ct_ctx *ctx)
{
	struct call *c = CT_CONTAINER_OF(ctx, struct call, ctx);

	memset(&c->ctx, SPOILT, sizeof(c->ctx));
	CT_CHECK(sem_post(&c->released) == 0);
}

static void await_released(struct call *c)
{
	const unsigned char *b = (const unsigned char *)&c->ctx;

	AWAIT(&c->released);
	for (size_t i = 0; i < sizeof(c->ctx); i++)
		if (b[i] != SPOILT) {
			atomic_fetch_add(&all.bad_release, 1);
			break;
		}
}

static void watch(struct ct_ctx *ctx, struct watched *w)
{
	atomic_init(&w->runs, 0);
	atomic_init(&w->removed, false);
	ct_ctx_on_cancel(ctx, &w->hook, watched_fn);
}

/* Exactly one of the two: it ran, or it was removed. */
static void unwatch(struct ct_ctx *ctx, struct watched *w)
{
	const bool never_ran = ct_ctx_hook_remove(ctx, &w->hook);

	atomic_store(&w->removed, true);
	if (atomic_load(&w->runs) != !never_ran)
		atomic_fetch_add(&all.hook_twice, 1);
	atomic_fetch_add(never_ran ? &all.hooks_removed : &all.hooks_ran, 1);
}

static ct_instant soon(uint64_t *seed)
{
	return ct_instant_add_us(ct_now(ct_clock_system()), rnd(seed) % SPAN_US);
}

/* ---- what the threads do in a round ---------------------------------------------------- */

static struct {
	struct call root;
	struct watched hooks[HOOKS];
	atomic_int cancels_won;
} round_;

struct player {
	pthread_t thread;
	unsigned i;
	uint64_t seed;
	struct call calls[CHILDREN], below[CHILDREN];
};

/* A child of the root comes and goes, with another below it. */
static void child_life(struct player *p, struct call *c, struct call *below)
{
	struct ct_ctx *root = &round_.root.ctx;
	const uint64_t dice = rnd(&p->seed);

	ct_ctx_init(&c->ctx, root, NULL, dice & 1 ? CT_NEVER : soon(&p->seed), call_release);
	watch(&c->ctx, &c->watched);
	ct_ctx_init(&below->ctx, &c->ctx, NULL, CT_NEVER, call_release);
	watch(&below->ctx, &below->watched);
	atomic_fetch_add(&all.children, 2);
	if (dice & 2) {
		unwatch(&c->ctx, &c->watched);
		ct_ctx_finish(&c->ctx);
		atomic_fetch_add(&all.below_finished, 1);
		ct_ctx_unref(&c->ctx);
		unwatch(&below->ctx, &below->watched);
		ct_ctx_unref(&below->ctx);
	} else {
		if (dice & 4)
			(void)ct_ctx_cancel(&c->ctx, CT_CANCEL_SIBLING);
		unwatch(&below->ctx, &below->watched);
		ct_ctx_unref(&below->ctx);
		if (dice & 8)
			ct_ctx_finish(&c->ctx); /* drops a hook that has not run */
		unwatch(&c->ctx, &c->watched);
		ct_ctx_unref(&c->ctx);
	}
}

static void play(struct player *p)
{
	struct ct_ctx *root = &round_.root.ctx;

	for (unsigned i = 0; i < CHILDREN; i++) {
		child_life(p, &p->calls[i], &p->below[i]);
		if (i == p->i && rnd(&p->seed) % 4 == 0 && ct_ctx_cancel(root, CT_CANCEL_CALLER))
			atomic_fetch_add(&round_.cancels_won, 1);
	}
	if (rnd(&p->seed) % 32 == 0)
		ct_ctx_finish(root);
	for (unsigned i = p->i; i < HOOKS; i += THREADS)
		unwatch(root, &round_.hooks[i]);
	ct_ctx_unref(root);
	for (unsigned i = 0; i < CHILDREN; i++) {
		await_released(&p->calls[i]);
		await_released(&p->below[i]);
	}
}

static void *player_main(void *arg)
{
	struct player *p = arg;

	for (unsigned i = 0; i < CHILDREN; i++) {
		CT_CHECK(sem_init(&p->calls[i].released, 0, 0) == 0);
		CT_CHECK(sem_init(&p->below[i].released, 0, 0) == 0);
	}
	for (int i = 0; i < ROUNDS; i++) {
		(void)pthread_barrier_wait(&all.barrier);
		play(p);
		(void)pthread_barrier_wait(&all.barrier);
	}
	return NULL;
}

/* ---- the referee --------------------------------------------------------------------------- */

/* The timer thread may have it from a finished root, which a cancel then finds empty,
 * and still be on its way to it. */
static bool goes_too(const struct ct_ctx *below)
{
	const ct_instant end = ct_deadline_after_ms(ct_clock_system(), AWAIT_MS);

	while (!ct_ctx_done(below) && !ct_deadline_passed(ct_clock_system(), end))
		sched_yield();
	return ct_ctx_done(below);
}

/* The bystander is below the root for the whole round. Its deadline is the root's,
 * and the timer thread may still be on its way down. */
static void judge(struct ct_ctx *root, struct ct_ctx *bystander, bool finished)
{
	const enum ct_cancel_reason why = ct_ctx_reason(root);
	const enum ct_cancel_reason below = ct_ctx_reason(bystander);
	const int won = atomic_load(&round_.cancels_won);

	atomic_fetch_add(&all.cancels_won, (uint64_t)won);
	if (why == CT_CANCEL_DEADLINE)
		atomic_fetch_add(&all.deadlines_won, 1);
	if (why == CT_CANCEL_NONE)
		atomic_fetch_add(&all.untripped, 1);
	if (won != (why == CT_CANCEL_CALLER))
		atomic_fetch_add(&all.bad_reason, 1);
	if (below == CT_CANCEL_PARENT && why != CT_CANCEL_CALLER)
		atomic_fetch_add(&all.bad_reason, 1);
	if (why == CT_CANCEL_CALLER && !finished && !goes_too(bystander))
		atomic_fetch_add(&all.not_propagated, 1);
}

static void run_round(uint64_t *seed, struct call *bystander)
{
	struct ct_ctx *root = &round_.root.ctx;
	const bool timed = rnd(seed) % 4 != 0, finish = rnd(seed) % 4 == 0;

	atomic_store(&round_.cancels_won, 0);
	ct_ctx_init(root, NULL, all.timers, timed ? soon(seed) : CT_NEVER, call_release);
	ct_ctx_init(&bystander->ctx, root, NULL, CT_NEVER, call_release);
	for (unsigned i = 0; i < HOOKS; i++)
		watch(root, &round_.hooks[i]);
	for (unsigned i = 0; i < THREADS; i++)
		ct_ctx_ref(root);
	(void)pthread_barrier_wait(&all.barrier);
	if (finish)
		ct_ctx_finish(&bystander->ctx);
	else
		watch(&bystander->ctx, &bystander->watched);
	(void)pthread_barrier_wait(&all.barrier);
	judge(root, &bystander->ctx, finish);
	ct_ctx_unref(&bystander->ctx);
	ct_ctx_unref(root);
	await_released(bystander);
	await_released(&round_.root);
}

/* ---- sleeps that end for two reasons at once ---------------------------------------------- */

static void *sleeper_main(void *arg)
{
	uint64_t seed = (uint64_t)(size_t)arg + 99;

	for (int i = 0; i < SLEEPS; i++) {
		const ct_instant until = soon(&seed), deadline = soon(&seed);
		struct ct_ctx *ctx;
		ct_status st;

		CT_CHECK(ct_ctx_new_root(all.timers, deadline, &ctx) == CT_OK);
		st = ct_ctx_sleep_until(ctx, until);
		if (st == CT_OK)
			atomic_fetch_add(&all.slept, 1);
		if (ct_now(ct_clock_system()).ns < (st == CT_OK ? until : deadline).ns ||
		    (st != CT_OK && st != CT_DEADLINE_EXCEEDED))
			atomic_fetch_add(&all.bad_sleep, 1);
		ct_ctx_unref(ctx);
	}
	return NULL;
}

static void sleeps(void)
{
	pthread_t th[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		CT_CHECK(ct_thread_start(&th[i], "sleeper", sleeper_main, (void *)i) == CT_OK);
	for (size_t i = 0; i < THREADS; i++)
		ct_thread_join(th[i]);
	printf("%d sleeps, %lu to their end\n", THREADS * SLEEPS, (unsigned long)all.slept);
	expect(all.slept > 0 && all.slept < THREADS * SLEEPS, "time and deadline ended sleeps");
	expect(all.bad_sleep == 0, "none ended early or for no reason");
}

static void report(void)
{
	printf("%d rounds: cancel first %lu, deadline first %lu, neither %lu\n", ROUNDS,
	       (unsigned long)all.cancels_won, (unsigned long)all.deadlines_won,
	       (unsigned long)all.untripped);
	printf("%lu children, hooks: ran %lu, removed %lu\n", (unsigned long)all.children,
	       (unsigned long)all.hooks_ran, (unsigned long)all.hooks_removed);
	expect(all.cancels_won + all.deadlines_won + all.untripped == ROUNDS,
	       "each root was tripped by one cause or by none");
	expect(all.bad_reason == 0, "the reason is that of the cause");
	expect(all.not_propagated == 0, "what is below goes with it");
	expect(all.hook_twice == 0, "each hook ran exactly once or was removed");
	expect(all.hook_after_remove == 0, "none ran after remove had returned");
	expect(all.bad_release == 0, "release is the last touch");
	expect(all.hooks_ran > 0 && all.hooks_removed > 0 && all.deadlines_won > 0 &&
		       all.cancels_won > 0 && all.untripped > 0,
	       "everything happened");
}

int main(void)
{
	static struct player players[THREADS];
	static struct call bystander;
	uint64_t seed = 0xc0ffee;

	setvbuf(stdout, NULL, _IOLBF, 0);
	CT_CHECK(ct_timers_new(NULL, &all.timers) == CT_OK);
	CT_CHECK(pthread_barrier_init(&all.barrier, NULL, THREADS + 1) == 0);
	CT_CHECK(sem_init(&round_.root.released, 0, 0) == 0);
	CT_CHECK(sem_init(&bystander.released, 0, 0) == 0);
	for (unsigned i = 0; i < THREADS; i++) {
		players[i].i = i;
		players[i].seed = 0x1234567 + i;
		CT_CHECK(ct_thread_start(&players[i].thread, "player", player_main, &players[i]) ==
			 CT_OK);
	}
	for (int i = 0; i < ROUNDS; i++)
		run_round(&seed, &bystander);
	for (unsigned i = 0; i < THREADS; i++)
		ct_thread_join(players[i].thread);
	report();
	sleeps();
	all.timers = ct_timers_free(all.timers);
	return tally_end();
}
