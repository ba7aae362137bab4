/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writers, waiters and readers against one store, with contexts cancelled at
 * every stage, a small queue, failing and endless statements, and a close while
 * all of it runs. A plain program, for the thread sanitizer. Checks:
 *   every accepted write is told its end exactly once, and as the database has it;
 *   accepted = committed + failed + cancelled + queued + running at every moment;
 *   a read sees one state.
 */
#include "base/check.h"
#include "conc/ctx.h"
#include "conc/thread.h"
#include "store/store.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WRITERS = 3, WAITERS = 2, READERS = 2, ROUNDS = 400, CLOSE_ROUNDS = 10, CLOSE_WRITES = 60 };
enum { QUEUE = 32, GROUP = 16 };

static const struct ct_migration schema[] = {
	{ 1, "rows",
	  "CREATE TABLE r(id INTEGER PRIMARY KEY, who INTEGER NOT NULL) STRICT;"
	  "CREATE TABLE total(n INTEGER NOT NULL) STRICT; INSERT INTO total VALUES (0);" },
};

static struct ct_store *store;
static struct ct_timers *timers;
static _Atomic uint64_t accepted, refused, told, told_ok;
static atomic_bool stop;

/* What must hold whenever a thread looks; each is one case. */
#define PROPERTIES(X)                                       \
	X(REASON, "a failure has a reason")                 \
	X(ONE_STATE, "a read sees one state")               \
	X(IDENTITY, "the counters add up at any moment")    \
	X(ENDS_ONCE, "every accepted write ends once")      \
	X(TOLD_IS_THERE, "what was told is what is there")  \
	X(CLOSE_COMMITS, "close commits what was accepted") \
	X(CLOSED_IS_THERE, "what was told before a close is there after it")

enum property {
#define X(name, text) name,
	PROPERTIES(X)
#undef X
		PROPERTIES_N
};

static const char *const property_texts[] = {
#define X(name, text) [name] = (text),
	PROPERTIES(X)
#undef X
};

static atomic_uint looked_at[PROPERTIES_N], broken[PROPERTIES_N];

static void expect(bool ok, enum property p)
{
	atomic_fetch_add(&looked_at[p], 1);
	if (!ok)
		atomic_fetch_add(&broken[p], 1);
}

/* One that was never looked at has failed. */
static int tell(void)
{
	unsigned passed = 0;

	for (int i = 0; i < PROPERTIES_N; i++) {
		const unsigned n = atomic_load(&looked_at[i]), bad = atomic_load(&broken[i]);
		const bool ok = n > 0 && bad == 0;

		printf("%s: %s (%u looks, %u broken)\n", ok ? "ok" : "FAILED", property_texts[i], n,
		       bad);
		passed += ok;
	}
	printf("%u passed, %u failed\n", passed, PROPERTIES_N - passed);
	return passed == PROPERTIES_N ? 0 : 1;
}

enum kind { GOOD, ABORTS, ENDLESS, KINDS };

struct job {
	enum kind kind;
	int who;
	struct ct_ctx *ctx;
	atomic_uint ends;
};

static ct_status job_fn(struct ct_db *db, void *arg)
{
	const struct job *j = arg;
	struct ct_stmt *s = NULL;
	ct_status st;

	st = ct_db_prepare(db, "INSERT INTO r(who) VALUES ($1)", &s);
	if (st != CT_OK)
		return st;
	ct_stmt_bind_i64(s, 1, j->who);
	st = ct_stmt_run(s);
	if (st == CT_OK)
		st = ct_db_run(db, "UPDATE total SET n = n + 1");
	if (st == CT_OK && j->kind == ENDLESS)
		st = ct_db_run(db, "INSERT INTO r(who) WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL"
				   " SELECT x + 1 FROM c) SELECT x FROM c");
	return st == CT_OK && j->kind == ABORTS ? CT_ABORTED : st;
}

static void job_done(void *arg, ct_status st, const char *why)
{
	struct job *j = arg;

	CT_CHECK(why != NULL);
	CT_CHECK(atomic_fetch_add(&j->ends, 1) == 0); /* once */
	if (st == CT_OK)
		atomic_fetch_add(&told_ok, 1);
	CT_CHECK(j->kind == GOOD || st != CT_OK);
	j->ctx = ct_ctx_unref(j->ctx);
	free(j);
	atomic_fetch_add(&told, 1);
}

