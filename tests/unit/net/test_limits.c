/* SPDX-License-Identifier: Apache-2.0 */
/* What is bounded, and what happens at the bound. */
#include "tests/unit/net/rig.h"

#include "tests/lib/fake_clock.h"
#include "tests/lib/leak_check.h"

#include <string.h>
#include <unistd.h>

TestSuite(limits, .fini = leak_check, .timeout = 60);

struct scene {
	struct fake_clock clock; /* of those whose time the test makes */
	struct rig r;
	struct tap server;
	struct ct_listener *l;
};

static void listen_there(struct scene *s)
{
	tap_init(&s->server);
	s->l = rig_listen(&s->r, "tcp://127.0.0.1:0", &s->server);
}

static void set_up(struct scene *s, const struct ct_net_opts *o)
{
	rig_init(&s->r, o);
	listen_there(s);
}

static void set_up_in_our_time(struct scene *s, const struct ct_net_opts *o)
{
	fake_clock_init(&s->clock);
	rig_init_by(&s->r, o, &s->clock.clk);
	listen_there(s);
}

/* What was due by then has been done when it returns. */
static void pass_ms(struct scene *s, int64_t ms)
{
	fake_clock_step_ms(&s->clock, ms);
	ct_timers_poke(s->r.opts.timers);
}

static bool closed_as_time_goes_by(void *arg)
{
	struct scene *s = arg;

	pass_ms(s, 10);
	return tap_get(&s->server, &s->server.closed) > 0;
}

static void tear_down(struct scene *s)
{
	s->l = ct_listener_free(s->l);
	rig_fini(&s->r);
	tap_fini(&s->server);
}

static int greeted(struct scene *s)
{
	const int fd = raw_connect(ct_listener_url(s->l));

	raw_say_hello(fd, CT_SP_REQ);
	raw_read_hello(fd, CT_SP_REP);
	tap_wait(&s->server, &s->server.opened, 1);
	return fd;
}

Test(limits, peer_that_says_nothing_for_idle_ms_is_closed)
{
	const struct ct_net_opts o = { .idle_ms = 100 };
	struct scene s;
	int fd;

	set_up(&s, &o);
	fd = greeted(&s);

	raw_read_to_end(fd);

	tap_wait(&s.server, &s.server.closed, 1);
	cr_assert_eq(s.server.why, CT_UNAVAILABLE);
	cr_assert_eq(rig_stats(&s.r).idle, 1);
	close(fd);
	tear_down(&s);
}

Test(limits, peer_that_talks_is_not_idle)
{
	enum { MSGS = 30, IDLE_MS = 200, BETWEEN_MS = 150 };
	const struct ct_net_opts o = { .idle_ms = IDLE_MS };
	struct scene s;
	uint8_t out[64];
	int fd;

	set_up_in_our_time(&s, &o);
	fd = greeted(&s);
	for (unsigned n = 0; n < MSGS; n++) {
		raw_write(fd, out, raw_message(out, n, "tick", false));
		tap_wait(&s.server, &s.server.msgs, n + 1);
		pass_ms(&s, BETWEEN_MS);
		cr_assert_eq(tap_get(&s.server, &s.server.closed), 0, "message %u", n);
	}
	cr_assert_eq(rig_stats(&s.r).idle, 0);
	cr_assert(eventually(closed_as_time_goes_by, &s), "silence is what it takes");
	cr_assert_eq(rig_stats(&s.r).idle, 1);
	close(fd);
	tear_down(&s);
}

/* Sends until it is refused; how many went in. */
static unsigned fill(struct ct_conn *c, size_t size, ct_status *ret_st)
{
	unsigned n = 0;

	while ((*ret_st = send_zeros(c, n, size)) == CT_OK)
		n++;
	return n;
}

/* What was queued for the peer, in full; then one message more arrives. */
static void drain(struct ct_conn *c, int fd, uint64_t bytes)
{
	uint8_t in[4096], out[64];
	const size_t len = raw_message(out, 7, "after", false);

	for (uint64_t left = bytes; left > 0;) {
		const size_t part = left < sizeof(in) ? (size_t)left : sizeof(in);

		raw_read(fd, in, part);
		left -= part;
	}
	cr_assert_eq(send_text(c, 7, "after"), CT_OK);
	raw_read(fd, in, len);
	cr_assert_arr_eq(in, out, len);
}

