/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/rig.h"

#include "tests/lib/leak_check.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

TestSuite(echo, .fini = leak_check, .timeout = 30);

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
	struct tap server, client;
	struct rig r;
	struct ct_listener *l;
	struct ct_dialer *d;
	struct ct_conn *c;
	const struct ct_sp_route route = { .words = { 7, 0x80000009 }, .n = 2 };
	const struct ct_bytes parts[3] = { ct_bytes_of_str("head"), ct_bytes_of_str("-meta-"),
					   ct_bytes_of_str("tail") };

	rig_init(&r, NULL);
	tap_init(&server);
	tap_init(&client);
	l = rig_listen(&r, "tcp://127.0.0.1:0", &server);
	d = rig_dial(&r, ct_listener_url(l), &client);
	tap_wait(&client, &client.opened, 1);
	c = tap_conn(&client);

	cr_assert_eq(ct_conn_send(c, &route, parts), CT_OK);

	tap_wait(&server, &server.msgs, 1);
	cr_assert_eq(server.kept[0].body_len, 14);
	cr_assert_arr_eq(server.kept[0].body, "head-meta-tail", 14);
	cr_assert_eq(server.kept[0].route.n, 2);
	cr_assert_eq(server.kept[0].route.words[0], 7);
	cr_assert_eq(server.kept[0].route.words[1], 0x80000009);
	ct_conn_unref(c);
	d = ct_dialer_free(d);
	l = ct_listener_free(l);
	rig_fini(&r);
	tap_fini(&server);
	tap_fini(&client);
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
	enum { MSGS = 20000 };
	struct tap server, client;
	struct rig r;
	struct ct_listener *l;
	struct ct_dialer *d;
	struct ct_conn *c;
	struct ct_net_stats st;

	rig_init(&r, NULL);
	tap_init(&server);
	tap_init(&client);
	l = rig_listen(&r, "tcp://127.0.0.1:0", &server);
	d = rig_dial(&r, ct_listener_url(l), &client);
	tap_wait(&client, &client.opened, 1);
	c = tap_conn(&client);

	for (unsigned i = 0; i < MSGS; i++)
		cr_assert_eq(send_text(c, i, "0123456789"), CT_OK);

	tap_wait(&server, &server.msgs, MSGS);
	st = rig_stats(&r);
	cr_assert_eq(st.msgs_out, MSGS);
	cr_assert_eq(st.msgs_in, MSGS);
	cr_assert_eq(st.bytes_out, MSGS * 22 + 2 * CT_SP_HELLO_BYTES);
	cr_assert_eq(st.bytes_in, st.bytes_out);
	cr_assert_lt(st.sends, MSGS / 2);
	cr_assert_lt(server.batches, MSGS / 2);
	ct_conn_unref(c);
	d = ct_dialer_free(d);
	l = ct_listener_free(l);
	rig_fini(&r);
	tap_fini(&server);
	tap_fini(&client);
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

Test(echo, corked_connection_sends_nothing_until_the_last_uncork)
{
	struct tap server, client;
	struct rig r;
	struct ct_listener *l;
	struct ct_dialer *d;
	struct ct_conn *c;
	uint64_t sends;

	rig_init(&r, NULL);
	tap_init(&server);
	tap_init(&client);
	l = rig_listen(&r, "tcp://127.0.0.1:0", &server);
	d = rig_dial(&r, ct_listener_url(l), &client);
	tap_wait(&client, &client.opened, 1);
	tap_wait(&server, &server.opened, 1);
	c = tap_conn(&client);
	sends = rig_stats(&r).sends;

	ct_conn_cork(c);
	ct_conn_cork(c);
	for (unsigned i = 0; i < 100; i++)
		cr_assert_eq(send_text(c, i, "held"), CT_OK);
	ct_conn_uncork(c);
	cr_assert_eq(rig_stats(&r).sends, sends);
	ct_conn_uncork(c);

	tap_wait(&server, &server.msgs, 100);
	cr_assert_eq(rig_stats(&r).sends, sends + 1);
	ct_conn_unref(c);
	d = ct_dialer_free(d);
	l = ct_listener_free(l);
	rig_fini(&r);
	tap_fini(&server);
	tap_fini(&client);
}
