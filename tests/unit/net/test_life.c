/* SPDX-License-Identifier: Apache-2.0 */
/* How connections end, and that nothing of them stays. */
#include "tests/unit/net/rig.h"

#include "base/mem.h"
#include "tests/lib/leak_check.h"

#include <dirent.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

TestSuite(life, .fini = leak_check, .timeout = 60);

struct scene {
	struct rig r;
	struct tap server, client;
	struct ct_listener *l;
	struct ct_dialer *d;
};

static void set_up(struct scene *s, const struct ct_net_opts *o)
{
	rig_init(&s->r, o);
	tap_init(&s->server);
	tap_init(&s->client);
	s->l = rig_listen(&s->r, "tcp://127.0.0.1:0", &s->server);
	s->d = NULL;
}

static void dial(struct scene *s)
{
	s->d = rig_dial(&s->r, ct_listener_url(s->l), &s->client);
	tap_wait(&s->client, &s->client.opened, 1);
	tap_wait(&s->server, &s->server.opened, 1);
}

static void tear_down(struct scene *s)
{
	s->d = ct_dialer_free(s->d);
	s->l = ct_listener_free(s->l);
	rig_fini(&s->r);
	cr_assert_eq(s->server.opened, s->server.closed);
	cr_assert_eq(s->client.opened, s->client.closed);
	tap_fini(&s->server);
	tap_fini(&s->client);
}

Test(life, net_without_connections_is_freed_at_once)
{
	struct rig r;

	rig_init(&r, NULL);
	cr_assert_eq(rig_stats(&r).opened, 0);
	rig_fini(&r);
	cr_assert_null(ct_net_free(NULL));
	cr_assert_null(ct_conn_unref(NULL));
	cr_assert_null(ct_listener_free(NULL));
}

Test(life, kept_connection_refuses_sends_after_it_closed)
{
	struct scene s;
	struct ct_conn *c;

	set_up(&s, NULL);
	dial(&s);
	c = tap_conn(&s.client);
	s.d = ct_dialer_free(s.d);
	tap_wait(&s.client, &s.client.closed, 1);

	cr_assert_eq(send_text(c, 1, "hello?"), CT_UNAVAILABLE);
	ct_conn_cork(c);
	ct_conn_uncork(c);
	ct_conn_pause(c);
	ct_conn_resume(c);
	ct_conn_close(c, CT_INTERNAL);
	ct_conn_finish(c);

	cr_assert_eq(tap_get(&s.client, &s.client.closed), 1);
	cr_assert_eq(s.client.why, CT_CANCELLED, "the first reason counts");
	tear_down(&s);
	cr_assert_eq(send_text(c, 1, "even without its net"), CT_UNAVAILABLE);
	ct_conn_unref(c);
}

Test(life, close_inside_a_batch_is_followed_by_none)
{
	enum { MSGS = 60000 }; /* so that a receive brings many batches */
	struct scene s;
	struct ct_conn *c;

	set_up(&s, NULL);
	s.server.close_at = MSGS / 2;
	dial(&s);
	c = tap_conn(&s.client);
	for (unsigned i = 0; i < MSGS; i++)
		if (send_text(c, i, "") != CT_OK)
			break;

	tap_wait(&s.server, &s.server.closed, 1);

	cr_assert_eq(s.server.why, CT_ABORTED);
	cr_assert_geq(s.server.msgs, MSGS / 2);
	cr_assert_eq(s.server.late, 0);
	ct_conn_unref(c);
	tear_down(&s);
}

Test(life, finish_sends_all_that_is_queued_first)
{
	enum { MSGS = 2000, SIZE = 2000 };
	struct scene s;
	struct ct_conn *c;

	set_up(&s, NULL);
	dial(&s);
	c = tap_conn(&s.server);
	for (unsigned i = 0; i < MSGS; i++)
		cr_assert_eq(send_zeros(c, i, SIZE), CT_OK);

	ct_conn_finish(c);
	ct_conn_finish(c); /* idempotent */

	cr_assert_eq(send_text(c, 1, "late"), CT_UNAVAILABLE);
	tap_wait(&s.client, &s.client.closed, 1);
	cr_assert_eq(s.client.msgs, MSGS);
	tap_wait(&s.server, &s.server.closed, 1);
	cr_assert_eq(s.server.why, CT_CANCELLED);
	ct_conn_unref(c);
	tear_down(&s);
}

Test(life, finish_of_a_quiet_connection_closes_it)
{
	struct scene s;
	struct ct_conn *c;

	set_up(&s, NULL);
	dial(&s);
	c = tap_conn(&s.server);
	ct_conn_finish(c);
	tap_wait(&s.server, &s.server.closed, 1);
	tap_wait(&s.client, &s.client.closed, 1);
	ct_conn_unref(c);
	tear_down(&s);
}

Test(life, connection_can_be_closed_while_both_sides_talk)
{
	struct scene s;

	set_up(&s, NULL);
	s.server.echo = s.client.echo = true;
	s.client.burst = 200;
	dial(&s);
	for (unsigned i = 1; i <= 30; i++) {
		struct ct_conn *c = tap_conn(i % 2 == 0 ? &s.server : &s.client);

		ct_conn_close(c, CT_CANCELLED);
		ct_conn_unref(c);
		tap_wait(&s.client, &s.client.closed, i);
		tap_wait(&s.client, &s.client.opened, i + 1);
		tap_wait(&s.server, &s.server.opened, i + 1);
	}
	tear_down(&s);
}

