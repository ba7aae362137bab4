/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/help.h"

#include "tests/lib/fake_clock.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

TestSuite(writer, .init = help_init, .fini = help_fini, .timeout = 60);

Test(writer, an_acknowledged_write_is_seen_by_the_next_read)
{
	struct ct_store *s = help_open(NULL);

	cr_assert_eq(put(s, "a"), CT_OK);

	cr_assert_eq(items(s), 1);
	cr_assert(identity_holds(s));
	s = ct_store_free(s);
}

Test(writer, what_gathers_during_a_transaction_is_committed_together)
{
	enum { N = 100 };
	const struct ct_store_opts o = { .clk = &help_frozen };
	struct ct_store *s = help_open(&o);
	struct ended ended[N];
	struct insert in[N];
	char names[N][16];
	struct ct_store_stats st;
	struct parked p;

	park(s, &p);
	for (int i = 0; i < N; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "n%d", i);
		in[i] = (struct insert){ .name = names[i] };
		ended_init(&ended[i]);
		cr_assert_eq(ct_store_write(s, NULL, insert_fn, &in[i], ended_done, &ended[i]),
			     CT_OK);
	}
	unpark(&p);
	for (int i = 0; i < N; i++)
		cr_assert_eq(ended_await(&ended[i]), CT_OK);

	st = stats_of(s);
	cr_assert_eq(st.committed, N + 1);
	cr_assert_eq(st.commits, 1);
	cr_assert_eq(st.group_largest, N + 1);
	cr_assert_eq(items(s), N);
	s = ct_store_free(s);
}

Test(writer, a_group_takes_no_more_than_its_count)
{
	enum { N = 10 };
	const struct ct_store_opts o = { .clk = &help_frozen, .group_max = 4 };
	struct ct_store *s = help_open(&o);
	struct insert in[N] = { { .name = "0" }, { .name = "1" }, { .name = "2" }, { .name = "3" },
				{ .name = "4" }, { .name = "5" }, { .name = "6" }, { .name = "7" },
				{ .name = "8" }, { .name = "9" } };
	struct ended ended[N];
	struct parked p;

	park(s, &p);
	for (int i = 0; i < N; i++) {
		ended_init(&ended[i]);
		cr_assert_eq(ct_store_write(s, NULL, insert_fn, &in[i], ended_done, &ended[i]),
			     CT_OK);
	}
	unpark(&p);
	for (int i = 0; i < N; i++)
		cr_assert_eq(ended_await(&ended[i]), CT_OK);

	cr_assert_leq(stats_of(s).group_largest, 4);
	cr_assert_eq(stats_of(s).commits, 3); /* 1 + 3, 4, 3 */
	s = ct_store_free(s);
}

Test(writer, a_group_takes_no_more_after_its_time)
{
	const struct ct_store_opts o = { .group_ms = 20 };
	struct ct_store_opts with_clock = o;
	struct insert in = { .name = "late" };
	struct fake_clock clk;
	struct ct_store *s;
	struct ended e;
	struct parked p;

	fake_clock_init(&clk);
	with_clock.clk = &clk.clk;
	s = help_open(&with_clock);
	ended_init(&e);
	park(s, &p);
	cr_assert_eq(ct_store_write(s, NULL, insert_fn, &in, ended_done, &e), CT_OK);

	fake_clock_step_ms(&clk, 20);
	unpark(&p);
	cr_assert_eq(ended_await(&e), CT_OK);

	cr_assert_eq(stats_of(s).commits, 2);
	s = ct_store_free(s);
}