/* Of a refused one; then the next end, so that the queue has room again. */
static void job_drop(struct job *j)
{
	const uint64_t seen = atomic_load(&told);

	j->ctx = ct_ctx_unref(j->ctx);
	free(j);
	while (atomic_load(&told) == seen && atomic_load(&accepted) > seen)
		sched_yield(); /* bounded: what was accepted ends */
}

static struct job *job_new(unsigned i, int who)
{
	struct job *j = calloc(1, sizeof(*j));
	/* An endless one has a deadline that ends it, the others mostly none. */
	const ct_instant deadline = i % 16 == 5 ? ct_deadline_after_ms(ct_clock_system(), 2)
						: CT_NEVER;

	CT_CHECK(j != NULL);
	j->kind = i % 16 == 5 ? ENDLESS : i % 7 == 3 ? ABORTS : GOOD;
	j->who = who;
	CT_CHECK(ct_ctx_new_root(timers, deadline, &j->ctx) == CT_OK);
	return j;
}

static void count_submit(ct_status st)
{
	atomic_fetch_add(st == CT_OK ? &accepted : &refused, 1);
}

/* Submits, and cancels some at once: before, while or after they run. */
static void *writer_main(void *arg)
{
	const int who = *(int *)arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct job *j = job_new(i, who);
		struct ct_ctx *ctx = ct_ctx_ref(j->ctx);
		ct_status st;

		st = ct_store_write(store, ctx, job_fn, j, job_done, j);
		count_submit(st);
		if (i % 5 == 0)
			(void)ct_ctx_cancel(ctx, CT_CANCEL_CALLER);
		ctx = ct_ctx_unref(ctx);
		if (st != CT_OK)
			job_drop(j);
	}
	return NULL;
}

static void *waiter_main(void *arg)
{
	const int who = *(int *)arg;

	for (unsigned i = 0; i < ROUNDS / 4; i++) {
		struct job j = { .kind = i % 9 == 4 ? ABORTS : GOOD, .who = who };
		struct ct_store_why why = { "" };
		struct ct_ctx *ctx = NULL;
		ct_status st;

		CT_CHECK(ct_ctx_new_root(timers,
					 i % 3 == 0 ? ct_deadline_after_ms(ct_clock_system(), 1)
						    : CT_NEVER,
					 &ctx) == CT_OK);
		st = ct_store_write_wait(store, ctx, job_fn, &j, &why);
		if (st == CT_OK)
			atomic_fetch_add(&told_ok, 1);
		expect(st == CT_OK || why.text[0] != '\0' || st == CT_ABORTED, REASON);
		ct_ctx_finish(ctx);
		ctx = ct_ctx_unref(ctx);
	}
	return NULL;
}

static int64_t ask(struct ct_db *db, const char *sql)
{
	struct ct_stmt *s = NULL;
	bool row = false;
	int64_t n = -1;

	if (ct_db_prepare(db, sql, &s) == CT_OK && ct_stmt_step(s, &row) == CT_OK && row)
		n = ct_stmt_col_i64(s, 0);
	s = ct_stmt_release(s);
	return n;
}

static void *reader_main(void *arg)
{
	unsigned i = 0;

	(void)arg;
	while (!atomic_load(&stop)) {
		struct ct_ctx *ctx = NULL;
		struct ct_store_stats st;
		struct ct_db *db = NULL;

		CT_CHECK(ct_ctx_new_root(timers,
					 i++ % 4 == 0 ? ct_deadline_after_ms(ct_clock_system(), 1)
						      : CT_NEVER,
					 &ctx) == CT_OK);
		if (ct_store_read_begin(store, ctx, &db) == CT_OK) {
			const int64_t rows = ask(db, "SELECT count(*) FROM r");
			const int64_t total = ask(db, "SELECT n FROM total");

			expect(rows == total || ct_db_status(db) != CT_OK, ONE_STATE);
			ct_store_read_end(store, db);
		}
		ct_ctx_finish(ctx);
		ctx = ct_ctx_unref(ctx);
		ct_store_stats(store, &st);
		expect(st.accepted ==
			       st.committed + st.failed + st.cancelled + st.queued + st.running,
		       IDENTITY);
	}
	return NULL;
}

static int64_t rows_in(const char *path)
{
	struct ct_store *s = NULL;
	struct ct_db *db = NULL;
	int64_t n;

	CT_CHECK(ct_store_new(&(struct ct_store_opts){ .path = path,
						       .migrations = schema,
						       .migrations_n = 1 },
			      NULL, &s) == CT_OK);
	CT_CHECK(ct_store_read_begin(s, NULL, &db) == CT_OK);
	n = ask(db, "SELECT count(*) FROM r");
	ct_store_read_end(s, db);
	s = ct_store_free(s);
	return n;
}

