/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_STORE_DB_INTERNAL_H
#define CT_STORE_DB_INTERNAL_H

#include "base/clock.h"
#include "base/list.h"
#include "conc/lock.h"
#include "store/db.h"
#include "store/driver.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

/*
 * A connection and its compiled statements; only for shared/store/. One thread
 * at a time: whoever took it from the reader pool, or the writer.
 */
struct ct_stmt {
	struct ct_db *db;
	char *sql;                      /* owned */
	uint32_t hash;                  /* of it */
	void *handle;                   /* the driver's */
	uint8_t slot[CT_DB_PARAMS_MAX]; /* the driver's number of $1, $2 … */
	unsigned params_n;
	unsigned depth;   /* of savepoints when the run began */
	bool in_use;      /* handed out */
	bool on_row;      /* a row stands ready */
	bool ended;       /* a run ended; the next bind starts afresh */
	uint64_t used_at; /* db->uses then: the oldest is thrown out first */
	int64_t changes;
};

struct ct_db {
	unsigned tag;
	/* fixed after new; a checkpoint has its own busy_ms and still_wanted while it runs */
	const struct ct_driver *driver;
	void *conn; /* the driver's */
	const struct ct_clock *clk;
	uint32_t busy_ms;
	bool writer;
	/* While a lock is waited for: false gives up. NULL: only ctx and busy_ms. */
	bool (*still_wanted)(void *arg);
	void *still_wanted_arg;

	/* the scope */
	struct ct_ctx *ctx; /* borrowed; NULL: none */
	bool open;
	bool stopped;     /* the first failure was the context's */
	ct_status failed; /* the first failure; OK: none */
	unsigned depth;   /* savepoints set */
	struct ct_store_why why;

	/* compiled statements, in use or kept */
	struct ct_stmt *stmts[CT_DB_STMTS_MAX];
	unsigned stmts_n;
	uint64_t uses;

	ct_instant busy_until;
	_Atomic uint64_t busy_waits; /* relaxed: a statistic read by other threads */
	struct ct_lock pause_lock;   /* rank LATCH; protects nothing: for the timed wait */
	struct ct_cond pause;
	/* a reader's, under the store's lock */
	struct ct_list link; /* among the idle ones */
	bool lent;           /* to the thread reader */
	pthread_t reader;
};

/* Allocates and connects. On a failure why (NULL ok) says why. */
CT_MUST_USE ct_status ct_db__new(const struct ct_store_opts *opts, bool writer,
				 struct ct_store_why *why, struct ct_db **ret_db);
struct ct_db *ct_db__free(struct ct_db *db);

/* A scope: forgets old failures; at its end every handle is taken back. */
void ct_db__scope_open(struct ct_db *db, struct ct_ctx *ctx);
void ct_db__scope_close(struct ct_db *db);

/* Runs fn in a savepoint: the body of ct_db_nested() and of every write. */
CT_MUST_USE ct_status ct_db__guarded(struct ct_db *db, ct_db_fn *fn, void *arg);

/* Records a failure and returns the status that decides: the first. The
 * context's own status wins over whatever its trip caused. */
ct_status ct_db__fail(struct ct_db *db, ct_status st, const char *fmt, ...) CT_PRINTF(3, 4);

/* The status of the context; OK also when there is none. Reads the clock. */
ct_status ct_db__ctx_status(const struct ct_db *db);

/* Another process has the lock. tries counts from 0 for each wait. True: waited
 * a moment, try again. False: give up (context, busy_ms, no longer wanted). */
bool ct_db__busy(struct ct_db *db, unsigned tries);

/* Waits that long, for what another process does and nobody here can signal. */
void ct_db__pause(struct ct_db *db, uint64_t us);

/* What a statement says of itself in messages: its first line, cut. */
struct ct_store_why ct_db__sql_head(const char *sql);

/* stmt.c: ends a run that has not ended; frees a statement. */
void ct_stmt__stop(struct ct_stmt *s);
void ct_stmt__free(struct ct_stmt *s);

/* utf8.c: well-formed UTF-8 (no surrogate, nothing overlong) without NUL. */
bool ct_utf8__clean(struct ct_bytes b);

/* migrate.c: brings the database up to date on the writer's connection. */
CT_MUST_USE ct_status ct_migrate__run(struct ct_db *db, const struct ct_migration *steps, size_t n,
				      struct ct_store_why *why, uint32_t *ret_version);

#endif
