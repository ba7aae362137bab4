/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_internal.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/ctx.h"

#include <stdio.h>
#include <string.h>

enum {
	VM_STEPS_A_TICK = 1000, /* between two looks at the context: some 10 µs */
	TICKS_A_CLOCK = 16,     /* between two looks at the clock */
	PAGE_BYTES = 4096,
	LOG_KEPT_FACTOR = 4, /* the log file shrinks to this many checkpoints */
	TRIGGER_DEPTH_MAX = 16,
};

/* ---- what SQLite calls ---------------------------------------------------- */

static int on_busy(void *arg, int tries)
{
	struct ct_db *db = arg;
	struct ct_sqlite *c = db->conn;

	if (db->writer && !c->waits) {
		ct_turn_want(&c->turn, true); /* until begin() or checkpoint() ends */
		c->waits = true;
	}
	return ct_db__busy(db, (unsigned)tries);
}

static int on_progress(void *arg)
{
	struct ct_db *db = arg;
	struct ct_sqlite *c = db->conn;

	if (!c->watched || db->ctx == NULL)
		return 0;
	if (ct_ctx_done(db->ctx))
		return 1;
	return ++c->ticks % TICKS_A_CLOCK == 0 && ct_ctx_status(db->ctx) != CT_OK;
}

/* Transactions are the store's, not a scope's, and so are the settings. */
static int on_authorize(void *arg, int action, const char *a, const char *b, const char *db_name,
			const char *trigger)
{
	const struct ct_sqlite *c = arg;

	(void)a;
	(void)b;
	(void)db_name;
	(void)trigger;
	switch (action) {
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
	case SQLITE_ATTACH:
	case SQLITE_DETACH:
	case SQLITE_PRAGMA:
		return c->trusted ? SQLITE_OK : SQLITE_DENY;
	default:
		return SQLITE_OK;
	}
}

static int on_log(void *arg, sqlite3 *h, const char *db_name, int pages)
{
	struct ct_sqlite *c = arg;

	(void)h;
	(void)db_name;
	c->log_pages = (uint32_t)pages;
	return SQLITE_OK;
}

/* ---- connection ----------------------------------------------------------- */

