/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/help.h"

#include "tests/lib/fake_clock.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(cancel, .init = help_init, .fini = help_fini, .timeout = 60);

enum { STOP_MS_MAX = 8000 }; /* generous: it takes some ms, and minutes when broken */

/* A statement that would run for ever, with or without a write before it. */
struct endless {
	const char *sql;
	sem_t hit;
};

static ct_status endless_fn(struct ct_db *db, void *arg)
{
	struct endless *e = arg;

	give_hit(db, &e->hit);
	return ct_db_run(db, e->sql);
}

static void endless_init(struct endless *e, const char *sql)
{
	e->sql = sql;
	cr_assert_eq(sem_init(&e->hit, 0, 0), 0);
}

Test(cancel, a_running_statement_of_a_write_stops_within_moments)
{
	struct ct_store *s = help_open(NULL);
	struct endless forever;
	struct help_ctx c;
	struct ended e;
	ct_instant at;

	help_ctx_init(&c, NULL, CT_NEVER);
	endless_init(&forever, help_endless_select);
	ended_init(&e);
	cr_assert_eq(ct_store_write(s, c.ctx, endless_fn, &forever, ended_done, &e), CT_OK);
	AWAIT(&forever.hit);
	at = ct_now(ct_clock_system());
	cr_assert(ct_ctx_cancel(c.ctx, CT_CANCEL_CALLER));

	cr_assert_eq(ended_await(&e), CT_CANCELLED);
	cr_assert_lt(ct_instant_us_between(at, ct_now(ct_clock_system())), STOP_MS_MAX * 1000u);
	cr_assert_eq(stats_of(s).cancelled, 1);
	cr_assert_eq(put(s, "goes on"), CT_OK);
	help_ctx_fini(&c);
	s = ct_store_free(s);
}

/* SQLite rolls the whole transaction back when it stops an INSERT: whoever
 * shared it must not notice. */
Test(cancel, stopping_one_write_leaves_the_others_of_its_group_whole)
{
	const struct ct_store_opts o = { .clk = &help_frozen };
	struct ct_store *s = help_open(&o);
	struct insert in[3] = { { .name = "before" },
				{ .name = "bad", .then = CT_ABORTED },
				{ .name = "after" } };
	struct ended ended[3], stopped;
	struct endless forever;
	struct help_ctx c;
	struct parked p;

	help_ctx_init(&c, NULL, CT_NEVER);
	endless_init(&forever, help_endless_insert);
	ended_init(&stopped);
	for (int i = 0; i < 3; i++)
		ended_init(&ended[i]);
	park(s, &p);
	cr_assert_eq(ct_store_write(s, NULL, insert_fn, &in[0], ended_done, &ended[0]), CT_OK);
	cr_assert_eq(ct_store_write(s, NULL, insert_fn, &in[1], ended_done, &ended[1]), CT_OK);
	cr_assert_eq(ct_store_write(s, c.ctx, endless_fn, &forever, ended_done, &stopped), CT_OK);
	cr_assert_eq(ct_store_write(s, NULL, insert_fn, &in[2], ended_done, &ended[2]), CT_OK);
	cr_assert_eq(sem_post(&p.open), 0);
	AWAIT(&forever.hit);
	cr_assert_eq(atomic_load(&ended[1].calls), 0); /* told only after the commit */
	cr_assert(ct_ctx_cancel(c.ctx, CT_CANCEL_CALLER));

	cr_assert_eq(ended_await(&stopped), CT_CANCELLED);
	cr_assert_eq(sem_post(&p.open), 0); /* the parked one is run again with its group */
	cr_assert_eq(ended_await(&ended[0]), CT_OK);
	cr_assert_eq(ended_await(&ended[1]), CT_ABORTED);
	cr_assert_eq(ended_await(&ended[2]), CT_OK);
	cr_assert_eq(ended_await(&p.ended), CT_OK);
	cr_assert_eq(atomic_load(&in[0].runs), 2);
	cr_assert_eq(atomic_load(&in[2].runs), 1);
	cr_assert_eq(stats_of(s).reruns, 3);
	cr_assert_eq(ask(s, "SELECT (SELECT id FROM item WHERE name = 'before')"
			    " < (SELECT id FROM item WHERE name = 'after')"),
		     1); /* the order given is kept */
	cr_assert_eq(items(s), 2);
	cr_assert(identity_holds(s));
	help_ctx_fini(&c);
	s = ct_store_free(s);
}

