/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of tasks, tasks taken back, and what close does to those that wait. */
#include "conc/pool.h"

#include "base/mem.h"
#include "tests/lib/leak_check.h"
#include "tests/unit/conc/pool_fixture.h"

#include <criterion/criterion.h>

TestSuite(pool_queue, .fini = leak_check, .timeout = 60);

/* ---- lists ------------------------------------------------------------------------ */

static void list_of(struct ct_list *l, struct gate *g, size_t n)
{
	ct_list_init(l);
	for (size_t i = 0; i < n; i++)
		ct_list_push_back(l, &g[i].task.link);
}

Test(pool_queue, a_list_is_accepted_as_far_as_there_is_room_and_the_rest_stays_in_order)
{
	struct ct_pool *p = pool_of(2, 2, 1);
	struct gate g[5];
	struct ct_list list;

	gates_init(g, 5, CT_LANE_INTERACTIVE);
	list_of(&list, g, 5);
	cr_assert_eq(ct_pool_submit_list(p, &list), CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(ct_list_pop_front(&list), &g[3].task.link);
	cr_assert_eq(ct_list_pop_front(&list), &g[4].task.link);
	cr_assert(ct_list_empty(&list));
	gates_open(g, 3);
	for (int i = 0; i < 3; i++)
		gate_await_entered(&g[i]);
	ct_pool_free(p);
	cr_assert_eq(atomic_load(&g[3].runs) + atomic_load(&g[4].runs), 0);
}

Test(pool_queue, a_list_that_fits_is_taken_whole_and_wakes_a_worker_for_each_task)
{
	enum { ROUNDS = 100 };
	static struct gate gates[ROUNDS][4];
	struct ct_pool *p = pool_of(4, 4, 0);
	struct ct_list list;

	for (int round = 0; round < ROUNDS; round++) {
		struct gate *g = gates[round];

		gates_init(g, 4, CT_LANE_INTERACTIVE);
		list_of(&list, g, 4);
		while (ct_pool_submit_list(p, &list) != CT_OK)
			cr_assert_not(ct_list_empty(&list)); /* workers of the last round end */
		cr_assert(ct_list_empty(&list));
		for (int i = 0; i < 4; i++)
			gate_await_entered(&g[i]); /* all four at once */
		gates_open(g, 4);
	}
	ct_pool_free(p);
}

Test(pool_queue, in_a_mixed_list_a_full_lane_does_not_stop_the_other)
{
	struct ct_pool *p = pool_of(1, 1, 1);
	struct gate busy, g[4];
	struct ct_list list;

	occupy(p, &busy, CT_LANE_INTERACTIVE);
	gates_init(g, 4, CT_LANE_INTERACTIVE);
	g[2].task.lane = CT_LANE_BATCH;
	list_of(&list, g, 4);
	cr_assert_eq(ct_pool_submit_list(p, &list), CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(ct_list_pop_front(&list), &g[1].task.link);
	cr_assert_eq(ct_list_pop_front(&list), &g[3].task.link);
	cr_assert(ct_list_empty(&list));
	gate_open(&busy);
	gates_open(g, 4);
	gate_await_entered(&g[0]);
	gate_await_entered(&g[2]);
	ct_pool_free(p);
}

Test(pool_queue, an_empty_list_is_accepted)
{
	struct ct_pool *p = pool_of(1, 1, 1);
	struct ct_list list;

	ct_list_init(&list);
	cr_assert_eq(ct_pool_submit_list(p, &list), CT_OK);
	ct_pool_free(p);
}

/* ---- remove ------------------------------------------------------------------------- */

Test(pool_queue, a_removed_task_never_runs_and_its_place_is_free_again)
{
	struct ct_pool *p = pool_of(1, 1, 1);
	struct gate busy, a, b;
	struct ct_pool_stats s;

	occupy(p, &busy, CT_LANE_INTERACTIVE);
	gate_init(&a, CT_LANE_INTERACTIVE);
	gate_init(&b, CT_LANE_INTERACTIVE);
	cr_assert_eq(ct_pool_submit(p, &a.task), CT_OK);
	cr_assert_eq(ct_pool_submit(p, &b.task), CT_RESOURCE_EXHAUSTED);
	cr_assert(ct_pool_remove(p, &a.task));
	cr_assert_not(ct_pool_remove(p, &a.task));
	cr_assert_eq(ct_pool_submit(p, &b.task), CT_OK);
	gate_open(&busy);
	gate_open(&b);
	gate_await_entered(&b);
	ct_pool_stats(p, &s);
	cr_assert_eq(s.removed, 1);
	ct_pool_free(p);
	cr_assert_eq(atomic_load(&a.runs), 0);
}

Test(pool_queue, a_task_that_runs_or_was_never_submitted_cannot_be_removed)
{
	struct ct_pool *p = pool_of(1, 1, 1);
	struct gate busy, never;

	occupy(p, &busy, CT_LANE_INTERACTIVE);
	gate_init(&never, CT_LANE_BATCH);
	cr_assert_not(ct_pool_remove(p, &busy.task));
	cr_assert_not(ct_pool_remove(p, &never.task));
	gate_open(&busy);
	ct_pool_free(p);
	cr_assert_eq(busy.why, CT_OK);
}

/* ---- close and free ------------------------------------------------------------------ */

Test(pool_queue, close_gives_each_queued_task_back_exactly_once_and_running_ones_go_on)
{
	struct ct_pool *p = pool_of(1, 1, 4);
	struct gate busy, q1, q2, q3;
	struct ct_pool_stats s;

	occupy(p, &busy, CT_LANE_INTERACTIVE);
	gate_init(&q1, CT_LANE_INTERACTIVE);
	gate_init(&q2, CT_LANE_BATCH);
	gate_init(&q3, CT_LANE_INTERACTIVE);
	q3.task.urgent = true;
	cr_assert_eq(ct_pool_submit(p, &q1.task), CT_OK);
	cr_assert_eq(ct_pool_submit(p, &q2.task), CT_OK);
	cr_assert_eq(ct_pool_submit(p, &q3.task), CT_OK);

	ct_pool_close(p);
	ct_pool_close(p); /* idempotent */
	cr_assert_eq(atomic_load(&q1.runs), 1);
	cr_assert_eq(atomic_load(&q2.runs), 1);
	cr_assert_eq(atomic_load(&q3.runs), 1);
	cr_assert_eq(q1.why, CT_CANCELLED);
	cr_assert_eq(q2.why, CT_CANCELLED);
	cr_assert_eq(q3.why, CT_CANCELLED);
	ct_pool_stats(p, &s);
	cr_assert_eq(s.dropped, 3);
	cr_assert_eq(s.running, 1);

	gate_open(&busy);
	ct_pool_free(p);
	cr_assert_eq(busy.why, CT_OK);
}

Test(pool_queue, a_closed_pool_refuses_everything_as_unavailable)
{
	struct ct_pool *p = pool_of(2, 1, 4);
	struct gate g[2];
	struct ct_list list;

	gates_init(g, 2, CT_LANE_INTERACTIVE);
	g[1].task.urgent = true;
	ct_pool_close(p);
	cr_assert_eq(ct_pool_submit(p, &g[0].task), CT_UNAVAILABLE);
	cr_assert_eq(ct_pool_submit(p, &g[1].task), CT_UNAVAILABLE);
	list_of(&list, g, 2);
	cr_assert_eq(ct_pool_submit_list(p, &list), CT_UNAVAILABLE);
	cr_assert_eq(ct_list_pop_front(&list), &g[0].task.link);
	cr_assert_eq(ct_list_pop_front(&list), &g[1].task.link);
	ct_pool_free(p);
}

struct resubmitter {
	struct ct_task task;
	struct ct_pool *pool;
	int left;
	ct_status last;
	sem_t done;
};

static void resubmit_fn(struct ct_task *t, ct_status why)
{
	struct resubmitter *r = CT_CONTAINER_OF(t, struct resubmitter, task);

	if (why != CT_OK || --r->left == 0) {
		r->last = why == CT_OK ? CT_OK : ct_pool_submit(r->pool, t);
		CT_CHECK(sem_post(&r->done) == 0);
		return;
	}
	CT_CHECK(ct_pool_submit(r->pool, t) == CT_OK);
}

Test(pool_queue, fn_may_submit_its_own_task_again)
{
	struct resubmitter r = { .task = { .fn = resubmit_fn }, .left = 50 };

	r.pool = pool_of(2, 1, 1);
	CT_CHECK(sem_init(&r.done, 0, 0) == 0);
	cr_assert_eq(ct_pool_submit(r.pool, &r.task), CT_OK);
	AWAIT(&r.done);
	cr_assert_eq(r.left, 0);
	ct_pool_free(r.pool);
}

Test(pool_queue, a_task_given_back_by_close_may_try_again_and_is_refused)
{
	struct resubmitter r = { .task = { .fn = resubmit_fn }, .left = 50 };
	struct gate busy;

	r.pool = pool_of(1, 1, 1);
	CT_CHECK(sem_init(&r.done, 0, 0) == 0);
	occupy(r.pool, &busy, CT_LANE_INTERACTIVE);
	cr_assert_eq(ct_pool_submit(r.pool, &r.task), CT_OK);
	ct_pool_close(r.pool);
	AWAIT(&r.done);
	cr_assert_eq(r.last, CT_UNAVAILABLE);
	gate_open(&busy);
	ct_pool_free(r.pool);
}

static atomic_int freed;

static void free_fn(struct ct_task *t, ct_status why)
{
	(void)why;
	ct_mem_free(t);
	atomic_fetch_add(&freed, 1);
}

Test(pool_queue, fn_may_free_the_task)
{
	struct ct_pool *p = pool_of(2, 1, 100);

	for (int i = 0; i < 100; i++) {
		struct ct_task *t = ct_mem_zalloc(1, sizeof(*t));

		cr_assert_not_null(t);
		t->fn = free_fn;
		t->lane = i % 2 == 0 ? CT_LANE_BATCH : CT_LANE_INTERACTIVE;
		cr_assert_eq(ct_pool_submit(p, t), CT_OK);
	}
	ct_pool_free(p);
	cr_assert_eq(atomic_load(&freed), 100);
}
