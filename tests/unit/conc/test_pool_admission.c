/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact admission as a property: random schedules of submits, removals and ends
 * of tasks against a model that is nothing but counters. Within a lane the
 * workers' timing must not matter, so nothing waits for them there; where both
 * lanes mix, which task a free worker takes first is theirs to choose, so the
 * schedule lets the pool settle between steps.
 */
#include "conc/pool.h"

#include "tests/lib/gate.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <sched.h>

TestSuite(pool_admission, .fini = leak_check, .timeout = 60);

enum { TASKS_MAX = 48, SCHEDULES = 1500 };

static uint64_t rnd(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

struct model {
	struct ct_pool *pool;
	uint32_t workers, batch_max, queue_max[CT_POOL_LANES];
	uint32_t running[CT_POOL_LANES], queued[CT_POOL_LANES];
	uint64_t accepted, refused, removed, finished;
	struct gate gates[TASKS_MAX];
	bool pending[TASKS_MAX]; /* accepted, not ended, not removed */
	size_t tasks_n;
};

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Free workers take what waits, people first. */
static void settle(struct model *m)
{
	const uint32_t i = CT_LANE_INTERACTIVE, b = CT_LANE_BATCH;
	uint32_t n = min_u32(m->queued[i], m->workers - m->running[i] - m->running[b]);

	m->queued[i] -= n;
	m->running[i] += n;
	n = min_u32(m->queued[b], min_u32(m->workers - m->running[i] - m->running[b],
					  m->batch_max - m->running[b]));
	m->queued[b] -= n;
	m->running[b] += n;
}

static void start(struct model *m, uint64_t *seed)
{
	struct ct_pool_opts o = {
		.workers = (uint16_t)(1 + rnd(seed) % 4),
		.queue_max = { (uint32_t)(rnd(seed) % 5), (uint32_t)(rnd(seed) % 5) },
		.name = "t",
	};

	o.batch_workers_max = (uint16_t)(1 + rnd(seed) % o.workers);
	*m = (struct model){
		.workers = o.workers,
		.batch_max = o.batch_workers_max,
		.queue_max = { o.queue_max[0], o.queue_max[1] },
	};
	cr_assert_eq(ct_pool_new(&o, &m->pool), CT_OK);
}

/* What still waits once the free workers are taken is the new task too. */
static bool model_submit(struct model *m, enum ct_lane lane, uint32_t spare, bool urgent)
{
	settle(m);
	m->queued[lane]++;
	settle(m);
	if (urgent || m->queued[lane] == 0 || m->queued[lane] + spare <= m->queue_max[lane]) {
		m->accepted++;
		return true;
	}
	m->queued[lane]--;
	m->refused++;
	return false;
}

/* A third of them spare places for others, more than there are at times. */
static void submit(struct model *m, enum ct_lane lane, bool urgent, uint64_t *seed)
{
	const size_t i = m->tasks_n++;
	struct gate *g = &m->gates[i];

	gate_init(g, lane);
	g->task.urgent = urgent;
	g->task.spare = rnd(seed) % 3 == 0 ? (uint32_t)(rnd(seed) % 6) : 0;
	m->pending[i] = model_submit(m, lane, g->task.spare, urgent);
	cr_assert_eq(ct_pool_submit(m->pool, &g->task),
		     m->pending[i] ? CT_OK : CT_RESOURCE_EXHAUSTED);
}

/* Until the pool's own count of ended tasks is the model's. */
static void await_finished(struct model *m)
{
	struct ct_pool_stats s;

	for (;;) {
		ct_pool_stats(m->pool, &s);
		if (s.finished == m->finished)
			return;
		sched_yield(); /* bounded by the suite's timeout */
	}
}

static void await_settled(struct model *m)
{
	struct ct_pool_stats s;

	settle(m);
	for (;;) {
		ct_pool_stats(m->pool, &s);
		if (s.running == m->running[0] + m->running[1] && s.queued[0] == m->queued[0] &&
		    s.queued[1] == m->queued[1])
			return;
		sched_yield();
	}
}

/* A task whose fn is inside its gate; NULL: a worker has yet to call one. */
static struct gate *entered(struct model *m, enum ct_lane lane)
{
	for (size_t i = 0; i < m->tasks_n; i++) {
		struct gate *g = &m->gates[i];

		if (m->pending[i] && g->task.lane == lane && atomic_load(&g->runs) > 0) {
			m->pending[i] = false;
			return g;
		}
	}
	return NULL;
}

/* Lets a running task of the lane end; there is one. */
static void end_one(struct model *m, enum ct_lane lane)
{
	struct gate *g;

	while ((g = entered(m, lane)) == NULL)
		sched_yield();
	m->running[lane]--;
	m->finished++;
	gate_open(g);
	await_finished(m);
}

static void remove_one(struct model *m, uint64_t *seed)
{
	const size_t i = rnd(seed) % TASKS_MAX;

	if (i >= m->tasks_n || !m->pending[i] || !ct_pool_remove(m->pool, &m->gates[i].task))
		return;
	m->pending[i] = false;
	m->removed++;
	m->queued[m->gates[i].task.lane]--;
	cr_assert_eq(atomic_load(&m->gates[i].runs), 0);
}

static void finish(struct model *m)
{
	struct ct_pool_stats s;

	for (size_t i = 0; i < m->tasks_n; i++)
		gate_open(&m->gates[i]);
	m->finished = m->accepted - m->removed;
	await_finished(m);
	ct_pool_stats(m->pool, &s);
	cr_assert_eq(s.accepted, m->accepted);
	cr_assert_eq(s.refused, m->refused);
	cr_assert_eq(s.removed, m->removed);
	cr_assert_eq(s.running + s.queued[0] + s.queued[1], 0);
	ct_pool_free(m->pool);
	for (size_t i = 0; i < m->tasks_n; i++)
		cr_assert_leq(atomic_load(&m->gates[i].runs), 1);
}

/* One lane, in bursts: the pool's threads may be anywhere. */
static void run_lane(enum ct_lane lane, uint64_t *seed)
{
	struct model m;

	start(&m, seed);
	while (m.tasks_n < TASKS_MAX) {
		const size_t burst = 1 + rnd(seed) % 8;

		for (size_t i = 0; i < burst && m.tasks_n < TASKS_MAX; i++)
			submit(&m, lane, rnd(seed) % 16 == 0, seed);
		if (rnd(seed) % 2 == 0) {
			await_settled(&m); /* so that a task has begun that can end */
			if (m.running[lane] > 0)
				end_one(&m, lane);
			settle(&m);
		}
	}
	finish(&m);
}

Test(pool_admission, interactive_alone_is_exact_whatever_the_timing)
{
	uint64_t seed = 0xfeedbeef;

	for (int i = 0; i < SCHEDULES; i++)
		run_lane(CT_LANE_INTERACTIVE, &seed);
}

Test(pool_admission, batch_alone_is_exact_whatever_the_timing)
{
	uint64_t seed = 0xbadcafe;

	for (int i = 0; i < SCHEDULES; i++)
		run_lane(CT_LANE_BATCH, &seed);
}

static void run_mixed(uint64_t *seed)
{
	struct model m;

	start(&m, seed);
	while (m.tasks_n < TASKS_MAX) {
		const enum ct_lane lane = rnd(seed) % 2 == 0 ? CT_LANE_BATCH : CT_LANE_INTERACTIVE;

		switch (rnd(seed) % 4) {
		case 0:
			if (m.running[lane] > 0)
				end_one(&m, lane);
			break;
		case 1:
			remove_one(&m, seed);
			break;
		default:
			submit(&m, lane, rnd(seed) % 8 == 0, seed);
			break;
		}
		await_settled(&m);
	}
	finish(&m);
}

Test(pool_admission, both_lanes_with_removals_are_exact_in_any_order)
{
	uint64_t seed = 0x5eed1e55;

	for (int i = 0; i < SCHEDULES; i++)
		run_mixed(&seed);
}
