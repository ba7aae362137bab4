/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_GATE_H
#define CT_TESTS_GATE_H

#include "base/check.h"
#include "base/clock.h"
#include "conc/pool.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

enum { AWAIT_MS = 15000 }; /* below the suites' .timeout, so that the line that hangs is named */

/* True: the semaphore was posted in time. By the wall clock, because the thread
 * sanitizer does not know sem_clockwait(). */
static inline bool sem_posted_within_ms(sem_t *sem, uint32_t ms)
{
	const int64_t end_us = ct_wall_us() + (int64_t)ms * 1000;
	const struct timespec ts = {
		.tv_sec = (time_t)(end_us / 1000000),
		.tv_nsec = (long)(end_us % 1000000 * 1000),
	};
	int rv;

	do {
		rv = sem_timedwait(sem, &ts);
	} while (rv != 0 && errno == EINTR);
	CT_CHECK(rv == 0 || errno == ETIMEDOUT);
	return rv == 0;
}

#define AWAIT(sem) CT_CHECK(sem_posted_within_ms(sem, AWAIT_MS))

/* A task that parks its worker until the test opens the gate: the way to make
 * "the pool is full" a fact instead of a sleep. */
struct gate {
	struct ct_task task;
	sem_t entered, open;
	ct_status why; /* valid once entered was posted */
	atomic_int runs;
};

static inline void gate_fn(struct ct_task *t, ct_status why)
{
	struct gate *g = CT_CONTAINER_OF(t, struct gate, task);

	g->why = why;
	atomic_fetch_add(&g->runs, 1);
	CT_CHECK(sem_post(&g->entered) == 0);
	if (why == CT_OK)
		AWAIT(&g->open);
}

static inline void gate_init(struct gate *g, enum ct_lane lane)
{
	*g = (struct gate){ .task = { .fn = gate_fn, .lane = lane } };
	CT_CHECK(sem_init(&g->entered, 0, 0) == 0);
	CT_CHECK(sem_init(&g->open, 0, 0) == 0);
}

static inline void gate_await_entered(struct gate *g)
{
	AWAIT(&g->entered);
}

static inline void gate_open(struct gate *g)
{
	CT_CHECK(sem_post(&g->open) == 0);
}

#endif
