/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_CONC_POOL_H
#define CT_CONC_POOL_H

#include "base/attrs.h"
#include "base/list.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A fixed set of worker threads behind bounded queues, one a lane.
 *
 * Exact admission: with W workers free for a lane and a queue of Q, W + Q
 * submits are accepted and the next is refused, whatever the threads' timing. To a
 * task that spares N places the queue is one of Q - N.
 * A worker is free from the return of a task's fn on, or from the moment in which
 * that leaves its place; those that INTERACTIVE tasks wait for are not free for
 * BATCH.
 *
 * Life: new -> (submit | remove)* -> close -> free. Any thread, except that
 * free must not be called from a worker. Nothing here blocks but free.
 */
enum ct_lane {
	CT_LANE_INTERACTIVE, /* a person waits: first choice of every worker */
	CT_LANE_BATCH,       /* at most batch_workers_max of the workers */
	CT_LANE_INLINE,      /* not the pool's: on the receiving thread */
};
enum { CT_POOL_LANES = 2 };

const char *ct_lane_name(enum ct_lane lane); /* "interactive", … static */

struct ct_pool;
struct ct_task;

/* Runs exactly once for every accepted task that was not removed, with no lock
 * of the pool held: CT_OK on a worker: do the work; CT_CANCELLED on the thread
 * in ct_pool_close(): the pool is closing. The pool does not touch the task
 * after calling fn; fn may free it. */
typedef void(ct_task_fn)(struct ct_task *task, ct_status why);

/* Lives in the caller's memory; link and queued are private to pool.c, and
 * queued is false before the first submit. fn may submit its own task again. */
struct ct_task {
	struct ct_list link;
	ct_task_fn *fn;
	enum ct_lane lane;
	uint32_t spare; /* it waits only while so many places of its lane stay free for others */
	bool urgent;    /* second half of admitted work: never refused as full, first in its lane */
	bool queued;
};

struct ct_pool_opts {
	uint16_t workers;                  /* 1..256 */
	uint16_t batch_workers_max;        /* of them may run BATCH; 0: half, at least 1 */
	uint32_t queue_max[CT_POOL_LANES]; /* tasks waiting, per lane; 0: none may wait */
	const char *name;                  /* threads are "<name>-<i>"; at most 10 characters */
	/* A worker that has run tasks finds none and is about to wait, or ends. Without
	 * a lock; must not block. NULL ok. */
	void (*rest)(void);
};

/* accepted = finished + removed + dropped + queued (all lanes) + running */
struct ct_pool_stats {
	uint64_t accepted, refused, finished, removed;
	uint64_t dropped; /* given back by close */
	uint32_t queued[CT_POOL_LANES];
	uint32_t running;
};

/* INVALID_ARGUMENT: an option out of range. RESOURCE_EXHAUSTED: no memory or thread. */
CT_MUST_USE ct_status ct_pool_new(const struct ct_pool_opts *opts, struct ct_pool **ret_pool);

/* Never blocks. OK: fn will run once, unless it is removed before. RESOURCE_EXHAUSTED:
 * the lane is full. UNAVAILABLE: closing. On an error the task stays the caller's. */
CT_MUST_USE ct_status ct_pool_submit(struct ct_pool *p, struct ct_task *t);

/* Submits what it can of a list of tasks (linked through ct_task.link) under one
 * lock and with as few wake-ups as there are workers to wake. Refused tasks
 * stay in the list. The result is OK only when the list is empty afterwards;
 * else RESOURCE_EXHAUSTED or UNAVAILABLE for those that are left. The pool must not be
 * freed before it has returned, although the tasks may have run by then. */
CT_MUST_USE ct_status ct_pool_submit_list(struct ct_pool *p, struct ct_list *tasks);

/* From the fn of t, on its worker: from here on that counts as free, although fn goes
 * on for a moment. For a task whose result is out before fn returns: who has it may
 * submit the next one, and is not refused. Anywhere else, and a second time, it does
 * nothing. Any thread; takes no lock. */
void ct_pool_leave(const struct ct_task *t);

/* Which of its pool's workers this thread is, 0..workers - 1. On a worker alone. */
uint16_t ct_pool_worker(void);

/* True: it was still queued, is the caller's again, and fn never runs. */
CT_MUST_USE bool ct_pool_remove(struct ct_pool *p, struct ct_task *t);

/* Refuses new tasks and hands every queued one back with CT_CANCELLED.
 * Running tasks go on. Idempotent. */
void ct_pool_close(struct ct_pool *p);

/* close, then waits for the workers. NULL ok; returns NULL. */
struct ct_pool *ct_pool_free(struct ct_pool *p);

void ct_pool_stats(struct ct_pool *p, struct ct_pool_stats *ret_stats);
/* Tasks that wait in one lane. Takes no lock: a look, not a promise. */
uint32_t ct_pool_queued(const struct ct_pool *p, enum ct_lane lane);

#endif
