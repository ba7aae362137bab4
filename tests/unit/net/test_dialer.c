/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/rig.h"

#include "tests/lib/leak_check.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(dialer, .fini = leak_check, .timeout = 60);

Test(dialer, bad_url_is_refused_with_the_reason)
{
	static const struct {
		const char *url, *why;
	} rows[] = {
		{ "tcp://127.0.0.1:0", "no port to connect to" },
		{ "tcp://*:80", "no host to connect to" },
		{ "tls+tcp://a:1", "tls+tcp is not built in" },
		{ "nonsense", "unknown scheme: tcp:// or ipc://" },
	};
	struct rig r;

	rig_init(&r, NULL);
	for (size_t i = 0; i < CT_ARRAY_N(rows); i++) {
		const struct ct_dialer_opts o = { .url = rows[i].url, .events = &tap_events };
		struct ct_dialer *d;
		const char *why = "";

		cr_assert_eq(ct_dialer_new(r.net, &o, &d, &why), CT_INVALID_ARGUMENT);
		cr_assert_str_eq(why, rows[i].why);
	}
	rig_fini(&r);
}

/* A port that nobody listens on. */
static void free_url(char out[128])
{
	const int fd = raw_listen("tcp://127.0.0.1:0", 1);

	raw_url(fd, out);
	close(fd);
}

Test(dialer, failed_attempts_are_told_and_back_off_up_to_the_limit)
{
	const struct ct_net_opts o = { .backoff_min_ms = 4, .backoff_max_ms = 16 };
	struct rig r;
	struct tap client;
	struct ct_dialer *d;
	char url[128];

	rig_init(&r, &o);
	tap_init(&client);
	free_url(url);
	d = rig_dial(&r, url, &client);
	for (unsigned i = 1; i <= 6; i++) {
		tap_wait(&client, &client.failed, i);
		cr_assert_eq(client.why, CT_UNAVAILABLE);
		cr_assert_leq(client.next_ms, 16);
		if (i >= 4)
			cr_assert_geq(client.next_ms, 8, "half of the backoff is fixed");
	}
	cr_assert_eq(client.opened, 0);
	d = ct_dialer_free(d);
	rig_fini(&r);
	tap_fini(&client);
}

Test(dialer, nobody_on_the_ipc_path_is_a_failed_attempt)
{
	struct rig r;
	struct tap client;
	struct ct_dialer *d;
	char url[128];

	rig_init(&r, NULL);
	rig_ipc_url(&r, url);
	tap_init(&client);
	d = rig_dial(&r, url, &client);
	tap_wait(&client, &client.failed, 2);
	cr_assert_eq(client.why, CT_UNAVAILABLE);
	d = ct_dialer_free(d);
	rig_fini(&r);
	tap_fini(&client);
}

Test(dialer, connects_again_when_the_server_closes_the_connection)
{
	struct rig r;
	struct tap server, client;
	struct ct_listener *l;
	struct ct_dialer *d;

	rig_init(&r, NULL);
	tap_init(&server);
	tap_init(&client);
	client.say = "again";
	l = rig_listen(&r, "tcp://127.0.0.1:0", &server);
	d = rig_dial(&r, ct_listener_url(l), &client);
	for (unsigned i = 1; i <= 5; i++) {
		struct ct_conn *c;

		tap_wait(&server, &server.msgs, i);
		c = tap_conn(&server);
		ct_conn_close(c, CT_CANCELLED);
		ct_conn_unref(c);
		tap_wait(&client, &client.closed, i);
		cr_assert_eq(client.why, CT_UNAVAILABLE);
	}
	tap_wait(&client, &client.opened, 6);
	cr_assert_eq(tap_get(&client, &client.failed), 0);
	d = ct_dialer_free(d);
	l = ct_listener_free(l);
	rig_fini(&r);
	tap_fini(&server);
	tap_fini(&client);
}

static void expect_restart_is_survived(struct rig *r, const char *first_url)
{
	struct tap server, client;
	struct ct_listener *l;
	struct ct_dialer *d;
	char url[128];

	tap_init(&server);
	tap_init(&client);
	client.say = "are you there";
	l = rig_listen(r, first_url, &server);
	snprintf(url, sizeof(url), "%s", ct_listener_url(l));
	d = rig_dial(r, url, &client);
	for (unsigned i = 1; i <= 3; i++) {
		tap_wait(&server, &server.msgs, i);
		l = ct_listener_free(l);
		tap_wait(&client, &client.closed, i);
		tap_wait(&client, &client.failed, i); /* nobody is there */
		l = rig_listen(r, url, &server);
	}
	tap_wait(&server, &server.msgs, 4);
	d = ct_dialer_free(d);
	l = ct_listener_free(l);
	tap_wait(&server, &server.closed, 4);
	tap_wait(&client, &client.closed, 4);
	tap_fini(&server);
	tap_fini(&client);
}

