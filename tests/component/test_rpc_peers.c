/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that break the protocol or say nothing: each costs its own connection and a
 * count, and nobody else anything. */
#include "tests/component/peers_scene.h"

TestSuite(rpc_peers, .fini = leak_check, .timeout = 60);

/* ---- before a message ---------------------------------------------------------------- */

Test(rpc_peers, garbage_in_place_of_a_hello_closes_the_connection)
{
	static const char garbage[] = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";
	struct scene s;
	struct raw r;

	set_up(&s, NULL);
	r = raw_connect(hall_url(&s.h));

	cr_assert(raw_write(&r, garbage, sizeof(garbage)));

	cr_assert(raw_ends(&r));
	raw_close(&r);
	cr_assert_eq(hall_net_stats(&s.h).handshake_failed, 1);
	tear_down(&s);
}

Test(rpc_peers, rep_socket_that_calls_a_rep_socket_is_turned_away)
{
	struct scene s;
	struct raw r;

	set_up(&s, NULL);
	r = raw_connect(hall_url(&s.h));

	raw_hello(&r, CT_SP_REP);

	cr_assert(raw_ends(&r));
	raw_close(&r);
	cr_assert_eq(hall_net_stats(&s.h).handshake_failed, 1);
	tear_down(&s);
}

Test(rpc_peers, silence_instead_of_a_hello_ends_after_handshake_ms)
{
	const struct hall_opts o = { .net = { .handshake_ms = 100 } };
	struct scene s;
	uint64_t before; /* the good one may have been slow itself */
	struct raw r;

	set_up(&s, &o);
	before = hall_net_stats(&s.h).handshake_failed;
	r = raw_connect(hall_url(&s.h));

	cr_assert(raw_ends(&r));

	raw_close(&r);
	cr_assert_eq(hall_net_stats(&s.h).handshake_failed, before + 1);
	tear_down(&s);
}

Test(rpc_peers, silence_after_the_hello_ends_after_idle_ms)
{
	const struct hall_opts o = { .net = { .idle_ms = 150 } };
	struct hall h;
	struct raw quiet, halfway;

	hall_start(&h, &o);
	quiet = raw_join(hall_url(&h));
	halfway = raw_join(hall_url(&h));
	cr_assert(raw_write(&halfway, "\0\0\0\0\0\0\1", 7)); /* of a length */

	cr_assert(raw_ends(&quiet));
	cr_assert(raw_ends(&halfway));

	raw_close(&quiet);
	raw_close(&halfway);
	cr_assert(hall_settled(&h, pick_connections, 0));
	cr_assert_eq(hall_net_stats(&h).idle, 2);
	cr_assert(hall_stop(&h));
}

/* ---- lengths ---------------------------------------------------------------------------- */

static void expect_length_refused(uint64_t length)
{
	uint8_t prefix[8];
	struct scene s;
	struct raw r;

	set_up(&s, NULL);
	r = join(&s);
	for (unsigned i = 0; i < sizeof(prefix); i++)
		prefix[i] = (uint8_t)(length >> (8 * (7 - i)));

	cr_assert(raw_write(&r, prefix, sizeof(prefix)));

	cr_assert(raw_ends(&r));
	raw_close(&r);
	cr_assert_eq(hall_net_stats(&s.h).too_big, 1);
	tear_down(&s);
}

Test(rpc_peers, length_of_2_to_the_63_closes_the_connection)
{
	expect_length_refused(UINT64_C(1) << 63);
}

Test(rpc_peers, length_of_all_ones_closes_the_connection)
{
	expect_length_refused(UINT64_MAX);
}

Test(rpc_peers, message_over_64_mebibytes_is_refused_by_its_length_alone)
{
	expect_length_refused((UINT64_C(64) << 20) + 1);
}

