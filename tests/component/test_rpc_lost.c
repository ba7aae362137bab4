/* SPDX-License-Identifier: Apache-2.0 */
/* Answers for which there is no room: no caller waits for them in vain. */
#include "base/mem.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/rpc/raw.h"
#include "tests/lib/rpc/until.h"

#include <criterion/criterion.h>

TestSuite(rpc_lost, .fini = leak_check, .timeout = 60);

/* Allocations of a call that waits behind the gate fail one after the other, the one
 * for its place in the connection's send buffer among them. */
static void expect_answer(uint64_t failing, uint64_t *ret_cut)
{
	const struct ct_wire_header head = raw_call_header(hall_hold_method.hash, 20000000);
	static uint8_t detail[4000];
	Hall__V1__Ask ask = HALL__V1__ASK__INIT;
	uint8_t packed[sizeof(detail) + 64];
	static struct raw_msg m;
	struct hall h;
	struct raw r;

	ask.code = CT_ABORTED;
	ask.message = (char *)(uintptr_t) "no";
	ask.details = 1;
	ask.payload = (ProtobufCBinaryData){ sizeof(detail), detail };
	hall_start(&h, NULL);
	r = raw_join(hall_url(&h));
	cr_assert(raw_send(&r, 1, &head, CT_BYTES_NONE,
			   ct_bytes_of(packed, hall__v1__ask__pack(&ask, packed))));
	cr_assert(hall_waited(&h, &h.entered, 1));

	ct_mem_fail_nth(failing);
	hall_let_go(&h, 1);
	cr_assert(raw_receive(&r, &m), "allocation %u: nothing came", (unsigned)failing);
	ct_mem_fail_nth(0);

	cr_assert_eq(m.h.code, CT_ABORTED, "what went wrong stays what it was");
	cr_assert(hall_settled(&h, pick_in_flight, 0));
	cr_assert_eq(hall_stats(&h).calls.app_error, 1);
	cr_assert_eq(hall_stats(&h).replies_lost, 0);
	*ret_cut = hall_stats(&h).replies_cut;
	cr_assert(*ret_cut == 0 || m.meta.len < sizeof(detail));
	raw_close(&r);
	cr_assert(hall_stop(&h));
}

Test(rpc_lost, error_that_finds_no_memory_for_its_details_comes_without_them)
{
	enum { ALLOCATIONS = 6 };
	uint64_t cut_all = 0, cut;

	for (uint64_t i = 1; i <= ALLOCATIONS; i++) {
		expect_answer(i, &cut);
		cut_all += cut;
	}
	cr_assert_eq(cut_all, 1, "no allocation was the one");
}

/* ---- a full queue ------------------------------------------------------------------------- */

enum { MSG_BYTES_MAX = 64 << 10, QUEUE_BYTES_MAX = MSG_BYTES_MAX + 17 };

/* A hall whose queue for a connection holds one message, and a connection of which
 * `heard` bytes have come so far. */
struct scene {
	struct hall h;
	struct raw r;
	uint64_t heard;
	struct raw_msg m; /* the last one */
};

static void set_up(struct scene *s)
{
	const struct hall_opts o = { .net = { .msg_bytes_max = MSG_BYTES_MAX,
					      .send_bytes_max = QUEUE_BYTES_MAX } };

	hall_start(&s->h, &o);
	s->r = raw_join(hall_url(&s->h));
	s->heard = CT_SP_HELLO_BYTES;
}

static void tear_down(struct scene *s)
{
	raw_close(&s->r);
	cr_assert(hall_stop(&s->h), "the accounting identity does not hold");
}

/* Calls that are answered where they are received; nothing is sent in between. */
static void ask_all(struct scene *s, const uint32_t *reply_bytes, uint32_t n)
{
	struct ct_wire_header h;
	uint8_t frames[1024], packed[64];
	size_t len = 0;

	for (uint32_t i = 0; i < n; i++) {
		Hall__V1__Ask ask = HALL__V1__ASK__INIT;

		h = raw_call_header(hall_tell_inline_method.hash, 20000000);
		ask.reply_bytes = reply_bytes[i];
		ask.cork = i == 0;
		ask.uncork = i == n - 1;
		len += raw_frame(&s->r, i, &h, CT_BYTES_NONE,
				 ct_bytes_of(packed, hall__v1__ask__pack(&ask, packed)),
				 frames + len, sizeof(frames) - len);
	}
	cr_assert(raw_write(&s->r, frames, len));
}

