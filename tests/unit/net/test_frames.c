/* SPDX-License-Identifier: Apache-2.0 */
/* What peers may and may not put on a stream. */
#include "tests/unit/net/rig.h"

#include "tests/lib/leak_check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scene {
	struct rig r;
	struct tap server;
	struct ct_listener *l;
	bool ipc;
};

static struct scene s;

static void set_up(void)
{
	const struct ct_net_opts o = { .msg_bytes_max = 64 * 1024, .handshake_ms = 200 };

	rig_init(&s.r, &o);
	tap_init(&s.server);
	s.server.echo = true;
	s.l = rig_listen(&s.r, "tcp://127.0.0.1:0", &s.server);
}

static void tear_down(void)
{
	s.l = ct_listener_free(s.l);
	rig_fini(&s.r);
	tap_fini(&s.server);
	leak_check();
}

TestSuite(frames, .init = set_up, .fini = tear_down, .timeout = 60);

/* A peer whose handshake is done. */
static int greeted(void)
{
	const int fd = raw_connect(ct_listener_url(s.l));

	raw_say_hello(fd, CT_SP_REQ);
	raw_read_hello(fd, CT_SP_REP);
	return fd;
}

/* Nobody suffers from what the bad peer did. */
static void expect_others_are_served(void)
{
	uint8_t out[64], in[64];
	const int fd = greeted();
	const size_t len = raw_message(out, 3, "still here", false);

	raw_write(fd, out, len);
	raw_read(fd, in, len);
	cr_assert_arr_eq(in, out, len);
	close(fd);
}

Test(frames, message_may_come_byte_by_byte)
{
	uint8_t out[64], in[64];
	const int fd = raw_connect(ct_listener_url(s.l));
	size_t len;

	ct_sp_hello(CT_SP_REQ, out);
	len = CT_SP_HELLO_BYTES + raw_message(out + CT_SP_HELLO_BYTES, 1, "crumbs", false);
	raw_read_hello(fd, CT_SP_REP);
	for (size_t i = 0; i < len; i++)
		raw_write(fd, out + i, 1);

	raw_read(fd, in, len - CT_SP_HELLO_BYTES);
	cr_assert_arr_eq(in, out + CT_SP_HELLO_BYTES, len - CT_SP_HELLO_BYTES);
	close(fd);
}

Test(frames, garbage_instead_of_a_handshake_is_cut_off)
{
	const int fd = raw_connect(ct_listener_url(s.l));

	raw_write(fd, "GET / HTTP/1.1\r\n\r\n", 18);
	raw_read_to_end(fd);

	cr_assert_eq(rig_stats(&s.r).handshake_failed, 1);
	cr_assert_eq(tap_get(&s.server, &s.server.opened), 0);
	expect_others_are_served();
	close(fd);
}

Test(frames, rep_peer_of_a_listener_is_refused)
{
	const int fd = raw_connect(ct_listener_url(s.l));

	raw_say_hello(fd, CT_SP_REP);
	raw_read_to_end(fd);

	cr_assert_eq(rig_stats(&s.r).handshake_failed, 1);
	expect_others_are_served();
	close(fd);
}

Test(frames, peer_that_leaves_before_its_handshake_is_counted_and_forgotten)
{
	for (int i = 0; i < 20; i++)
		raw_reset(raw_connect(ct_listener_url(s.l)));

	expect_others_are_served();
	tap_wait(&s.server, &s.server.closed, 1);
	cr_assert_eq(tap_get(&s.server, &s.server.opened), 1);
}

Test(frames, silent_peer_is_cut_off_when_the_handshake_takes_too_long)
{
	const int silent = raw_connect(ct_listener_url(s.l));
	const int slow = raw_connect(ct_listener_url(s.l));

	raw_write(slow, "\0SP", 3);
	expect_others_are_served(); /* meanwhile */
	raw_read_to_end(silent);
	raw_read_to_end(slow);

	cr_assert_eq(rig_stats(&s.r).handshake_failed, 2);
	close(silent);
	close(slow);
}

