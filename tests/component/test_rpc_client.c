/* SPDX-License-Identifier: Apache-2.0 */
/* How a call of ours ends, wherever it is at that moment: once, in time, and never
 * inside its start (which tests/lib/rpc/ask.c checks). */
#include "base/check.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/rpc/raw.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(rpc_client, .fini = leak_check, .timeout = 60);

enum { PATIENT_MS = 20000, SHORT_MS = 100, SOON_US = 5000000, LATE_US_MAX = 1000000 };

/* A client of somebody the test plays, or of nobody. */
struct scene {
	struct ct_runtime rt;
	struct ct_client_opts opts;
	struct ct_client *c;
	struct ct_ctx *ctx; /* of the calls */
	struct raw listener, peer;
	char url[128], dir[32];
	const char *urls[1];
	struct ask a;
};

static void set_up_bare(struct scene *s)
{
	const struct ct_runtime_opts ro = { .service = "test",
					    .net = { .backoff_min_ms = 5, .backoff_max_ms = 20 } };

	*s = (struct scene){ .dir = "/tmp/ct-client-XXXXXX",
			     .listener = { .fd = -1 },
			     .peer = { .fd = -1 } };
	cr_assert_eq(ct_runtime_init(&s->rt, &ro), CT_OK);
	cr_assert_eq(ct_ctx_new_root(s->rt.timers, CT_NEVER, &s->ctx), CT_OK);
	cr_assert_not_null(mkdtemp(s->dir));
	s->urls[0] = s->url;
	s->opts = (struct ct_client_opts){
		.rt = &s->rt, .peer = "peer", .urls = s->urls, .urls_n = 1, .attempts_max = 1
	};
	ask_init(&s->a, PATIENT_MS);
	s->a.parent = s->ctx;
}

/* Nobody listens there. */
static void set_up_alone(struct scene *s)
{
	set_up_bare(s);
	(void)snprintf(s->url, sizeof(s->url), "ipc://%s/s", s->dir);
}

/* The test listens there and has the connection. */
static void set_up(struct scene *s)
{
	set_up_bare(s);
	s->listener = raw_listen(s->url);
	s->c = client_with(&s->opts);
	s->peer = raw_accept(&s->listener);
	client_wait_ready(s->c, &s->rt);
}

static void tear_down(struct scene *s)
{
	cr_assert(s->c == NULL || client_adds_up(s->c));
	s->c = ct_client_free(s->c);
	ask_fini(&s->a);
	raw_close(&s->peer);
	raw_close(&s->listener);
	ct_ctx_unref(s->ctx);
	ct_runtime_fini(&s->rt);
	cr_assert_eq(rmdir(s->dir), 0);
}

static uint64_t took_us(const struct ask *a)
{
	return ct_instant_us_between(a->started, a->returned);
}

/* Over at its deadline, never before. */
static void expect_expired(struct scene *s, uint32_t ms)
{
	cr_assert(ask_wait(&s->a));
	cr_assert_eq(s->a.reply.status, CT_DEADLINE_EXCEEDED, "%s", s->a.reply.message);
	cr_assert_geq(took_us(&s->a), ms * UINT64_C(1000));
	cr_assert_lt(took_us(&s->a), ms * UINT64_C(1000) + LATE_US_MAX);
	cr_assert_eq(client_stats(s->c).expired, 1);
}

static void expect_cancelled_now(struct scene *s)
{
	const ct_instant then = ct_now(ct_clock_system());

	cr_assert(ct_ctx_cancel(s->ctx, CT_CANCEL_CALLER));
	cr_assert(ask_wait(&s->a));
	cr_assert_eq(s->a.reply.status, CT_CANCELLED);
	cr_assert_lt(ct_instant_us_between(then, s->a.returned), LATE_US_MAX);
	cr_assert_eq(client_stats(s->c).cancelled, 1);
}

/* ---- waiting for a connection ------------------------------------------------------------ */

