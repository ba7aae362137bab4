/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/rig.h"

#include "tests/lib/leak_check.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

TestSuite(echo, .fini = leak_check, .timeout = 60);

static void expect_echo_both_ways(const char *url, struct rig *r)
{
	struct tap server, client;
	struct ct_listener *l;
	struct ct_dialer *d;
	struct ct_conn *to_client;

	tap_init(&server);
	tap_init(&client);
	server.echo = true;
	client.say = "there and back";
	l = rig_listen(r, url, &server);
	d = rig_dial(r, ct_listener_url(l), &client);

	tap_wait(&client, &client.msgs, 1);
	cr_assert_eq(client.kept[0].body_len, 14);
	cr_assert_arr_eq(client.kept[0].body, "there and back", 14);
	cr_assert_eq(client.kept[0].route.n, 1);
	cr_assert_eq(client.kept[0].route.words[0], 0x80000001);
	to_client = tap_conn(&server);
	cr_assert_eq(send_text(to_client, 5, "unasked"), CT_OK);
	tap_wait(&client, &client.msgs, 2);
	cr_assert_arr_eq(client.kept[1].body, "unasked", 7);

	ct_conn_unref(to_client);
	d = ct_dialer_free(d);
	tap_wait(&client, &client.closed, 1);
	tap_wait(&server, &server.closed, 1);
	cr_assert_eq(client.why, CT_CANCELLED);
	cr_assert_eq(server.why, CT_UNAVAILABLE);
	l = ct_listener_free(l);
	tap_fini(&server);
	tap_fini(&client);
}

Test(echo, messages_go_both_ways_over_tcp)
{
	struct rig r;

	rig_init(&r, NULL);
	expect_echo_both_ways("tcp://127.0.0.1:0", &r);
	rig_fini(&r);
}

Test(echo, messages_go_both_ways_over_ipc)
{
	struct rig r;
	char url[128];

	rig_init(&r, NULL);
	rig_ipc_url(&r, url);
	expect_echo_both_ways(url, &r);
	rig_fini(&r);
}

Test(echo, parts_of_a_message_are_joined)
{
	struct pair p;
	const struct ct_sp_route route = { .words = { 7, 0x80000009 }, .n = 2 };
	const struct ct_bytes parts[3] = { ct_bytes_of_str("head"), ct_bytes_of_str("-meta-"),
					   ct_bytes_of_str("tail") };

	pair_init(&p);

	cr_assert_eq(ct_conn_send(p.c, &route, parts), CT_OK);

	tap_wait(&p.server, &p.server.msgs, 1);
	cr_assert_eq(p.server.kept[0].body_len, 14);
	cr_assert_arr_eq(p.server.kept[0].body, "head-meta-tail", 14);
	cr_assert_eq(p.server.kept[0].route.n, 2);
	cr_assert_eq(p.server.kept[0].route.words[0], 7);
	cr_assert_eq(p.server.kept[0].route.words[1], 0x80000009);
	pair_fini(&p);
}

/* ---- stock sockets as peers -------------------------------------------------------- */

static void call_with_stock_req(const char *url, const char *text)
{
	nng_socket s;
	char *reply;
	size_t len;

	cr_assert_eq(nng_req0_open(&s), 0);
	cr_assert_eq(nng_socket_set_ms(s, NNG_OPT_RECVTIMEO, WAIT_MS), 0);
	cr_assert_eq(nng_dial(s, url, NULL, 0), 0);
	for (int i = 0; i < 20; i++) {
		cr_assert_eq(nng_send(s, (void *)(uintptr_t)text, strlen(text) + 1, 0), 0);
		cr_assert_eq(nng_recv(s, &reply, &len, NNG_FLAG_ALLOC), 0);
		cr_assert_eq(len, strlen(text) + 1);
		cr_assert_str_eq(reply, text);
		nng_free(reply, len);
	}
	cr_assert_eq(nng_close(s), 0);
}

Test(echo, stock_req_socket_is_answered)
{
	struct tap server;
	struct rig r;
	struct ct_listener *tcp, *ipc;
	char url[128];

	rig_init(&r, NULL);
	rig_ipc_url(&r, url);
	tap_init(&server);
	server.echo = true;
	tcp = rig_listen(&r, "tcp://127.0.0.1:0", &server);
	ipc = rig_listen(&r, url, &server);

	call_with_stock_req(ct_listener_url(tcp), "over tcp");
	call_with_stock_req(url, "over ipc");

	cr_assert_eq(tap_get(&server, &server.msgs), 40);
	tcp = ct_listener_free(tcp);
	ipc = ct_listener_free(ipc);
	rig_fini(&r);
	tap_fini(&server);
}