Test(dialer, connects_again_when_the_server_comes_back)
{
	struct rig r;
	char url[128];

	rig_init(&r, NULL);
	rig_ipc_url(&r, url);
	expect_restart_is_survived(&r, "tcp://127.0.0.1:0");
	expect_restart_is_survived(&r, url);
	rig_fini(&r);
}

static bool two_handshakes_failed(void *arg)
{
	return rig_stats(arg).handshake_failed >= 2;
}

Test(dialer, server_that_accepts_and_says_nothing_is_a_failed_attempt)
{
	const struct ct_net_opts o = { .handshake_ms = 60 };
	struct rig r;
	struct tap client;
	struct ct_dialer *d;
	char url[128];
	const int fd = raw_listen("tcp://127.0.0.1:0", 8);

	rig_init(&r, &o);
	tap_init(&client);
	raw_url(fd, url);
	d = rig_dial(&r, url, &client);

	tap_wait(&client, &client.failed, 2);

	cr_assert_eq(client.why, CT_UNAVAILABLE);
	cr_assert_eq(tap_get(&client, &client.opened), 0);
	cr_assert(eventually(two_handshakes_failed, &r)); /* an attempt may end before its own */
	d = ct_dialer_free(d);
	rig_fini(&r);
	tap_fini(&client);
	close(fd);
}

Test(dialer, req_peer_of_a_dialer_is_refused)
{
	struct rig r;
	struct tap client;
	struct ct_dialer *d;
	char url[128];
	const int fd = raw_listen("tcp://127.0.0.1:0", 8);
	int peer;

	rig_init(&r, NULL);
	tap_init(&client);
	raw_url(fd, url);
	d = rig_dial(&r, url, &client);
	peer = raw_accept(fd);
	raw_say_hello(peer, CT_SP_REQ);

	raw_read_to_end(peer);

	tap_wait(&client, &client.failed, 1);
	cr_assert_eq(tap_get(&client, &client.opened), 0);
	d = ct_dialer_free(d);
	close(peer);
	close(fd);
	rig_fini(&r);
	tap_fini(&client);
}

Test(dialer, connect_that_hangs_is_called_off)
{
	enum { FILL = 4 };
	const struct ct_net_opts o = { .handshake_ms = 80 };
	struct rig r;
	struct tap client;
	struct ct_dialer *d;
	char url[128];
	const int fd = raw_listen("tcp://127.0.0.1:0", 0);
	int full[FILL];

	raw_url(fd, url);
	for (int i = 0; i < FILL; i++) { /* nobody accepts: the backlog fills, SYNs get lost */
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);

		cr_assert_eq(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
		full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(full[i], (struct sockaddr *)&ss, len);
	}
	rig_init(&r, &o);
	tap_init(&client);
	d = rig_dial(&r, url, &client);

	tap_wait(&client, &client.failed, 2);

	cr_assert_eq(client.why, CT_UNAVAILABLE);
	d = ct_dialer_free(d);
	rig_fini(&r);
	tap_fini(&client);
	for (int i = 0; i < FILL; i++)
		close(full[i]);
	close(fd);
}

Test(dialer, free_ends_it_in_every_state)
{
	struct rig r;
	struct tap server, client;
	struct ct_listener *l;
	struct ct_dialer *d;
	char nobody[128];
	unsigned failed;

	rig_init(&r, NULL);
	tap_init(&server);
	tap_init(&client);
	free_url(nobody);
	l = rig_listen(&r, "tcp://127.0.0.1:0", &server);
	for (int i = 0; i < 50; i++) { /* while it connects or shakes hands */
		d = rig_dial(&r, ct_listener_url(l), &client);
		d = ct_dialer_free(d);
	}
	d = rig_dial(&r, nobody, &client); /* while it rests */
	tap_wait(&client, &client.failed, 1);
	d = ct_dialer_free(d);
	failed = tap_get(&client, &client.failed);
	cr_assert_not(tap_waited(&client, &client.failed, failed + 1, 60));
	cr_assert_null(ct_dialer_free(NULL));
	l = ct_listener_free(l);
	rig_fini(&r);
	cr_assert_eq(client.opened, client.closed);
	cr_assert_eq(server.opened, server.closed);
	tap_fini(&server);
	tap_fini(&client);
}
