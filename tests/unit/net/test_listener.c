/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/rig.h"

#include "tests/lib/leak_check.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(listener, .fini = leak_check, .timeout = 60);

static void expect_refused(struct rig *r, const char *url, ct_status want, const char *want_why)
{
	const struct ct_listener_opts o = { .url = url, .events = &tap_events };
	struct ct_listener *l = NULL;
	const char *why = "";

	cr_assert_eq(ct_listener_new(r->net, &o, &l, &why), want, "%s", url);
	cr_assert_str_eq(why, want_why);
	cr_assert_null(l);
}

Test(listener, bad_url_is_refused_with_the_reason)
{
	struct rig r;

	rig_init(&r, NULL);
	expect_refused(&r, "tcp://127.0.0.1", CT_INVALID_ARGUMENT, "no port: tcp://host:port");
	expect_refused(&r, "tls+tcp://127.0.0.1:1", CT_INVALID_ARGUMENT, "tls+tcp is not built in");
	expect_refused(&r, "ws://127.0.0.1:1", CT_INVALID_ARGUMENT,
		       "unknown scheme: tcp:// or ipc://");
	rig_fini(&r);
}

Test(listener, address_that_is_taken_or_not_ours_is_unavailable)
{
	struct rig r;
	struct tap server;
	struct ct_listener *l;

	rig_init(&r, NULL);
	tap_init(&server);
	l = rig_listen(&r, "tcp://127.0.0.1:0", &server);
	expect_refused(&r, ct_listener_url(l), CT_UNAVAILABLE,
		       "the address is in use, or not ours");
	expect_refused(&r, "tcp://192.0.2.1:7", CT_UNAVAILABLE,
		       "the address is in use, or not ours");
	expect_refused(&r, "ipc:///no/such/folder/s", CT_UNAVAILABLE,
		       "the address is in use, or not ours");
	l = ct_listener_free(l);
	rig_fini(&r);
	tap_fini(&server);
}

Test(listener, its_url_has_the_real_port)
{
	struct rig r;
	struct tap server;
	struct ct_listener *l;

	rig_init(&r, NULL);
	tap_init(&server);
	l = rig_listen(&r, "tcp://127.0.0.1:0", &server);
	cr_assert_eq(strncmp(ct_listener_url(l), "tcp://127.0.0.1:", 16), 0);
	cr_assert_str_neq(ct_listener_url(l), "tcp://127.0.0.1:0");
	l = ct_listener_free(l);
	rig_fini(&r);
	tap_fini(&server);
}

static void exchange(const char *url, bool ipc)
{
	uint8_t out[64], in[64];
	const size_t len = raw_message(out, 3, "hello", ipc);
	const int fd = raw_connect(url);

	raw_say_hello(fd, CT_SP_REQ);
	raw_read_hello(fd, CT_SP_REP);
	raw_write(fd, out, len);
	raw_read(fd, in, len);
	cr_assert_arr_eq(in, out, len);
	close(fd);
}

Test(listener, stale_socket_file_is_replaced_and_a_live_one_is_not)
{
	struct rig r;
	struct tap server;
	struct ct_listener *l;
	struct stat st;
	char url[128];

	rig_init(&r, NULL);
	rig_ipc_url(&r, url);
	tap_init(&server);
	server.echo = true;
	close(raw_listen(url, 1)); /* its owner is gone, the file is not */
	cr_assert_eq(stat(url + strlen("ipc://"), &st), 0);

	l = rig_listen(&r, url, &server);
	exchange(url, true);
	expect_refused(&r, url, CT_UNAVAILABLE, "the address is in use, or not ours");
	exchange(url, true);

	l = ct_listener_free(l);
	cr_assert_neq(stat(url + strlen("ipc://"), &st), 0, "close takes the file away");
	rig_fini(&r);
	tap_fini(&server);
}

static void expect_storm_is_survived(struct rig *r, const char *url, bool ipc)
{
	enum { PEERS = 300 };
	struct tap server;
	struct ct_listener *l;

	tap_init(&server);
	server.echo = true;
	l = rig_listen(r, url, &server);
	for (int i = 0; i < PEERS; i++) {
		const int fd = raw_connect(ct_listener_url(l));

		if (i % 3 == 0)
			raw_say_hello(fd, CT_SP_REQ);
		if (i % 2 == 0)
			raw_reset(fd);
		else
			close(fd);
	}
	for (int i = 0; i < 10; i++)
		exchange(ct_listener_url(l), ipc);
	cr_assert_eq(tap_get(&server, &server.msgs), 10);
	l = ct_listener_free(l);
	tap_wait(&server, &server.closed, server.opened);
	tap_fini(&server);
}

Test(listener, connect_and_close_storms_do_not_stop_it)
{
	struct rig r;
	char url[128];

	rig_init(&r, NULL);
	rig_ipc_url(&r, url);
	expect_storm_is_survived(&r, "tcp://127.0.0.1:0", false);
	expect_storm_is_survived(&r, url, true);
	rig_fini(&r);
}

