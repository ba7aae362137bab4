/* SPDX-License-Identifier: Apache-2.0 */
/* How a call of ours ends, wherever it is at that moment: once, in time, and never
 * inside its start (which tests/lib/rpc/ask.c checks). */
#include "tests/component/client_scene.h"

TestSuite(rpc_client, .fini = leak_check, .timeout = 60);

/* ---- waiting for a connection ------------------------------------------------------------ */

Test(rpc_client, deadline_ends_a_call_that_waits_for_a_connection)
{
	struct scene s;

	set_up_alone_by(&s, true);
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

	set_up_joined_by(&s, true);
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

/* ---- before it begins -------------------------------------------------------------------- */

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
