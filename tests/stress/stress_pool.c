/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many submitters against a small pool: tasks alone and in lists, of both lanes,
 * urgent or not, some taken back. Checks that every accepted task ends exactly
 * once, that batch keeps its cap, that no task waits beside a free worker (all
 * end although nobody submits any more), and that close loses nothing.
 */
#include "base/check.h"
#include "conc/pool.h"
#include "conc/thread.h"
#include "tests/lib/gate.h"
#include "tests/lib/tally.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

enum {
	SUBMITTERS = 4,
	TASKS = 30000, /* of each */
	LIST_MAX = 12,
	WORKERS = 3,
	BATCH_MAX = 1,
	QUEUE_MAX = 64,
	WORK = 2000, /* of a batch task, so that its queue fills */
	WAVES = 3000,
	WAVE_TASKS = 6,
};

struct item {
	struct ct_task task;
	atomic_int ends; /* fn, remove: 1 at the end for an accepted one */
	bool accepted;
};

static struct {
	struct ct_pool *pool;
	struct item items[SUBMITTERS][TASKS];
	_Atomic uint64_t attempted, accepted, ran, given_back, removed;
	_Atomic uint64_t sink; /* keeps the work from being optimised away */
	atomic_int batch_now, batch_most;
	sem_t wave_end;
	atomic_int wave_left;
} all;

static void item_fn(struct ct_task *t, ct_status why)
{
	struct item *i = CT_CONTAINER_OF(t, struct item, task);
	uint64_t work = 1;

	if (why == CT_OK && t->lane == CT_LANE_BATCH) {
		const int now = atomic_fetch_add(&all.batch_now, 1) + 1;

		if (now > atomic_load(&all.batch_most))
			atomic_store(&all.batch_most, now);
		for (int n = 0; n < WORK; n++)
			atomic_store_explicit(&all.sink, rnd(&work), memory_order_relaxed);
		atomic_fetch_sub(&all.batch_now, 1);
	}
	atomic_fetch_add(&i->ends, 1);
	atomic_fetch_add(why == CT_OK ? &all.ran : &all.given_back, 1);
}

static void item_init(struct item *i, uint64_t *seed)
{
	*i = (struct item){ .task = {
				    .fn = item_fn,
				    .lane = rnd(seed) % 3 == 0 ? CT_LANE_BATCH
							       : CT_LANE_INTERACTIVE,
				    .urgent = rnd(seed) % 16 == 0,
			    } };
}

/* Submits items[from..to) as a list, or the one there is alone. */
static void submit(struct item *items, size_t from, size_t to)
{
	struct ct_list list;
	struct ct_list *l;
	ct_status st;

	atomic_fetch_add(&all.attempted, to - from);
	for (size_t i = from; i < to; i++)
		items[i].accepted = true;
	if (to - from == 1) {
		items[from].accepted = ct_pool_submit(all.pool, &items[from].task) == CT_OK;
		atomic_fetch_add(&all.accepted, items[from].accepted);
		return;
	}
	ct_list_init(&list);
	for (size_t i = from; i < to; i++)
		ct_list_push_back(&list, &items[i].task.link);
	st = ct_pool_submit_list(all.pool, &list);
	CT_CHECK((st == CT_OK) == ct_list_empty(&list));
	atomic_fetch_add(&all.accepted, to - from);
	while ((l = ct_list_pop_front(&list)) != NULL) {
		CT_CONTAINER_OF(l, struct item, task.link)->accepted = false;
		atomic_fetch_sub(&all.accepted, 1);
	}
}

static void take_back_some(struct item *items, size_t n, uint64_t *seed)
{
	struct item *i = &items[rnd(seed) % n];

	if (!i->accepted || !ct_pool_remove(all.pool, &i->task))
		return;
	atomic_fetch_add(&i->ends, 1);
	atomic_fetch_add(&all.removed, 1);
}

static void *submitter(void *arg)
{
	struct item *items = arg;
	uint64_t seed = 0x9e3779b9 + (uint64_t)((struct item(*)[TASKS])items - all.items);
	size_t n = 0;

	while (n < TASKS) {
		size_t end = n + 1 + (rnd(&seed) % 2 == 0 ? 0 : rnd(&seed) % LIST_MAX);

		if (end > TASKS)
			end = TASKS;
		for (size_t i = n; i < end; i++)
			item_init(&items[i], &seed);
		submit(items, n, end);
		n = end;
		if (rnd(&seed) % 4 == 0)
			take_back_some(items, n, &seed);
		if (!items[n - 1].accepted)
			sched_yield(); /* full: let workers have the processor */
	}
	return NULL;
}

static void open_pool(void)
{
	const struct ct_pool_opts o = {
		.workers = WORKERS,
		.batch_workers_max = BATCH_MAX,
		.queue_max = { QUEUE_MAX, QUEUE_MAX },
		.name = "stress",
	};

	memset(&all, 0, sizeof(all));
	CT_CHECK(sem_init(&all.wave_end, 0, 0) == 0);
	CT_CHECK(ct_pool_new(&o, &all.pool) == CT_OK);
}