Test(limits, burst_over_the_limit_loses_its_own_message_alone)
{
	enum { SIZE = 60000, PREFIX = 12 };
	const struct ct_net_opts o = { .msg_bytes_max = 65536,
				       .send_bytes_max = 1 << 20,
				       .slow_reader_ms = 20000 };
	struct scene s;
	struct ct_conn *c;
	unsigned queued;
	ct_status st;
	int fd;

	set_up(&s, &o);
	fd = greeted(&s);
	c = tap_conn(&s.server);

	queued = fill(c, SIZE, &st);

	cr_assert_gt(queued, 10);
	cr_assert_eq(st, CT_RESOURCE_EXHAUSTED);
	drain(c, fd, (uint64_t)queued * (SIZE + PREFIX)); /* and nothing of the refused one */
	cr_assert_eq(tap_get(&s.server, &s.server.closed), 0);
	cr_assert_eq(rig_stats(&s.r).slow_reader, 0);
	ct_conn_unref(c);
	close(fd);
	tear_down(&s);
}

Test(limits, corked_burst_over_the_limit_does_not_close)
{
	enum { SIZE = 60000, PREFIX = 12 };
	const struct ct_net_opts o = { .msg_bytes_max = 65536,
				       .send_bytes_max = 1 << 20,
				       .slow_reader_ms = 1 };
	struct scene s;
	struct ct_conn *c;
	unsigned queued;
	ct_status st;
	int fd;

	set_up(&s, &o);
	fd = greeted(&s);
	c = tap_conn(&s.server);
	ct_conn_cork(c); /* nothing is in flight, so nobody is slow */
	queued = fill(c, SIZE, &st);
	cr_assert_not(tap_waited(&s.server, &s.server.closed, 1, 20));
	cr_assert_eq(send_zeros(c, 1, SIZE), CT_RESOURCE_EXHAUSTED);
	ct_conn_uncork(c);

	drain(c, fd, (uint64_t)queued * (SIZE + PREFIX));

	cr_assert_eq(rig_stats(&s.r).slow_reader, 0);
	ct_conn_unref(c);
	close(fd);
	tear_down(&s);
}

