/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that read slowly or not at all, leave in the middle, or come in thousands. */
#include "tests/component/peers_scene.h"

TestSuite(rpc_crowds, .fini = leak_check, .timeout = 60);

/* ---- readers -------------------------------------------------------------------------------- */

Test(rpc_crowds, slow_reader_is_cut_at_its_limit_and_others_go_on)
{
	enum { CALLS = 60, REPLY = 512 << 10, GROWTH_MAX = 96 << 20 };
	const struct hall_opts o = { .net = { .send_bytes_max = 6 << 20 },
				     .server = { .workers = 4, .queue_max = CALLS } };
	struct ct_server_stats st;
	struct scene s;
	uint64_t before;
	struct raw r;

	set_up(&s, &o);
	before = resident_bytes();
	r = join(&s);

	for (uint32_t i = 0; i < CALLS; i++) /* 30 MiB of answers, none read */
		cr_assert(send_tell(&r, i, REPLY));

	cr_assert(hall_settled(&s.h, pick_connections, 1), "it was not cut");
	cr_assert(hall_settled(&s.h, pick_in_flight, 0));
	st = hall_stats(&s.h);
	cr_assert_geq(st.replies_lost + hall_net_stats(&s.h).slow_reader, 1);
	cr_assert_gt(st.calls.peer_gone, 0);
	cr_assert_eq(st.calls.peer_gone + st.calls.ok + st.calls.refused, st.calls.received);
	cr_assert_lt(resident_bytes(), before + GROWTH_MAX);
	cr_assert(raw_ends(&r));
	raw_close(&r);
	tear_down(&s);
}

Test(rpc_crowds, reader_that_stops_altogether_is_cut_after_stall_ms)
{
	enum { CALLS = 8, REPLY = 3 << 20 };
	const struct hall_opts o = { .net = { .stall_ms = 200, .send_bytes_max = 64 << 20 } };
	struct scene s;
	struct raw r;

	set_up(&s, &o);
	r = join(&s);
	for (uint32_t i = 0; i < CALLS; i++)
		cr_assert(send_tell(&r, i, REPLY));

	cr_assert(hall_settled(&s.h, pick_connections, 1), "it was not cut");

	cr_assert_eq(hall_net_stats(&s.h).stalled, 1);
	raw_close(&r);
	tear_down(&s);
}

/* ---- comings and goings ------------------------------------------------------------------ */

Test(rpc_crowds, peer_that_resets_with_calls_running_and_queued_frees_them_all)
{
	enum { WORKERS = 2, CALLS = 10 };
	const struct ct_wire_header h = raw_call_header(hall_hold_method.hash, 20 * SECOND_US);
	const struct hall_opts o = { .server = { .workers = WORKERS } };
	struct ct_server_stats st;
	struct scene s;
	struct raw r;

	set_up(&s, &o);
	r = join(&s);
	for (uint32_t i = 0; i < CALLS; i++) {
		struct ct_wire_header mine = h;

		mine.cancel_id = ct_id_new();
		cr_assert(raw_send(&r, i, &mine, CT_BYTES_NONE, CT_BYTES_NONE));
	}
	cr_assert(hall_waited(&s.h, &s.h.entered, WORKERS));
	cr_assert(hall_reached(&s.h, pick_queued, CALLS - WORKERS));

	raw_reset(&r);

	cr_assert(hall_settled(&s.h, pick_in_flight, 0));
	st = hall_stats(&s.h);
	cr_assert_eq(st.calls.peer_gone, CALLS);
	cr_assert_eq(hall_get(&s.h, &s.h.entered), WORKERS, "a queued one ran for nobody");
	cr_assert_eq(hall_get(&s.h, &s.h.reasons[CT_CANCEL_PEER_GONE]), WORKERS);
	tear_down(&s);
}

/* Bursts, because the kernel holds only so many that nobody has accepted yet. */
static void join_many(const char *url, struct raw *peers, unsigned n)
{
	enum { BURST = 100 };

	for (unsigned from = 0; from < n; from += BURST) {
		const unsigned to = from + BURST < n ? from + BURST : n;

		for (unsigned i = from; i < to; i++) {
			peers[i] = raw_connect(url);
			raw_hello(&peers[i], CT_SP_REQ);
		}
		for (unsigned i = from; i < to; i++)
			cr_assert(raw_hears_hello(&peers[i], CT_SP_REP));
	}
}

Test(rpc_crowds, five_thousand_connections_at_once_are_served_and_leave_nothing)
{
	enum { WANTED = 5000, KEPT_BACK = 200, EACH_MAX = 16 << 10 };
	const uint64_t limit = raise_descriptor_limit();
	const unsigned n = limit > 2 * WANTED + KEPT_BACK ? WANTED
							  : (unsigned)(limit - KEPT_BACK) / 2;
	const struct hall_opts o = { .server = { .queue_max = WANTED, .calls_max = 2 * WANTED } };
	struct raw *peers = calloc(n, sizeof(*peers));
	struct raw_msg m;
	struct scene s;
	uint64_t before;

	cr_assert_not_null(peers);
	set_up(&s, &o);
	before = resident_bytes();

	join_many(hall_url(&s.h), peers, n);
	cr_assert(hall_settled(&s.h, pick_connections, n + 1));
	for (unsigned i = 0; i < n; i++)
		cr_assert(send_tell(&peers[i], i, 0));
	for (unsigned i = 0; i < n; i++) {
		cr_assert(raw_receive(&peers[i], &m));
		cr_assert_eq(m.id, i);
		cr_assert_eq(m.h.code, CT_OK);
	}
	expect_good_served(&s);

	if (__lsan_do_recoverable_leak_check == NULL) /* the sanitizer's own memory counts too */
		cr_assert_lt(resident_bytes(), before + (uint64_t)n * EACH_MAX);
	for (unsigned i = 0; i < n; i++)
		raw_close(&peers[i]);
	free(peers);
	tear_down(&s);
}

Test(rpc_crowds, connection_over_the_limit_is_refused_and_our_client_says_unavailable)
{
	const struct hall_opts o = { .server = { .connections_max = 3 },
				     .net = { .backoff_min_ms = 5, .backoff_max_ms = 20 } };
	struct raw second, third;
	struct ct_client *late;
	struct scene s;
	struct ask a;

	set_up(&s, &o);
	second = join(&s);
	third = join(&s);
	late = client_with(&(struct ct_client_opts){ .rt = &s.h.rt,
						     .peer = "hall",
						     .urls = (const char *[]){ hall_url(&s.h) },
						     .urls_n = 1,
						     .attempts_max = 1 });

	ask_init(&a, 10000);
	cr_assert_eq(ask_now(&a, late, &hall_tell_method), CT_UNAVAILABLE);
	cr_assert(a.reply.not_processed);
	ask_fini(&a);
	cr_assert_gt(hall_net_stats(&s.h).refused_full, 0);
	raw_close(&third); /* makes room */
	client_wait_ready(late, &s.h.rt);
	ask_init(&a, 10000);
	cr_assert_eq(ask_now(&a, late, &hall_tell_method), CT_OK);
	ask_fini(&a);

	late = ct_client_free(late);
	raw_close(&second);
	tear_down(&s);
}