static bool all_is_sent(void *arg)
{
	struct scene *s = arg;

	return hall_net_stats(&s->h).bytes_out == s->heard;
}

/* The next answer; returns what it took of the queue. */
static size_t hear(struct scene *s, uint32_t id, ct_status st)
{
	const struct ct_sp_route route = { .words = { UINT32_C(0x80000000) | id }, .n = 1 };
	uint8_t prefix[CT_SP_PREFIX_BYTES_MAX + 4 * CT_SP_ROUTE_WORDS_MAX];
	size_t len;

	cr_assert(raw_receive(&s->r, &s->m));
	cr_assert_eq(s->m.id, id);
	cr_assert_eq(s->m.h.code, st, "%s", ct_status_name((ct_status)s->m.h.code));
	len = CT_WIRE_HEADER_BYTES + s->m.meta.len + s->m.payload.len;
	len += ct_sp_prefix(prefix, &route, len, false);
	s->heard += len;
	return len;
}

Test(rpc_lost, answer_that_finds_no_room_is_a_status_and_the_connection_goes_on)
{
	const uint32_t two_too_many[] = { 40000, 40000, 30000 }, one[] = { 40000 };
	struct ct_server_stats st;
	struct scene s;

	set_up(&s);

	ask_all(&s, two_too_many, 3);

	(void)hear(&s, 0, CT_OK);
	for (uint32_t i = 1; i < 3; i++) {
		(void)hear(&s, i, CT_RESOURCE_EXHAUSTED);
		cr_assert_eq(s.m.h.flags, 0, "it ran, and may fit the next time");
		cr_assert_eq(s.m.payload.len, 0);
		cr_assert_gt(s.m.meta.len, 0, "it says why");
	}
	cr_assert(until(all_is_sent, &s));
	ask_all(&s, one, 1);
	(void)hear(&s, 0, CT_OK);
	st = hall_stats(&s.h);
	cr_assert_eq(st.calls.ok, 2);
	cr_assert_eq(st.calls.app_error, 2);
	cr_assert_eq(st.replies_cut, 2);
	cr_assert_eq(st.replies_lost, 0);
	cr_assert_eq(hall_net_stats(&s.h).closed, 0);
	tear_down(&s);
}

static uint64_t pick_peer_gone(const struct ct_server_stats *st)
{
	return st->calls.peer_gone;
}

Test(rpc_lost, caller_that_cannot_be_told_even_the_status_loses_the_connection)
{
	enum { LEFT = 60 }; /* a status takes about a hundred */
	const uint32_t large[] = { 50000 }, small[] = { 10000 };
	uint32_t full[] = { 50000, 10000, 10000 };
	struct ct_server_stats st;
	struct scene s;
	size_t taken;

	set_up(&s);
	ask_all(&s, large, 1);
	taken = hear(&s, 0, CT_OK);
	ask_all(&s, small, 1);
	taken += hear(&s, 0, CT_OK);
	cr_assert(until(all_is_sent, &s));
	full[1] += (uint32_t)(QUEUE_BYTES_MAX - LEFT - taken);

	ask_all(&s, full, 3);

	cr_assert(raw_ends(&s.r));
	cr_assert(hall_settled(&s.h, pick_peer_gone, 1)); /* counted behind the end */
	st = hall_stats(&s.h);
	cr_assert_eq(st.calls.ok, 4);
	cr_assert_eq(st.calls.app_error, 0);
	cr_assert_eq(st.replies_cut, 1);
	cr_assert_eq(st.replies_lost, 1);
	tear_down(&s);
}

/* ---- small messages ------------------------------------------------------------------------ */

Test(rpc_lost, server_wants_room_for_a_header_and_a_meta_in_a_message)
{
	struct ct_runtime_opts ro = { .service = "test", .net = { .msg_bytes_max = 65535 } };
	struct ct_server_opts so = { .workers = 1 };
	struct ct_server *server = NULL;
	struct ct_runtime rt;

	cr_assert_eq(ct_runtime_init(&rt, &ro), CT_OK);
	so.rt = &rt;
	cr_assert_eq(ct_server_new(&so, &server), CT_INVALID_ARGUMENT);
	cr_assert_null(server);
	ct_runtime_fini(&rt);

	ro.net.msg_bytes_max++;
	cr_assert_eq(ct_runtime_init(&rt, &ro), CT_OK);
	cr_assert_eq(ct_server_new(&so, &server), CT_OK);
	server = ct_server_free(server);
	ct_runtime_fini(&rt);
}