Test(rpc_client, deadline_ends_a_call_that_waits_for_a_connection)
{
	struct scene s;

	set_up_alone(&s);
	s.opts.wait = CT_WAIT_READY;
	s.c = client_with(&s.opts);
	s.a.opts.timeout_ms = SHORT_MS;

	ask_start(&s.a, s.c, &hall_tell_method);

	expect_expired(&s, SHORT_MS);
	cr_assert_eq(s.a.reply.attempts, 0);
	cr_assert(s.a.reply.not_processed);
	tear_down(&s);
}

Test(rpc_client, cancel_ends_a_call_that_waits_for_a_connection)
{
	struct scene s;

	set_up_alone(&s);
	s.opts.wait = CT_WAIT_READY;
	s.c = client_with(&s.opts);

	ask_start(&s.a, s.c, &hall_tell_method);

	expect_cancelled_now(&s);
	cr_assert(s.a.reply.not_processed);
	tear_down(&s);
}

Test(rpc_client, call_that_waits_until_ready_goes_out_when_the_server_comes)
{
	struct hall_opts o = { .listen = NULL };
	struct hall h;
	struct scene s;

	set_up_alone(&s);
	s.opts.wait = CT_WAIT_READY;
	s.c = client_with(&s.opts);
	ask_start(&s.a, s.c, &hall_tell_method);
	o.listen = s.url;

	hall_start(&h, &o);

	cr_assert(ask_wait(&s.a));
	cr_assert_eq(s.a.reply.status, CT_OK);
	cr_assert(hall_stop(&h));
	tear_down(&s);
}

Test(rpc_client, call_waits_while_the_first_attempt_to_connect_runs_and_fails_with_it)
{
	struct scene s;

	set_up_alone(&s);
	s.c = client_with(&s.opts); /* CT_WAIT_CONNECTING */

	cr_assert_eq(ask_now(&s.a, s.c, &hall_tell_method), CT_UNAVAILABLE);

	cr_assert(s.a.reply.not_processed);
	cr_assert_lt(took_us(&s.a), SOON_US);
	tear_down(&s);
}

Test(rpc_client, call_that_may_not_wait_fails_at_once)
{
	struct scene s;

	set_up_bare(&s);
	s.listener = raw_listen(s.url); /* connects, but says no hello */
	s.opts.wait = CT_WAIT_NEVER;
	s.c = client_with(&s.opts);

	cr_assert_eq(ask_now(&s.a, s.c, &hall_tell_method), CT_UNAVAILABLE);

	cr_assert(s.a.reply.not_processed);
	cr_assert_lt(took_us(&s.a), SOON_US);
	tear_down(&s);
}

Test(rpc_client, wait_for_ready_ends_with_its_context)
{
	struct ct_ctx *brief = NULL;
	struct scene s;

	set_up_alone(&s);
	s.c = client_with(&s.opts);

	cr_assert_eq(ct_ctx_with_timeout_ms(s.ctx, 50, &brief), CT_OK);
	cr_assert_eq(ct_client_wait_ready(s.c, brief), CT_DEADLINE_EXCEEDED);
	cr_assert(ct_ctx_cancel(s.ctx, CT_CANCEL_CALLER));
	cr_assert_eq(ct_client_wait_ready(s.c, s.ctx), CT_CANCELLED);

	ct_ctx_unref(brief);
	tear_down(&s);
}

/* ---- sent ------------------------------------------------------------------------------------ */

/* The CALL, and behind it the CANCEL of it for that reason. */
static void expect_cancel_sent(struct scene *s, const struct ct_id *id, enum ct_cancel_reason why)
{
	struct raw_msg m;

	cr_assert(raw_receive(&s->peer, &m));
	cr_assert_eq(m.h.kind, CT_WIRE_CANCEL);
	cr_assert(ct_id_equal(&m.h.cancel_id, id));
	cr_assert_eq(m.h.code, why);
	cr_assert_eq(client_stats(s->c).cancels_sent, 1);
}