/* True: within bounds everything accepted has ended. */
static bool drained(void)
{
	const ct_instant end = ct_deadline_after_ms(ct_clock_system(), 60000);
	struct ct_pool_stats s;

	do {
		ct_pool_stats(all.pool, &s);
		CT_CHECK(s.accepted == s.finished + s.removed + s.dropped + s.queued[0] +
					       s.queued[1] + s.running);
	} while (s.queued[0] + s.queued[1] + s.running > 0 &&
		 !ct_deadline_passed(ct_clock_system(), end));
	return s.queued[0] + s.queued[1] + s.running == 0;
}

static bool each_ended_once(void)
{
	for (size_t t = 0; t < SUBMITTERS; t++)
		for (size_t i = 0; i < TASKS; i++)
			if (atomic_load(&all.items[t][i].ends) != all.items[t][i].accepted)
				return false;
	return true;
}

/* Closes while submitters are at it and tasks wait, because all workers are held. */
static void close_midway_through(void)
{
	static struct gate gates[WORKERS];
	static struct item waits;

	while (atomic_load(&all.attempted) < SUBMITTERS * TASKS / 2)
		; /* bounded: submitters always get there */
	for (size_t i = 0; i < WORKERS; i++) {
		gate_init(&gates[i], CT_LANE_INTERACTIVE);
		gates[i].task.urgent = true;
		CT_CHECK(ct_pool_submit(all.pool, &gates[i].task) == CT_OK);
	}
	for (size_t i = 0; i < WORKERS; i++)
		gate_await_entered(&gates[i]);
	waits.task = (struct ct_task){ .fn = item_fn, .lane = CT_LANE_BATCH, .urgent = true };
	CT_CHECK(ct_pool_submit(all.pool, &waits.task) == CT_OK);
	atomic_fetch_add(&all.accepted, 1);
	ct_pool_close(all.pool);
	CT_CHECK(atomic_load(&waits.ends) == 1);
	for (size_t i = 0; i < WORKERS; i++)
		gate_open(&gates[i]);
}

static void storm(bool close_midway)
{
	pthread_t th[SUBMITTERS];
	bool quiet = true;

	open_pool();
	for (size_t i = 0; i < SUBMITTERS; i++)
		CT_CHECK(ct_thread_start(&th[i], "submitter", submitter, all.items[i]) == CT_OK);
	if (close_midway)
		close_midway_through();
	for (size_t i = 0; i < SUBMITTERS; i++)
		ct_thread_join(th[i]);
	if (!close_midway)
		quiet = drained();
	all.pool = ct_pool_free(all.pool);

	printf("attempted %lu, accepted %lu: ran %lu, given back %lu, removed %lu\n",
	       (unsigned long)all.attempted, (unsigned long)all.accepted, (unsigned long)all.ran,
	       (unsigned long)all.given_back, (unsigned long)all.removed);
	expect(all.accepted == all.ran + all.given_back + all.removed, "accepted = ended");
	expect(each_ended_once(), "each accepted task ended once, each refused one never");
	expect(quiet, "no task waits beside a free worker");
	expect(all.batch_most <= BATCH_MAX, "batch keeps its cap");
	expect(all.ran > 0 && all.removed > 0 && all.accepted < all.attempted,
	       "tasks ran, were removed and were refused");
	expect((all.given_back > 0) == close_midway,
	       "close gives back what waits, and nothing else does");
}

/* ---- waves: the pool falls asleep and is woken again and again ------------------- */

static void wave_fn(struct ct_task *t, ct_status why)
{
	(void)t;
	CT_CHECK(why == CT_OK);
	if (atomic_fetch_sub(&all.wave_left, 1) == 1)
		CT_CHECK(sem_post(&all.wave_end) == 0);
}

static void waves(void)
{
	static struct ct_task tasks[WAVE_TASKS];
	uint64_t seed = 0x70617573;
	int wave = 0;

	open_pool();
	while (wave < WAVES) {
		const int n = 1 + (int)(rnd(&seed) % WAVE_TASKS);
		struct ct_list list;

		ct_list_init(&list);
		atomic_store(&all.wave_left, n);
		for (int i = 0; i < n; i++) {
			tasks[i] = (struct ct_task){
				.fn = wave_fn,
				.lane = rnd(&seed) % 2 == 0 ? CT_LANE_BATCH : CT_LANE_INTERACTIVE,
			};
			ct_list_push_back(&list, &tasks[i].link);
		}
		CT_CHECK(ct_pool_submit_list(all.pool, &list) == CT_OK);
		if (!sem_posted_within_ms(&all.wave_end, AWAIT_MS))
			break;
		wave++;
	}
	all.pool = ct_pool_free(all.pool);
	printf("%d waves\n", wave);
	expect(wave == WAVES, "each wave wakes the workers it needs");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	storm(false);
	storm(true);
	waves();
	return tally_end();
}
