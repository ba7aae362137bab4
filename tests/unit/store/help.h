/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_STORE_HELP_H
#define CT_TESTS_STORE_HELP_H

#include "base/check.h"
#include "conc/ctx.h"
#include "conc/thread.h"
#include "store/store.h"

#include "tests/lib/gate.h"

#include <pthread.h>
#include <semaphore.h>

/* What the store's tests share: a folder for each test, a small schema, writes
 * that record their end and writes that park the writer. */

/* .init and .fini of every suite: makes and removes the folder; checks leaks. */
void help_init(void);
void help_fini(void);
const char *help_dir(void);
/* A path in the folder; the buffer is reused by the eighth call after. */
const char *help_path(const char *name);
/* Everything a file holds; the caller frees it. */
char *help_slurp(const char *path, size_t *ret_len);
void help_spew(const char *path, const void *bytes, size_t len);

/* item(id, name UNIQUE NOT NULL, value, data, CHECK value >= 0), note(item REFERENCES item) */
extern const struct ct_migration help_schema[1];

/* opts may be NULL; path and migrations are filled in. Must succeed. */
struct ct_store *help_open(const struct ct_store_opts *opts);
ct_status help_try_open(const struct ct_store_opts *opts, struct ct_store_why *why);

/* A clock that stands still: no group ends for its time. */
extern const struct ct_clock help_frozen;

/* A context with timers of its own (clk NULL: the system's). */
struct help_ctx {
	struct ct_timers *timers;
	struct ct_ctx *ctx;
};
void help_ctx_init(struct help_ctx *c, const struct ct_clock *clk, ct_instant deadline);
void help_ctx_fini(struct help_ctx *c);

/* How a write ended. */
struct ended {
	sem_t sem;
	ct_status st;
	struct ct_store_why why;
	atomic_uint calls;
};
void ended_init(struct ended *e);
void ended_done(void *arg, ct_status st, const char *why);
ct_status ended_await(struct ended *e); /* the status */

/* fn(insert): one row, then `then` as the fn's own result. */
struct insert {
	const char *name;
	ct_status then;
	atomic_uint runs;
};
ct_status insert_fn(struct ct_db *db, void *arg);

/* fn(parked): parks the writer until opened. */
struct parked {
	sem_t entered, open;
	struct ended ended;
};
ct_status parked_fn(struct ct_db *db, void *arg);
void park(struct ct_store *s, struct parked *p); /* returns when the writer stands */
void unpark(struct parked *p);                   /* and awaits its end */

/* Writes the row and waits; the status. */
ct_status put(struct ct_store *s, const char *name);
/* The first column of the first row of a query. */
int64_t ask(struct ct_store *s, const char *sql);
int64_t items(struct ct_store *s);
struct ct_store_stats stats_of(struct ct_store *s);
bool identity_holds(struct ct_store *s);

/* Gives the SQL function hit(), which posts sem and returns 1. */
void give_hit(struct ct_db *db, sem_t *sem);
/* Never ends by itself, and posts through hit() when it runs. */
extern const char help_endless_select[], help_endless_insert[];

/* Yields until cond, for at most AWAIT_MS. */
#define AWAIT_TRUE(cond)                                                                   \
	do {                                                                               \
		const ct_instant end_ = ct_deadline_after_ms(ct_clock_system(), AWAIT_MS); \
		while (!(cond)) {                                                          \
			CT_CHECK(!ct_deadline_passed(ct_clock_system(), end_));            \
			sched_yield();                                                     \
		}                                                                          \
	} while (0)

#endif