Test(life, counters_of_a_net_add_up)
{
	struct scene s;
	struct ct_net_stats st;

	set_up(&s, NULL);
	s.server.echo = true;
	s.client.burst = 50;
	dial(&s);
	tap_wait(&s.client, &s.client.msgs, 50);
	st = rig_stats(&s.r);
	cr_assert_eq(st.connections, 2);
	cr_assert_eq(st.opened, 2);
	cr_assert_eq(st.closed, 0);
	cr_assert_eq(st.msgs_out, 100);
	cr_assert_eq(st.msgs_in, 100);

	s.d = ct_dialer_free(s.d);
	tap_wait(&s.server, &s.server.closed, 1);
	tap_wait(&s.client, &s.client.closed, 1);

	st = rig_stats(&s.r);
	cr_assert_eq(st.connections, 0);
	cr_assert_eq(st.opened, 2);
	cr_assert_eq(st.closed, 2);
	cr_assert_eq(st.msgs_in, 100);
	cr_assert_eq(st.bytes_in, st.bytes_out);
	tear_down(&s);
}

/* ---- nothing stays --------------------------------------------------------------- */

__attribute__((weak)) size_t __sanitizer_get_current_allocated_bytes(void);

static size_t heap_bytes(void)
{
	const struct mallinfo2 m = mallinfo2();

	if (__sanitizer_get_current_allocated_bytes != NULL)
		return __sanitizer_get_current_allocated_bytes();
	return m.uordblks + m.hblkhd;
}

static bool heap_is_at_most(void *bytes)
{
	return heap_bytes() <= *(size_t *)bytes;
}

static size_t open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	cr_assert_not_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static bool fds_are_back(void *base)
{
	return open_fds() <= *(size_t *)base;
}

static void cycle(struct scene *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const unsigned before = tap_get(&s->client, &s->client.msgs);

		s->d = rig_dial(&s->r, ct_listener_url(s->l), &s->client);
		tap_wait(&s->client, &s->client.msgs, before + 1);
		s->d = ct_dialer_free(s->d);
	}
	tap_wait(&s->client, &s->client.closed, s->client.opened);
	tap_wait(&s->server, &s->server.closed, s->server.opened);
}

Test(life, thousand_connections_leave_no_descriptor_and_no_memory)
{
	struct scene s;
	size_t fds, bytes;

	set_up(&s, NULL);
	s.server.echo = true;
	s.client.say = "hello and goodbye";
	cycle(&s, 50);
	fds = open_fds();
	bytes = heap_bytes();

	cycle(&s, 1000);

	cr_assert(eventually(fds_are_back, &fds), "%zu descriptors, %zu before", open_fds(), fds);
	bytes += 200 * 1024;
	cr_assert(eventually(heap_is_at_most, &bytes), "%zu bytes are left", heap_bytes());
	tear_down(&s);
}

Test(life, idle_connection_gives_its_buffers_back)
{
	const struct ct_net_opts o = { .stall_ms = 200 }; /* so that the watchdog looks often */
	struct scene s;
	size_t quiet, busy, most;
	struct ct_conn *c;

	set_up(&s, &o);
	s.server.echo = true;
	dial(&s);
	quiet = heap_bytes();
	c = tap_conn(&s.client);
	cr_assert_eq(send_zeros(c, 1, 2000000), CT_OK);
	tap_wait(&s.client, &s.client.msgs, 1);
	busy = heap_bytes();
	cr_assert_gt(busy, quiet + 2000000);

	most = quiet + 65536;
	cr_assert(eventually(heap_is_at_most, &most), "%zu bytes, %zu when quiet", heap_bytes(),
		  quiet);
	cr_assert_eq(send_text(c, 2, "awake again"), CT_OK);
	tap_wait(&s.client, &s.client.msgs, 2);
	ct_conn_unref(c);
	tear_down(&s);
}

/* Every allocation fails once: what cannot be made is refused, what is retried
 * comes to work, nothing is lost or told twice. */
Test(life, each_failed_allocation_is_survived)
{
	enum { ALLOCATIONS = 40 };

	for (uint64_t nth = 1; nth <= ALLOCATIONS; nth++) {
		const struct ct_listener_opts lo = { .url = "tcp://127.0.0.1:0",
						     .events = &tap_events };
		struct ct_listener_opts mine = lo;
		struct scene s;
		const char *why = NULL;
		ct_status st;

		rig_init(&s.r, NULL);
		tap_init(&s.server);
		tap_init(&s.client);
		s.server.echo = true;
		mine.arg = &s.server;
		s.d = NULL;
		ct_mem_fail_nth(nth);
		st = ct_listener_new(s.r.net, &mine, &s.l, &why);
		if (st == CT_OK) {
			struct ct_dialer_opts d = { .url = ct_listener_url(s.l),
						    .events = &tap_events,
						    .arg = &s.client,
						    .failed = tap_failed };

			st = ct_dialer_new(s.r.net, &d, &s.d, &why);
			if (st == CT_OK)
				tap_wait(&s.client, &s.client.opened, 1);
		} else {
			s.l = NULL;
		}
		cr_assert(st == CT_OK || st == CT_RESOURCE_EXHAUSTED);
		ct_mem_fail_nth(0);
		tear_down(&s);
	}
}
