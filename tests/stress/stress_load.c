/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generator of load on real threads: calls end on three threads of the target, some
 * inside start, with every status. Checks that each call that started ended once and is
 * counted once, in both loops, that no more are under way than asked for, and that a run
 * can be stopped at any moment.
 */
#include "base/check.h"
#include "conc/lock.h"
#include "conc/thread.h"
#include "load/load.h"
#include "tests/lib/tally.h"

#include <stdatomic.h>

enum { ENDERS = 3, SLOTS = 64, RUN_MS = 400, STOPS = 20, STATUSES = LOAD_STATUS_N };

static struct {
	struct ct_lock lock; /* rank APP; protects calls, calls_n and closing */
	struct ct_cond more;
	struct load_call *calls[SLOTS];
	unsigned calls_n;
	bool closing;
	_Atomic uint64_t started, ended, by_status[STATUSES];
	atomic_int under_way, under_way_max;
	_Atomic uint64_t stop_after; /* ends; 0: never */
	struct load_result result;
} target;

static void end(struct load_call *call, uint64_t n)
{
	const int status = n % 4 == 0 ? (int)(n / 4 % STATUSES) : 0;

	atomic_fetch_add(&target.by_status[status], 1);
	atomic_fetch_sub(&target.under_way, 1);
	atomic_fetch_add(&target.ended, 1);
	load_call_ended(call, status);
}

static void start(void *arg, struct load_call *call)
{
	const uint64_t n = atomic_fetch_add(&target.started, 1);
	const int under_way = atomic_fetch_add(&target.under_way, 1) + 1;
	int max = atomic_load(&target.under_way_max);

	(void)arg;
	while (under_way > max &&
	       !atomic_compare_exchange_weak(&target.under_way_max, &max, under_way))
		;
	if (n % 16 == 0) {
		end(call, n);
		return;
	}
	ct_lock_acquire(&target.lock);
	CT_CHECK(target.calls_n < SLOTS);
	target.calls[target.calls_n++] = call;
	ct_cond_signal(&target.more);
	ct_lock_release(&target.lock);
}

static void *end_calls(void *arg)
{
	uint64_t state = (uint64_t)(uintptr_t)arg;

	for (;;) {
		struct load_call *call = NULL;

		ct_lock_acquire(&target.lock);
		while (target.calls_n == 0 && !target.closing)
			ct_cond_wait(&target.more, &target.lock);
		if (target.calls_n > 0)
			call = target.calls[--target.calls_n];
		ct_lock_release(&target.lock);
		if (call == NULL)
			return NULL;
		end(call, rnd(&state));
	}
}

static bool stopped(void *arg)
{
	const uint64_t after = atomic_load(&target.stop_after);

	(void)arg;
	return after > 0 && atomic_load(&target.ended) >= after;
}

static struct load_plan fresh_plan(uint64_t stop_after)
{
	atomic_store(&target.started, 0);
	atomic_store(&target.ended, 0);
	atomic_store(&target.under_way_max, 0);
	atomic_store(&target.stop_after, stop_after);
	for (unsigned i = 0; i < STATUSES; i++)
		atomic_store(&target.by_status[i], 0);
	return (struct load_plan){ .duration_ms = RUN_MS, .timeout_ms = 20000, .stopped = stopped };
}

/* What the target saw is what was counted. */
static bool agrees(void)
{
	const struct load_result *r = &target.result;
	bool same = r->calls == atomic_load(&target.started) &&
		    r->calls == atomic_load(&target.ended) && r->lost == 0 &&
		    r->ok_ns.count + r->failed_ns.count == r->calls;

	for (unsigned i = 0; i < STATUSES; i++)
		same = same && r->by_status[i] == atomic_load(&target.by_status[i]);
	return same && atomic_load(&target.under_way) == 0;
}

static bool run(const struct load_plan *plan)
{
	CT_CHECK(load_run(plan, start, NULL, &target.result) == 0);
	return agrees() && atomic_load(&target.under_way_max) <= SLOTS;
}

static void closed_loop(void)
{
	struct load_plan plan = fresh_plan(0);

	plan.outstanding = SLOTS;
	expect(run(&plan), "closed loop: every call is counted once");
	expect(target.result.calls > SLOTS, "and calls follow one another");
	printf("%llu calls\n", (unsigned long long)target.result.calls);
}

static void open_loop(double rate, const char *what)
{
	struct load_plan plan = fresh_plan(0);

	plan.rate = rate;
	plan.slots_max = SLOTS;
	expect(run(&plan), what);
	expect(target.result.calls + target.result.missed == (uint64_t)(rate * RUN_MS / 1000),
	       "and every call that was due is counted");
}

static void stops(void)
{
	uint64_t state = 7;
	bool good = true;

	for (unsigned i = 0; i < STOPS; i++) {
		struct load_plan plan = fresh_plan(1 + rnd(&state) % 5000);

		plan.outstanding = i % 2 == 0 ? SLOTS : 0;
		plan.rate = 1e6;
		plan.slots_max = SLOTS;
		plan.duration_ms = 60 * 1000;
		good = run(&plan) && target.result.stopped && good;
	}
	expect(good, "a run can be stopped at any moment");
}

int main(void)
{
	pthread_t enders[ENDERS];

	ct_lock_init(&target.lock, CT_RANK_APP);
	ct_cond_init(&target.more);
	for (uintptr_t i = 0; i < ENDERS; i++)
		CT_CHECK(ct_thread_start(&enders[i], "ender", end_calls, (void *)(i + 1)) == CT_OK);

	closed_loop();
	open_loop(10000, "open loop: every call is counted once");
	open_loop(5e6, "open loop, more than can be done: every call is counted once");
	stops();

	ct_lock_acquire(&target.lock);
	target.closing = true;
	ct_cond_broadcast(&target.more);
	ct_lock_release(&target.lock);
	for (unsigned i = 0; i < ENDERS; i++)
		ct_thread_join(enders[i]);
	ct_cond_fini(&target.more);
	ct_lock_fini(&target.lock);
	return tally_end();
}
