/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/help.h"

#include "tests/lib/fake_clock.h"

#include <criterion/criterion.h>
#include <signal.h>

TestSuite(readers, .init = help_init, .fini = help_fini, .timeout = 60);

static int64_t count_in(struct ct_db *db)
{
	struct ct_stmt *s = NULL;
	bool row = false;
	int64_t n;

	cr_assert_eq(ct_db_prepare(db, "SELECT count(*) FROM item", &s), CT_OK);
	cr_assert_eq(ct_stmt_step(s, &row), CT_OK);
	n = ct_stmt_col_i64(s, 0);
	s = ct_stmt_release(s);
	return n;
}

Test(readers, a_read_sees_one_state_whatever_is_written_meanwhile)
{
	struct ct_store *s = help_open(NULL);
	struct ct_db *db = NULL;

	cr_assert_eq(put(s, "a"), CT_OK);
	cr_assert_eq(ct_store_read_begin(s, NULL, &db), CT_OK);
	cr_assert_eq(count_in(db), 1);
	cr_assert_eq(put(s, "b"), CT_OK); /* does not wait for the read */

	cr_assert_eq(count_in(db), 1);
	ct_store_read_end(s, db);
	cr_assert_eq(items(s), 2);
	s = ct_store_free(s);
}

Test(readers, a_read_cannot_write)
{
	struct ct_store *s = help_open(NULL);
	struct ct_db *db = NULL;

	cr_assert_eq(ct_store_read_begin(s, NULL, &db), CT_OK);
	cr_assert_eq(ct_db_run(db, "INSERT INTO item(name) VALUES ('x')"), CT_PERMISSION_DENIED);
	ct_store_read_end(s, db);

	cr_assert_eq(items(s), 0);
	cr_assert_eq(stats_of(s).reads_failed, 1);
	s = ct_store_free(s);
}

struct reader {
	struct ct_store *s;
	struct ct_ctx *ctx;
	ct_status st;
	pthread_t thread;
};

static void *reader_main(void *arg)
{
	struct reader *r = arg;
	struct ct_db *db = NULL;

	r->st = ct_store_read_begin(r->s, r->ctx, &db);
	if (r->st == CT_OK)
		ct_store_read_end(r->s, db);
	return NULL;
}

/* The only connection is lent; a second reader waits on a thread of its own. */
static struct ct_db *with_waiting_reader(struct reader *r)
{
	const struct ct_store_opts o = { .readers = 1 };
	struct ct_db *db = NULL;

	r->s = help_open(&o);
	cr_assert_eq(ct_store_read_begin(r->s, NULL, &db), CT_OK);
	cr_assert_eq(ct_thread_start(&r->thread, "test", reader_main, r), CT_OK);
	AWAIT_TRUE(stats_of(r->s).reader_waits == 1);
	return db;
}

Test(readers, who_waits_gets_the_connection_given_back)
{
	struct reader r = { 0 };
	struct ct_db *db = with_waiting_reader(&r);

	ct_store_read_end(r.s, db);

	ct_thread_join(r.thread);
	cr_assert_eq(r.st, CT_OK);
	cr_assert_eq(stats_of(r.s).readers_busy, 0);
	r.s = ct_store_free(r.s);
}

Test(readers, who_waits_is_let_go_when_his_context_trips)
{
	struct reader r = { 0 };
	struct help_ctx c;
	struct ct_db *db;

	help_ctx_init(&c, NULL, CT_NEVER);
	r.ctx = c.ctx;
	db = with_waiting_reader(&r);
	cr_assert(ct_ctx_cancel(c.ctx, CT_CANCEL_CALLER));

	ct_thread_join(r.thread);
	cr_assert_eq(r.st, CT_CANCELLED);
	ct_store_read_end(r.s, db);
	help_ctx_fini(&c);
	r.s = ct_store_free(r.s);
}

Test(readers, who_waits_is_let_go_at_his_deadline)
{
	struct reader r = { 0 };
	struct fake_clock clk;
	struct help_ctx c;
	struct ct_db *db;

	fake_clock_init(&clk);
	help_ctx_init(&c, &clk.clk, ct_deadline_after_ms(&clk.clk, 30));
	r.ctx = c.ctx;
	db = with_waiting_reader(&r);
	fake_clock_step_ms(&clk, 30);
	ct_timers_poke(c.timers);

	ct_thread_join(r.thread);
	cr_assert_eq(r.st, CT_DEADLINE_EXCEEDED);
	ct_store_read_end(r.s, db);
	help_ctx_fini(&c);
	r.s = ct_store_free(r.s);
}

Test(readers, close_turns_away_who_waits_and_who_comes)
{
	struct reader r = { 0 };
	struct ct_db *db = with_waiting_reader(&r);

	ct_store_close(r.s);

	ct_thread_join(r.thread);
	cr_assert_eq(r.st, CT_UNAVAILABLE);
	cr_assert_eq(count_in(db), 0); /* a read that runs goes on */
	ct_store_read_end(r.s, db);
	cr_assert_eq(ct_store_read_begin(r.s, NULL, &db), CT_UNAVAILABLE);
	r.s = ct_store_free(r.s);
}

Test(readers, a_second_read_on_one_thread_is_a_programming_error, .signal = SIGABRT)
{
	struct ct_store *s = help_open(NULL);
	struct ct_db *a = NULL, *b = NULL;

	cr_assert_eq(ct_store_read_begin(s, NULL, &a), CT_OK);
	(void)!ct_store_read_begin(s, NULL, &b);
}

Test(readers, freeing_the_store_under_a_read_is_a_programming_error, .signal = SIGABRT)
{
	struct ct_store *s = help_open(NULL);
	struct ct_db *db = NULL;

	cr_assert_eq(ct_store_read_begin(s, NULL, &db), CT_OK);
	s = ct_store_free(s);
}
