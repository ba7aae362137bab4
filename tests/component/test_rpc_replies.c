/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that answer late, twice, wrongly, or go away, as our client sees them. */
#include "base/check.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/raw.h"

#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(rpc_replies, .fini = leak_check, .timeout = 60);

enum { PATIENT_MS = 20000, SHORT_MS = 80, CALLS_MAX = 8 };

/* A server that the test plays by hand, and calls that are out to it, by a clock that
 * the test turns: on a busy machine too, a call is out before its time is over. */
struct scene {
	struct fake_clock clock;
	struct ct_runtime rt;
	struct ct_client *c;
	struct raw listener, peer;
	struct ask asks[CALLS_MAX];
	struct raw_msg came[CALLS_MAX]; /* the CALL of each */
	unsigned n;
	unsigned fds;
};

static void start_runtime(struct scene *s)
{
	struct ct_net_opts no = { .backoff_min_ms = 5,
				  .backoff_max_ms = 20,
				  .skip_bytes_max = 64 << 20 };

	fake_clock_init(&s->clock);
	s->rt = (struct ct_runtime){ .service = "test" };
	cr_assert_eq(ct_timers_new(&s->clock.clk, &s->rt.timers), CT_OK);
	no.timers = s->rt.timers;
	cr_assert_eq(ct_net_new(&no, &s->rt.net), CT_OK);
}

static void set_up(struct scene *s, unsigned calls, const struct ct_method *m, uint32_t timeout_ms)
{
	char url[64];
	const struct ct_client_opts co = {
		.rt = &s->rt, .peer = "raw", .urls = (const char *[]){ url }, .urls_n = 1
	};

	start_runtime(s);
	s->listener = raw_listen(url);
	s->c = client_with(&co);
	s->peer = raw_accept(&s->listener);
	client_wait_ready(s->c, &s->rt);
	s->fds = open_descriptors();
	s->n = calls;
	for (unsigned i = 0; i < calls; i++) {
		ask_init(&s->asks[i], timeout_ms);
		ask_start(&s->asks[i], s->c, m);
	}
	for (unsigned i = 0; i < calls; i++) {
		cr_assert(raw_receive(&s->peer, &s->came[i]));
		cr_assert_eq(s->came[i].h.kind, CT_WIRE_CALL);
	}
}

/* What was due by then has been done when it returns. */
static void pass_ms(struct scene *s, int64_t ms)
{
	fake_clock_step_ms(&s->clock, ms);
	ct_timers_poke(s->rt.timers);
}

/* While time goes by: what is awaited may follow a backoff. */
static bool peer_has_said_something(void *arg)
{
	struct scene *s = arg;

	pass_ms(s, 1);
	return raw_readable(&s->peer, 0);
}

static bool somebody_comes(void *arg)
{
	struct scene *s = arg;

	pass_ms(s, 1);
	return raw_readable(&s->listener, 0);
}

static void accept_again(struct scene *s)
{
	cr_assert(until(somebody_comes, s));
	s->peer = raw_accept(&s->listener);
	client_wait_ready(s->c, &s->rt);
}

static bool descriptors_are_back(void *arg)
{
	const struct scene *s = arg;

	return open_descriptors() <= s->fds;
}

static void tear_down(struct scene *s)
{
	cr_assert(until(descriptors_are_back, s));
	cr_assert(client_adds_up(s->c));
	s->c = ct_client_free(s->c);
	for (unsigned i = 0; i < s->n; i++)
		ask_fini(&s->asks[i]);
	raw_close(&s->peer);
	raw_close(&s->listener);
	ct_runtime_fini(&s->rt);
}

static void send_reply(struct scene *s, unsigned i, ct_status st)
{
	const struct ct_wire_header h = raw_reply_header(&s->came[i].h, st);

	cr_assert(raw_send(&s->peer, s->came[i].id, &h, CT_BYTES_NONE, CT_BYTES_NONE));
}

static void expect_status(struct scene *s, unsigned i, ct_status st)
{
	cr_assert(ask_wait(&s->asks[i]));
	cr_assert_eq(s->asks[i].reply.status, st, "%s, not %s: %s",
		     ct_status_name(s->asks[i].reply.status), ct_status_name(st),
		     s->asks[i].reply.message);
}