Test(cancel, the_deadline_is_seen_by_the_clock_without_the_timer_thread)
{
	struct ct_store *s = help_open(NULL);
	struct fake_clock clk;
	struct endless forever;
	struct help_ctx c;
	struct ended e;

	fake_clock_init(&clk);
	help_ctx_init(&c, &clk.clk, ct_deadline_after_ms(&clk.clk, 50));
	endless_init(&forever, help_endless_select);
	ended_init(&e);
	cr_assert_eq(ct_store_write(s, c.ctx, endless_fn, &forever, ended_done, &e), CT_OK);
	AWAIT(&forever.hit);
	fake_clock_step_ms(&clk, 50);

	cr_assert_eq(ended_await(&e), CT_DEADLINE_EXCEEDED);
	cr_assert_eq(stats_of(s).cancelled, 1);
	help_ctx_fini(&c);
	s = ct_store_free(s);
}

Test(cancel, a_queued_write_whose_context_trips_never_runs)
{
	struct ct_store *s = help_open(NULL);
	struct insert in = { .name = "never" };
	struct help_ctx c;
	struct ended e;
	struct parked p;

	help_ctx_init(&c, NULL, CT_NEVER);
	ended_init(&e);
	park(s, &p);
	cr_assert_eq(ct_store_write(s, c.ctx, insert_fn, &in, ended_done, &e), CT_OK);
	cr_assert(ct_ctx_cancel(c.ctx, CT_CANCEL_CALLER));
	unpark(&p);

	cr_assert_eq(ended_await(&e), CT_CANCELLED);
	cr_assert_eq(atomic_load(&in.runs), 0);
	cr_assert_eq(stats_of(s).cancelled, 1);
	cr_assert_eq(items(s), 0);
	help_ctx_fini(&c);
	s = ct_store_free(s);
}

Test(cancel, a_queued_write_whose_deadline_passes_never_runs)
{
	struct ct_store *s = help_open(NULL);
	struct insert in = { .name = "never" };
	struct fake_clock clk;
	struct help_ctx c;
	struct ended e;
	struct parked p;

	fake_clock_init(&clk);
	help_ctx_init(&c, &clk.clk, ct_deadline_after_ms(&clk.clk, 5));
	ended_init(&e);
	park(s, &p);
	cr_assert_eq(ct_store_write(s, c.ctx, insert_fn, &in, ended_done, &e), CT_OK);
	fake_clock_step_ms(&clk, 5);
	unpark(&p);

	cr_assert_eq(ended_await(&e), CT_DEADLINE_EXCEEDED);
	cr_assert_eq(atomic_load(&in.runs), 0);
	help_ctx_fini(&c);
	s = ct_store_free(s);
}

Test(cancel, a_tripped_context_is_refused_at_the_door)
{
	struct ct_store *s = help_open(NULL);
	struct insert in = { .name = "never" };
	struct ct_db *db = NULL;
	struct help_ctx c;
	struct ended e;

	help_ctx_init(&c, NULL, CT_NEVER);
	ended_init(&e);
	cr_assert(ct_ctx_cancel(c.ctx, CT_CANCEL_CALLER));

	cr_assert_eq(ct_store_write(s, c.ctx, insert_fn, &in, ended_done, &e), CT_CANCELLED);
	cr_assert_eq(ct_store_write_wait(s, c.ctx, insert_fn, &in, NULL), CT_CANCELLED);
	cr_assert_eq(ct_store_read_begin(s, c.ctx, &db), CT_CANCELLED);
	cr_assert_null(db);
	cr_assert_eq(stats_of(s).refused, 2);
	cr_assert_eq(atomic_load(&e.calls), 0);
	help_ctx_fini(&c);
	s = ct_store_free(s);
}

