/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/ours/measure.h"

#include "base/check.h"
#include "conc/thread.h"

enum { THREADS = 8, LEAST_US = 2000, SPREAD_US = 20000, SLEEP_US = 10 * 1000 * 1000 };

/* One of the callers; it has its own figures. */
struct waiter {
	struct stand *stand;
	uint32_t calls;
	pthread_t thread;
	struct late_result result;
};

static bool wait_once(struct waiter *w, struct ct_reply *reply)
{
	const struct work work = { .sleep_us = SLEEP_US };
	const uint64_t time_us = LEAST_US + ct_random_u64() % SPREAD_US;
	ct_instant deadline;
	struct ct_ctx *ctx;
	struct errand e;
	int64_t late;
	ct_status st;

	deadline = ct_instant_add_us(ct_now(ct_clock_system()), time_us);
	if (ct_ctx_new_root(w->stand->rt.timers, deadline, &ctx) != CT_OK)
		return false;
	errand_init(&e, w->stand, 0, work, deadline.ns, 0);
	st = ct_stub_call(e.client, ctx, e.method, errand_request(&e), reply);
	late = stand_now_ns() - deadline.ns;
	ct_ctx_unref(ctx);
	if (st != CT_DEADLINE_EXCEEDED)
		w->result.other++;
	else if (late < 0)
		w->result.early++;
	else
		load_hist_add(&w->result.late_ns, (uint64_t)late);
	return true;
}

static void *wait_all(void *arg)
{
	struct waiter *w = arg;
	struct ct_reply reply;

	ct_reply_init(&reply);
	for (uint32_t i = 0; i < w->calls && wait_once(w, &reply); i++)
		;
	ct_reply_fini(&reply);
	return NULL;
}

static void add(struct late_result *to, const struct late_result *from)
{
	for (unsigned i = 0; i < LOAD_HIST_BUCKETS; i++)
		to->late_ns.bucket[i] += from->late_ns.bucket[i];
	to->late_ns.count += from->late_ns.count;
	to->late_ns.sum_ns += from->late_ns.sum_ns;
	if (from->late_ns.max_ns > to->late_ns.max_ns)
		to->late_ns.max_ns = from->late_ns.max_ns;
	to->early += from->early;
	to->other += from->other;
}

bool measure_late(struct stand *s, const struct late_opts *opts, struct late_result *ret)
{
	static struct waiter waiters[THREADS];
	unsigned n = 0;

	*ret = (struct late_result){ .early = 0 };
	for (; n < THREADS; n++) {
		struct waiter *w = &waiters[n];

		*w = (struct waiter){ .stand = s, .calls = opts->calls };
		if (ct_thread_start(&w->thread, "waiter", wait_all, w) != CT_OK)
			break;
	}
	for (unsigned i = 0; i < n; i++) {
		ct_thread_join(waiters[i].thread);
		add(ret, &waiters[i].result);
	}
	return n == THREADS;
}
