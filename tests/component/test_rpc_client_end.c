/* SPDX-License-Identifier: Apache-2.0 */
/* How a call ends that rests between two attempts, and how a client ends. */
#include "tests/component/client_scene.h"

TestSuite(rpc_client_end, .fini = leak_check, .timeout = 60);

/* ---- between attempts -------------------------------------------------------------------- */

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

Test(rpc_client_end, cancel_ends_a_call_that_rests_between_attempts)
{
	struct scene s;

	set_up_resting(&s);

	expect_cancelled_now(&s);

	cr_assert_eq(s.a.reply.attempts, 1);
	cr_assert_eq(client_stats(s.c).retries, 0);
	tear_down(&s);
}

Test(rpc_client_end, rest_that_is_longer_than_the_time_left_is_not_begun)
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

/* ---- the end of the client --------------------------------------------------------------- */

/* Frees it and expects the one call to end at once. */
static void expect_ended_by_free(struct scene *s)
{
	const ct_instant then = ct_now(ct_clock_system());

	s->c = ct_client_free(s->c);
	cr_assert(ask_ended(&s->a), "it is freed, and its call has not ended");
	cr_assert_eq(s->a.reply.status, CT_UNAVAILABLE);
	cr_assert_lt(ct_instant_us_between(then, ct_now(ct_clock_system())), SOON_US);
}

Test(rpc_client_end, free_ends_a_call_that_waits_for_a_connection)
{
	struct scene s;

	set_up_alone(&s);
	s.opts.wait = CT_WAIT_READY;
	s.c = client_with(&s.opts);
	ask_start(&s.a, s.c, &hall_tell_method);

	expect_ended_by_free(&s);
	tear_down(&s);
}

Test(rpc_client_end, free_ends_a_call_that_is_out)
{
	struct raw_msg m;
	struct scene s;

	set_up(&s);
	ask_start(&s.a, s.c, &hall_tell_method);
	cr_assert(raw_receive(&s.peer, &m));

	expect_ended_by_free(&s);
	tear_down(&s);
}

Test(rpc_client_end, free_ends_a_call_that_rests_between_attempts)
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

Test(rpc_client_end, call_started_while_the_client_is_freed_ends_too)
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

Test(rpc_client_end, wrong_options_are_named)
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