/* N writes that stand in the queue behind a parked one, under one context. */
static void queue_up(struct ct_store *s, struct ct_ctx *ctx, struct insert *in, struct ended *ended,
		     int n, ct_status want)
{
	for (int i = 0; i < n; i++) {
		ended_init(&ended[i]);
		cr_assert_eq(ct_store_write(s, ctx, insert_fn, &in[i], ended_done, &ended[i]), want,
			     "%d", i);
	}
}

Test(cancel, writes_given_up_make_room_in_a_full_queue)
{
	enum { Q = 3 };
	const struct ct_store_opts o = { .write_queue_max = Q };
	struct ct_store *s = help_open(&o);
	struct insert dead[Q] = { { .name = "never" }, { .name = "ever" }, { .name = "once" } };
	struct insert live[Q] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
	struct insert more[1] = { { .name = "d" } };
	struct ended dead_ends[Q], live_ends[Q], more_ends[1];
	struct help_ctx c;
	struct parked p;

	help_ctx_init(&c, NULL, CT_NEVER);
	park(s, &p);
	queue_up(s, c.ctx, dead, dead_ends, Q, CT_OK);
	queue_up(s, NULL, more, more_ends, 1, CT_RESOURCE_EXHAUSTED);
	cr_assert(ct_ctx_cancel(c.ctx, CT_CANCEL_CALLER));
	queue_up(s, NULL, live, live_ends, Q, CT_OK);
	queue_up(s, NULL, more, more_ends, 1, CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(stats_of(s).queued, Q);
	cr_assert(identity_holds(s));
	for (int i = 0; i < Q; i++) /* told by the writer, who is parked */
		cr_assert_eq(atomic_load(&dead_ends[i].calls), 0);
	unpark(&p);

	for (int i = 0; i < Q; i++) {
		cr_assert_eq(ended_await(&dead_ends[i]), CT_CANCELLED);
		cr_assert_eq(ended_await(&live_ends[i]), CT_OK);
		cr_assert_eq(atomic_load(&dead[i].runs), 0);
	}
	cr_assert_eq(stats_of(s).cancelled, Q);
	cr_assert_eq(items(s), Q);
	cr_assert(identity_holds(s));
	help_ctx_fini(&c);
	s = ct_store_free(s);
	for (int i = 0; i < Q; i++)
		cr_assert_eq(atomic_load(&dead_ends[i].calls), 1);
}

/* Somebody who waits on a thread of his own. */
struct waiting {
	struct ct_store *s;
	struct ct_ctx *ctx;
	struct insert in;
	struct ct_store_why why;
	ct_status st;
	sem_t returned;
};

static void *wait_main(void *arg)
{
	struct waiting *w = arg;

	w->st = ct_store_write_wait(w->s, w->ctx, insert_fn, &w->in, &w->why);
	CT_CHECK(sem_post(&w->returned) == 0);
	return NULL;
}

Test(cancel, who_waits_for_a_queued_write_is_let_go_at_once)
{
	struct ct_store *s = help_open(NULL);
	struct waiting w = { .s = s, .in = { .name = "never" } };
	struct help_ctx c;
	struct parked p;
	pthread_t t;

	help_ctx_init(&c, NULL, CT_NEVER);
	w.ctx = c.ctx;
	cr_assert_eq(sem_init(&w.returned, 0, 0), 0);
	park(s, &p);
	cr_assert_eq(ct_thread_start(&t, "test", wait_main, &w), CT_OK);
	AWAIT_TRUE(stats_of(s).queued == 1);
	cr_assert(ct_ctx_cancel(c.ctx, CT_CANCEL_CALLER));

	AWAIT(&w.returned); /* while the writer is still parked */
	cr_assert_eq(w.st, CT_CANCELLED);
	cr_assert_neq(w.why.text[0], '\0');
	cr_assert_eq(stats_of(s).queued, 0);
	cr_assert_eq(stats_of(s).cancelled, 1);
	cr_assert(identity_holds(s));
	unpark(&p);
	ct_thread_join(t);
	cr_assert_eq(atomic_load(&w.in.runs), 0);
	help_ctx_fini(&c);
	s = ct_store_free(s);
}

/* What its first run said is not left behind; the leak check of the suite looks. */
Test(cancel, who_waits_for_a_write_that_is_to_run_again_is_let_go_at_once)
{
	const struct ct_store_opts o = { .clk = &help_frozen };
	struct ct_store *s = help_open(&o);
	struct waiting w = { .s = s, .in = { .name = NULL } }; /* fails, and says why */
	struct help_ctx c, stop;
	struct endless forever;
	struct ended stopped;
	struct parked p;
	pthread_t t;

	help_ctx_init(&c, NULL, CT_NEVER);
	help_ctx_init(&stop, NULL, CT_NEVER);
	endless_init(&forever, help_endless_insert);
	ended_init(&stopped);
	w.ctx = c.ctx;
	cr_assert_eq(sem_init(&w.returned, 0, 0), 0);
	park(s, &p);
	cr_assert_eq(ct_thread_start(&t, "test", wait_main, &w), CT_OK);
	AWAIT_TRUE(stats_of(s).queued == 1);
	cr_assert_eq(ct_store_write(s, stop.ctx, endless_fn, &forever, ended_done, &stopped),
		     CT_OK);
	cr_assert_eq(sem_post(&p.open), 0);
	AWAIT(&forever.hit);
	cr_assert(ct_ctx_cancel(stop.ctx, CT_CANCEL_CALLER)); /* the group is lost */
	cr_assert_eq(ended_await(&stopped), CT_CANCELLED);
	AWAIT(&p.entered); /* the parked one runs again, before the other */
	cr_assert(ct_ctx_cancel(c.ctx, CT_CANCEL_CALLER));

	AWAIT(&w.returned);
	cr_assert_eq(w.st, CT_CANCELLED);
	unpark(&p);
	ct_thread_join(t);
	cr_assert_eq(atomic_load(&w.in.runs), 1);
	cr_assert(identity_holds(s));
	help_ctx_fini(&stop);
	help_ctx_fini(&c);
	s = ct_store_free(s);
}

/* Queues a write of another before the waiter hears that he gave up. */
struct rival {
	struct ct_ctx_hook hook;
	struct ct_store *s;
	struct insert in;
	struct ended ended;
	ct_status st;
};

static void come_first(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct rival *r = CT_CONTAINER_OF(hook, struct rival, hook);

	(void)why;
	r->st = ct_store_write(r->s, NULL, insert_fn, &r->in, ended_done, &r->ended);
}

Test(cancel, who_waits_is_let_go_at_once_though_his_place_was_taken)
{
	const struct ct_store_opts o = { .write_queue_max = 1 };
	struct ct_store *s = help_open(&o);
	struct waiting w = { .s = s, .in = { .name = "never" } };
	struct rival rival = { .s = s, .in = { .name = "rival" } };
	struct help_ctx c;
	struct parked p;
	pthread_t t;

	help_ctx_init(&c, NULL, CT_NEVER);
	w.ctx = c.ctx;
	ended_init(&rival.ended);
	cr_assert_eq(sem_init(&w.returned, 0, 0), 0);
	ct_ctx_on_cancel(c.ctx, &rival.hook, come_first);
	park(s, &p);
	cr_assert_eq(ct_thread_start(&t, "test", wait_main, &w), CT_OK);
	AWAIT_TRUE(stats_of(s).queued == 1);
	cr_assert(ct_ctx_cancel(c.ctx, CT_CANCEL_CALLER));

	cr_assert_eq(rival.st, CT_OK);
	AWAIT(&w.returned); /* while the writer is still parked */
	cr_assert_eq(w.st, CT_CANCELLED);
	cr_assert_eq(stats_of(s).queued, 1);
	cr_assert_eq(stats_of(s).running, 1);
	cr_assert(identity_holds(s));
	unpark(&p);
	cr_assert_eq(ended_await(&rival.ended), CT_OK);
	ct_thread_join(t);
	cr_assert_eq(atomic_load(&w.in.runs), 0);
	help_ctx_fini(&c);
	s = ct_store_free(s);
}

static ct_status cancel_after_fn(struct ct_db *db, void *arg)
{
	ct_status st = ct_db_run(db, "INSERT INTO item(name) VALUES ('done')");

	cr_assert(ct_ctx_cancel(arg, CT_CANCEL_CALLER)); /* too late for this write */
	return st;
}

Test(cancel, a_write_that_ran_is_committed_and_reported_so)
{
	struct ct_store *s = help_open(NULL);
	struct help_ctx c;

	help_ctx_init(&c, NULL, CT_NEVER);

	cr_assert_eq(ct_store_write_wait(s, c.ctx, cancel_after_fn, c.ctx, NULL), CT_OK);

	cr_assert_eq(items(s), 1);
	cr_assert_eq(stats_of(s).committed, 1);
	help_ctx_fini(&c);
	s = ct_store_free(s);
}

struct reading {
	struct ct_store *s;
	struct ct_ctx *ctx;
	struct endless forever;
	ct_status st;
	pthread_t thread;
};

static void *read_main(void *arg)
{
	struct reading *r = arg;

	r->st = ct_store_read(r->s, r->ctx, endless_fn, &r->forever, NULL);
	return NULL;
}

Test(cancel, a_running_read_stops_within_moments)
{
	struct ct_store *s = help_open(NULL);
	struct reading r = { .s = s };
	struct help_ctx c;
	ct_instant at;

	help_ctx_init(&c, NULL, CT_NEVER);
	r.ctx = c.ctx;
	endless_init(&r.forever, help_endless_select);
	cr_assert_eq(ct_thread_start(&r.thread, "test", read_main, &r), CT_OK);
	AWAIT(&r.forever.hit);
	at = ct_now(ct_clock_system());
	cr_assert(ct_ctx_cancel(c.ctx, CT_CANCEL_CALLER));
	ct_thread_join(r.thread);

	cr_assert_lt(ct_instant_us_between(at, ct_now(ct_clock_system())), STOP_MS_MAX * 1000u);
	cr_assert_eq(r.st, CT_CANCELLED);
	cr_assert_eq(stats_of(s).reads_cancelled, 1);
	cr_assert_eq(stats_of(s).reads_failed, 0);
	cr_assert_eq(items(s), 0); /* the connection serves the next one */
	help_ctx_fini(&c);
	s = ct_store_free(s);
}

static ct_status rows_fn(struct ct_db *db, void *arg)
{
	struct ct_stmt *s = NULL;
	bool row = false;

	cr_assert_eq(ct_db_prepare(db,
				   "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1"
				   " FROM c) SELECT x FROM c",
				   &s),
		     CT_OK);
	cr_assert_eq(ct_stmt_step(s, &row), CT_OK);
	cr_assert(row);
	cr_assert(ct_ctx_cancel(arg, CT_CANCEL_PEER_GONE));
	cr_assert_eq(ct_stmt_step(s, &row), CT_CANCELLED);
	cr_assert_not(row);
	return ct_stmt_step(s, &row);
}

Test(cancel, between_two_rows_the_trip_is_seen_at_once)
{
	struct ct_store *s = help_open(NULL);
	struct help_ctx c;

	help_ctx_init(&c, NULL, CT_NEVER);

	cr_assert_eq(ct_store_read(s, c.ctx, rows_fn, c.ctx, NULL), CT_CANCELLED);

	help_ctx_fini(&c);
	s = ct_store_free(s);
}
