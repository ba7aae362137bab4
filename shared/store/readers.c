/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/ctx.h"

/* The read connections and who has them. */

ct_status ct_readers__init(struct ct_store *s, struct ct_store_why *why)
{
	ct_list_init(&s->readers_idle);
	s->readers = ct_mem_zalloc(s->opts.readers, sizeof(struct ct_db *));
	if (s->readers == NULL)
		return CT_RESOURCE_EXHAUSTED;
	for (uint16_t i = 0; i < s->opts.readers; i++) {
		const ct_status st = ct_db__new(&s->opts, /* writer= */ false, why, &s->readers[i]);

		if (st != CT_OK)
			return st;
		s->readers_n++;
		ct_list_push_back(&s->readers_idle, &s->readers[i]->link);
	}
	return CT_OK;
}

void ct_readers__fini(struct ct_store *s)
{
	for (uint16_t i = 0; i < s->readers_n; i++)
		s->readers[i] = ct_db__free(s->readers[i]);
	s->readers_n = 0;
	ct_mem_free(s->readers);
	s->readers = NULL;
}

/* Somebody who waits for a connection. */
struct waiter {
	struct ct_ctx_hook hook;
	struct ct_store *s;
};

static void on_trip(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct waiter *w = CT_CONTAINER_OF(hook, struct waiter, hook);

	(void)why;
	ct_lock_acquire(&w->s->lock);
	ct_cond_broadcast(&w->s->reader_idle);
	ct_lock_release(&w->s->lock);
}

static bool tripped(const struct ct_ctx *ctx)
{
	return ctx != NULL && ct_ctx_done(ctx);
}

static struct ct_db *take_locked(struct ct_store *s) CT_REQUIRES(&s->lock)
{
	struct ct_list *l;
	struct ct_db *db;

	ct_lock_check_held(&s->lock);
	if (s->closing)
		return NULL;
	l = ct_list_pop_front(&s->readers_idle);
	if (l == NULL)
		return NULL;
	s->stats.readers_busy++;
	s->stats.reads++;
	db = CT_CONTAINER_OF(l, struct ct_db, link);
	db->lent = true;
	db->reader = pthread_self();
	return db;
}

/* A second read on one thread could wait for the first for ever. */
static void check_no_read_locked(const struct ct_store *s) CT_REQUIRES(&s->lock)
{
	ct_lock_check_held(&s->lock);
	for (uint16_t i = 0; i < s->readers_n; i++)
		CT_CHECK(!(s->readers[i]->lent &&
			   pthread_equal(s->readers[i]->reader, pthread_self())));
}

static ct_status take(struct ct_store *s, struct ct_ctx *ctx, struct ct_db **ret_db)
{
	struct waiter w = { .s = s };
	struct ct_db *db;
	bool closing;

	ct_lock_acquire(&s->lock);
	check_no_read_locked(s);
	db = take_locked(s);
	closing = s->closing;
	ct_lock_release(&s->lock);
	if (db == NULL && !closing) {
		if (ctx != NULL)
			ct_ctx_on_cancel(ctx, &w.hook, on_trip);
		ct_lock_acquire(&s->lock);
		s->stats.reader_waits++;
		while ((db = take_locked(s)) == NULL && !s->closing && !tripped(ctx))
			ct_cond_wait(&s->reader_idle, &s->lock);
		ct_lock_release(&s->lock);
		if (ctx != NULL)
			(void)ct_ctx_hook_remove(ctx, &w.hook); /* ran or not: it is over */
	}
	if (db != NULL) {
		*ret_db = db;
		return CT_OK;
	}
	return tripped(ctx) ? ct_ctx_status(ctx) : CT_UNAVAILABLE;
}

static void give_back(struct ct_store *s, struct ct_db *db)
{
	const ct_status st = db->failed;
	const bool stopped = db->stopped;

	ct_db__scope_close(db);
	db->driver->rollback(db); /* it only read */
	ct_lock_acquire(&s->lock);
	db->lent = false;
	s->stats.readers_busy--;
	s->stats.reads_cancelled += stopped;
	s->stats.reads_failed += st != CT_OK && !stopped;
	ct_list_push_back(&s->readers_idle, &db->link);
	ct_cond_signal(&s->reader_idle);
	ct_lock_release(&s->lock);
}

static ct_status begin(struct ct_store *s, struct ct_ctx *ctx, struct ct_store_why *why,
		       struct ct_db **ret_db)
{
	struct ct_db *db = NULL;
	ct_status st = ctx == NULL ? CT_OK : ct_ctx_status(ctx);

	if (st == CT_OK)
		st = take(s, ctx, &db);
	if (st != CT_OK) {
		ct_why__set(why, st == CT_UNAVAILABLE ? "the store is closing"
						      : "given up before a reader was free");
		return st;
	}
	CT_CHECK(db != NULL);
	ct_db__scope_open(db, ctx);
	st = db->driver->begin(db, /* write= */ false);
	if (st != CT_OK) {
		ct_why__set(why, "%s", db->why.text);
		give_back(s, db);
		return st;
	}
	*ret_db = db;
	return CT_OK;
}

ct_status ct_store_read_begin(struct ct_store *s, struct ct_ctx *ctx, struct ct_db **ret_db)
{
	return begin(s, ctx, NULL, ret_db);
}

void ct_store_read_end(struct ct_store *s, struct ct_db *db)
{
	CT_CHECK(pthread_equal(db->reader, pthread_self()));
	give_back(s, db);
}

ct_status ct_store_read(struct ct_store *s, struct ct_ctx *ctx, ct_db_fn *fn, void *arg,
			struct ct_store_why *why)
{
	struct ct_db *db = NULL;
	ct_status st = begin(s, ctx, why, &db);

	if (st != CT_OK)
		return st;
	st = fn(db, arg);
	if (db->failed != CT_OK)
		st = db->failed;
	if (st != CT_OK)
		ct_why__set(why, "%s", db->why.text);
	ct_store_read_end(s, db);
	return st;
}