Test(rpc_peers, call_of_5_mebibytes_is_refused_and_the_connection_goes_on)
{
	enum { BIG = 5 << 20, AROUND = 256 };
	uint8_t *zeros = calloc(1, BIG), *frame = calloc(1, BIG + AROUND);
	struct ct_wire_header h;
	struct raw_msg m;
	size_t len;
	struct scene s;
	struct raw r;

	set_up(&s, NULL);
	r = join(&s);
	h = raw_call_header(tell_hash(), 20 * SECOND_US);
	cr_assert(zeros != NULL && frame != NULL);
	len = raw_frame(&r, 1, &h, CT_BYTES_NONE, ct_bytes_of(zeros, BIG), frame, BIG + AROUND);

	cr_assert(raw_write(&r, frame, len));

	cr_assert(raw_receive(&r, &m));
	cr_assert_eq(m.h.code, CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(m.h.flags, CT_WIRE_NOT_PROCESSED | CT_WIRE_NO_RETRY);
	cr_assert(send_tell(&r, 2, 10));
	cr_assert(raw_receive(&r, &m));
	cr_assert_eq(m.h.code, CT_OK);
	cr_assert_eq(hall_stats(&s.h).refused_by[CT_REFUSAL_SIZE], 1);
	cr_assert_eq(hall_net_stats(&s.h).msgs_too_big, 1);
	cr_assert_eq(hall_net_stats(&s.h).too_big, 0);
	free(zeros);
	free(frame);
	raw_close(&r);
	tear_down(&s);
}

/* Only a CALL has a caller to be told; a CANCEL that long is no CANCEL. */
Test(rpc_peers, cancel_of_5_mebibytes_closes_the_connection_and_cancels_nothing)
{
	enum { BIG = 5 << 20, AROUND = 256 };
	const struct ct_wire_header call = raw_call_header(hall_hold_method.hash, 20 * SECOND_US);
	uint8_t *zeros = calloc(1, BIG), *frame = calloc(1, BIG + AROUND);
	struct ct_wire_header h = { .kind = CT_WIRE_CANCEL, .code = CT_CANCEL_CALLER };
	struct scene s;
	struct raw r, other;
	size_t len;

	set_up(&s, NULL);
	other = join(&s);
	cr_assert(raw_send(&other, 1, &call, CT_BYTES_NONE, CT_BYTES_NONE));
	cr_assert(hall_waited(&s.h, &s.h.entered, 1));
	r = join(&s);
	h.cancel_id = call.cancel_id;
	cr_assert(zeros != NULL && frame != NULL);
	len = raw_frame(&r, 2, &h, CT_BYTES_NONE, ct_bytes_of(zeros, BIG), frame, BIG + AROUND);

	(void)!raw_write(&r, frame, len); /* it may not wait for all of it */

	cr_assert(raw_ends(&r));
	cr_assert_eq(hall_stats(&s.h).bad_header, 1);
	cr_assert_eq(hall_net_stats(&s.h).msgs_too_big, 1);
	cr_assert_eq(hall_stats(&s.h).cancels, 2, "those of both joins");
	cr_assert_eq(hall_stats(&s.h).calls.in_flight, 1);
	hall_let_go(&s.h, HALL_ALL);
	free(zeros);
	free(frame);
	raw_close(&r);
	raw_close(&other);
	tear_down(&s);
}

Test(rpc_peers, announced_bytes_that_never_come_take_no_memory)
{
	enum { PEERS = 100, GROWTH_MAX = 24 << 20 };
	const uint8_t four_mebibytes[8] = { [5] = 0x3f, [6] = 0xff, [7] = 0xff };
	struct raw peers[PEERS];
	struct scene s;
	uint64_t before;

	set_up(&s, NULL);
	before = resident_bytes();

	for (unsigned i = 0; i < PEERS; i++) {
		peers[i] = join(&s);
		cr_assert(raw_write(&peers[i], four_mebibytes, sizeof(four_mebibytes)));
		cr_assert(raw_write(&peers[i], "\x80\0\0\1CTR1", 8));
	}
	expect_good_served(&s);

	cr_assert_lt(resident_bytes(), before + GROWTH_MAX);
	for (unsigned i = 0; i < PEERS; i++)
		raw_close(&peers[i]);
	tear_down(&s);
}

/* ---- headers ---------------------------------------------------------------------------- */

/* What a broken rule looks like: one byte of a good CALL is another. */
static const struct broken {
	const char *what;
	size_t at;
	uint8_t byte;
} broken_headers[] = {
	{ "magic", 0, 'X' },
	{ "kind 0", 4, 0 },
	{ "kind 4", 4, 4 },
	{ "a REPLY to a server", 4, CT_WIRE_REPLY },
	{ "an unknown flag", 5, 0x80 },
	{ "a criticality out of range", 6, 3 },
	{ "attempt 0", 7, 0 },
	{ "a meta over 8 KiB", 38, 0x21 },
	{ "a meta longer than the message", 39, 200 },
};

Test(rpc_peers, header_that_breaks_a_rule_closes_its_connection_and_is_counted)
{
	const struct ct_wire_header h = raw_call_header(tell_hash(), SECOND_US);
	enum { PREFIX = 12 };
	uint8_t frame[256];
	struct scene s;

	set_up(&s, NULL);
	for (size_t i = 0; i < CT_ARRAY_N(broken_headers); i++) {
		struct raw r = join(&s);
		const size_t n = raw_frame(&r, 1, &h, CT_BYTES_NONE, CT_BYTES_NONE, frame,
					   sizeof(frame));

		frame[PREFIX + broken_headers[i].at] = broken_headers[i].byte;
		cr_assert(raw_write(&r, frame, n));

		cr_assert(raw_ends(&r), "%s", broken_headers[i].what);
		raw_close(&r);
		cr_assert_eq(hall_stats(&s.h).bad_header, i + 1, "%s", broken_headers[i].what);
	}
	cr_assert_eq(hall_stats(&s.h).calls.received, 0);
	tear_down(&s);
}

Test(rpc_peers, budget_of_zero_and_an_id_of_zero_close_the_connection)
{
	struct ct_wire_header no_budget = raw_call_header(tell_hash(), 0);
	struct ct_wire_header no_id = raw_call_header(tell_hash(), SECOND_US);
	struct scene s;
	struct raw r;

	set_up(&s, NULL);
	no_id.cancel_id = (struct ct_id){ { 0 } };
	r = join(&s);
	cr_assert(raw_send(&r, 1, &no_budget, CT_BYTES_NONE, CT_BYTES_NONE));
	cr_assert(raw_ends(&r));
	raw_close(&r);
	r = join(&s);
	cr_assert(raw_send(&r, 1, &no_id, CT_BYTES_NONE, CT_BYTES_NONE));
	cr_assert(raw_ends(&r));
	raw_close(&r);

	cr_assert_eq(hall_stats(&s.h).bad_header, 2);
	tear_down(&s);
}

Test(rpc_peers, message_shorter_than_a_header_closes_the_connection)
{
	const uint8_t ten_bytes[] = { 0, 0, 0, 0,   0,   0,   0,   10, 0x80,
				      0, 0, 1, 'C', 'T', 'R', '1', 1,  0 };
	struct scene s;
	struct raw r;

	set_up(&s, NULL);
	r = join(&s);

	cr_assert(raw_write(&r, ten_bytes, sizeof(ten_bytes)));

	cr_assert(raw_ends(&r));
	raw_close(&r);
	cr_assert_eq(hall_stats(&s.h).bad_header, 1);
	tear_down(&s);
}

Test(rpc_peers, peer_that_leaves_in_the_middle_of_a_header_is_no_fault)
{
	const struct ct_wire_header h = raw_call_header(tell_hash(), SECOND_US);
	uint8_t frame[256];
	struct scene s;
	struct raw r;

	set_up(&s, NULL);
	r = join(&s);
	(void)raw_frame(&r, 1, &h, CT_BYTES_NONE, CT_BYTES_NONE, frame, sizeof(frame));

	cr_assert(raw_write(&r, frame, 30));
	raw_close(&r);

	cr_assert(hall_settled(&s.h, pick_connections, 1));
	cr_assert_eq(hall_stats(&s.h).bad_header, 0);
	cr_assert_eq(hall_stats(&s.h).calls.received, 0);
	tear_down(&s);
}

Test(rpc_peers, calls_in_front_of_a_broken_one_are_not_lost_from_the_account)
{
	const struct ct_wire_header good = raw_call_header(tell_hash(), 20 * SECOND_US);
	struct ct_wire_header bad = raw_call_header(tell_hash(), 0);
	uint8_t frames[512];
	struct scene s;
	struct raw r;
	size_t n;

	set_up(&s, NULL);
	r = join(&s);
	n = raw_frame(&r, 1, &good, CT_BYTES_NONE, CT_BYTES_NONE, frames, sizeof(frames));
	n += raw_frame(&r, 2, &bad, CT_BYTES_NONE, CT_BYTES_NONE, frames + n, sizeof(frames) - n);

	cr_assert(raw_write(&r, frames, n)); /* one receive for both */

	cr_assert(raw_ends(&r));
	raw_close(&r);
	cr_assert(hall_reached(&s.h, pick_received, 1));
	cr_assert(hall_settled(&s.h, pick_in_flight, 0));
	tear_down(&s);
}

/* ---- contents ------------------------------------------------------------------------------ */

Test(rpc_peers, payload_that_does_not_decode_is_answered_and_the_connection_lives)
{
	const struct ct_wire_header h = raw_call_header(tell_hash(), SECOND_US);
	struct raw_msg m;
	struct scene s;
	struct raw r;

	set_up(&s, NULL);
	r = join(&s);

	cr_assert(raw_send(&r, 7, &h, CT_BYTES_NONE, ct_bytes_of("\x12\x7fshort", 7)));

	cr_assert(raw_receive(&r, &m));
	cr_assert_eq(m.id, 7);
	cr_assert_eq(m.h.code, CT_INVALID_ARGUMENT);
	cr_assert(ct_id_equal(&m.h.cancel_id, &h.cancel_id));
	cr_assert(send_tell(&r, 8, 0));
	cr_assert(raw_receive(&r, &m));
	cr_assert_eq(m.id, 8);
	cr_assert_eq(m.h.code, CT_OK);
	cr_assert_eq(hall_stats(&s.h).bad_payload, 1);
	cr_assert_eq(hall_stats(&s.h).calls.app_error, 1);
	raw_close(&r);
	tear_down(&s);
}

Test(rpc_peers, meta_that_does_not_decode_costs_the_meta_and_not_the_call)
{
	const struct ct_wire_header h = raw_call_header(tell_hash(), SECOND_US);
	struct raw_msg m;
	struct scene s;
	struct raw r;

	set_up(&s, NULL);
	r = join(&s);

	cr_assert(raw_send(&r, 7, &h, ct_bytes_of("\x0a\x7f", 2), CT_BYTES_NONE));

	cr_assert(raw_receive(&r, &m));
	cr_assert_eq(m.h.code, CT_OK);
	raw_close(&r);
	tear_down(&s);
}

Test(rpc_peers, flood_of_cancels_for_nobody_is_answered_and_takes_no_memory)
{
	enum { CANCELS = 50000, A_TIME = 200, GROWTH_MAX = 16 << 20 };
	struct ct_wire_header h = { .kind = CT_WIRE_CANCEL, .code = CT_CANCEL_CALLER };
	uint8_t frames[A_TIME * 64];
	struct raw_msg m;
	struct scene s;
	uint64_t before;
	struct raw r;

	set_up(&s, NULL);
	r = join(&s);
	before = resident_bytes();
	for (unsigned i = 0; i < CANCELS; i += A_TIME) {
		size_t n = 0;

		for (unsigned k = 0; k < A_TIME; k++) {
			h.cancel_id = ct_id_new();
			n += raw_frame(&r, i + k, &h, CT_BYTES_NONE, CT_BYTES_NONE, frames + n,
				       sizeof(frames) - n);
		}
		cr_assert(raw_write(&r, frames, n));
		for (unsigned k = 0; k < A_TIME; k++) {
			cr_assert(raw_receive(&r, &m));
			cr_assert_eq(m.h.code, CT_NOT_FOUND);
		}
	}

	cr_assert_eq(hall_stats(&s.h).cancels_unknown, CANCELS + 1); /* one to join */
	cr_assert_lt(resident_bytes(), before + GROWTH_MAX);
	raw_close(&r);
	tear_down(&s);
}
