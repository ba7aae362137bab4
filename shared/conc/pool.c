/* SPDX-License-Identifier: Apache-2.0 */
#include "conc/pool.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/lock.h"
#include "conc/thread.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define POOL_TAG 0x506f6f4cU /* "PooL" */

enum { WORKERS_MAX = 256, NAME_MAX_LEN = 10, THREAD_NAME_SIZE = 16 };

/*
 * How workers are woken. A worker that finds nothing to run parks on a condition
 * of its own, so a wake-up reaches the one it is meant for. A worker is running a
 * task, parked, or about to look at the queues. While some are parked, at least as
 * many are about to look as there are runnable tasks: a submit wakes what is
 * missing (wake_locked); the end of a task makes at most one more runnable (a
 * batch task that its lane's cap held back) and its worker looks next. So no task
 * waits beside a parked worker, and nobody is woken for nothing.
 */
struct worker {
	struct ct_pool *pool;
	pthread_t thread;
	struct ct_cond wake;
	struct ct_list link; /* in pool->parked */
	bool parked;
};

struct lane {
	struct ct_list urgent, tasks;
	_Atomic uint32_t queued; /* of both; written under the lock, read by anybody */
};

struct ct_pool {
	unsigned tag;
	/* fixed after new */
	struct ct_pool_opts opts;
	struct worker *workers;
	uint16_t workers_n; /* those that started */

	struct ct_lock lock; /* rank POOL; protects everything below */
	struct lane lanes[CT_POOL_LANES];
	struct ct_list parked; /* the last to park comes first: its caches are warm */
	uint32_t parked_n;
	uint32_t running, batch_running;
	bool closing;
	struct ct_pool_stats stats; /* but queued and running */
};

const char *ct_lane_name(enum ct_lane lane)
{
	switch (lane) {
	case CT_LANE_INTERACTIVE:
		return "interactive";
	case CT_LANE_BATCH:
		return "batch";
	case CT_LANE_INLINE:
		return "inline";
	}
	return "unknown";
}

static uint32_t queued_of(const struct lane *q)
{
	return atomic_load_explicit(&q->queued, memory_order_relaxed);
}