/* A new call makes the round on the connection that is there. */
static void expect_connection_works(struct scene *s)
{
	struct ct_wire_header h;
	struct raw_msg m;
	struct ask a;

	ask_init(&a, PATIENT_MS);
	ask_start(&a, s->c, &hall_tell_method);
	do { /* behind CANCELs of earlier ones */
		cr_assert(raw_receive(&s->peer, &m));
	} while (m.h.kind != CT_WIRE_CALL);
	h = raw_reply_header(&m.h, CT_OK);
	cr_assert(raw_send(&s->peer, m.id, &h, CT_BYTES_NONE, CT_BYTES_NONE));
	cr_assert(ask_wait(&a));
	cr_assert_eq(a.reply.status, CT_OK);
	ask_fini(&a);
}

/* The client has closed this one and comes back with another. */
static void expect_reconnect(struct scene *s)
{
	cr_assert(raw_ends(&s->peer));
	raw_close(&s->peer);
	accept_again(s);
	cr_assert_eq(client_stats(s->c).connections_lost, 1);
	expect_connection_works(s);
}

static bool one_is_late(void *arg)
{
	struct scene *s = arg;

	return client_stats(s->c).late_replies == 1;
}

/* ---- late, twice, to nobody ----------------------------------------------------------------- */

Test(rpc_replies, late_reply_is_counted_and_dropped)
{
	struct scene s;

	set_up(&s, 1, &hall_tell_method, SHORT_MS);
	pass_ms(&s, SHORT_MS);
	expect_status(&s, 0, CT_DEADLINE_EXCEEDED);

	send_reply(&s, 0, CT_OK);

	cr_assert(until(one_is_late, &s));
	expect_connection_works(&s);
	tear_down(&s);
}

Test(rpc_replies, late_reply_does_not_end_the_next_call_in_its_place)
{
	struct ct_wire_header h;
	struct raw_msg m;
	struct scene s;
	struct ask next;

	set_up(&s, 1, &hall_tell_method, SHORT_MS);
	pass_ms(&s, SHORT_MS);
	expect_status(&s, 0, CT_DEADLINE_EXCEEDED);
	ask_init(&next, PATIENT_MS);
	ask_start(&next, s.c, &hall_tell_method);
	do {
		cr_assert(raw_receive(&s.peer, &m));
	} while (m.h.kind != CT_WIRE_CALL);
	cr_assert_neq(m.id, s.came[0].id);

	send_reply(&s, 0, CT_ABORTED);
	cr_assert(until(one_is_late, &s));

	cr_assert_not(ask_ended(&next));
	h = raw_reply_header(&m.h, CT_OK);
	cr_assert(raw_send(&s.peer, m.id, &h, CT_BYTES_NONE, CT_BYTES_NONE));
	cr_assert(ask_wait(&next));
	cr_assert_eq(next.reply.status, CT_OK);
	ask_fini(&next);
	tear_down(&s);
}

Test(rpc_replies, second_reply_to_a_call_is_dropped)
{
	struct scene s;

	set_up(&s, 1, &hall_tell_method, PATIENT_MS);

	send_reply(&s, 0, CT_NOT_FOUND);
	send_reply(&s, 0, CT_OK);

	expect_status(&s, 0, CT_NOT_FOUND);
	cr_assert(until(one_is_late, &s));
	expect_connection_works(&s);
	tear_down(&s);
}

Test(rpc_replies, reply_to_a_request_that_never_was_is_dropped)
{
	struct ct_wire_header h;
	struct scene s;

	set_up(&s, 1, &hall_tell_method, PATIENT_MS);
	h = raw_reply_header(&s.came[0].h, CT_OK);

	cr_assert(raw_send(&s.peer, 0x7fff1234, &h, CT_BYTES_NONE, CT_BYTES_NONE));

	cr_assert(until(one_is_late, &s));
	cr_assert_not(ask_ended(&s.asks[0]));
	send_reply(&s, 0, CT_OK);
	expect_status(&s, 0, CT_OK);
	tear_down(&s);
}

Test(rpc_replies, replies_in_another_order_find_their_calls)
{
	struct scene s;

	set_up(&s, CALLS_MAX, &hall_tell_method, PATIENT_MS);

	for (unsigned i = CALLS_MAX; i-- > 0;)
		send_reply(&s, i, (ct_status)(i + 1));

	for (unsigned i = 0; i < CALLS_MAX; i++)
		expect_status(&s, i, (ct_status)(i + 1));
	tear_down(&s);
}

