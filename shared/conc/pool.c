/* SPDX-License-Identifier: Apache-2.0 */
#include "conc/pool.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/lock.h"
#include "conc/thread.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define POOL_TAG 0x506f6f4cU /* "PooL" */

enum { WORKERS_MAX = 256, NAME_MAX_LEN = 10, THREAD_NAME_SIZE = 16, WAKES_MAX = 16 };

/*
 * How workers are woken. A worker that finds nothing to run parks on a semaphore
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
	sem_t wake; /* not a condition: that takes the lock again as if others waited for it */
	struct ct_list link; /* in pool->parked */
	bool parked;

	/* the worker's own thread */
	const struct ct_task *task; /* whose fn it calls; compared, never followed */
	bool left;                  /* that one has left its place */
};

static _Thread_local struct worker *self; /* NULL: the thread is none */

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

	/* Of the running tasks, those that have left their places: up at any time, down
	 * under the lock. Release and acquire: who has a task's result sees its place. */
	_Atomic uint32_t left[CT_POOL_LANES];
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

static uint32_t left_of(const struct ct_pool *p, enum ct_lane lane)
{
	return atomic_load_explicit(&p->left[lane], memory_order_acquire);
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Workers that tasks of the lane may have when so many are taken. */
static uint32_t free_locked(const struct ct_pool *p, enum ct_lane lane, uint32_t taken,
			    uint32_t taken_by_batch) CT_REQUIRES(&p->lock)
{
	const uint32_t idle = p->opts.workers - taken;

	if (lane == CT_LANE_INTERACTIVE)
		return idle;
	return min_u32(idle - min_u32(idle, queued_of(&p->lanes[CT_LANE_INTERACTIVE])),
		       p->opts.batch_workers_max - taken_by_batch);
}

/* Queued tasks of the lane that have a worker now, so do not really wait. */
static uint32_t served_locked(const struct ct_pool *p, enum ct_lane lane) CT_REQUIRES(&p->lock)
{
	return min_u32(queued_of(&p->lanes[lane]),
		       free_locked(p, lane, p->running, p->batch_running));
}

/* A worker whose task has left its place counts as free. */
static bool room_locked(const struct ct_pool *p, const struct ct_task *t) CT_REQUIRES(&p->lock)
{
	const uint32_t batch_left = left_of(p, CT_LANE_BATCH);
	const uint32_t left = left_of(p, CT_LANE_INTERACTIVE) + batch_left;
	const uint32_t queued = queued_of(&p->lanes[t->lane]);
	const uint32_t free_n = free_locked(p, t->lane, p->running - left,
					    p->batch_running - batch_left);

	return queued < free_n || queued - free_n + t->spare < p->opts.queue_max[t->lane];
}

/* Those who are to be woken once the lock is released: a worker that is woken under it
 * would wait for it at once, and be woken again. Only for who knows that the pool is
 * not freed before he is done. */
struct wakes {
	struct worker *workers[WAKES_MAX];
	unsigned n;
};

/* later NULL: at once. */
static void wake_locked(struct ct_pool *p, struct wakes *later) CT_REQUIRES(&p->lock)
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
		if (later != NULL && later->n < WAKES_MAX)
			later->workers[later->n++] = w;
		else
			CT_CHECK(sem_post(&w->wake) == 0);
	}
}

/* It is out of the list and stays parked until this, so the post is its own. */
static void wake(const struct wakes *wakes)
{
	for (unsigned i = 0; i < wakes->n; i++)
		CT_CHECK(sem_post(&wakes->workers[i]->wake) == 0);
}

static void park_locked(struct ct_pool *p, struct worker *w) CT_REQUIRES(&p->lock)
{
	ct_list_push_back(&p->parked, &w->link);
	p->parked_n++;
	w->parked = true;
	while (w->parked) {
		ct_lock_release(&p->lock);
		while (sem_wait(&w->wake) != 0)
			CT_CHECK(errno == EINTR);
		ct_lock_acquire(&p->lock);
	}
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

static void run_locked(struct ct_pool *p, struct worker *w, struct ct_task *t) CT_REQUIRES(&p->lock)
{
	const enum ct_lane lane = t->lane; /* t may be gone after fn */

	ct_lock_release(&p->lock);
	ct_lock_check_none();
	w->task = t;
	w->left = false;
	t->fn(t, CT_OK);
	w->task = NULL;
	ct_lock_acquire(&p->lock);
	p->running--;
	p->batch_running -= lane == CT_LANE_BATCH;
	if (w->left)
		atomic_fetch_sub_explicit(&p->left[lane], 1, memory_order_relaxed);
	p->stats.finished++;
}

/* The worker counts as about to look meanwhile, so rest must be short. */
static void rest_locked(struct ct_pool *p) CT_REQUIRES(&p->lock)
{
	if (p->opts.rest == NULL)
		return;
	ct_lock_release(&p->lock);
	p->opts.rest();
	ct_lock_acquire(&p->lock);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct ct_pool *p = w->pool;
	bool rested = true; /* since its last task */

	CT_TAG_CHECK(p, POOL_TAG);
	self = w;
	ct_lock_acquire(&p->lock);
	while (!p->closing) {
		struct ct_task *t = take_locked(p);

		if (t != NULL)
			run_locked(p, w, t);
		else if (!rested)
			rest_locked(p);
		else
			park_locked(p, w);
		rested = t == NULL;
	}
	rest_locked(p);
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
	CT_CHECK(sem_init(&w->wake, 0, 0) == 0);
	(void)snprintf(name, sizeof(name), "%s-%u", p->opts.name, (unsigned)i); /* it fits */
	st = ct_thread_start(&w->thread, name, worker_main, w);
	if (st == CT_OK)
		p->workers_n++;
	else
		CT_CHECK(sem_destroy(&w->wake) == 0);
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
	if (!t->urgent && !room_locked(p, t)) {
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
		wake_locked(p, NULL);
	}
	ct_lock_release(&p->lock);
	return st;
}

ct_status ct_pool_submit_list(struct ct_pool *p, struct ct_list *tasks)
{
	struct wakes wakes = { .n = 0 };
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
	wake_locked(p, &wakes);
	ct_lock_release(&p->lock);
	wake(&wakes);
	ct_list_splice_back(tasks, &left);
	return st;
}

void ct_pool_leave(const struct ct_task *t)
{
	struct worker *w = self;

	if (w == NULL || w->task != t || w->left)
		return;
	w->left = true;
	atomic_fetch_add_explicit(&w->pool->left[t->lane], 1, memory_order_release);
}

uint16_t ct_pool_worker(void)
{
	CT_CHECK(self != NULL);
	return (uint16_t)(self - self->pool->workers);
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
		CT_CHECK(sem_post(&w->wake) == 0);
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
		CT_CHECK(sem_destroy(&p->workers[i].wake) == 0);
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