Test(rpc_client, deadline_ends_a_call_that_is_out_and_tells_the_server)
{
	struct raw_msg m;
	struct scene s;

	set_up(&s);
	s.a.opts.timeout_ms = SHORT_MS;
	ask_start(&s.a, s.c, &hall_tell_method);
	cr_assert(raw_receive(&s.peer, &m));
	cr_assert_leq(m.h.budget_us, SHORT_MS * UINT64_C(1000));

	expect_expired(&s, SHORT_MS);

	cr_assert_not(s.a.reply.not_processed);
	expect_cancel_sent(&s, &m.h.cancel_id, CT_CANCEL_DEADLINE);
	tear_down(&s);
}

Test(rpc_client, cancel_ends_a_call_that_is_out_without_waiting_for_the_server)
{
	struct raw_msg m;
	struct scene s;

	set_up(&s);
	ask_start(&s.a, s.c, &hall_tell_method);
	cr_assert(raw_receive(&s.peer, &m));

	expect_cancelled_now(&s);

	expect_cancel_sent(&s, &m.h.cancel_id, CT_CANCEL_CALLER);
	tear_down(&s);
}

Test(rpc_client, parent_of_the_callers_context_cancels_too)
{
	struct ct_ctx *child = NULL;
	struct raw_msg m;
	struct scene s;

	set_up(&s);
	cr_assert_eq(ct_ctx_with_deadline(s.ctx, CT_NEVER, &child), CT_OK);
	s.a.parent = child;
	ask_start(&s.a, s.c, &hall_tell_method);
	cr_assert(raw_receive(&s.peer, &m));

	expect_cancelled_now(&s);

	expect_cancel_sent(&s, &m.h.cancel_id, CT_CANCEL_PARENT);
	ct_ctx_unref(child);
	tear_down(&s);
}

Test(rpc_client, reply_margin_is_kept_back_from_the_parents_time)
{
	enum { MARGIN_US = 200000, PARENT_MS = 10000 };
	struct ct_ctx *brief = NULL;
	struct raw_msg m;
	struct scene s;

	set_up_bare(&s);
	s.listener = raw_listen(s.url);
	s.opts.reply_margin_us = MARGIN_US;
	s.c = client_with(&s.opts);
	s.peer = raw_accept(&s.listener);
	cr_assert_eq(ct_ctx_with_timeout_ms(s.ctx, PARENT_MS, &brief), CT_OK);
	s.a.parent = brief;

	ask_start(&s.a, s.c, &hall_tell_method);

	cr_assert(raw_receive(&s.peer, &m));
	cr_assert_leq(m.h.budget_us, PARENT_MS * UINT64_C(1000) - MARGIN_US);
	expect_cancelled_now(&s);
	ct_ctx_unref(brief);
	tear_down(&s);
}

/* ---- before it begins --------------------------------------------------------------------------- */

Test(rpc_client, call_under_a_cancelled_context_never_leaves)
{
	struct scene s;

	set_up(&s);
	cr_assert(ct_ctx_cancel(s.ctx, CT_CANCEL_CALLER));

	cr_assert_eq(ask_now(&s.a, s.c, &hall_tell_method), CT_CANCELLED);

	cr_assert_eq(s.a.reply.attempts, 0);
	cr_assert(s.a.reply.not_processed);
	cr_assert_not(raw_readable(&s.peer, 20));
	tear_down(&s);
}

Test(rpc_client, call_whose_deadline_has_passed_never_leaves)
{
	struct ct_ctx *late = NULL;
	struct scene s;

	set_up(&s);
	cr_assert_eq(ct_ctx_with_deadline(s.ctx, ct_now(ct_clock_system()), &late), CT_OK);
	s.a.parent = late;

	cr_assert_eq(ask_now(&s.a, s.c, &hall_tell_method), CT_DEADLINE_EXCEEDED);

	cr_assert_eq(s.a.reply.attempts, 0);
	cr_assert_not(raw_readable(&s.peer, 20));
	ct_ctx_unref(late);
	tear_down(&s);
}

