/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_STORE_DRIVER_H
#define CT_STORE_DRIVER_H

#include "base/attrs.h"
#include "base/bytes.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What a database engine brings: one constant table a driver, only for
 * shared/store/. All functions run on the thread that has the connection and may
 * block on the disk. A failure is recorded with ct_db__fail(), whose result is
 * the function's own. Everything engine-neutral (queue, groups, scopes, caches,
 * migrations, checks of values) stands above it.
 */
struct ct_db;
struct ct_stmt;
struct ct_store_opts;

enum ct_value_kind { CT_VALUE_NULL, CT_VALUE_I64, CT_VALUE_F64, CT_VALUE_TEXT, CT_VALUE_BLOB };

struct ct_value {
	enum ct_value_kind kind;
	int64_t i64;
	double f64;
	struct ct_bytes bytes; /* TEXT, BLOB */
};

enum ct_savepoint_do { CT_SAVEPOINT_SET, CT_SAVEPOINT_KEEP, CT_SAVEPOINT_UNDO };

struct ct_driver {
	const char *name;

	/* Fills db->conn. writer: makes the database when it is missing. */
	ct_status (*connect)(struct ct_db *db, const struct ct_store_opts *opts, bool writer);
	void (*disconnect)(struct ct_db *db); /* also after a failed connect */

	/* write: takes the write lock at once; asks ct_db__busy() while another
	 * process has it. commit: on a failure the transaction is rolled back. */
	ct_status (*begin)(struct ct_db *db, bool write);
	ct_status (*commit)(struct ct_db *db);
	void (*rollback)(struct ct_db *db); /* harmless when there is none */
	/* After a write transaction: lets a process that waits for the lock have it. */
	void (*give_way)(struct ct_db *db);
	bool (*in_transaction)(const struct ct_db *db);
	ct_status (*savepoint)(struct ct_db *db, unsigned depth, enum ct_savepoint_do what);

	/* Statements ended by ';', without parameters. */
	ct_status (*script)(struct ct_db *db, const char *sql);
	/* References are not enforced while migrating but checked by the second. */
	ct_status (*set_migrating)(struct ct_db *db, bool on);
	ct_status (*check_references)(struct ct_db *db);

	uint32_t (*log_pages)(const struct ct_db *db); /* since the last commit; 0: no log */
	/* restart: wait a moment for readers so that the log begins anew. */
	bool (*checkpoint)(struct ct_db *db, bool restart);

	/* Fills s->handle, s->params_n. */
	ct_status (*prepare)(struct ct_stmt *s);
	void (*finalize)(struct ct_stmt *s);
	ct_status (*bind)(struct ct_stmt *s, unsigned param, const struct ct_value *v);
	/* At the end and on a failure the statement is reset; changes is filled at
	 * the end. */
	ct_status (*step)(struct ct_stmt *s, bool *ret_row);
	void (*reset)(struct ct_stmt *s, bool clear_params);
	unsigned (*columns)(const struct ct_stmt *s);
	bool (*column_null)(struct ct_stmt *s, unsigned col);
	/* As the wanted kind; bytes live until the next step. */
	struct ct_value (*column)(struct ct_stmt *s, unsigned col, enum ct_value_kind want);
};

extern const struct ct_driver ct_driver_sqlite;

#endif