static void set_queued_locked(struct lane *q, uint32_t n)
{
	atomic_store_explicit(&q->queued, n, memory_order_relaxed);
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Workers that tasks of the lane may have now. */
static uint32_t free_locked(const struct ct_pool *p, enum ct_lane lane) CT_REQUIRES(&p->lock)
{
	const uint32_t idle = p->opts.workers - p->running;

	if (lane == CT_LANE_INTERACTIVE)
		return idle;
	return min_u32(idle - min_u32(idle, queued_of(&p->lanes[CT_LANE_INTERACTIVE])),
		       p->opts.batch_workers_max - p->batch_running);
}

/* Queued tasks of the lane that have such a worker, so do not really wait. */
static uint32_t served_locked(const struct ct_pool *p, enum ct_lane lane) CT_REQUIRES(&p->lock)
{
	return min_u32(queued_of(&p->lanes[lane]), free_locked(p, lane));
}

static bool room_locked(const struct ct_pool *p, enum ct_lane lane) CT_REQUIRES(&p->lock)
{
	const uint32_t queued = queued_of(&p->lanes[lane]), free_n = free_locked(p, lane);

	return queued < free_n || queued - free_n < p->opts.queue_max[lane];
}

static void wake_locked(struct ct_pool *p) CT_REQUIRES(&p->lock)
{
	const uint32_t about_to_look = p->opts.workers - p->running - p->parked_n;
	const uint32_t runnable = served_locked(p, CT_LANE_INTERACTIVE) +
				  served_locked(p, CT_LANE_BATCH);

	for (uint32_t i = about_to_look; i < runnable; i++) {
		struct worker *w = CT_CONTAINER_OF(p->parked.prev, struct worker, link);

		CT_CHECK(p->parked_n > 0); /* runnable is at most the idle ones */
		ct_list_remove(&w->link);
		p->parked_n--;
		w->parked = false;
		ct_cond_signal(&w->wake);
	}
}

static void park_locked(struct ct_pool *p, struct worker *w) CT_REQUIRES(&p->lock)
{
	ct_list_push_back(&p->parked, &w->link);
	p->parked_n++;
	w->parked = true;
	while (w->parked)
		ct_cond_wait(&w->wake, &p->lock);
}

static struct ct_task *pop_locked(struct ct_pool *p, enum ct_lane lane) CT_REQUIRES(&p->lock)
{
	struct lane *q = &p->lanes[lane];
	struct ct_list *l = ct_list_pop_front(&q->urgent);
	struct ct_task *t;

	if (l == NULL)
		l = ct_list_pop_front(&q->tasks);
	if (l == NULL)
		return NULL;
	t = CT_CONTAINER_OF(l, struct ct_task, link);
	t->queued = false;
	set_queued_locked(q, queued_of(q) - 1);
	return t;
}

/* The next task a worker may run, counted as running: interactive first, batch
 * up to its cap. */
static struct ct_task *take_locked(struct ct_pool *p) CT_REQUIRES(&p->lock)
{
	struct ct_task *t = pop_locked(p, CT_LANE_INTERACTIVE);

	if (t == NULL && p->batch_running < p->opts.batch_workers_max)
		t = pop_locked(p, CT_LANE_BATCH);
	if (t != NULL) {
		p->running++;
		p->batch_running += t->lane == CT_LANE_BATCH;
	}
	return t;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct ct_pool *p = w->pool;

	CT_TAG_CHECK(p, POOL_TAG);
	ct_lock_acquire(&p->lock);
	while (!p->closing) {
		struct ct_task *t = take_locked(p);
		bool batch;

		if (t == NULL) {
			park_locked(p, w);
			continue;
		}
		batch = t->lane == CT_LANE_BATCH; /* t may be gone after fn */
		ct_lock_release(&p->lock);
		ct_lock_check_none();
		t->fn(t, CT_OK);
		ct_lock_acquire(&p->lock);
		p->running--;
		p->batch_running -= batch;
		p->stats.finished++;
	}
	ct_lock_release(&p->lock); /* close has emptied the queues */
	return NULL;
}

static bool opts_valid(const struct ct_pool_opts *o)
{
	return o->workers >= 1 && o->workers <= WORKERS_MAX && o->batch_workers_max <= o->workers &&
	       o->name != NULL && strlen(o->name) <= NAME_MAX_LEN;
}

static ct_status start_worker(struct ct_pool *p, uint16_t i)
{
	struct worker *w = &p->workers[i];
	char name[THREAD_NAME_SIZE];
	ct_status st;

	w->pool = p;
	ct_list_init(&w->link);
	ct_cond_init(&w->wake);
	(void)snprintf(name, sizeof(name), "%s-%u", p->opts.name, (unsigned)i); /* it fits */
	st = ct_thread_start(&w->thread, name, worker_main, w);
	if (st == CT_OK)
		p->workers_n++;
	else
		ct_cond_fini(&w->wake);
	return st;
}

ct_status ct_pool_new(const struct ct_pool_opts *opts, struct ct_pool **ret_pool)
{
	struct ct_pool *p = NULL;
	ct_status st = CT_RESOURCE_EXHAUSTED;

	if (!opts_valid(opts))
		return CT_INVALID_ARGUMENT;

	p = ct_mem_zalloc(1, sizeof(*p));
	if (p == NULL)
		goto out;
	CT_TAG_SET(p, POOL_TAG);
	p->opts = *opts;
	if (p->opts.batch_workers_max == 0)
		p->opts.batch_workers_max = (uint16_t)(opts->workers > 1 ? opts->workers / 2 : 1);
	ct_lock_init(&p->lock, CT_RANK_POOL);
	ct_list_init(&p->parked);
	for (int i = 0; i < CT_POOL_LANES; i++) {
		ct_list_init(&p->lanes[i].urgent);
		ct_list_init(&p->lanes[i].tasks);
	}
	p->workers = ct_mem_zalloc(opts->workers, sizeof(*p->workers));
	if (p->workers == NULL)
		goto out;
	for (uint16_t i = 0; i < opts->workers; i++) {
		st = start_worker(p, i);
		if (st != CT_OK)
			goto out;
	}

	*ret_pool = p;
	p = NULL; /* handed over */
out:
	ct_pool_free(p);
	return st;
}

/* False: no room; the task stays the caller's. */
static bool accept_locked(struct ct_pool *p, struct ct_task *t) CT_REQUIRES(&p->lock)
{
	struct lane *q;

	CT_CHECK(t->fn != NULL);
	CT_CHECK((unsigned)t->lane < CT_POOL_LANES);
	CT_CHECK(!t->queued);
	q = &p->lanes[t->lane];
	if (!t->urgent && !room_locked(p, t->lane)) {
		p->stats.refused++;
		return false;
	}
	ct_list_push_back(t->urgent ? &q->urgent : &q->tasks, &t->link);
	t->queued = true;
	set_queued_locked(q, queued_of(q) + 1);
	p->stats.accepted++;
	return true;
}

ct_status ct_pool_submit(struct ct_pool *p, struct ct_task *t)
{
	ct_status st = CT_OK;

	CT_TAG_CHECK(p, POOL_TAG);
	ct_lock_acquire(&p->lock);
	if (p->closing) {
		p->stats.refused++;
		st = CT_UNAVAILABLE;
	} else if (!accept_locked(p, t)) {
		st = CT_RESOURCE_EXHAUSTED;
	} else {
		wake_locked(p);
	}
	ct_lock_release(&p->lock);
	return st;
}

ct_status ct_pool_submit_list(struct ct_pool *p, struct ct_list *tasks)
{
	struct ct_list left;
	struct ct_list *l;
	ct_status st = CT_OK;

	CT_TAG_CHECK(p, POOL_TAG);
	ct_list_init(&left);
	ct_lock_acquire(&p->lock);
	while ((l = ct_list_pop_front(tasks)) != NULL) {
		if (p->closing) {
			p->stats.refused++;
			st = CT_UNAVAILABLE;
		} else if (!accept_locked(p, CT_CONTAINER_OF(l, struct ct_task, link))) {
			st = CT_RESOURCE_EXHAUSTED;
		} else {
			continue;
		}
		ct_list_push_back(&left, l);
	}
	wake_locked(p);
	ct_lock_release(&p->lock);
	ct_list_splice_back(tasks, &left);
	return st;
}

bool ct_pool_remove(struct ct_pool *p, struct ct_task *t)
{
	bool removed;

	CT_TAG_CHECK(p, POOL_TAG);
	ct_lock_acquire(&p->lock);
	removed = t->queued;
	if (removed) {
		struct lane *q = &p->lanes[t->lane];

		ct_list_remove(&t->link);
		t->queued = false;
		set_queued_locked(q, queued_of(q) - 1);
		p->stats.removed++;
	}
	ct_lock_release(&p->lock);
	return removed;
}

void ct_pool_close(struct ct_pool *p)
{
	struct ct_list dropped;
	struct ct_list *l;
	struct ct_task *t;

	CT_TAG_CHECK(p, POOL_TAG);
	ct_list_init(&dropped);
	ct_lock_acquire(&p->lock);
	p->closing = true;
	for (int i = 0; i < CT_POOL_LANES; i++) {
		while ((t = pop_locked(p, (enum ct_lane)i)) != NULL) {
			ct_list_push_back(&dropped, &t->link);
			p->stats.dropped++;
		}
	}
	while ((l = ct_list_pop_front(&p->parked)) != NULL) {
		struct worker *w = CT_CONTAINER_OF(l, struct worker, link);

		w->parked = false;
		ct_cond_signal(&w->wake);
	}
	p->parked_n = 0;
	ct_lock_release(&p->lock);

	/* Callbacks last, unlocked: they may submit, log or free. */
	while ((l = ct_list_pop_front(&dropped)) != NULL) {
		t = CT_CONTAINER_OF(l, struct ct_task, link);
		t->fn(t, CT_CANCELLED);
	}
}

struct ct_pool *ct_pool_free(struct ct_pool *p)
{
	if (p == NULL)
		return NULL;
	ct_pool_close(p);
	for (uint16_t i = 0; i < p->workers_n; i++) {
		CT_CHECK(!pthread_equal(pthread_self(), p->workers[i].thread));
		ct_thread_join(p->workers[i].thread);
		ct_cond_fini(&p->workers[i].wake);
	}
	CT_CHECK(p->running == 0);
	for (int i = 0; i < CT_POOL_LANES; i++)
		CT_CHECK(queued_of(&p->lanes[i]) == 0);
	ct_mem_free(p->workers);
	ct_lock_fini(&p->lock);
	CT_TAG_CLEAR(p);
	ct_mem_free(p);
	return NULL;
}

void ct_pool_stats(struct ct_pool *p, struct ct_pool_stats *ret_stats)
{
	CT_TAG_CHECK(p, POOL_TAG);
	ct_lock_acquire(&p->lock);
	*ret_stats = p->stats;
	for (int i = 0; i < CT_POOL_LANES; i++)
		ret_stats->queued[i] = queued_of(&p->lanes[i]);
	ret_stats->running = p->running;
	ct_lock_release(&p->lock);
}

uint32_t ct_pool_queued(const struct ct_pool *p, enum ct_lane lane)
{
	CT_TAG_CHECK(p, POOL_TAG);
	CT_CHECK((unsigned)lane < CT_POOL_LANES);
	return queued_of(&p->lanes[lane]);
}