Test(writer, a_failed_write_undoes_only_itself)
{
	struct ct_store *s = help_open(NULL);
	struct insert in[3] = { { .name = "a" },
				{ .name = "b", .then = CT_ABORTED },
				{ .name = "c" } };
	struct ended ended[3];
	struct parked p;

	park(s, &p);
	for (int i = 0; i < 3; i++) {
		ended_init(&ended[i]);
		cr_assert_eq(ct_store_write(s, NULL, insert_fn, &in[i], ended_done, &ended[i]),
			     CT_OK);
	}
	unpark(&p);

	cr_assert_eq(ended_await(&ended[0]), CT_OK);
	cr_assert_eq(ended_await(&ended[1]), CT_ABORTED);
	cr_assert_eq(ended_await(&ended[2]), CT_OK);
	cr_assert_eq(ask(s, "SELECT count(*) FROM item WHERE name IN ('a', 'c')"), 2);
	cr_assert_eq(items(s), 2);
	cr_assert_eq(stats_of(s).failed, 1);
	cr_assert_eq(stats_of(s).reruns, 0);
	cr_assert(identity_holds(s));
	s = ct_store_free(s);
}

static ct_status ignore_failure_fn(struct ct_db *db, void *arg)
{
	(void)arg;
	(void)!ct_db_run(db, "INSERT INTO item(name) VALUES ('kept?')");
	(void)!ct_db_run(db, "INSERT INTO item(name) VALUES (NULL)");
	cr_assert_eq(ct_db_status(db), CT_FAILED_PRECONDITION);
	cr_assert_eq(ct_db_run(db, "INSERT INTO item(name) VALUES ('more')"),
		     CT_FAILED_PRECONDITION);
	return CT_OK; /* as if nothing had happened */
}

Test(writer, a_statement_that_failed_fails_the_write_whatever_fn_says)
{
	struct ct_store *s = help_open(NULL);
	struct ct_store_why why = { "" };

	cr_assert_eq(ct_store_write_wait(s, NULL, ignore_failure_fn, NULL, &why),
		     CT_FAILED_PRECONDITION);

	cr_assert(strstr(why.text, "NOT NULL") != NULL, "%s", why.text);
	cr_assert_eq(items(s), 0);
	s = ct_store_free(s);
}

Test(writer, queue_full_is_refused_exactly_at_its_limit)
{
	enum { Q = 5 };
	const struct ct_store_opts o = { .write_queue_max = Q };
	struct ct_store *s = help_open(&o);
	struct insert in[Q + 3];
	struct ended ended[Q + 3];
	struct ct_store_stats st;
	struct parked p;

	park(s, &p); /* it runs: it does not wait */
	for (int i = 0; i < Q + 3; i++) {
		in[i] = (struct insert){ .name = "same", .then = CT_ABORTED };
		ended_init(&ended[i]);
		cr_assert_eq(ct_store_write(s, NULL, insert_fn, &in[i], ended_done, &ended[i]),
			     i < Q ? CT_OK : CT_RESOURCE_EXHAUSTED);
	}
	st = stats_of(s);
	cr_assert_eq(st.queued, Q);
	cr_assert_eq(st.running, 1);
	cr_assert_eq(st.refused, 3);
	cr_assert(identity_holds(s));
	unpark(&p);
	for (int i = 0; i < Q; i++)
		cr_assert_eq(ended_await(&ended[i]), CT_ABORTED);

	for (int i = Q; i < Q + 3; i++)
		cr_assert_eq(atomic_load(&ended[i].calls), 0);
	cr_assert_eq(ct_store_write(s, NULL, insert_fn, &in[Q], ended_done, &ended[Q]), CT_OK);
	cr_assert_eq(ended_await(&ended[Q]), CT_ABORTED);
	s = ct_store_free(s);
}