static void expect_stock_rep_answers(struct rig *r, const char *listen_url)
{
	char url[128];
	nng_listener l;
	struct tap client;
	struct ct_dialer *d;
	struct ct_conn *c;
	nng_socket s;
	char *request;
	size_t len;

	tap_init(&client);
	cr_assert_eq(nng_rep0_open(&s), 0);
	cr_assert_eq(nng_socket_set_ms(s, NNG_OPT_RECVTIMEO, WAIT_MS), 0);
	cr_assert_eq(nng_listen(s, listen_url, &l, 0), 0);
	snprintf(url, sizeof(url), "%s", listen_url);
	if (strncmp(url, "tcp", 3) == 0) {
		int port;

		cr_assert_eq(nng_listener_get_int(l, NNG_OPT_TCP_BOUND_PORT, &port), 0);
		snprintf(url, sizeof(url), "tcp://127.0.0.1:%d", port);
	}
	d = rig_dial(r, url, &client);
	tap_wait(&client, &client.opened, 1);
	c = tap_conn(&client);
	for (unsigned i = 0; i < 20; i++) {
		cr_assert_eq(send_text(c, i, "a question"), CT_OK);
		cr_assert_eq(nng_recv(s, &request, &len, NNG_FLAG_ALLOC), 0);
		cr_assert_eq(len, 10);
		nng_free(request, len);
		cr_assert_eq(nng_send(s, (void *)(uintptr_t) "42", 2, 0), 0);
		tap_wait(&client, &client.msgs, i + 1);
		cr_assert_eq(client.kept[i].route.words[0], 0x80000000 | i);
		cr_assert_arr_eq(client.kept[i].body, "42", 2);
	}
	ct_conn_unref(c);
	d = ct_dialer_free(d);
	tap_wait(&client, &client.closed, 1);
	cr_assert_eq(nng_close(s), 0);
	tap_fini(&client);
}

Test(echo, stock_rep_socket_answers_our_dialer)
{
	struct rig r;
	char url[128];

	rig_init(&r, NULL);
	rig_ipc_url(&r, url);
	expect_stock_rep_answers(&r, url);
	unlink(url + strlen("ipc://"));
	expect_stock_rep_answers(&r, "tcp://127.0.0.1:0");
	rig_fini(&r);
}

/* ---- gathering --------------------------------------------------------------------- */

Test(echo, what_gathers_during_a_send_goes_out_with_the_next)
{
	enum { MSGS = 20000, BYTES = MSGS * 22 + 2 * CT_SP_HELLO_BYTES };
	struct pair p;
	struct ct_net_stats st;

	pair_init(&p);

	for (unsigned i = 0; i < MSGS; i++)
		cr_assert_eq(send_text(p.c, i, "0123456789"), CT_OK);

	tap_wait(&p.server, &p.server.msgs, MSGS);
	while (rig_stats(&p.r).bytes_out < BYTES) /* counted once nng says so */
		sched_yield();
	st = rig_stats(&p.r);
	cr_assert_eq(st.msgs_out, MSGS);
	cr_assert_eq(st.msgs_in, MSGS);
	cr_assert_eq(st.bytes_out, BYTES);
	cr_assert_eq(st.bytes_in, st.bytes_out);
	cr_assert_lt(st.sends, MSGS / 2);
	cr_assert_lt(p.server.batches, MSGS / 2);
	pair_fini(&p);
}

Test(echo, sends_made_inside_a_batch_go_out_together)
{
	enum { MSGS = 10 };
	struct tap server;
	struct rig r;
	struct ct_listener *l;
	uint8_t out[256], in[256];
	size_t len = CT_SP_HELLO_BYTES;
	int fd;

	rig_init(&r, NULL);
	tap_init(&server);
	server.echo = true;
	l = rig_listen(&r, "tcp://127.0.0.1:0", &server);
	fd = raw_connect(ct_listener_url(l));
	raw_read_hello(fd, CT_SP_REP);
	ct_sp_hello(CT_SP_REQ, out);
	for (uint32_t i = 0; i < MSGS; i++)
		len += raw_message(out + len, i, "x", false);

	raw_write(fd, out, len); /* few enough to be one receive */
	raw_read(fd, in, len - CT_SP_HELLO_BYTES);

	cr_assert_arr_eq(in, out + CT_SP_HELLO_BYTES, len - CT_SP_HELLO_BYTES);
	cr_assert_eq(rig_stats(&r).receives, 1);
	cr_assert_eq(rig_stats(&r).sends, 2, "the hello, and all the answers");
	cr_assert_eq(tap_get(&server, &server.batches), 1);
	close(fd);
	l = ct_listener_free(l);
	rig_fini(&r);
	tap_fini(&server);
}

/* A peer that writes bytes by hand, and a server that answers each message with itself. */
struct answered {
	struct rig r;
	struct tap server;
	struct ct_listener *l;
	int fd;
};

static void answered_init(struct answered *a)
{
	rig_init(&a->r, NULL);
	tap_init(&a->server);
	a->server.echo = true;
	a->l = rig_listen(&a->r, "tcp://127.0.0.1:0", &a->server);
	a->fd = raw_connect(ct_listener_url(a->l));
	raw_say_hello(a->fd, CT_SP_REQ);
	raw_read_hello(a->fd, CT_SP_REP);
}

