/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db_internal.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/ctx.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DB_TAG 0x43544442u

enum { SQL_HEAD_BYTES = 60, PAUSE_MAX_US = 1000, PAUSE_MIN_US = 250 };

ct_status ct_db__new(const struct ct_store_opts *opts, bool writer, struct ct_store_why *why,
		     struct ct_db **ret_db)
{
	struct ct_db *db = ct_mem_zalloc(1, sizeof(*db));
	ct_status st;

	if (db == NULL)
		return CT_RESOURCE_EXHAUSTED;
	CT_TAG_SET(db, DB_TAG);
	db->driver = &ct_driver_sqlite;
	db->clk = opts->clk;
	db->busy_ms = opts->busy_ms;
	db->writer = writer;
	ct_lock_init(&db->pause_lock, CT_RANK_LATCH);
	ct_cond_init(&db->pause);
	ct_list_init(&db->link);
	st = db->driver->connect(db, opts, writer);
	if (st != CT_OK) {
		if (why != NULL)
			*why = db->why;
		db = ct_db__free(db);
		return st;
	}
	*ret_db = db;
	return CT_OK;
}

struct ct_db *ct_db__free(struct ct_db *db)
{
	if (db == NULL)
		return NULL;
	CT_TAG_CHECK(db, DB_TAG);
	CT_CHECK(!db->open);
	for (unsigned i = 0; i < db->stmts_n; i++)
		ct_stmt__free(db->stmts[i]);
	db->driver->disconnect(db);
	ct_cond_fini(&db->pause);
	ct_lock_fini(&db->pause_lock);
	CT_TAG_CLEAR(db);
	ct_mem_free(db);
	return NULL;
}

void ct_db__scope_open(struct ct_db *db, struct ct_ctx *ctx)
{
	CT_TAG_CHECK(db, DB_TAG);
	CT_CHECK(!db->open);
	db->open = true;
	db->ctx = ctx;
	db->depth = 0;
	db->failed = CT_OK;
	db->stopped = false;
	db->why.text[0] = '\0';
}

void ct_db__scope_close(struct ct_db *db)
{
	CT_CHECK(db->open);
	for (unsigned i = 0; i < db->stmts_n; i++)
		(void)ct_stmt_release(db->stmts[i]);
	db->open = false;
	db->ctx = NULL;
}

ct_status ct_db__ctx_status(const struct ct_db *db)
{
	return db->ctx == NULL ? CT_OK : ct_ctx_status(db->ctx);
}

ct_status ct_db__fail(struct ct_db *db, ct_status st, const char *fmt, ...)
{
	const ct_status tripped = ct_db__ctx_status(db);
	va_list ap;

	CT_CHECK(st != CT_OK);
	if (db->failed != CT_OK)
		return db->failed;
	/* What a trip can cause: a stopped statement, a lock no longer waited for. */
	db->stopped = tripped != CT_OK &&
		      (st == CT_CANCELLED || st == CT_DEADLINE_EXCEEDED || st == CT_UNAVAILABLE);
	db->failed = db->stopped ? tripped : st;
	va_start(ap, fmt);
	(void)vsnprintf(db->why.text, sizeof(db->why.text), fmt, ap); /* cut is fine */
	va_end(ap);
	return db->failed;
}

struct ct_store_why ct_db__sql_head(const char *sql)
{
	struct ct_store_why head;
	size_t len = strcspn(sql, "\r\n");

	if (len > SQL_HEAD_BYTES)
		len = SQL_HEAD_BYTES;
	(void)snprintf(head.text, sizeof(head.text), "%.*s", (int)len, sql);
	return head;
}

void ct_db__pause(struct ct_db *db, uint64_t us)
{
	const ct_instant until = ct_instant_add_us(ct_now(ct_clock_system()), us);

	ct_lock_acquire(&db->pause_lock);
	while (ct_cond_wait_until(&db->pause, &db->pause_lock, until))
		; /* nobody signals it */
	ct_lock_release(&db->pause_lock);
}

bool ct_db__busy(struct ct_db *db, unsigned tries)
{
	uint64_t pause_us = PAUSE_MIN_US;

	if (tries == 0) {
		db->busy_until = ct_deadline_after_ms(db->clk, db->busy_ms);
		atomic_fetch_add_explicit(&db->busy_waits, 1, memory_order_relaxed);
	}
	if (ct_deadline_passed(db->clk, db->busy_until) || ct_db__ctx_status(db) != CT_OK)
		return false;
	if (db->still_wanted != NULL && !db->still_wanted(db->still_wanted_arg))
		return false;
	while (tries-- > 0 && pause_us < PAUSE_MAX_US)
		pause_us *= 2; /* look less and less often */
	ct_db__pause(db, pause_us);
	return true;
}

/* Statements started inside the savepoint would stand in the way of its end. */
static void stop_deeper(struct ct_db *db)
{
	for (unsigned i = 0; i < db->stmts_n; i++) {
		if (db->stmts[i]->on_row && db->stmts[i]->depth > db->depth)
			ct_stmt__stop(db->stmts[i]);
	}
}

ct_status ct_db__guarded(struct ct_db *db, ct_db_fn *fn, void *arg)
{
	ct_status st, ended;

	st = db->driver->savepoint(db, db->depth, CT_SAVEPOINT_SET);
	if (st != CT_OK)
		return st;
	db->depth++;
	st = fn(db, arg);
	db->depth--;
	stop_deeper(db);
	if (db->failed != CT_OK)
		st = db->failed;
	if (!db->driver->in_transaction(db))
		return ct_db__fail(db, st != CT_OK ? st : CT_INTERNAL, "the transaction is lost");
	ended = db->driver->savepoint(db, db->depth,
				      st == CT_OK ? CT_SAVEPOINT_KEEP : CT_SAVEPOINT_UNDO);
	if (ended != CT_OK) /* neither kept nor undone alone: then undo all */
		db->driver->rollback(db);
	return st != CT_OK ? st : ended;
}

ct_status ct_db_nested(struct ct_db *db, ct_db_fn *fn, void *arg)
{
	ct_status st;

	CT_TAG_CHECK(db, DB_TAG);
	if (db->failed != CT_OK)
		return db->failed;
	if (!db->writer)
		return ct_db__fail(db, CT_PERMISSION_DENIED, "a read has no savepoints");
	if (db->depth > CT_DB_NEST_MAX)
		return ct_db__fail(db, CT_RESOURCE_EXHAUSTED, "savepoints nest %d deep at most",
				   CT_DB_NEST_MAX);
	st = ct_db__guarded(db, fn, arg);
	if (st != CT_OK && !db->stopped && db->driver->in_transaction(db))
		db->failed = CT_OK; /* as if it had never run */
	return st;
}

const char *ct_db_why(const struct ct_db *db)
{
	CT_TAG_CHECK(db, DB_TAG);
	return db->why.text;
}

ct_status ct_db_status(const struct ct_db *db)
{
	CT_TAG_CHECK(db, DB_TAG);
	return db->failed;
}

struct ct_ctx *ct_db_ctx(const struct ct_db *db)
{
	CT_TAG_CHECK(db, DB_TAG);
	return db->ctx;
}