Test(writer, close_refuses_new_writes_and_free_commits_those_accepted)
{
	struct ct_store *s = help_open(NULL);
	struct insert in[3] = { { .name = "a" }, { .name = "b" }, { .name = "late" } };
	struct ended ended[3];
	struct parked p;

	park(s, &p);
	for (int i = 0; i < 3; i++)
		ended_init(&ended[i]);
	cr_assert_eq(ct_store_write(s, NULL, insert_fn, &in[0], ended_done, &ended[0]), CT_OK);
	cr_assert_eq(ct_store_write(s, NULL, insert_fn, &in[1], ended_done, &ended[1]), CT_OK);
	ct_store_close(s);
	ct_store_close(s); /* idempotent */
	cr_assert_eq(ct_store_write(s, NULL, insert_fn, &in[2], ended_done, &ended[2]),
		     CT_UNAVAILABLE);
	cr_assert_eq(sem_post(&p.open), 0);
	s = ct_store_free(s);

	cr_assert_eq(ended_await(&ended[0]), CT_OK);
	cr_assert_eq(ended_await(&ended[1]), CT_OK);
	cr_assert_eq(atomic_load(&ended[2].calls), 0);
	s = help_open(NULL);
	cr_assert_eq(items(s), 2);
	s = ct_store_free(s);
}

struct chain {
	struct ct_store *s;
	struct insert in;
	struct ended ended;
};

static void chain_done(void *arg, ct_status st, const char *why)
{
	struct chain *c = arg;

	cr_assert_eq(st, CT_OK, "%s", why);
	cr_assert_eq(ct_store_write(c->s, NULL, insert_fn, &c->in, ended_done, &c->ended), CT_OK);
}

Test(writer, done_may_queue_the_next_write)
{
	struct chain c = { .s = help_open(NULL), .in = { .name = "second" } };
	struct insert first = { .name = "first" };

	ended_init(&c.ended);
	cr_assert_eq(ct_store_write(c.s, NULL, insert_fn, &first, chain_done, &c), CT_OK);

	cr_assert_eq(ended_await(&c.ended), CT_OK);
	cr_assert_eq(items(c.s), 2);
	c.s = ct_store_free(c.s);
}

static void wait_within_done(void *arg, ct_status st, const char *why)
{
	struct insert in = { .name = "x" };

	(void)st;
	(void)why;
	(void)!ct_store_write_wait(arg, NULL, insert_fn, &in, NULL);
}

Test(writer, waiting_on_the_writer_thread_is_a_programming_error, .signal = SIGABRT)
{
	struct ct_store *s = help_open(NULL);
	struct insert in = { .name = "x" };

	(void)!ct_store_write(s, NULL, insert_fn, &in, wait_within_done, s);
	s = ct_store_free(s);
}

static ct_status nested_bad_fn(struct ct_db *db, void *arg)
{
	(void)arg;
	(void)!ct_db_run(db, "INSERT INTO item(name) VALUES ('inner')");
	return ct_db_run(db, "INSERT INTO item(name) VALUES ('outer')"); /* taken */
}

static ct_status nested_fn(struct ct_db *db, void *arg)
{
	(void)arg;
	cr_assert_eq(ct_db_run(db, "INSERT INTO item(name) VALUES ('outer')"), CT_OK);
	cr_assert_eq(ct_db_nested(db, nested_bad_fn, NULL), CT_ALREADY_EXISTS);
	cr_assert_eq(ct_db_status(db), CT_OK);
	return ct_db_run(db, "INSERT INTO item(name) VALUES ('after')");
}

Test(writer, a_nested_failure_undoes_only_the_nested_part)
{
	struct ct_store *s = help_open(NULL);

	cr_assert_eq(ct_store_write_wait(s, NULL, nested_fn, NULL, NULL), CT_OK);

	cr_assert_eq(items(s), 2);
	cr_assert_eq(ask(s, "SELECT count(*) FROM item WHERE name = 'inner'"), 0);
	s = ct_store_free(s);
}

static ct_status too_deep_fn(struct ct_db *db, void *arg)
{
	unsigned *depth = arg;

	++*depth;
	return ct_db_nested(db, too_deep_fn, arg);
}

