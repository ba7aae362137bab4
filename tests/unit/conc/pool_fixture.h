/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_POOL_FIXTURE_H
#define CT_TESTS_POOL_FIXTURE_H

#include "conc/pool.h"
#include "tests/lib/gate.h"

static inline struct ct_pool *pool_of(uint16_t workers, uint16_t batch_max, uint32_t queue_max)
{
	const struct ct_pool_opts o = {
		.workers = workers,
		.batch_workers_max = batch_max,
		.queue_max = { queue_max, queue_max },
		.name = "ct-work",
	};
	struct ct_pool *p;

	CT_CHECK(ct_pool_new(&o, &p) == CT_OK);
	return p;
}

static inline void gates_init(struct gate *g, size_t n, enum ct_lane lane)
{
	for (size_t i = 0; i < n; i++)
		gate_init(&g[i], lane);
}

static inline void gates_open(struct gate *g, size_t n)
{
	for (size_t i = 0; i < n; i++)
		gate_open(&g[i]);
}

/* Parks a worker: it is busy from here on. */
static inline void occupy(struct ct_pool *p, struct gate *g, enum ct_lane lane)
{
	gate_init(g, lane);
	CT_CHECK(ct_pool_submit(p, &g->task) == CT_OK);
	gate_await_entered(g);
}

#endif
