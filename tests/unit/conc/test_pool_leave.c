/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks whose result is out before their function returns. */
#include "conc/pool.h"

#include "tests/lib/leak_check.h"
#include "tests/unit/conc/pool_fixture.h"

#include <criterion/criterion.h>

TestSuite(pool_leave, .fini = leak_check, .timeout = 60);

/* A gate whose task leaves a place before it waits: its own, or tries another's. */
struct leaver {
	struct gate gate;
	const struct ct_task *whose;
};

static void leave_and_wait(struct ct_task *t, ct_status why)
{
	struct leaver *l = CT_CONTAINER_OF(t, struct leaver, gate.task);

	ct_pool_leave(l->whose);
	ct_pool_leave(l->whose);
	gate_fn(t, why);
}

static void occupy_and_leave(struct ct_pool *p, struct leaver *l, enum ct_lane lane,
			     const struct ct_task *whose)
{
	gate_init(&l->gate, lane);
	l->gate.task.fn = leave_and_wait;
	l->whose = whose;
	CT_CHECK(ct_pool_submit(p, &l->gate.task) == CT_OK);
	gate_await_entered(&l->gate);
}

/* So many are taken by a pool whose worker is held, and the next is refused. */
static void expect_room(struct ct_pool *p, enum ct_lane lane, struct gate *g, size_t n)
{
	gates_init(g, n + 1, lane);
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(ct_pool_submit(p, &g[i].task), CT_OK, "%zu", i);
	cr_assert_eq(ct_pool_submit(p, &g[n].task), CT_RESOURCE_EXHAUSTED);
}

static void makes_room(enum ct_lane lane, uint32_t queue)
{
	struct ct_pool *p = pool_of(2, 1, queue);
	const size_t workers = lane == CT_LANE_BATCH ? 1 : 2;
	struct ct_pool_stats s;
	struct leaver l;
	struct gate g[8];

	occupy_and_leave(p, &l, lane, &l.gate.task);
	expect_room(p, lane, g, workers + queue);
	ct_pool_stats(p, &s);
	cr_assert_eq(s.running + s.queued[lane], 1 + workers + queue, "it still runs");

	gate_open(&l.gate);
	gates_open(g, workers + queue);
	for (size_t i = 0; i < workers + queue; i++)
		gate_await_entered(&g[i]);
	p = ct_pool_free(p);
	cr_assert_eq(atomic_load(&l.gate.runs), 1);
}

Test(pool_leave, task_that_left_its_place_makes_room_before_it_returns)
{
	for (int i = 0; i < 50; i++)
		for (uint32_t queue = 0; queue < 3; queue++) {
			makes_room(CT_LANE_INTERACTIVE, queue);
			makes_room(CT_LANE_BATCH, queue);
		}
}

Test(pool_leave, place_is_given_back_once)
{
	struct ct_pool *p = pool_of(1, 1, 1);
	struct leaver l;
	struct gate g[3];

	for (int i = 0; i < 50; i++) {
		occupy_and_leave(p, &l, CT_LANE_INTERACTIVE, &l.gate.task);
		gate_open(&l.gate);
		for (struct ct_pool_stats s = { .running = 1 }; s.running > 0;)
			ct_pool_stats(p, &s); /* bounded by the suite's timeout */
	}

	expect_room(p, CT_LANE_INTERACTIVE, g, 2);

	gates_open(g, 2);
	p = ct_pool_free(p);
}

Test(pool_leave, only_a_tasks_own_function_can_leave_its_place)
{
	struct ct_pool *p = pool_of(2, 2, 0);
	struct gate busy, extra;
	struct leaver l;

	occupy(p, &busy, CT_LANE_INTERACTIVE);
	occupy_and_leave(p, &l, CT_LANE_INTERACTIVE, &busy.task);
	ct_pool_leave(&busy.task);

	expect_room(p, CT_LANE_INTERACTIVE, &extra, 0);

	gate_open(&busy);
	gate_open(&l.gate);
	p = ct_pool_free(p);
}

/* ---- callers that send the next one as soon as they have an answer --------------------- */

enum { WORKERS = 3, QUEUE = 2, CALLERS = WORKERS + QUEUE, ROUNDS = 20000 };

/* Its two tasks take turns: one submits the other, as a caller would. */
struct caller {
	struct ct_pool *pool;
	struct ct_task turns[2];
	unsigned left;
	sem_t done;
};

static void answer(struct caller *c, unsigned turn)
{
	ct_pool_leave(&c->turns[turn]);
	if (c->left-- == 0)
		CT_CHECK(sem_post(&c->done) == 0);
	else
		CT_CHECK(ct_pool_submit(c->pool, &c->turns[1 - turn]) == CT_OK);
}

static void first_turn(struct ct_task *t, ct_status why)
{
	CT_CHECK(why == CT_OK);
	answer(CT_CONTAINER_OF(t, struct caller, turns[0]), 0);
}

static void second_turn(struct ct_task *t, ct_status why)
{
	CT_CHECK(why == CT_OK);
	answer(CT_CONTAINER_OF(t, struct caller, turns[1]), 1);
}

static void call_in_turns(enum ct_lane lane)
{
	struct ct_pool *p = pool_of(WORKERS, WORKERS, QUEUE);
	struct caller callers[CALLERS];

	for (unsigned i = 0; i < CALLERS; i++) {
		callers[i] = (struct caller){
			.pool = p,
			.turns = { { .fn = first_turn, .lane = lane },
				   { .fn = second_turn, .lane = lane } },
			.left = ROUNDS,
		};
		CT_CHECK(sem_init(&callers[i].done, 0, 0) == 0);
	}
	for (unsigned i = 0; i < CALLERS; i++)
		CT_CHECK(ct_pool_submit(p, &callers[i].turns[0]) == CT_OK);
	for (unsigned i = 0; i < CALLERS; i++)
		AWAIT(&callers[i].done);
	p = ct_pool_free(p);
}

Test(pool_leave, as_many_callers_as_workers_and_queue_are_never_refused)
{
	call_in_turns(CT_LANE_INTERACTIVE);
	call_in_turns(CT_LANE_BATCH);
}
