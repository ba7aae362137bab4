/* SPDX-License-Identifier: Apache-2.0 */
#include "conc/pool.h"

#include "base/mem.h"
#include "tests/lib/leak_check.h"
#include "tests/unit/conc/pool_fixture.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

TestSuite(pool, .fini = leak_check, .timeout = 60);

/* ---- admission ------------------------------------------------------------------ */

static void accepts_workers_plus_queue(enum ct_lane lane, uint16_t lane_workers)
{
	enum { QUEUE = 3 };
	struct gate g[16];
	struct ct_pool *p = pool_of(4, 2, QUEUE);
	const size_t room = (size_t)lane_workers + QUEUE;

	gates_init(g, room + 2, lane);
	for (size_t i = 0; i < room; i++)
		cr_assert_eq(ct_pool_submit(p, &g[i].task), CT_OK, "%zu", i);
	cr_assert_eq(ct_pool_submit(p, &g[room].task), CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(ct_pool_submit(p, &g[room + 1].task), CT_RESOURCE_EXHAUSTED);
	gates_open(g, room);
	for (size_t i = 0; i < room; i++)
		gate_await_entered(&g[i]);
	p = ct_pool_free(p);
	for (size_t i = 0; i < room; i++)
		cr_assert_eq(g[i].why, CT_OK);
	cr_assert_eq(atomic_load(&g[room].runs), 0);
	cr_assert_eq(atomic_load(&g[room + 1].runs), 0);
}

Test(pool, as_many_interactive_tasks_as_workers_and_queue_are_accepted_and_no_more)
{
	for (int i = 0; i < 200; i++)
		accepts_workers_plus_queue(CT_LANE_INTERACTIVE, 4);
}

Test(pool, as_many_batch_tasks_as_batch_workers_and_queue_are_accepted_and_no_more)
{
	for (int i = 0; i < 200; i++)
		accepts_workers_plus_queue(CT_LANE_BATCH, 2);
}

Test(pool, with_a_queue_of_none_only_free_workers_accept)
{
	struct ct_pool *p = pool_of(1, 0, 0);
	struct gate busy, extra;

	occupy(p, &busy, CT_LANE_INTERACTIVE);
	gate_init(&extra, CT_LANE_INTERACTIVE);
	cr_assert_eq(ct_pool_submit(p, &extra.task), CT_RESOURCE_EXHAUSTED);
	extra.task.lane = CT_LANE_BATCH;
	cr_assert_eq(ct_pool_submit(p, &extra.task), CT_RESOURCE_EXHAUSTED);
	gate_open(&busy);
	p = ct_pool_free(p);
	cr_assert_eq(atomic_load(&extra.runs), 0);
}

Test(pool, a_full_lane_does_not_fill_the_other)
{
	struct ct_pool *p = pool_of(1, 1, 1);
	struct gate busy, person, bulk, extra;

	occupy(p, &busy, CT_LANE_INTERACTIVE);
	gate_init(&person, CT_LANE_INTERACTIVE);
	gate_init(&bulk, CT_LANE_BATCH);
	gate_init(&extra, CT_LANE_INTERACTIVE);
	cr_assert_eq(ct_pool_submit(p, &person.task), CT_OK);
	cr_assert_eq(ct_pool_submit(p, &extra.task), CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(ct_pool_submit(p, &bulk.task), CT_OK);
	gate_open(&busy);
	gate_open(&person);
	gate_open(&bulk);
	gate_await_entered(&bulk);
	ct_pool_free(p);
}

Test(pool, workers_that_interactive_tasks_wait_for_are_not_free_for_batch)
{
	struct ct_pool *p = pool_of(2, 2, 0);
	struct gate busy, second, bulk;

	occupy(p, &busy, CT_LANE_INTERACTIVE);
	gate_init(&second, CT_LANE_INTERACTIVE);
	gate_init(&bulk, CT_LANE_BATCH);
	cr_assert_eq(ct_pool_submit(p, &second.task), CT_OK);
	/* whether or not the second worker has taken it yet */
	cr_assert_eq(ct_pool_submit(p, &bulk.task), CT_RESOURCE_EXHAUSTED);
	gate_open(&second);
	gate_open(&busy);
	ct_pool_free(p);
}

Test(pool, queued_counts_what_waits_in_its_lane_alone)
{
	struct ct_pool *p = pool_of(1, 1, 4);
	struct gate busy, people[2], bulk;
	struct ct_pool_stats st;

	occupy(p, &busy, CT_LANE_INTERACTIVE);
	gates_init(people, 2, CT_LANE_INTERACTIVE);
	gate_init(&bulk, CT_LANE_BATCH);
	cr_assert_eq(ct_pool_queued(p, CT_LANE_INTERACTIVE), 0, "what runs does not wait");
	for (int i = 0; i < 2; i++)
		cr_assert_eq(ct_pool_submit(p, &people[i].task), CT_OK);
	cr_assert_eq(ct_pool_submit(p, &bulk.task), CT_OK);

	cr_assert_eq(ct_pool_queued(p, CT_LANE_INTERACTIVE), 2);
	cr_assert_eq(ct_pool_queued(p, CT_LANE_BATCH), 1);
	cr_assert(ct_pool_remove(p, &people[0].task));
	cr_assert_eq(ct_pool_queued(p, CT_LANE_INTERACTIVE), 1);
	ct_pool_stats(p, &st);
	cr_assert_eq(st.queued[CT_LANE_INTERACTIVE], 1);
	cr_assert_eq(st.queued[CT_LANE_BATCH], 1);

	gate_open(&people[1]);
	gate_open(&bulk);
	gate_open(&busy);
	gate_await_entered(&bulk);
	cr_assert_eq(ct_pool_queued(p, CT_LANE_INTERACTIVE), 0);
	cr_assert_eq(ct_pool_queued(p, CT_LANE_BATCH), 0);
	ct_pool_free(p);
}

/* ---- order ----------------------------------------------------------------------- */

/* A task that notes its turn. */
struct turn {
	struct ct_task task;
	atomic_int *clock;
	int place;
};

static void turn_fn(struct ct_task *t, ct_status why)
{
	struct turn *n = CT_CONTAINER_OF(t, struct turn, task);

	n->place = why == CT_OK ? atomic_fetch_add(n->clock, 1) : -1;
}

static void turn_init(struct turn *n, atomic_int *clock, enum ct_lane lane, bool urgent)
{
	*n = (struct turn){
		.task = { .fn = turn_fn, .lane = lane, .urgent = urgent },
		.clock = clock,
	};
}

static void finish(struct ct_pool *p, struct gate *busy)
{
	struct ct_pool_stats s;

	gate_open(busy);
	do {
		ct_pool_stats(p, &s);
	} while (s.running + s.queued[0] + s.queued[1] > 0);
	ct_pool_free(p);
}

Test(pool, a_lane_is_first_in_first_out_and_interactive_goes_before_batch)
{
	enum { N = 8 };
	struct ct_pool *p = pool_of(1, 1, N);
	struct turn bulk[N], people[N];
	struct gate busy;
	atomic_int clock = 0;

	occupy(p, &busy, CT_LANE_BATCH);
	for (int i = 0; i < N; i++) {
		turn_init(&bulk[i], &clock, CT_LANE_BATCH, false);
		turn_init(&people[i], &clock, CT_LANE_INTERACTIVE, false);
		cr_assert_eq(ct_pool_submit(p, &bulk[i].task), CT_OK);
		cr_assert_eq(ct_pool_submit(p, &people[i].task), CT_OK);
	}
	finish(p, &busy);
	for (int i = 0; i < N; i++) {
		cr_assert_eq(people[i].place, i);
		cr_assert_eq(bulk[i].place, N + i);
	}
}

Test(pool, urgent_tasks_are_never_refused_as_full_and_go_first_in_their_order)
{
	enum { N = 5 };
	struct ct_pool *p = pool_of(1, 1, 1);
	struct turn urgent[N], waiting, extra;
	struct gate busy;
	atomic_int clock = 0;

	occupy(p, &busy, CT_LANE_INTERACTIVE);
	turn_init(&waiting, &clock, CT_LANE_INTERACTIVE, false);
	turn_init(&extra, &clock, CT_LANE_INTERACTIVE, false);
	cr_assert_eq(ct_pool_submit(p, &waiting.task), CT_OK);
	for (int i = 0; i < N; i++) {
		turn_init(&urgent[i], &clock, CT_LANE_INTERACTIVE, true);
		cr_assert_eq(ct_pool_submit(p, &urgent[i].task), CT_OK);
	}
	cr_assert_eq(ct_pool_submit(p, &extra.task), CT_RESOURCE_EXHAUSTED);
	finish(p, &busy);
	for (int i = 0; i < N; i++)
		cr_assert_eq(urgent[i].place, i);
	cr_assert_eq(waiting.place, N);
}

Test(pool, batch_never_runs_on_more_workers_than_it_may)
{
	struct ct_pool *p = pool_of(3, 0, 8); /* half: 1 */
	struct gate bulk[3], people[2];

	gates_init(bulk, 3, CT_LANE_BATCH);
	gates_init(people, 2, CT_LANE_INTERACTIVE);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(ct_pool_submit(p, &bulk[i].task), CT_OK);
	gate_await_entered(&bulk[0]);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(ct_pool_submit(p, &people[i].task), CT_OK);
	for (int i = 0; i < 2; i++)
		gate_await_entered(&people[i]); /* although batch came first */
	cr_assert_eq(atomic_load(&bulk[1].runs), 0);

	gates_open(people, 2);
	gate_open(&bulk[0]);
	gate_await_entered(&bulk[1]); /* its turn, without any further submit */
	cr_assert_eq(atomic_load(&bulk[2].runs), 0);
	gate_open(&bulk[1]);
	gate_await_entered(&bulk[2]);
	gate_open(&bulk[2]);
	ct_pool_free(p);
}

Test(pool, a_single_worker_serves_both_lanes)
{
	struct ct_pool *p = pool_of(1, 0, 4);
	struct gate bulk, person;

	occupy(p, &bulk, CT_LANE_BATCH);
	gate_init(&person, CT_LANE_INTERACTIVE);
	cr_assert_eq(ct_pool_submit(p, &person.task), CT_OK);
	gate_open(&bulk);
	gate_await_entered(&person);
	gate_open(&person);
	ct_pool_free(p);
}

/* ---- names -------------------------------------------------------------------------- */

struct named {
	struct ct_task task;
	char name[16];
	sem_t done;
};

static void name_fn(struct ct_task *t, ct_status why)
{
	struct named *n = CT_CONTAINER_OF(t, struct named, task);

	(void)why;
	(void)pthread_getname_np(pthread_self(), n->name, sizeof(n->name));
	CT_CHECK(sem_post(&n->done) == 0);
}

Test(pool, workers_carry_the_pools_name_and_their_number)
{
	struct ct_pool *p = pool_of(1, 1, 1);
	struct named n = { .task = { .fn = name_fn } };

	CT_CHECK(sem_init(&n.done, 0, 0) == 0);
	cr_assert_eq(ct_pool_submit(p, &n.task), CT_OK);
	AWAIT(&n.done);
	cr_assert_str_eq(n.name, "ct-work-0");
	ct_pool_free(p);
}

Test(pool, lanes_have_names)
{
	cr_assert_str_eq(ct_lane_name(CT_LANE_INTERACTIVE), "interactive");
	cr_assert_str_eq(ct_lane_name(CT_LANE_BATCH), "batch");
	cr_assert_str_eq(ct_lane_name(CT_LANE_INLINE), "inline");
}

/* ---- what cannot be ------------------------------------------------------------------- */

Test(pool, options_out_of_range_are_refused_and_nothing_is_written)
{
	const struct ct_pool_opts good = { .workers = 2, .name = "p" };
	struct ct_pool_opts bad[5] = { good, good, good, good, good };
	struct ct_pool *const mark = (struct ct_pool *)(void *)bad;
	struct ct_pool *p = mark;

	bad[0].workers = 0;
	bad[1].workers = 257;
	bad[2].batch_workers_max = 3;
	bad[3].name = "eleven-long";
	bad[4].name = NULL;
	for (size_t i = 0; i < CT_ARRAY_N(bad); i++) {
		cr_assert_eq(ct_pool_new(&bad[i], &p), CT_INVALID_ARGUMENT, "%zu", i);
		cr_assert_eq(p, mark);
	}
}

Test(pool, each_allocation_that_fails_makes_new_fail_cleanly)
{
	const struct ct_pool_opts o = { .workers = 4, .name = "p" };
	struct ct_pool *p = NULL;
	uint64_t fails = 0;

	do {
		ct_mem_fail_nth(fails + 1);
		if (ct_pool_new(&o, &p) == CT_OK)
			break;
		cr_assert_null(p);
	} while (++fails < 100);
	ct_mem_fail_nth(0);
	cr_assert_eq(fails, 2); /* the pool, its workers */
	ct_pool_free(p);
	cr_assert_null(ct_pool_free(NULL));
}

Test(pool, a_task_without_a_function_is_a_programming_error, .signal = SIGABRT)
{
	struct ct_pool *p = pool_of(1, 1, 1);
	struct ct_task t = { .lane = CT_LANE_BATCH };

	(void)!ct_pool_submit(p, &t);
}

Test(pool, an_inline_task_is_not_the_pools, .signal = SIGABRT)
{
	struct ct_pool *p = pool_of(1, 1, 1);
	struct ct_task t = { .fn = turn_fn, .lane = CT_LANE_INLINE };

	(void)!ct_pool_submit(p, &t);
}

Test(pool, submitting_a_queued_task_again_is_a_programming_error, .signal = SIGABRT)
{
	struct ct_pool *p = pool_of(1, 1, 4);
	struct gate busy, g;

	occupy(p, &busy, CT_LANE_INTERACTIVE);
	gate_init(&g, CT_LANE_INTERACTIVE);
	(void)!ct_pool_submit(p, &g.task);
	(void)!ct_pool_submit(p, &g.task);
}

/* ---- rest ------------------------------------------------------------------------ */

static atomic_uint rests;

static void count_rest(void)
{
	atomic_fetch_add(&rests, 1);
}

Test(pool, a_worker_rests_once_behind_its_last_task_and_not_between_two)
{
	const struct ct_pool_opts o = {
		.workers = 1, .queue_max = { 8, 8 }, .name = "rest", .rest = count_rest
	};
	struct gate g[4];
	struct ct_pool *p;
	unsigned seen;

	atomic_store(&rests, 0);
	cr_assert_eq(ct_pool_new(&o, &p), CT_OK);
	gates_init(g, 4, CT_LANE_INTERACTIVE);
	for (size_t i = 0; i < 4; i++)
		cr_assert_eq(ct_pool_submit(p, &g[i].task), CT_OK);
	for (size_t i = 0; i < 4; i++) {
		gate_await_entered(&g[i]);
		cr_assert_eq(atomic_load(&rests), 0, "before task %zu", i);
		gates_open(&g[i], 1);
	}
	do {
		seen = atomic_load(&rests);
		sched_yield();
	} while (seen == 0); /* the suite's timeout bounds it */
	p = ct_pool_free(p);
	cr_assert_leq(atomic_load(&rests), 2, "once behind the tasks, once at its end");
}