Test(limits, peer_that_reads_too_slowly_is_closed_and_counted)
{
	const struct ct_net_opts o = { .msg_bytes_max = 65536,
				       .send_bytes_max = 1 << 20,
				       .slow_reader_ms = 50 };
	struct scene s;
	struct ct_conn *c;
	unsigned tries = 0;
	ct_status st;
	int fd;

	set_up(&s, &o);
	fd = greeted(&s); /* and reads nothing more */
	c = tap_conn(&s.server);

	do { /* until the buffers of the system are full, too */
		(void)fill(c, 60000, &st);
		cr_assert(st == CT_RESOURCE_EXHAUSTED || st == CT_UNAVAILABLE); /* it closes */
		cr_assert_lt(tries++, 100);
	} while (!tap_waited(&s.server, &s.server.closed, 1, 60));

	tap_wait(&s.server, &s.server.closed, 1);
	cr_assert_eq(s.server.why, CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(rig_stats(&s.r).slow_reader, 1);
	cr_assert_eq(send_text(c, 1, "too late"), CT_UNAVAILABLE);
	ct_conn_unref(c);
	close(fd);
	tear_down(&s);
}

Test(limits, send_that_makes_no_progress_for_stall_ms_is_given_up)
{
	const struct ct_net_opts o = { .send_bytes_max = 64 << 20, .stall_ms = 150 };
	struct scene s;
	struct ct_conn *c;
	int fd;

	set_up(&s, &o);
	fd = greeted(&s);
	c = tap_conn(&s.server);
	cr_assert_eq(send_zeros(c, 0, 4000000), CT_OK);
	for (unsigned i = 1; i < 8; i++) /* more than any socket buffer holds */
		(void)!send_zeros(c, i, 4000000);

	tap_wait(&s.server, &s.server.closed, 1);

	cr_assert_eq(s.server.why, CT_UNAVAILABLE);
	cr_assert_eq(rig_stats(&s.r).stalled, 1);
	ct_conn_unref(c);
	close(fd);
	tear_down(&s);
}

Test(limits, connection_with_half_its_queue_full_reads_no_more_until_it_drains)
{
	enum { SIZE = 60000, REQUESTS = 400 };
	const struct ct_net_opts o = { .msg_bytes_max = 65536, .send_bytes_max = 8 << 20 };
	struct scene s;
	struct ct_conn *c;
	uint8_t out[64], in[4096];
	size_t len;
	unsigned queued = 0, seen;
	int fd;

	set_up(&s, &o);
	fd = greeted(&s);
	c = tap_conn(&s.server);
	ct_conn_cork(c);                           /* so that the queue is ours alone */
	while ((uint64_t)queued * SIZE <= 5 << 20) /* over half */
		cr_assert_eq(send_zeros(c, queued++, SIZE), CT_OK);
	len = raw_message(out, 1, "request", false);

	/* A receive may be out already and bring one batch; then none comes. */
	for (unsigned i = 0; i < REQUESTS; i++)
		raw_write(fd, out, len);
	cr_assert_not(tap_waited(&s.server, &s.server.msgs, REQUESTS, 100));
	seen = tap_get(&s.server, &s.server.msgs);

	ct_conn_uncork(c);
	for (uint64_t left = (uint64_t)queued * (SIZE + 12); left > 0;) {
		const size_t part = left < sizeof(in) ? (size_t)left : sizeof(in);

		raw_read(fd, in, part);
		left -= part;
	}
	tap_wait(&s.server, &s.server.msgs, REQUESTS);
	cr_assert_lt(seen, REQUESTS);
	cr_assert_eq(tap_get(&s.server, &s.server.closed), 0);
	ct_conn_unref(c);
	close(fd);
	tear_down(&s);
}

Test(limits, paused_connection_delivers_nothing_until_it_is_resumed)
{
	enum { BODY = 2000 }; /* more than the receive that may be out has room for */
	static char body[BODY + 1];
	static uint8_t out[BODY + 64];
	struct scene s;
	struct ct_conn *c;
	size_t len;
	int fd;

	set_up(&s, NULL);
	fd = greeted(&s);
	c = tap_conn(&s.server);
	memset(body, 'x', BODY);
	len = raw_message(out, 1, body, false);
	ct_conn_pause(c);
	raw_write(fd, out, len); /* for the receive that may be out */
	(void)tap_waited(&s.server, &s.server.msgs, 1, 50);

	raw_write(fd, out, len);
	cr_assert_not(tap_waited(&s.server, &s.server.msgs, 2, 50));
	ct_conn_resume(c);

	tap_wait(&s.server, &s.server.msgs, 2);
	ct_conn_unref(c);
	close(fd);
	tear_down(&s);
}

Test(limits, paused_connection_can_be_closed)
{
	struct scene s;
	struct ct_conn *c;
	uint8_t out[64];
	int fd;

	set_up(&s, NULL);
	fd = greeted(&s);
	c = tap_conn(&s.server);
	ct_conn_pause(c);
	raw_write(fd, out, raw_message(out, 1, "x", false));
	(void)tap_waited(&s.server, &s.server.msgs, 1, 50); /* now nng has nothing of it */

	ct_conn_close(c, CT_ABORTED);

	tap_wait(&s.server, &s.server.closed, 1);
	cr_assert_eq(s.server.why, CT_ABORTED);
	raw_read_to_end(fd);
	ct_conn_unref(c);
	close(fd);
	tear_down(&s);
}

Test(limits, connection_over_the_limit_is_refused_and_a_free_place_is_used_again)
{
	struct rig r;
	struct tap server;
	struct ct_listener *l;
	const char *why;
	int fds[3], extra;

	rig_init(&r, NULL);
	tap_init(&server);
	const struct ct_listener_opts o = { .url = "tcp://127.0.0.1:0",
					    .connections_max = 3,
					    .events = &tap_events,
					    .arg = &server };
	cr_assert_eq(ct_listener_new(r.net, &o, &l, &why), CT_OK);
	for (int i = 0; i < 3; i++) {
		fds[i] = raw_connect(ct_listener_url(l));
		raw_say_hello(fds[i], CT_SP_REQ);
		raw_read_hello(fds[i], CT_SP_REP);
	}

	extra = raw_connect(ct_listener_url(l));
	raw_read_to_end(extra);
	close(extra);
	cr_assert_eq(rig_stats(&r).refused_full, 1);
	cr_assert_eq(rig_stats(&r).connections, 3);
	tap_wait(&server, &server.opened, 3);
	close(fds[1]);
	tap_wait(&server, &server.closed, 1);

	fds[1] = raw_connect(ct_listener_url(l));
	raw_say_hello(fds[1], CT_SP_REQ);
	raw_read_hello(fds[1], CT_SP_REP);
	tap_wait(&server, &server.opened, 4);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	l = ct_listener_free(l);
	rig_fini(&r);
	tap_fini(&server);
}

/* Messages of 200000 bytes between small ones, written in pieces of every size. */
static void write_with_big_ones(int fd, unsigned big_n)
{
	enum { BIG = 200000 };
	static uint8_t big[BIG + 64];
	const struct ct_sp_route route = { .words = { 5, UINT32_C(0x80000009) }, .n = 2 };
	const size_t prefix = ct_sp_prefix(big, &route, BIG, false);
	uint8_t small[64];

	for (unsigned i = 0; i < 40; i++)
		big[prefix + i] = (uint8_t)i;
	for (unsigned i = 0; i < big_n; i++) {
		const size_t part = 1 + 13 * i;

		raw_write(fd, big, part);
		raw_write(fd, big + part, prefix + BIG - part);
		raw_write(fd, small, raw_message(small, i, "small", false));
	}
}

Test(limits, message_over_the_limit_is_told_by_its_start_and_skipped)
{
	enum { BIGS = 20 };
	const struct ct_net_opts o = { .msg_bytes_max = 65536, .skip_bytes_max = 1 << 20 };
	struct scene s;
	int fd;

	set_up(&s, &o);
	fd = greeted(&s);

	write_with_big_ones(fd, BIGS);

	tap_wait(&s.server, &s.server.msgs, 2 * BIGS);
	for (unsigned i = 0; i < BIGS; i++) {
		const struct kept_msg *big = &s.server.kept[2 * i], *small = big + 1;

		cr_assert(big->too_big);
		cr_assert_eq(big->route.n, 2);
		cr_assert_eq(big->route.words[1], UINT32_C(0x80000009));
		cr_assert_eq(big->body_len, CT_NET_KEPT_BYTES);
		cr_assert_eq(big->body[39], 39);
		cr_assert_not(small->too_big);
		cr_assert_arr_eq(small->body, "small", 5);
	}
	cr_assert_eq(tap_get(&s.server, &s.server.closed), 0);
	cr_assert_eq(rig_stats(&s.r).msgs_too_big, BIGS);
	cr_assert_eq(rig_stats(&s.r).too_big, 0);
	close(fd);
	tear_down(&s);
}

Test(limits, message_longer_than_what_is_skipped_closes_the_connection)
{
	static const uint8_t over[8] = { 0, 0, 0, 0, 0, 0x10, 0, 1 }; /* 1 MiB and one */
	const struct ct_net_opts o = { .msg_bytes_max = 65536, .skip_bytes_max = 1 << 20 };
	struct scene s;
	int fd;

	set_up(&s, &o);
	fd = greeted(&s);
	raw_write(fd, over, sizeof(over));
	raw_read_to_end(fd);

	tap_wait(&s.server, &s.server.closed, 1);
	cr_assert_eq(s.server.why, CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(rig_stats(&s.r).too_big, 1);
	close(fd);
	tear_down(&s);
}

Test(limits, message_that_is_skipped_and_never_comes_is_idle)
{
	const struct ct_net_opts o = { .msg_bytes_max = 65536,
				       .skip_bytes_max = 1 << 20,
				       .idle_ms = 100 };
	const struct ct_sp_route route = { .words = { UINT32_C(0x80000009) }, .n = 1 };
	uint8_t start[128] = { 0 };
	struct scene s;
	int fd;

	set_up_in_our_time(&s, &o);
	fd = greeted(&s);
	(void)ct_sp_prefix(start, &route, 100000, false);
	raw_write(fd, start, sizeof(start));
	tap_wait(&s.server, &s.server.msgs, 1);

	cr_assert(eventually(closed_as_time_goes_by, &s));

	raw_read_to_end(fd);
	cr_assert_eq(s.server.msgs, 1);
	cr_assert_eq(rig_stats(&s.r).idle, 1);
	close(fd);
	tear_down(&s);
}