/* Writes n messages at once and reads them back. */
static void answered_ask(struct answered *a, size_t n)
{
	enum { BODY = 150, MSGS_MAX = 400 };
	static char body[BODY + 1];
	static uint8_t out[MSGS_MAX * (BODY + 32)], in[sizeof(out)];
	size_t len = 0;

	cr_assert_leq(n, MSGS_MAX);
	memset(body, 'b', BODY);
	for (uint32_t i = 0; i < n; i++)
		len += raw_message(out + len, i, body, false);
	raw_write(a->fd, out, len);
	raw_read(a->fd, in, len);
	cr_assert_arr_eq(in, out, len);
}

static void answered_fini(struct answered *a)
{
	close(a->fd);
	a->l = ct_listener_free(a->l);
	rig_fini(&a->r);
	tap_fini(&a->server);
}

Test(echo, sends_made_inside_a_long_batch_go_out_while_it_lasts)
{
	struct ct_net_stats before, st;
	struct answered a;

	answered_init(&a);
	answered_ask(&a, 10); /* from here on it receives into a large buffer */
	before = rig_stats(&a.r);

	answered_ask(&a, 60);

	st = rig_stats(&a.r);
	cr_assert_geq(st.sends - before.sends, 2,
		      "10 KB in parts, the first before the last is made");
	cr_assert_leq(st.sends - before.sends, 4 * (st.receives - before.receives));
	answered_fini(&a);
}

Test(echo, parts_of_a_longer_batch_are_larger)
{
	struct ct_net_stats before, st;
	struct answered a;

	answered_init(&a);
	answered_ask(&a, 400);
	before = rig_stats(&a.r);

	answered_ask(&a, 400);

	st = rig_stats(&a.r);
	cr_assert_leq(st.sends - before.sends, 4 * (st.receives - before.receives),
		      "70 KB: a third of what came, or more than 16 KiB, each");
	answered_fini(&a);
}

Test(echo, corked_connection_sends_nothing_until_the_last_uncork)
{
	struct pair p;
	uint64_t sends;

	pair_init(&p);
	sends = rig_stats(&p.r).sends;

	ct_conn_cork(p.c);
	ct_conn_cork(p.c);
	for (unsigned i = 0; i < 100; i++)
		cr_assert_eq(send_text(p.c, i, "held"), CT_OK);
	ct_conn_uncork(p.c);
	cr_assert_eq(rig_stats(&p.r).sends, sends);
	ct_conn_uncork(p.c);

	tap_wait(&p.server, &p.server.msgs, 100);
	cr_assert_eq(rig_stats(&p.r).sends, sends + 1);
	pair_fini(&p);
}

Test(echo, queued_messages_go_out_at_the_flush_or_with_the_next_send)
{
	struct pair p;
	const struct ct_sp_route route = { .words = { 0x80000001 }, .n = 1 };
	const struct ct_bytes parts[3] = { ct_bytes_of_str("later") };
	uint64_t sends;

	pair_init(&p);
	sends = rig_stats(&p.r).sends;

	for (unsigned i = 0; i < 10; i++)
		cr_assert_eq(ct_conn_queue(p.c, &route, parts), CT_OK);
	cr_assert_eq(rig_stats(&p.r).sends, sends);
	ct_conn_flush(p.c);
	tap_wait(&p.server, &p.server.msgs, 10);
	cr_assert_eq(rig_stats(&p.r).sends, sends + 1);

	cr_assert_eq(ct_conn_queue(p.c, &route, parts), CT_OK);
	cr_assert_eq(ct_conn_send(p.c, &route, parts), CT_OK);
	tap_wait(&p.server, &p.server.msgs, 12);
	cr_assert_eq(rig_stats(&p.r).sends, sends + 2);
	ct_conn_flush(p.c);
	cr_assert_eq(rig_stats(&p.r).sends, sends + 2, "there was nothing left");
	pair_fini(&p);
}

Test(echo, what_the_kernel_takes_is_sent_before_the_call_returns)
{
	enum { FRAME_BYTES = 8 + 4 + 3, MSGS = 50 };
	struct pair p;
	uint64_t out = 2 * CT_SP_HELLO_BYTES;

	pair_init(&p);

	for (unsigned i = 1; i <= MSGS; i++) {
		while (rig_stats(&p.r).bytes_out < out) /* the hellos' threads may not be done */
			sched_yield();
		ct_conn_cork(p.c);
		cr_assert_eq(send_text(p.c, i, "now"), CT_OK);
		ct_conn_uncork(p.c);
		out += FRAME_BYTES;
		if (i > 1) /* at the first, opened() may not have returned yet */
			cr_assert_eq(rig_stats(&p.r).bytes_out, out);
	}
	tap_wait(&p.server, &p.server.msgs, MSGS);
	pair_fini(&p);
}