static void expect_closed_for(const uint8_t *bytes, size_t len, ct_status why)
{
	const int fd = greeted();

	tap_wait(&s.server, &s.server.opened, 1);
	raw_write(fd, bytes, len);
	raw_read_to_end(fd);

	tap_wait(&s.server, &s.server.closed, 1);
	cr_assert_eq(s.server.why, why, "%s", ct_status_name(s.server.why));
	cr_assert_eq(s.server.msgs, 0);
	expect_others_are_served();
	close(fd);
}

Test(frames, length_of_2_to_the_63_closes_the_connection)
{
	static const uint8_t huge[8] = { 0x80 };

	expect_closed_for(huge, sizeof(huge), CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(rig_stats(&s.r).too_big, 1);
}

Test(frames, length_that_overflows_closes_the_connection)
{
	static const uint8_t ones[9] = { 255, 255, 255, 255, 255, 255, 255, 0xe0, 0 };

	expect_closed_for(ones, sizeof(ones), CT_RESOURCE_EXHAUSTED);
}

Test(frames, message_over_the_limit_closes_the_connection_before_it_is_read)
{
	static const uint8_t over[8] = { 0, 0, 0, 0, 0, 1, 0, 1 }; /* 64 KiB and one */

	expect_closed_for(over, sizeof(over), CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(rig_stats(&s.r).too_big, 1);
}

Test(frames, message_without_a_request_id_closes_the_connection)
{
	static const uint8_t no_id[12] = { [7] = 4, [11] = 1 };

	expect_closed_for(no_id, sizeof(no_id), CT_INVALID_ARGUMENT);
	cr_assert_eq(rig_stats(&s.r).bad_frame, 1);
}

Test(frames, whole_messages_before_a_bad_one_are_delivered)
{
	uint8_t out[128];
	size_t len = raw_message(out, 1, "good", false);
	const int fd = greeted();

	memset(out + len, 0xff, 8);
	raw_write(fd, out, len + 8);
	raw_read_to_end(fd);

	tap_wait(&s.server, &s.server.closed, 1);
	cr_assert_eq(s.server.msgs, 1);
	cr_assert_eq(s.server.why, CT_RESOURCE_EXHAUSTED);
	close(fd);
}

Test(frames, message_of_exactly_the_limit_passes)
{
	struct tap client;
	struct ct_dialer *d;
	struct ct_conn *c;

	tap_init(&client);
	d = rig_dial(&s.r, ct_listener_url(s.l), &client);
	tap_wait(&client, &client.opened, 1);
	c = tap_conn(&client);

	cr_assert_eq(send_zeros(c, 1, 64 * 1024 - 4), CT_OK);
	tap_wait(&client, &client.msgs, 1);
	cr_assert_eq(client.kept[0].body_len, 64 * 1024 - 4);
	cr_assert_eq(send_zeros(c, 2, 64 * 1024 - 3), CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(send_text(c, 3, "and goes on"), CT_OK);
	tap_wait(&client, &client.msgs, 2);

	ct_conn_unref(c);
	d = ct_dialer_free(d);
	tap_wait(&client, &client.closed, 1);
	tap_fini(&client);
}

Test(frames, batches_of_every_size_arrive_whole_and_in_order)
{
	enum { SIZES = 60, EACH = 15 };
	struct tap client;
	struct ct_dialer *d;
	struct ct_conn *c;
	unsigned sent = 0;

	tap_init(&client);
	d = rig_dial(&s.r, ct_listener_url(s.l), &client);
	tap_wait(&client, &client.opened, 1);
	c = tap_conn(&client);

	for (size_t size = 0; size < SIZES; size++) {
		ct_conn_cork(c);
		for (unsigned i = 0; i < EACH; i++, sent++)
			cr_assert_eq(send_zeros(c, sent, 1 + size * size * 17), CT_OK);
		ct_conn_uncork(c);
		tap_wait(&client, &client.msgs, sent);
		for (unsigned i = 0; i < EACH; i++) {
			const struct kept_msg *k = &client.kept[(sent - EACH + i) % KEPT_MSGS];

			cr_assert_eq(k->route.words[0], 0x80000000U | (sent - EACH + i));
			cr_assert_eq(k->body_len, 1 + size * size * 17);
		}
	}
	ct_conn_unref(c);
	d = ct_dialer_free(d);
	tap_wait(&client, &client.closed, 1);
	tap_fini(&client);
}