static ct_status open_file(struct ct_db *db, const char *path, bool writer)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
			  (writer ? SQLITE_OPEN_CREATE : 0);
	struct ct_sqlite *c = db->conn;
	int rc = sqlite3_open_v2(path, &c->h, flags, NULL);

	CT_CHECK(sqlite3_threadsafe() != 0);
	if (c->h == NULL)
		return ct_db__fail(db, CT_RESOURCE_EXHAUSTED, "no memory for a connection");
	if (rc != SQLITE_OK)
		return ct_sqlite__fail(db, rc, path);
	(void)sqlite3_busy_handler(c->h, on_busy, db);
	sqlite3_progress_handler(c->h, VM_STEPS_A_TICK, on_progress, db);
	(void)sqlite3_set_authorizer(c->h, on_authorize, c);
	/* Settings that cannot fail on an open connection. */
	(void)sqlite3_db_config(c->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(c->h, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	(void)sqlite3_db_config(c->h, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	(void)sqlite3_db_config(c->h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_limit(c->h, SQLITE_LIMIT_LENGTH, CT_DB_VALUE_MAX + PAGE_BYTES);
	(void)sqlite3_limit(c->h, SQLITE_LIMIT_SQL_LENGTH, CT_MIGRATION_BYTES_MAX);
	(void)sqlite3_limit(c->h, SQLITE_LIMIT_VARIABLE_NUMBER, CT_DB_PARAMS_MAX);
	(void)sqlite3_limit(c->h, SQLITE_LIMIT_ATTACHED, 0);
	(void)sqlite3_limit(c->h, SQLITE_LIMIT_TRIGGER_DEPTH, TRIGGER_DEPTH_MAX);
	return CT_OK;
}

/* In one transaction, so that two programs that start at once agree. */
static ct_status claim_locked(struct ct_db *db, uint32_t id)
{
	char sql[64];
	int64_t mark = 0, tables = 0;
	ct_status st = ct_sqlite__ask(db, "PRAGMA application_id", &mark);

	if (st == CT_OK && (uint32_t)mark == id)
		return CT_OK;
	if (st == CT_OK)
		st = ct_sqlite__ask(db, "SELECT count(*) FROM sqlite_schema", &tables);
	if (st != CT_OK)
		return st;
	if (mark != 0 || tables != 0)
		return ct_db__fail(db, CT_FAILED_PRECONDITION,
				   "the file belongs to another program (application_id %lld)",
				   (long long)mark);
	(void)snprintf(sql, sizeof(sql), "PRAGMA application_id = %d", (int)id);
	return ct_sqlite__run(db, sql);
}

static ct_status claim(struct ct_db *db, uint32_t id)
{
	ct_status st;

	if (id == 0)
		return CT_OK;
	st = ct_sqlite__run(db, "BEGIN IMMEDIATE");
	if (st != CT_OK)
		return st;
	st = claim_locked(db, id);
	if (st == CT_OK)
		st = ct_sqlite__run(db, "COMMIT");
	if (st != CT_OK)
		db->driver->rollback(db);
	return st;
}

static int text_row(void *arg, int n, char **values, char **names)
{
	(void)names;
	if (n > 0 && values[0] != NULL)
		(void)snprintf(arg, 16, "%s", values[0]); /* the mode: a short word */
	return 0;
}

/* The change to a write-ahead log asks for the whole file, without the busy
 * handler; once made it stays and this only looks. */
static ct_status use_log(struct ct_db *db)
{
	struct ct_sqlite *c = db->conn;
	char mode[16] = "";
	unsigned tries = 0;
	int rc;

	do {
		c->trusted = true;
		rc = sqlite3_exec(c->h, "PRAGMA journal_mode = WAL", text_row, mode, NULL);
		c->trusted = false;
	} while ((rc & 0xFF) == SQLITE_BUSY && ct_db__busy(db, tries++));
	if (rc != SQLITE_OK)
		return ct_sqlite__fail(db, rc, NULL);
	if (strcmp(mode, "wal") != 0)
		return ct_db__fail(db, CT_FAILED_PRECONDITION,
				   "the file system has no shared memory for a write-ahead log");
	return CT_OK;
}

static ct_status set_up(struct ct_db *db, const struct ct_store_opts *o, bool writer)
{
	char sql[320];
	int len;

	len = snprintf(sql, sizeof(sql),
		       "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
		       "PRAGMA mmap_size = 0; PRAGMA cache_size = -%u; PRAGMA query_only = %d;"
		       "PRAGMA journal_size_limit = %llu",
		       (unsigned)o->cache_kib, !writer,
		       (unsigned long long)o->checkpoint_pages * LOG_KEPT_FACTOR * PAGE_BYTES);
	CT_CHECK(len > 0 && (size_t)len < sizeof(sql));
	if (writer && o->size_max_pages > 0) {
		len += snprintf(sql + len, sizeof(sql) - (size_t)len,
				"; PRAGMA max_page_count = %u", (unsigned)o->size_max_pages);
		CT_CHECK((size_t)len < sizeof(sql));
	}
	return ct_sqlite__run(db, sql);
}

ct_status ct_sqlite__connect(struct ct_db *db, const struct ct_store_opts *o, bool writer)
{
	struct ct_sqlite *c = ct_mem_zalloc(1, sizeof(*c));
	ct_status st;

	if (c == NULL)
		return ct_db__fail(db, CT_RESOURCE_EXHAUSTED, "no memory for a connection");
	db->conn = c;
	c->turn.fd = -1;
	st = open_file(db, o->path, writer);
	/* SQLite opens what it may not write, and BEGIN IMMEDIATE does not mind. */
	if (st == CT_OK && writer && sqlite3_db_readonly(c->h, "main") == 1)
		st = ct_db__fail(db, CT_PERMISSION_DENIED, "the file may only be read");
	if (st == CT_OK && writer)
		st = claim(db, o->application_id);
	if (st == CT_OK && writer)
		st = use_log(db);
	if (st == CT_OK)
		st = set_up(db, o, writer);
	if (st == CT_OK && writer) {
		/* In place of SQLite's own checkpoints within a commit. */
		(void)sqlite3_wal_hook(c->h, on_log, c);
		ct_turn_init(&c->turn, o->path);
	}
	return st;
}

void ct_sqlite__disconnect(struct ct_db *db)
{
	struct ct_sqlite *c = db->conn;

	if (c == NULL)
		return;
	CT_CHECK(sqlite3_close(c->h) == SQLITE_OK); /* every statement is finalized */
	ct_turn_fini(&c->turn);
	ct_mem_free(c);
	db->conn = NULL;
}