Test(writer, savepoints_nest_to_a_limit)
{
	struct ct_store *s = help_open(NULL);
	unsigned depth = 0;

	cr_assert_eq(ct_store_write_wait(s, NULL, too_deep_fn, &depth, NULL),
		     CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(depth, CT_DB_NEST_MAX + 1);
	cr_assert_eq(put(s, "still works"), CT_OK);
	s = ct_store_free(s);
}

static ct_status own_transaction_fn(struct ct_db *db, void *arg)
{
	return ct_db_run(db, arg);
}

Test(writer, transactions_and_settings_are_not_a_writes_to_make)
{
	static const char *const forbidden[] = {
		"COMMIT",         "ROLLBACK", "BEGIN", "SAVEPOINT x", "PRAGMA synchronous = OFF",
		"ATTACH 'x' AS y"
	};
	struct ct_store *s = help_open(NULL);

	for (size_t i = 0; i < CT_ARRAY_N(forbidden); i++)
		cr_assert_eq(ct_store_write_wait(s, NULL, own_transaction_fn,
						 (void *)(uintptr_t)forbidden[i], NULL),
			     CT_PERMISSION_DENIED, "%s", forbidden[i]);
	s = ct_store_free(s);
}

/* ---- another holder of the lock ------------------------------------------- */

static sqlite3 *holder(void)
{
	sqlite3 *h = NULL;

	cr_assert_eq(sqlite3_open(help_path("db"), &h), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(h, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return h;
}

Test(writer, a_lock_held_too_long_is_unavailable_and_says_so)
{
	const struct ct_store_opts o = { .busy_ms = 30 };
	struct ct_store *s = help_open(&o);
	sqlite3 *h = holder();
	struct ct_store_why why = { "" };
	struct insert in = { .name = "x" };

	cr_assert_eq(ct_store_write_wait(s, NULL, insert_fn, &in, &why), CT_UNAVAILABLE);

	cr_assert(strstr(why.text, "another process holds the database") != NULL, "%s", why.text);
	cr_assert_gt(stats_of(s).busy_waits, 0);
	cr_assert_eq(stats_of(s).failed, 1);
	cr_assert_eq(sqlite3_close(h), SQLITE_OK);
	cr_assert_eq(put(s, "x"), CT_OK);
	s = ct_store_free(s);
}

Test(writer, a_lock_let_go_in_time_costs_nothing_but_the_wait)
{
	struct ct_store *s = help_open(NULL);
	sqlite3 *h = holder();
	struct insert in = { .name = "x" };
	struct ended e;

	ended_init(&e);
	cr_assert_eq(ct_store_write(s, NULL, insert_fn, &in, ended_done, &e), CT_OK);
	AWAIT_TRUE(stats_of(s).busy_waits > 0);
	cr_assert_eq(sqlite3_close(h), SQLITE_OK);

	cr_assert_eq(ended_await(&e), CT_OK);
	s = ct_store_free(s);
}

Test(writer, a_write_given_up_while_the_database_is_locked_ends_at_once)
{
	const struct ct_store_opts o = { .busy_ms = 60000 };
	struct ct_store *s = help_open(&o);
	sqlite3 *h = holder();
	struct insert in = { .name = "x" };
	struct help_ctx c;
	struct ended e;

	help_ctx_init(&c, NULL, CT_NEVER);
	ended_init(&e);
	cr_assert_eq(ct_store_write(s, c.ctx, insert_fn, &in, ended_done, &e), CT_OK);
	AWAIT_TRUE(stats_of(s).busy_waits > 0);
	cr_assert(ct_ctx_cancel(c.ctx, CT_CANCEL_CALLER));

	cr_assert_eq(ended_await(&e), CT_CANCELLED);
	cr_assert_eq(atomic_load(&in.runs), 0);
	cr_assert_eq(stats_of(s).cancelled, 1);
	cr_assert_eq(sqlite3_close(h), SQLITE_OK);
	cr_assert_eq(put(s, "y"), CT_OK);
	help_ctx_fini(&c);
	s = ct_store_free(s);
}