Test(listener, half_open_and_babbling_peers_delay_nobody)
{
	enum { PEERS = 100 };
	struct rig r;
	struct tap server;
	struct ct_listener *l;
	int fds[PEERS];
	ct_instant start;

	rig_init(&r, NULL);
	tap_init(&server);
	server.echo = true;
	l = rig_listen(&r, "tcp://127.0.0.1:0", &server);
	for (int i = 0; i < PEERS; i++) {
		fds[i] = raw_connect(ct_listener_url(l));
		if (i % 2 == 0)
			raw_write(fds[i], "nonsense and more of it", 23);
	}
	start = ct_now(ct_clock_system());

	exchange(ct_listener_url(l), false);

	cr_assert_lt(ct_instant_us_between(start, ct_now(ct_clock_system())),
		     8000000); /* of the 10 s of a handshake */
	for (int i = 0; i < PEERS; i++)
		close(fds[i]);
	l = ct_listener_free(l);
	rig_fini(&r);
	tap_fini(&server);
}

/* One more descriptor than there are now is the last: a connect of ours takes it. */
static void leave_one_descriptor(struct rlimit *ret_before)
{
	const int next = dup(0);
	struct rlimit few;

	cr_assert_geq(next, 0);
	close(next);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, ret_before), 0);
	few = *ret_before;
	few.rlim_cur = (rlim_t)next + 1;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
}

Test(listener, it_accepts_again_once_there_are_descriptors)
{
	struct rig r;
	struct tap server;
	struct ct_listener *l;
	struct rlimit before;
	uint8_t out[64], in[64];
	const size_t len = raw_message(out, 3, "patience", false);
	int fd;

	rig_init(&r, NULL);
	tap_init(&server);
	server.echo = true;
	l = rig_listen(&r, "tcp://127.0.0.1:0", &server);
	leave_one_descriptor(&before);
	fd = raw_connect(ct_listener_url(l));
	raw_say_hello(fd, CT_SP_REQ);
	cr_assert_not(tap_waited(&server, &server.opened, 1, 100));

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);

	tap_wait(&server, &server.opened, 1);
	raw_read_hello(fd, CT_SP_REP);
	raw_write(fd, out, len);
	raw_read(fd, in, len);
	close(fd);
	l = ct_listener_free(l);
	rig_fini(&r);
	tap_fini(&server);
}

Test(listener, close_refuses_new_peers_and_keeps_the_old)
{
	struct rig r;
	struct tap server, client;
	struct ct_listener *l;
	struct ct_dialer *d;
	struct ct_conn *c;

	rig_init(&r, NULL);
	tap_init(&server);
	tap_init(&client);
	server.echo = true;
	l = rig_listen(&r, "tcp://127.0.0.1:0", &server);
	d = rig_dial(&r, ct_listener_url(l), &client);
	tap_wait(&client, &client.opened, 1);
	c = tap_conn(&client);

	ct_listener_close(l);
	ct_listener_close(l); /* idempotent */

	cr_assert_eq(send_text(c, 1, "still served"), CT_OK);
	tap_wait(&client, &client.msgs, 1);
	l = ct_listener_free(l);
	tap_wait(&server, &server.closed, 1);
	cr_assert_eq(server.why, CT_CANCELLED);
	tap_wait(&client, &client.closed, 1);
	tap_wait(&client, &client.failed, 1); /* and the dialer finds nobody */
	ct_conn_unref(c);
	d = ct_dialer_free(d);
	rig_fini(&r);
	tap_fini(&server);
	tap_fini(&client);
}

Test(listener, finish_lets_every_connection_send_what_is_queued)
{
	enum { MSGS = 500, SIZE = 3000 };
	struct rig r;
	struct tap server, client;
	struct ct_listener *l;
	struct ct_dialer *d;
	struct ct_conn *c;

	rig_init(&r, NULL);
	tap_init(&server);
	tap_init(&client);
	l = rig_listen(&r, "tcp://127.0.0.1:0", &server);
	d = rig_dial(&r, ct_listener_url(l), &client);
	tap_wait(&server, &server.opened, 1);
	c = tap_conn(&server);
	for (unsigned i = 0; i < MSGS; i++)
		cr_assert_eq(send_zeros(c, i, SIZE), CT_OK);

	ct_listener_close(l);
	ct_listener_finish(l);

	tap_wait(&client, &client.closed, 1);
	cr_assert_eq(client.msgs, MSGS);
	tap_wait(&server, &server.closed, 1);
	cr_assert_eq(server.why, CT_CANCELLED);
	ct_conn_unref(c);
	d = ct_dialer_free(d);
	l = ct_listener_free(l);
	rig_fini(&r);
	tap_fini(&server);
	tap_fini(&client);
}

Test(listener, peers_have_names)
{
	struct rig r;
	struct tap server, client;
	struct ct_listener *l;
	struct ct_dialer *d;
	struct ct_conn *c;

	rig_init(&r, NULL);
	tap_init(&server);
	tap_init(&client);
	l = rig_listen(&r, "tcp://127.0.0.1:0", &server);
	d = rig_dial(&r, ct_listener_url(l), &client);
	tap_wait(&server, &server.opened, 1);
	tap_wait(&client, &client.opened, 1);

	c = tap_conn(&client);
	cr_assert_str_eq(ct_conn_peer(c), ct_listener_url(l));
	ct_conn_unref(c);
	c = tap_conn(&server);
	cr_assert_eq(strncmp(ct_conn_peer(c), "tcp://127.0.0.1:", 16), 0);
	cr_assert_str_neq(ct_conn_peer(c), ct_listener_url(l));
	ct_conn_unref(c);
	d = ct_dialer_free(d);
	l = ct_listener_free(l);
	rig_fini(&r);
	tap_fini(&server);
	tap_fini(&client);
}
