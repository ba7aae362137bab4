/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/ours/crowd.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/lock.h"
#include "conc/thread.h"

#include <stdatomic.h>

enum {
	CALM_MS = 60 * 1000, /* the time of a call whose caller tells nobody that it gave up */
	ONE_IN = 10,         /* calls that belong to a crowd */
	TOGETHER_MS = 5,     /* a crowd gives up after so long */
	CAPACITY_MS = 1000,
	CALLS_A_WORKER = 3, /* outstanding: the workers, and some to take their place */
	SLOTS_MAX = 16384,
};

#define NS_PER_MS INT64_C(1000000)

struct crowd {
	struct stand *stand;
	struct crowd_opts opts;
	pthread_t caller, quitter;
	bool calling, quitting; /* the threads run */
	atomic_bool stop;
	_Atomic uint64_t calls;
	struct ct_lock lock; /* rank APP; protects the two below */
	struct ct_ctx *ctx;  /* of the calls that give up together */
	uint32_t together;   /* their number, 1.. */
	struct ct_cond stopping;
	struct load_result result;
};

/* ---- calls ------------------------------------------------------------------------------ */

static void done(void *arg, struct ct_reply *reply)
{
	load_call_ended(arg, (int)reply->status);
}

static void start(void *target, struct load_call *call)
{
	struct crowd *c = target;
	const struct ct_call_opts opts = {
		.timeout_ms = c->opts.unchecked ? (uint32_t)CALM_MS : c->opts.timeout_ms,
	};
	const int64_t deadline = stand_now_ns() + c->opts.timeout_ms * NS_PER_MS;
	struct ct_ctx *ctx = NULL;
	uint32_t together = 0;
	struct errand e;

	if (atomic_fetch_add(&c->calls, 1) % ONE_IN == 0) {
		ct_lock_acquire(&c->lock);
		together = c->together;
		ctx = ct_ctx_ref(c->ctx);
		ct_lock_release(&c->lock);
	}
	errand_init(&e, c->stand, c->opts.hops, c->opts.work, deadline, together);
	ct_client_start(e.client, c->opts.unchecked ? NULL : ctx, e.method, errand_request(&e),
			&opts, done, call);
	ct_ctx_unref(ctx);
}

static bool stopped(void *arg)
{
	const struct crowd *c = arg;

	return atomic_load_explicit(&c->stop, memory_order_relaxed);
}

static void *call_all(void *arg)
{
	struct crowd *c = arg;
	const struct load_plan plan = {
		.rate = c->opts.rate,
		.slots_max = SLOTS_MAX,
		.duration_ms = c->opts.duration_ms,
		.timeout_ms = c->opts.unchecked ? (uint32_t)CALM_MS : c->opts.timeout_ms,
		.arg = c,
		.stopped = stopped,
	};

	if (load_run(&plan, start, c, &c->result) != 0)
		c->result.lost = 1;
	return NULL;
}

/* ---- those who give up together ----------------------------------------------------------- */

/* The crowd at hand gives up; whoever starts from here on is of the next one. */
static void give_up(struct crowd *c)
{
	struct ct_ctx *next = NULL, *now;
	uint32_t was;

	if (ct_ctx_new_root(c->stand->rt.timers, CT_NEVER, &next) != CT_OK)
		return; /* later, then */
	ct_lock_acquire(&c->lock);
	was = c->together;
	now = c->ctx;
	c->together = was % (WATCH_CROWDS - 1) + 1;
	c->ctx = next;
	atomic_store(&c->stand->watch->cancelled_ns[c->together], 0);
	ct_lock_release(&c->lock);
	atomic_store(&c->stand->watch->cancelled_ns[was], stand_now_ns());
	if (!c->opts.unchecked)
		(void)ct_ctx_cancel(now, CT_CANCEL_CALLER);
	ct_ctx_unref(now);
}

static void *quit_together(void *arg)
{
	struct crowd *c = arg;
	bool stopping = false;

	while (!stopping) {
		const ct_instant until = ct_deadline_after_ms(ct_clock_system(), TOGETHER_MS);

		ct_lock_acquire(&c->lock);
		while (!stopped(c) && ct_cond_wait_until(&c->stopping, &c->lock, until))
			;
		stopping = stopped(c);
		ct_lock_release(&c->lock);
		give_up(c);
	}
	return NULL;
}

/* ---- life ----------------------------------------------------------------------------------- */

struct crowd *crowd_start(struct stand *s, const struct crowd_opts *opts)
{
	struct crowd *c = ct_mem_zalloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->stand = s;
	c->opts = *opts;
	c->together = 1;
	ct_lock_init(&c->lock, CT_RANK_APP);
	ct_cond_init(&c->stopping);
	atomic_store(&s->watch->cancelled_ns[1], 0);
	if (ct_ctx_new_root(s->rt.timers, CT_NEVER, &c->ctx) == CT_OK) {
		c->quitting = ct_thread_start(&c->quitter, "quitter", quit_together, c) == CT_OK;
		c->calling = c->quitting &&
			     ct_thread_start(&c->caller, "caller", call_all, c) == CT_OK;
	}
	return c->calling ? c : crowd_end(c, true, NULL);
}

struct crowd *crowd_end(struct crowd *c, bool at_once, struct load_result *ret)
{
	if (at_once)
		atomic_store(&c->stop, true);
	if (c->calling)
		ct_thread_join(c->caller);
	ct_lock_acquire(&c->lock);
	atomic_store(&c->stop, true);
	ct_cond_broadcast(&c->stopping);
	ct_lock_release(&c->lock);
	if (c->quitting)
		ct_thread_join(c->quitter);
	if (ret != NULL)
		*ret = c->result;
	ct_ctx_unref(c->ctx);
	ct_cond_fini(&c->stopping);
	ct_lock_fini(&c->lock);
	ct_mem_free(c);
	return NULL;
}

struct capacity {
	struct stand *stand;
	unsigned hops;
	struct work work;
};

static void start_one(void *target, struct load_call *call)
{
	const struct capacity *c = target;
	struct errand e;

	errand_init(&e, c->stand, c->hops, c->work, INT64_MAX, 0);
	ct_client_start(e.client, NULL, e.method, errand_request(&e), NULL, done, call);
}

double crowd_capacity(struct stand *s, unsigned hops, struct work work)
{
	struct capacity c = { s, hops, work };
	const struct load_plan plan = {
		.outstanding = s->workers * CALLS_A_WORKER,
		.warmup_ms = CAPACITY_MS / 4,
		.duration_ms = CAPACITY_MS,
		.timeout_ms = probe_echo_method.timeout_ms,
	};
	static struct load_result r;

	if (load_run(&plan, start_one, &c, &r) != 0)
		return 0;
	return (double)r.ok * 1000 / CAPACITY_MS;
}
