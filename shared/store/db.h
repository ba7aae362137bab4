/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_STORE_DB_H
#define CT_STORE_DB_H

#include "base/attrs.h"
#include "base/bytes.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * SQL on a borrowed connection. A struct ct_db is lent for the length of one
 * scope: a write (the call of its fn on the writer thread) or a read (from
 * ct_store_read_begin() to ct_store_read_end()). One thread at a time; what it
 * hands out (statements, column bytes, texts) ends with the scope at the latest.
 *
 * All statements of a scope are one transaction: a read sees one unchanging
 * state of the database; a write happens whole or not at all.
 *
 * The first failure decides the scope. Once a prepare, bind or step failed,
 * every later one in the same scope returns the same status without running,
 * and a write is rolled back whatever its fn returns. So a fn may do all its
 * binds and steps and look at the status once, and every driver behaves alike.
 * Where a conflict is no failure say ON CONFLICT in SQL, or use ct_db_nested().
 *
 * SQL is one statement a text, with placeholders $1 $2 … $n (no gap, any order,
 * any number of times, n at most CT_DB_PARAMS_MAX), ON CONFLICT, RETURNING; no
 * BEGIN, COMMIT, SAVEPOINT, ATTACH, PRAGMA (refused: PERMISSION_DENIED).
 * Never build SQL from values.
 *
 * What a prepare or a step can return, besides OK:
 *   CANCELLED, DEADLINE_EXCEEDED  the context tripped; a running statement was
 *                                 stopped within about a thousand VM steps
 *   ALREADY_EXISTS                a UNIQUE or PRIMARY KEY is violated
 *   FAILED_PRECONDITION           any other constraint; the database cannot be
 *                                 written in its present state
 *   INVALID_ARGUMENT              a bound text is not UTF-8 or holds a NUL, a
 *                                 bound double is NaN
 *   RESOURCE_EXHAUSTED            disk or quota full, out of memory, a value too
 *                                 big, CT_DB_STMTS_MAX statements in use
 *   PERMISSION_DENIED             read-only file or connection, forbidden statement
 *   UNAVAILABLE                   another process holds the database too long
 *   DATA_LOSS                     the file is corrupt, or could not be synced
 *   INTERNAL                      wrong SQL, wrong parameter number, I/O error
 */
struct ct_db;
struct ct_stmt;
struct ct_ctx;

enum {
	CT_DB_PARAMS_MAX = 64, /* placeholders in one statement */
	CT_DB_STMTS_MAX = 64,  /* of a connection: compiled ones kept, and most in use at once */
	CT_DB_NEST_MAX = 4,    /* depth of ct_db_nested() */
	CT_DB_VALUE_MAX = 16 * 1024 * 1024, /* bytes of one text or blob */
};

/* Work in a scope. Runs on the scope's thread. */
typedef ct_status(ct_db_fn)(struct ct_db *db, void *arg);

/* Why the last failure of the scope came, in words for an operator: which
 * statement, what the driver said. "" while nothing failed. Values bound are
 * never in it. Borrowed until the scope ends. */
const char *ct_db_why(const struct ct_db *db);

/* The status of the first failure of the scope; OK while there is none. */
ct_status ct_db_status(const struct ct_db *db);

/* The context of the scope; NULL: none was given. Borrowed. */
struct ct_ctx *ct_db_ctx(const struct ct_db *db);

/* In a write only: runs fn in a savepoint of its own. When fn, or a statement
 * in it, fails, that much is rolled back, its status returned, and the scope
 * goes on as if it had never run; except when the context tripped or the
 * transaction itself was lost (disk full, I/O), which fail the whole scope.
 * RESOURCE_EXHAUSTED: more than CT_DB_NEST_MAX deep. */
CT_MUST_USE ct_status ct_db_nested(struct ct_db *db, ct_db_fn *fn, void *arg);

/* A statement ready to bind. sql is copied; its text is the key of the
 * connection's cache of compiled statements. The handle is the caller's until
 * ct_stmt_release() or the end of the scope; a text prepared twice gives two
 * handles. */
CT_MUST_USE ct_status ct_db_prepare(struct ct_db *db, const char *sql, struct ct_stmt **ret_stmt);

/* Prepares, runs to the end and releases one statement without parameters. */
CT_MUST_USE ct_status ct_db_run(struct ct_db *db, const char *sql);

/* Gives the handle back early, for loops. NULL ok; returns NULL. */
struct ct_stmt *ct_stmt_release(struct ct_stmt *s);

/* Ready to bind and run again; every parameter is NULL again. Done by itself
 * before the first bind after a run ended (a step without row, run, each). */
void ct_stmt_reset(struct ct_stmt *s);

/* Parameters are counted from 1 as in the SQL; what is not bound is NULL. Values
 * are copied. A failure is kept and returned by the next step. */
void ct_stmt_bind_i64(struct ct_stmt *s, unsigned param, int64_t value);
void ct_stmt_bind_f64(struct ct_stmt *s, unsigned param, double value);
/* A NULL pointer binds NULL; len 0 binds an empty text or blob. */
void ct_stmt_bind_opt_f64(struct ct_stmt *s, unsigned param, const double *value);
void ct_stmt_bind_str(struct ct_stmt *s, unsigned param, const char *text);
void ct_stmt_bind_text(struct ct_stmt *s, unsigned param, struct ct_bytes utf8);
void ct_stmt_bind_blob(struct ct_stmt *s, unsigned param, struct ct_bytes bytes);
void ct_stmt_bind_null(struct ct_stmt *s, unsigned param);

/* OK with *ret_row true: a row stands ready for the getters. OK with false: the
 * end; the next step would run it again. On a failure *ret_row is false. */
CT_MUST_USE ct_status ct_stmt_step(struct ct_stmt *s, bool *ret_row);

/* Steps to the end; rows are skipped. */
CT_MUST_USE ct_status ct_stmt_run(struct ct_stmt *s);

/* Calls fn for each row until the end or until fn returns another status than
 * OK, which then is the result; such a stop by fn does not fail the scope. */
typedef ct_status(ct_stmt_row_fn)(struct ct_stmt *row, void *arg);
CT_MUST_USE ct_status ct_stmt_each(struct ct_stmt *s, ct_stmt_row_fn *fn, void *arg);

/* Rows the last finished run inserted, changed or deleted (without those of
 * triggers and foreign keys). */
int64_t ct_stmt_changes(const struct ct_stmt *s);

/* Of the present row; columns are counted from 0 (CT_CHECKed). Bytes are
 * borrowed until the next step, reset or release; a text ends in a NUL that len
 * does not count. NULL reads as 0, 0.0 and { NULL, 0 }. Declare tables STRICT:
 * then a column has the type it was declared with and nothing is converted. */
unsigned ct_stmt_columns(const struct ct_stmt *s);
bool ct_stmt_col_null(struct ct_stmt *s, unsigned col);
int64_t ct_stmt_col_i64(struct ct_stmt *s, unsigned col);
double ct_stmt_col_f64(struct ct_stmt *s, unsigned col);
struct ct_bytes ct_stmt_col_text(struct ct_stmt *s, unsigned col);
struct ct_bytes ct_stmt_col_blob(struct ct_stmt *s, unsigned col);

#endif
