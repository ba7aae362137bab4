/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_internal.h"

#include "store/sqlite_status.h"

#include "base/check.h"

#include <stdio.h>

enum {
	RESTART_BUSY_MS = 50, /* longest a checkpoint waits for readers */
	WAY_PAUSE_US = 250,   /* between two looks whether a neighbour has had his turn */
	WAY_PAUSES_MAX = 80,  /* 20 ms: he may be stopped or dead slow */
};

/* ---- failures ------------------------------------------------------------- */

ct_status ct_sqlite__fail(struct ct_db *db, int rc, const char *sql)
{
	struct ct_sqlite *c = db->conn;
	const ct_status st = ct_status_from_sqlite(rc, sqlite3_system_errno(c->h));
	const char *text = sqlite3_errmsg(c->h);

	if ((rc & 0xFF) == SQLITE_BUSY)
		text = "another process holds the database";
	if (sql == NULL)
		return ct_db__fail(db, st, "%s", text);
	return ct_db__fail(db, st, "%s: %s", text, ct_db__sql_head(sql).text);
}

ct_status ct_sqlite__run(struct ct_db *db, const char *sql)
{
	struct ct_sqlite *c = db->conn;
	int rc;

	c->trusted = true;
	rc = sqlite3_exec(c->h, sql, NULL, NULL, NULL);
	c->trusted = false;
	return rc == SQLITE_OK ? CT_OK : ct_sqlite__fail(db, rc, sql);
}

ct_status ct_sqlite__ask(struct ct_db *db, const char *sql, int64_t *ret_value)
{
	struct ct_sqlite *c = db->conn;
	sqlite3_stmt *h = NULL;
	int64_t value = 0;
	int rc;

	c->trusted = true;
	rc = sqlite3_prepare_v2(c->h, sql, -1, &h, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(h); /* may compile: a PRAGMA read as a table */
	c->trusted = false;
	if (rc == SQLITE_ROW)
		value = sqlite3_column_int64(h, 0);
	if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
		*ret_value = value;
		rc = SQLITE_OK;
	}
	if (rc != SQLITE_OK)
		(void)ct_sqlite__fail(db, rc, sql);
	(void)sqlite3_finalize(h); /* says again what the step said */
	return rc == SQLITE_OK ? CT_OK : db->failed;
}

/* ---- transactions --------------------------------------------------------- */

/* A stuck transaction is none: nothing of it will ever be committed. */
static bool in_transaction(const struct ct_db *db)
{
	const struct ct_sqlite *c = db->conn;

	return !c->stuck && sqlite3_get_autocommit(c->h) == 0;
}

static void rollback(struct ct_db *db)
{
	struct ct_sqlite *c = db->conn;

	if (sqlite3_get_autocommit(c->h) == 0) {
		c->trusted = true;
		(void)sqlite3_exec(c->h, "ROLLBACK", NULL, NULL, NULL); /* looked at below */
		c->trusted = false;
	}
	c->stuck = sqlite3_get_autocommit(c->h) == 0;
}

static void end_wait(struct ct_sqlite *c)
{
	if (c->waits)
		ct_turn_want(&c->turn, false);
	c->waits = false;
}

static ct_status begin(struct ct_db *db, bool write)
{
	struct ct_sqlite *c = db->conn;
	ct_status st;

	if (c->stuck)
		rollback(db);
	if (c->stuck)
		return ct_db__fail(db, CT_RESOURCE_EXHAUSTED, "no memory to end a transaction");
	st = ct_sqlite__run(db, write ? "BEGIN IMMEDIATE" : "BEGIN");
	end_wait(c);
	return st;
}

static void give_way(struct ct_db *db)
{
	struct ct_sqlite *c = db->conn;

	for (int i = 0; i < WAY_PAUSES_MAX && ct_turn_wanted(&c->turn); i++)
		ct_db__pause(db, WAY_PAUSE_US);
}

static ct_status commit(struct ct_db *db)
{
	ct_status st = ct_sqlite__run(db, "COMMIT");

	if (st != CT_OK)
		rollback(db);
	return st;
}

static ct_status savepoint(struct ct_db *db, unsigned depth, enum ct_savepoint_do what)
{
	char sql[64];

	switch (what) {
	case CT_SAVEPOINT_SET:
		(void)snprintf(sql, sizeof(sql), "SAVEPOINT ct%u", depth);
		break;
	case CT_SAVEPOINT_KEEP:
		(void)snprintf(sql, sizeof(sql), "RELEASE ct%u", depth);
		break;
	case CT_SAVEPOINT_UNDO:
		(void)snprintf(sql, sizeof(sql), "ROLLBACK TO ct%u; RELEASE ct%u", depth, depth);
		break;
	}
	return ct_sqlite__run(db, sql);
}

/* ---- schema and log ------------------------------------------------------- */

static ct_status script(struct ct_db *db, const char *sql)
{
	struct ct_sqlite *c = db->conn;
	const int rc = sqlite3_exec(c->h, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? CT_OK : ct_sqlite__fail(db, rc, NULL);
}

static ct_status set_migrating(struct ct_db *db, bool on)
{
	return ct_sqlite__run(db, on ? "PRAGMA foreign_keys = OFF" : "PRAGMA foreign_keys = ON");
}

static ct_status check_references(struct ct_db *db)
{
	int64_t broken = 0;
	ct_status st = ct_sqlite__ask(db, "SELECT count(*) FROM pragma_foreign_key_check", &broken);

	if (st == CT_OK && broken > 0)
		st = ct_db__fail(db, CT_FAILED_PRECONDITION, "%lld references lead nowhere",
				 (long long)broken);
	return st;
}

static uint32_t log_pages(const struct ct_db *db)
{
	const struct ct_sqlite *c = db->conn;

	return c->log_pages;
}

/* Waits for readers whether or not writes are queued: it is no write of theirs. */
static bool checkpoint(struct ct_db *db, bool restart)
{
	struct ct_sqlite *c = db->conn;
	bool (*const still_wanted)(void *) = db->still_wanted;
	const uint32_t busy_ms = db->busy_ms;
	int rc;

	db->still_wanted = NULL;
	if (busy_ms > RESTART_BUSY_MS)
		db->busy_ms = RESTART_BUSY_MS;
	rc = sqlite3_wal_checkpoint_v2(
		c->h, NULL, restart ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, NULL,
		NULL);
	db->busy_ms = busy_ms;
	db->still_wanted = still_wanted;
	end_wait(c); /* the next begin may be far off, and neighbours give way until then */
	return rc == SQLITE_OK;
}

const struct ct_driver ct_driver_sqlite = {
	.name = "sqlite",
	.connect = ct_sqlite__connect,
	.disconnect = ct_sqlite__disconnect,
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.give_way = give_way,
	.in_transaction = in_transaction,
	.savepoint = savepoint,
	.script = script,
	.set_migrating = set_migrating,
	.check_references = check_references,
	.log_pages = log_pages,
	.checkpoint = checkpoint,
	.prepare = ct_sqlite__prepare,
	.finalize = ct_sqlite__finalize,
	.bind = ct_sqlite__bind,
	.step = ct_sqlite__step,
	.reset = ct_sqlite__reset,
	.columns = ct_sqlite__columns,
	.column_null = ct_sqlite__column_null,
	.column = ct_sqlite__column,
};