static void open_store(const char *path, uint32_t queue_max)
{
	const struct ct_store_opts o = { .path = path,
					 .migrations = schema,
					 .migrations_n = 1,
					 .readers = 2,
					 .write_queue_max = queue_max,
					 .group_max = GROUP,
					 .checkpoint_pages = 16 };

	CT_CHECK(ct_store_new(&o, NULL, &store) == CT_OK);
}

static void everybody_at_once(const char *path)
{
	pthread_t t[WRITERS + WAITERS + READERS];
	int who[WRITERS + WAITERS + READERS];
	struct ct_store_stats st;
	int n = 0;

	open_store(path, QUEUE);
	for (; n < WRITERS + WAITERS + READERS; n++) {
		who[n] = n;
		CT_CHECK(ct_thread_start(&t[n], "stress",
					 n < WRITERS             ? writer_main
					 : n < WRITERS + WAITERS ? waiter_main
								 : reader_main,
					 &who[n]) == CT_OK);
	}
	for (n = 0; n < WRITERS + WAITERS; n++)
		ct_thread_join(t[n]);
	atomic_store(&stop, true);
	for (; n < WRITERS + WAITERS + READERS; n++)
		ct_thread_join(t[n]);
	ct_store_stats(store, &st);
	printf("accepted %llu, committed %llu in %llu commits, failed %llu, cancelled %llu, "
	       "reruns %llu, refused %llu, reads %llu, reads cancelled %llu\n",
	       (unsigned long long)st.accepted, (unsigned long long)st.committed,
	       (unsigned long long)st.commits, (unsigned long long)st.failed,
	       (unsigned long long)st.cancelled, (unsigned long long)st.reruns,
	       (unsigned long long)st.refused, (unsigned long long)st.reads,
	       (unsigned long long)st.reads_cancelled);
	store = ct_store_free(store);
	expect(atomic_load(&told) == atomic_load(&accepted), ENDS_ONCE);
	expect(rows_in(path) == (int64_t)atomic_load(&told_ok), TOLD_IS_THERE);
}

static void *submit_until_closed(void *arg)
{
	const int who = *(int *)arg;

	for (unsigned i = 0; i < CLOSE_WRITES; i++) {
		struct job *j = job_new(1, who);
		const ct_status st = ct_store_write(store, j->ctx, job_fn, j, job_done, j);

		count_submit(st);
		if (st != CT_OK)
			job_drop(j);
	}
	return NULL;
}

/* Whatever was accepted when close came commits before free returns. */
static void close_while_writing(const char *path)
{
	for (int round = 0; round < CLOSE_ROUNDS; round++) {
		const uint64_t ok_before = atomic_load(&told_ok);
		const uint64_t accepted_before = atomic_load(&accepted);
		pthread_t t[2];
		int who[2] = { 0, 1 };

		open_store(path, 1024);
		for (int i = 0; i < 2; i++)
			CT_CHECK(ct_thread_start(&t[i], "stress", submit_until_closed, &who[i]) ==
				 CT_OK);
		while (atomic_load(&accepted) - accepted_before < (uint64_t)round * 5)
			; /* bounded: until the close all are accepted */
		ct_store_close(store);
		for (int i = 0; i < 2; i++)
			ct_thread_join(t[i]);
		store = ct_store_free(store);
		expect(atomic_load(&told_ok) - ok_before ==
			       atomic_load(&accepted) - accepted_before,
		       CLOSE_COMMITS);
	}
	expect(rows_in(path) == (int64_t)atomic_load(&told_ok), CLOSED_IS_THERE);
}

static void remove_database(const char *dir, const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-turn" };
	char name[128];

	for (size_t i = 0; i < CT_ARRAY_N(ends); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		(void)remove(name); /* may be gone with the last connection */
	}
	CT_CHECK(rmdir(dir) == 0);
}

int main(void)
{
	char dir[] = "/tmp/ct-stress-store-XXXXXX", path[64];

	CT_CHECK(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/db", dir);
	CT_CHECK(ct_timers_new(NULL, &timers) == CT_OK);
	everybody_at_once(path);
	close_while_writing(path);
	timers = ct_timers_free(timers);
	remove_database(dir, path);
	return tell();
}