Test(rpc_client, call_over_outstanding_max_is_refused_and_the_next_is_not)
{
	enum { MAX = 3 };
	struct ask *asks, over;
	struct hall h;
	struct ct_client *c;
	unsigned counts[CT_STATUS_N];

	hall_start(&h, NULL);
	c = client_with(&(struct ct_client_opts){ .rt = &h.rt,
						  .peer = "hall",
						  .urls = (const char *[]){ hall_url(&h) },
						  .urls_n = 1,
						  .outstanding_max = MAX });
	asks = asks_start(c, &hall_hold_method, MAX, PATIENT_MS);

	ask_init(&over, PATIENT_MS);
	cr_assert_eq(ask_now(&over, c, &hall_tell_method), CT_RESOURCE_EXHAUSTED);
	cr_assert(over.reply.not_processed);
	cr_assert_eq(over.reply.attempts, 0);
	ask_fini(&over);

	hall_let_go(&h, HALL_ALL);
	cr_assert(asks_wait(asks, MAX, counts));
	cr_assert_eq(counts[CT_OK], MAX);
	ask_init(&over, PATIENT_MS);
	cr_assert_eq(ask_now(&over, c, &hall_tell_method), CT_OK);
	ask_fini(&over);
	asks_free(asks, MAX);
	cr_assert(client_adds_up(c));
	c = ct_client_free(c);
	cr_assert(hall_stop(&h));
}

/* ---- between attempts ------------------------------------------------------------------------------ */

static void answer(struct scene *s, const struct raw_msg *m, ct_status st, uint64_t retry_after_us)
{
	struct ct_wire_header h = raw_reply_header(&m->h, st);

	h.budget_us = retry_after_us;
	cr_assert(raw_send(&s->peer, m->id, &h, CT_BYTES_NONE, CT_BYTES_NONE));
}

/* Its first attempt was turned away, and the next is ten seconds off. */
static void set_up_resting(struct scene *s)
{
	struct raw_msg first, second;
	struct ask behind;

	set_up_bare(s);
	s->listener = raw_listen(s->url);
	s->opts.attempts_max = 3;
	s->c = client_with(&s->opts);
	s->peer = raw_accept(&s->listener);
	client_wait_ready(s->c, &s->rt);
	ask_init(&behind, PATIENT_MS);
	ask_start(&s->a, s->c, &hall_tell_again_method);
	ask_start(&behind, s->c, &hall_tell_again_method);
	cr_assert(raw_receive(&s->peer, &first));
	cr_assert(raw_receive(&s->peer, &second));
	answer(s, &first, CT_UNAVAILABLE, 10000000);
	answer(s, &second, CT_OK, 0);
	cr_assert(ask_wait(&behind)); /* answers are dealt with in their order */
	cr_assert_not(ask_ended(&s->a));
	ask_fini(&behind);
}

Test(rpc_client, cancel_ends_a_call_that_rests_between_attempts)
{
	struct scene s;

	set_up_resting(&s);

	expect_cancelled_now(&s);

	cr_assert_eq(s.a.reply.attempts, 1);
	cr_assert_eq(client_stats(s.c).retries, 0);
	tear_down(&s);
}

Test(rpc_client, rest_that_is_longer_than_the_time_left_is_not_begun)
{
	struct raw_msg m;
	struct scene s;

	set_up_bare(&s);
	s.listener = raw_listen(s.url);
	s.opts.attempts_max = 3;
	s.c = client_with(&s.opts);
	s.peer = raw_accept(&s.listener);
	s.a.opts.timeout_ms = 9000;
	ask_start(&s.a, s.c, &hall_tell_again_method);
	cr_assert(raw_receive(&s.peer, &m));

	answer(&s, &m, CT_UNAVAILABLE, 10000000);

	cr_assert(ask_wait(&s.a));
	cr_assert_eq(s.a.reply.status, CT_UNAVAILABLE);
	cr_assert_eq(s.a.reply.retry_after_ms, 10000);
	cr_assert_lt(took_us(&s.a), SOON_US);
	tear_down(&s);
}