/* ---- wrong ------------------------------------------------------------------------------- */

/* Request ids come round: a reply that was late enough meets a newer call. */
Test(rpc_replies, reply_with_another_calls_id_is_late_and_ends_nothing)
{
	struct ct_wire_header h;
	struct scene s;

	set_up(&s, 2, &hall_tell_method, PATIENT_MS);
	h = raw_reply_header(&s.came[1].h, CT_OK);

	cr_assert(raw_send(&s.peer, s.came[0].id, &h, CT_BYTES_NONE, CT_BYTES_NONE));

	cr_assert(until(one_is_late, &s));
	cr_assert_not(ask_ended(&s.asks[0]));
	send_reply(&s, 0, CT_OK);
	send_reply(&s, 1, CT_OK);
	expect_status(&s, 0, CT_OK);
	expect_status(&s, 1, CT_OK);
	expect_connection_works(&s);
	tear_down(&s);
}

Test(rpc_replies, garbage_for_a_reply_is_an_error_and_the_peer_is_left)
{
	const uint8_t garbage[] = { 0, 0, 0,   0,   0,   0,   0,   12,  0x80, 0x00,
				    0, 0, 'n', 'o', 't', ' ', 'C', 'T', 'R',  '1' };
	uint8_t frame[sizeof(garbage)];
	struct scene s;

	set_up(&s, 1, &hall_tell_method, PATIENT_MS);
	memcpy(frame, garbage, sizeof(frame));
	for (unsigned i = 0; i < 4; i++)
		frame[8 + i] |= (uint8_t)(s.came[0].id >> (8 * (3 - i)));

	cr_assert(raw_write(&s.peer, frame, sizeof(frame)));

	expect_status(&s, 0, CT_INTERNAL);
	expect_reconnect(&s);
	tear_down(&s);
}

Test(rpc_replies, call_for_a_reply_is_an_error_and_the_peer_is_left)
{
	struct scene s;

	set_up(&s, 1, &hall_tell_method, PATIENT_MS);

	cr_assert(raw_send(&s.peer, s.came[0].id, &s.came[0].h, CT_BYTES_NONE, CT_BYTES_NONE));

	expect_status(&s, 0, CT_INTERNAL);
	expect_reconnect(&s);
	tear_down(&s);
}

Test(rpc_replies, answer_that_does_not_decode_is_an_error_and_the_connection_lives)
{
	struct ct_wire_header h;
	struct scene s;

	set_up(&s, 1, &hall_tell_method, PATIENT_MS);
	h = raw_reply_header(&s.came[0].h, CT_OK);

	cr_assert(raw_send(&s.peer, s.came[0].id, &h, CT_BYTES_NONE, ct_bytes_of("\x0a\x7f!", 3)));

	expect_status(&s, 0, CT_INTERNAL);
	cr_assert_null(s.asks[0].reply.response);
	expect_connection_works(&s);
	tear_down(&s);
}

Test(rpc_replies, meta_that_does_not_decode_costs_its_message_and_not_the_call)
{
	struct ct_wire_header h;
	struct scene s;

	set_up(&s, 1, &hall_tell_method, PATIENT_MS);
	h = raw_reply_header(&s.came[0].h, CT_NOT_FOUND);

	cr_assert(raw_send(&s.peer, s.came[0].id, &h, ct_bytes_of("\x0a\x7f!", 3), CT_BYTES_NONE));

	expect_status(&s, 0, CT_NOT_FOUND);
	cr_assert_not_null(s.asks[0].reply.message);
	expect_connection_works(&s);
	tear_down(&s);
}

Test(rpc_replies, reply_over_the_limit_fails_its_call_alone)
{
	enum { BIG = 5 << 20, AROUND = 256 };
	uint8_t *zeros = calloc(1, BIG), *frame = calloc(1, BIG + AROUND);
	struct ct_wire_header h;
	struct scene s;
	size_t len;

	set_up(&s, 1, &hall_tell_method, PATIENT_MS);
	cr_assert(zeros != NULL && frame != NULL);
	h = raw_reply_header(&s.came[0].h, CT_OK);
	len = raw_frame(&s.peer, s.came[0].id, &h, CT_BYTES_NONE, ct_bytes_of(zeros, BIG), frame,
			BIG + AROUND);

	cr_assert(raw_write(&s.peer, frame, len));

	expect_status(&s, 0, CT_RESOURCE_EXHAUSTED);
	expect_connection_works(&s);
	free(zeros);
	free(frame);
	tear_down(&s);
}

