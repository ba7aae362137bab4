/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that read slowly or not at all, leave in the middle, or come in thousands. */
#include "tests/component/peers_scene.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/rpc/until.h"

TestSuite(rpc_crowds, .fini = leak_check, .timeout = 60);

/* ---- readers -------------------------------------------------------------------------------- */

/* In one write: a server that cuts the connection for the first answers has all of them. */
static void send_tells(struct raw *r, uint32_t n, uint32_t reply_bytes)
{
	Hall__V1__Ask ask = HALL__V1__ASK__INIT;
	uint8_t frames[8192], packed[64];
	size_t packed_len, len = 0;

	ask.reply_bytes = reply_bytes;
	packed_len = hall__v1__ask__pack(&ask, packed);
	for (uint32_t i = 0; i < n; i++) {
		const struct ct_wire_header h = raw_call_header(tell_hash(), 20 * SECOND_US);

		len += raw_frame(r, i, &h, CT_BYTES_NONE, ct_bytes_of(packed, packed_len),
				 frames + len, sizeof(frames) - len);
	}
	cr_assert(raw_write(r, frames, len));
}

/* Calls that run until they are stopped. */
static void hold_calls(struct scene *s, struct raw *r, uint32_t first_id, unsigned n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct ct_wire_header h = raw_call_header(hall_hold_method.hash,
								20 * SECOND_US);

		cr_assert(raw_send(r, first_id + i, &h, CT_BYTES_NONE, CT_BYTES_NONE));
	}
	cr_assert(hall_waited(&s->h, &s->h.entered, n));
}

Test(rpc_crowds, slow_reader_is_cut_at_its_limit_and_others_go_on)
{
	enum { CALLS = 60, REPLY = 512 << 10, GROWTH_MAX = 96 << 20, HELD = 2 };
	const struct hall_opts o = { .net = { .send_bytes_max = 6 << 20, .slow_reader_ms = 1 },
				     .server = { .workers = 4, .queue_max = CALLS } };
	struct ct_server_stats st;
	struct scene s;
	uint64_t before;
	struct raw r;

	set_up(&s, &o);
	before = resident_bytes();
	r = join(&s);
	hold_calls(&s, &r, CALLS, HELD); /* they run still when it is cut */

	send_tells(&r, CALLS, REPLY); /* 30 MiB of answers, none read */

	cr_assert(hall_settled(&s.h, pick_connections, 1), "it was not cut");
	cr_assert(hall_settled(&s.h, pick_in_flight, 0));
	st = hall_stats(&s.h);
	cr_assert_eq(hall_net_stats(&s.h).slow_reader, 1);
	cr_assert_geq(st.calls.peer_gone, HELD);
	cr_assert_eq(st.calls.peer_gone + st.calls.ok + st.calls.app_error + st.calls.refused,
		     st.calls.received);
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
	send_tells(&r, CALLS, REPLY);

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

/* A call that takes a buffer of its own at both ends of the server. */
static void talk(struct raw *r, uint32_t id)
{
	enum { BYTES = 8 << 10 };
	const struct ct_wire_header h = raw_call_header(tell_hash(), 20 * SECOND_US);
	static uint8_t payload[BYTES], packed[BYTES + 64];
	static struct raw_msg m;
	Hall__V1__Ask ask = HALL__V1__ASK__INIT;

	ask.payload = (ProtobufCBinaryData){ sizeof(payload), payload }; /* comes back */
	cr_assert(raw_send(r, id, &h, CT_BYTES_NONE,
			   ct_bytes_of(packed, hall__v1__ask__pack(&ask, packed))));
	cr_assert(raw_receive(r, &m));
	cr_assert_eq(m.h.code, CT_OK);
}

/* A hall in whose time nobody falls silent before the test says so. */
struct timed {
	struct fake_clock clock;
	struct scene s;
	uint64_t most; /* bytes that may be resident */
};

static void set_up_timed(struct timed *t)
{
	const struct hall_opts o = { .clock = &t->clock.clk };

	fake_clock_init(&t->clock);
	set_up(&t->s, &o);
}

static bool no_more_than_most(void *arg)
{
	enum { LOOK_MS = 20 };
	struct timed *t = arg;

	fake_clock_step_ms(&t->clock, LOOK_MS);
	ct_timers_poke(t->s.h.rt.timers);
	return resident_bytes() <= t->most;
}

/* So many that the limits allow, each with its buffers. Returns how many; *ret_base:
 * what was resident before. */
static unsigned gather_crowd(struct scene *s, struct raw **ret_peers, uint64_t *ret_base)
{
	enum { WANTED = 5000, KEPT_BACK = 200, TAKEN_EACH_MIN = 16 << 10 };
	const uint64_t limit = raise_descriptor_limit();
	const unsigned n = limit > 2 * WANTED + KEPT_BACK ? WANTED
							  : (unsigned)(limit - KEPT_BACK) / 2;
	struct raw *peers = calloc(n, sizeof(*peers));

	cr_assert_not_null(peers);
	expect_good_served(s);
	*ret_base = resident_bytes();
	join_many(hall_url(&s->h), peers, n);
	for (unsigned i = 0; i < n; i++)
		talk(&peers[i], i);
	if (*ret_base > 0)
		cr_assert_gt(resident_bytes(), *ret_base + (uint64_t)n * TAKEN_EACH_MIN);
	*ret_peers = peers;
	return n;
}

static void disperse(struct raw *peers, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		raw_close(&peers[i]);
	free(peers);
}

static void expect_resident(struct timed *t, uint64_t base, uint64_t more)
{
	t->most = base + more;
	cr_assert(until(no_more_than_most, t), "%lu KiB are left, not %lu",
		  (unsigned long)(resident_bytes() - base) >> 10, (unsigned long)more >> 10);
}

Test(rpc_crowds, crowd_that_has_left_gives_its_memory_back)
{
	enum { LEFT_MAX = 3 << 20 };
	static struct timed t;
	struct raw *peers;
	uint64_t base;
	unsigned n;

	set_up_timed(&t);
	n = gather_crowd(&t.s, &peers, &base);

	disperse(peers, n);

	expect_resident(&t, base, LEFT_MAX);
	tear_down(&t.s);
}

Test(rpc_crowds, crowd_that_falls_silent_gives_its_buffers_back)
{
	enum { LEFT_MAX = 3 << 20, LEFT_EACH_MAX = 4 << 10 };
	static struct timed t;
	struct raw *peers;
	uint64_t base;
	unsigned n;

	set_up_timed(&t);

	n = gather_crowd(&t.s, &peers, &base);

	expect_resident(&t, base, LEFT_MAX + (uint64_t)n * LEFT_EACH_MAX);
	disperse(peers, n);
	tear_down(&t.s);
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