/* ---- the end of the client ---------------------------------------------------------------------------- */

/* Frees it and expects the one call to end at once. */
static void expect_ended_by_free(struct scene *s)
{
	const ct_instant then = ct_now(ct_clock_system());

	s->c = ct_client_free(s->c);
	cr_assert(ask_ended(&s->a), "it is freed, and its call has not ended");
	cr_assert_eq(s->a.reply.status, CT_UNAVAILABLE);
	cr_assert_lt(ct_instant_us_between(then, ct_now(ct_clock_system())), SOON_US);
}

Test(rpc_client, free_ends_a_call_that_waits_for_a_connection)
{
	struct scene s;

	set_up_alone(&s);
	s.opts.wait = CT_WAIT_READY;
	s.c = client_with(&s.opts);
	ask_start(&s.a, s.c, &hall_tell_method);

	expect_ended_by_free(&s);
	tear_down(&s);
}

Test(rpc_client, free_ends_a_call_that_is_out)
{
	struct raw_msg m;
	struct scene s;

	set_up(&s);
	ask_start(&s.a, s.c, &hall_tell_method);
	cr_assert(raw_receive(&s.peer, &m));

	expect_ended_by_free(&s);
	tear_down(&s);
}

Test(rpc_client, free_ends_a_call_that_rests_between_attempts)
{
	struct scene s;

	set_up_resting(&s);

	expect_ended_by_free(&s);
	tear_down(&s);
}

struct chain {
	struct ct_client *c;
	atomic_uint ends;
};

/* Calls again as long as there is a client: what an application's loop does. */
static void again(void *arg, struct ct_reply *reply)
{
	struct chain *ch = arg;
	Hall__V1__Ask req = HALL__V1__ASK__INIT;

	if (atomic_fetch_add(&ch->ends, 1) < 3)
		ct_stub_call_async(ch->c, NULL, &hall_hold_method, &req.base, again, ch);
	(void)reply;
}

Test(rpc_client, call_started_while_the_client_is_freed_ends_too)
{
	struct chain ch = { .ends = 0 };
	Hall__V1__Ask req = HALL__V1__ASK__INIT;
	struct hall h;

	hall_start(&h, NULL);
	ch.c = client_of(&h.rt, hall_url(&h));
	ct_stub_call_async(ch.c, NULL, &hall_hold_method, &req.base, again, &ch);
	cr_assert(hall_waited(&h, &h.entered, 1));

	(void)ct_client_free(ch.c);

	cr_assert_eq(atomic_load(&ch.ends), 4);
	cr_assert(hall_stop(&h));
}

Test(rpc_client, wrong_options_are_named)
{
	const char *const good[] = { "tcp://127.0.0.1:1" };
	const char *const bad[] = { "http://127.0.0.1:1" };
	struct ct_client *c = NULL;
	struct ct_client_opts o;
	const char *why = NULL;
	struct scene s;

	set_up_alone(&s);
	o = s.opts;
	o.urls_n = 0;
	cr_assert_eq(ct_client_new(&o, &c, &why), CT_INVALID_ARGUMENT);
	o.urls_n = 1;
	o.urls = bad;
	cr_assert_eq(ct_client_new(&o, &c, &why), CT_INVALID_ARGUMENT);
	o.urls = good;
	o.connections = 17;
	cr_assert_eq(ct_client_new(&o, &c, &why), CT_INVALID_ARGUMENT);
	o.connections = 0;
	o.outstanding_max = 32769;
	cr_assert_eq(ct_client_new(&o, &c, &why), CT_INVALID_ARGUMENT);

	cr_assert_null(c);
	cr_assert_not_null(why);
	tear_down(&s);
}