Test(rpc_replies, message_over_64_mebibytes_from_a_server_costs_the_connection)
{
	const uint8_t over[8] = { [4] = 0x05 };
	struct scene s;

	set_up(&s, 1, &hall_tell_method, PATIENT_MS);

	cr_assert(raw_write(&s.peer, over, sizeof(over)));

	expect_status(&s, 0, CT_UNAVAILABLE);
	expect_reconnect(&s);
	tear_down(&s);
}

Test(rpc_replies, cancelled_that_nobody_asked_for_is_handed_on)
{
	struct scene s;

	set_up(&s, 1, &hall_tell_method, PATIENT_MS);

	send_reply(&s, 0, CT_CANCELLED);

	expect_status(&s, 0, CT_CANCELLED);
	cr_assert_eq(client_stats(s.c).cancelled, 1);
	tear_down(&s);
}

/* ---- gone -------------------------------------------------------------------------------- */

/* A peer out of reach looks alive to TCP for minutes: it answers no CANCEL. */
Test(rpc_replies, peer_that_answers_no_cancel_for_a_second_is_left)
{
	enum { SILENCE_MS = 1000 };
	struct scene s;
	struct ask a;

	set_up(&s, 1, &hall_tell_method, SHORT_MS);
	pass_ms(&s, SHORT_MS);
	expect_status(&s, 0, CT_DEADLINE_EXCEEDED); /* its CANCEL gets no answer */

	for (unsigned ms = SHORT_MS; ms < SILENCE_MS + SHORT_MS; ms += SHORT_MS) {
		cr_assert_eq(client_stats(s.c).ready, 1, "after %u ms", ms - SHORT_MS);
		ask_init(&a, SHORT_MS);
		ask_start(&a, s.c, &hall_tell_method);
		pass_ms(&s, SHORT_MS);
		cr_assert(ask_wait(&a));
		cr_assert_eq(a.reply.status, CT_DEADLINE_EXCEEDED);
		ask_fini(&a);
	}

	expect_reconnect(&s);
	tear_down(&s);
}

Test(rpc_replies, calls_that_are_out_on_a_lost_connection_are_unavailable)
{
	struct scene s;

	set_up(&s, CALLS_MAX, &hall_tell_method, PATIENT_MS);

	raw_reset(&s.peer);

	for (unsigned i = 0; i < CALLS_MAX; i++) {
		expect_status(&s, i, CT_UNAVAILABLE);
		cr_assert_not(s.asks[i].reply.not_processed, "who knows");
		cr_assert_eq(s.asks[i].reply.attempts, 1);
	}
	accept_again(&s);
	expect_connection_works(&s);
	tear_down(&s);
}

Test(rpc_replies, idempotent_call_on_a_lost_connection_goes_out_again)
{
	struct raw_msg m;
	struct scene s;

	set_up(&s, 1, &hall_tell_again_method, PATIENT_MS);

	raw_reset(&s.peer);
	accept_again(&s);

	cr_assert(until(peer_has_said_something, &s));
	cr_assert(raw_receive(&s.peer, &m));
	cr_assert_eq(m.h.attempt, 2);
	s.came[0] = m;
	send_reply(&s, 0, CT_OK);
	expect_status(&s, 0, CT_OK);
	cr_assert_eq(s.asks[0].reply.attempts, 2);
	tear_down(&s);
}

Test(rpc_replies, half_a_reply_and_then_silence_ends_at_the_deadline)
{
	uint8_t frame[256];
	struct ct_wire_header h;
	struct scene s;

	set_up(&s, 1, &hall_tell_method, SHORT_MS);
	h = raw_reply_header(&s.came[0].h, CT_OK);
	(void)raw_frame(&s.peer, s.came[0].id, &h, CT_BYTES_NONE, CT_BYTES_NONE, frame,
			sizeof(frame));

	cr_assert(raw_write(&s.peer, frame, 30));

	pass_ms(&s, SHORT_MS);
	expect_status(&s, 0, CT_DEADLINE_EXCEEDED);
	tear_down(&s);
}
