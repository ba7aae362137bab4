/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_STORE_SQLITE_INTERNAL_H
#define CT_STORE_SQLITE_INTERNAL_H

#include "store/db_internal.h"
#include "store/sqlite_turn.h"

#include <sqlite3.h>

/* The SQLite driver: sqlite_open.c connections, sqlite.c transactions and the
 * table, sqlite_stmt.c statements and values. */
struct ct_sqlite {
	sqlite3 *h;
	bool stuck;     /* a rollback failed, for memory; made up for before the next begin */
	bool trusted;   /* the driver's own SQL runs: transactions and PRAGMA allowed */
	bool watched;   /* a scope's statement runs: the context may stop it */
	unsigned ticks; /* of the progress handler */
	uint32_t log_pages;
	struct ct_turn turn; /* the writer's */
	bool waits;          /* … and it says so there */
};

/* Records what SQLite said of the last call on the connection. sql: NULL or the
 * statement. Returns what decides. */
ct_status ct_sqlite__fail(struct ct_db *db, int rc, const char *sql);

/* Runs the driver's own SQL: not stopped by a context, allowed everything. */
ct_status ct_sqlite__run(struct ct_db *db, const char *sql);

/* The first column of the first row as a number; 0 when there is no row. */
ct_status ct_sqlite__ask(struct ct_db *db, const char *sql, int64_t *ret_value);

ct_status ct_sqlite__connect(struct ct_db *db, const struct ct_store_opts *o, bool writer);
void ct_sqlite__disconnect(struct ct_db *db);

ct_status ct_sqlite__prepare(struct ct_stmt *s);
void ct_sqlite__finalize(struct ct_stmt *s);
ct_status ct_sqlite__bind(struct ct_stmt *s, unsigned param, const struct ct_value *v);
ct_status ct_sqlite__step(struct ct_stmt *s, bool *ret_row);
void ct_sqlite__reset(struct ct_stmt *s, bool clear_params);
unsigned ct_sqlite__columns(const struct ct_stmt *s);
bool ct_sqlite__column_null(struct ct_stmt *s, unsigned col);
struct ct_value ct_sqlite__column(struct ct_stmt *s, unsigned col, enum ct_value_kind want);

#endif
