/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/rig.h"

#include "base/check.h"
#include "net/address.h"
#include "tests/lib/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- taps -------------------------------------------------------------------------- */

static void tap_opened(void *arg, struct ct_conn *c, void **ret_user)
{
	struct tap *t = arg;
	struct ct_conn *before;

	*ret_user = t;
	for (unsigned i = 0; i < t->burst; i++)
		CT_CHECK(send_text(c, i, "") == CT_OK);
	if (t->say != NULL)
		CT_CHECK(send_text(c, 1, t->say) == CT_OK);
	ct_lock_acquire(&t->lock);
	before = t->conn;
	t->conn = ct_conn_ref(c);
	t->opened++;
	ct_cond_broadcast(&t->changed);
	ct_lock_release(&t->lock);
	ct_conn_unref(before);
}

static void keep_locked(struct tap *t, const struct ct_net_msg *m)
{
	struct kept_msg *k = &t->kept[t->msgs % KEPT_MSGS];

	k->route = m->route;
	k->body_len = m->body.len;
	k->too_big = m->too_big;
	memcpy(k->body, m->body.ptr, m->body.len < KEPT_BODY ? m->body.len : KEPT_BODY);
	t->body_bytes += m->body.len;
	t->msgs++;
}

static void tap_batch(struct ct_conn *c, void *user, const struct ct_net_msg *msgs, size_t n)
{
	struct tap *t = user;
	bool close;

	CT_CHECK(n > 0);
	for (size_t i = 0; i < n && t->echo; i++) {
		const struct ct_bytes parts[3] = { CT_BYTES_NONE, msgs[i].body, CT_BYTES_NONE };

		(void)!ct_conn_send(c, &msgs[i].route, parts); /* fails once it is closing */
	}
	ct_lock_acquire(&t->lock);
	close = t->close_at != 0 && t->msgs + n >= t->close_at;
	t->late += close && t->msgs >= t->close_at ? 1 : 0;
	for (size_t i = 0; i < n; i++)
		keep_locked(t, &msgs[i]);
	t->batches++;
	ct_cond_broadcast(&t->changed);
	ct_lock_release(&t->lock);
	if (close)
		ct_conn_close(c, CT_ABORTED);
}

static void tap_closed(struct ct_conn *c, void *user, ct_status why)
{
	struct tap *t = user;

	(void)c;
	ct_lock_acquire(&t->lock);
	t->closed++;
	t->why = why;
	ct_cond_broadcast(&t->changed);
	ct_lock_release(&t->lock);
}

const struct ct_conn_events tap_events = { tap_opened, tap_batch, tap_closed };

void tap_failed(void *arg, ct_status why, uint32_t next_ms)
{
	struct tap *t = arg;

	ct_lock_acquire(&t->lock);
	t->failed++;
	t->why = why;
	t->next_ms = next_ms;
	ct_cond_broadcast(&t->changed);
	ct_lock_release(&t->lock);
}

void tap_init(struct tap *t)
{
	memset(t, 0, sizeof(*t));
	ct_lock_init(&t->lock, CT_RANK_APP);
	ct_cond_init(&t->changed);
}

void tap_fini(struct tap *t)
{
	t->conn = ct_conn_unref(t->conn);
	ct_cond_fini(&t->changed);
	ct_lock_fini(&t->lock);
}

bool tap_waited(struct tap *t, const unsigned *count, unsigned n, uint32_t ms)
{
	const ct_instant until = ct_deadline_after_ms(ct_clock_system(), ms);
	bool enough;

	ct_lock_acquire(&t->lock);
	while (*count < n && ct_cond_wait_until(&t->changed, &t->lock, until))
		continue;
	enough = *count >= n;
	ct_lock_release(&t->lock);
	return enough;
}

void tap_wait(struct tap *t, const unsigned *count, unsigned n)
{
	cr_assert(tap_waited(t, count, n, WAIT_MS), "waited for %u, got %u", n, tap_get(t, count));
}

unsigned tap_get(struct tap *t, const unsigned *count)
{
	unsigned v;

	ct_lock_acquire(&t->lock);
	v = *count;
	ct_lock_release(&t->lock);
	return v;
}

struct ct_conn *tap_conn(struct tap *t)
{
	struct ct_conn *c;

	ct_lock_acquire(&t->lock);
	cr_assert_not_null(t->conn);
	c = ct_conn_ref(t->conn);
	ct_lock_release(&t->lock);
	return c;
}

/* ---- rig --------------------------------------------------------------------------- */

void rig_init(struct rig *r, const struct ct_net_opts *opts)
{
	rig_init_by(r, opts, NULL);
}

void rig_init_by(struct rig *r, const struct ct_net_opts *opts, const struct ct_clock *clk)
{
	memset(r, 0, sizeof(*r));
	if (opts != NULL)
		r->opts = *opts;
	if (r->opts.backoff_min_ms == 0) {
		r->opts.backoff_min_ms = 5;
		r->opts.backoff_max_ms = 40;
	}
	cr_assert_eq(ct_timers_new(clk, &r->opts.timers), CT_OK);
	cr_assert_eq(ct_net_new(&r->opts, &r->net), CT_OK);
}

void rig_fini(struct rig *r)
{
	r->net = ct_net_free(r->net);
	r->opts.timers = ct_timers_free(r->opts.timers);
	if (r->dir[0] != '\0')
		cr_assert_eq(rmdir(r->dir), 0, "the socket file is still there");
}

void rig_ipc_url(struct rig *r, char out[128])
{
	snprintf(r->dir, sizeof(r->dir), "/tmp/ct-net-XXXXXX");
	cr_assert_not_null(mkdtemp(r->dir));
	snprintf(out, 128, "ipc://%s/s", r->dir);
}

struct ct_listener *rig_listen(struct rig *r, const char *url, struct tap *t)
{
	const struct ct_listener_opts o = { .url = url, .events = &tap_events, .arg = t };
	struct ct_listener *l = NULL;
	const char *why = "";

	cr_assert_eq(ct_listener_new(r->net, &o, &l, &why), CT_OK, "%s: %s", url, why);
	return l;
}

struct ct_dialer *rig_dial(struct rig *r, const char *url, struct tap *t)
{
	const struct ct_dialer_opts o = {
		.url = url, .events = &tap_events, .arg = t, .failed = tap_failed
	};
	struct ct_dialer *d = NULL;
	const char *why = "";

	cr_assert_eq(ct_dialer_new(r->net, &o, &d, &why), CT_OK, "%s: %s", url, why);
	return d;
}

struct ct_net_stats rig_stats(struct rig *r)
{
	struct ct_net_stats s;

	ct_net_stats(r->net, &s);
	return s;
}

static ct_status send_body(struct ct_conn *c, uint32_t id, struct ct_bytes body)
{
	const struct ct_sp_route route = { .words = { UINT32_C(0x80000000) | id }, .n = 1 };
	const struct ct_bytes parts[3] = { body, CT_BYTES_NONE, CT_BYTES_NONE };

	return ct_conn_send(c, &route, parts);
}

ct_status send_text(struct ct_conn *c, uint32_t id, const char *text)
{
	return send_body(c, id, ct_bytes_of_str(text));
}

ct_status send_zeros(struct ct_conn *c, uint32_t id, size_t len)
{
	uint8_t *zeros = calloc(1, len);
	ct_status st;

	cr_assert_not_null(zeros);
	st = send_body(c, id, ct_bytes_of(zeros, len));
	free(zeros);
	return st;
}

bool eventually(bool (*fact)(void *arg), void *arg)
{
	const ct_instant until = ct_deadline_after_ms(ct_clock_system(), WAIT_MS);
	struct tap never; /* gives the processor away between two looks */
	bool holds;

	tap_init(&never);
	while (!(holds = fact(arg)) && !ct_deadline_passed(ct_clock_system(), until))
		(void)tap_waited(&never, &never.opened, 1, 2);
	tap_fini(&never);
	return holds;
}

/* ---- raw sockets ------------------------------------------------------------------- */

/* Returns the length of the address. */
static socklen_t parse_url(const char *url, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_un *un = (struct sockaddr_un *)ss;
	struct ct_address a;
	const char *why;

	memset(ss, 0, sizeof(*ss));
	if (strncmp(url, "ipc://", 6) == 0) {
		un->sun_family = AF_UNIX;
		snprintf(un->sun_path, sizeof(un->sun_path), "%s", url + 6);
		return sizeof(*un);
	}
	cr_assert_eq(ct_address_parse(url, &a, &why), CT_OK, "%s", url);
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in->sin_port = htons(a.port);
	return sizeof(*in);
}

static void bound_reads(int fd)
{
	const struct timeval tv = { .tv_sec = WAIT_MS / 1000 };

	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)), 0);
}

int raw_connect(const char *url)
{
	struct sockaddr_storage ss;
	const socklen_t len = parse_url(url, &ss);
	const int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	bound_reads(fd);
	cr_assert_eq(sock_connect(fd, (struct sockaddr *)&ss, len, WAIT_MS), 0, "%s: %s", url,
		     strerror(errno));
	return fd;
}

int raw_listen(const char *url, int backlog)
{
	struct sockaddr_storage ss;
	const socklen_t len = parse_url(url, &ss);
	const int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	cr_assert_geq(fd, 0);
	bound_reads(fd);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&ss, len), 0);
	cr_assert_eq(listen(fd, backlog), 0);
	return fd;
}

void raw_url(int listen_fd, char out[128])
{
	struct sockaddr_in in = { .sin_port = 0 };
	socklen_t len = sizeof(in);

	cr_assert_eq(getsockname(listen_fd, (struct sockaddr *)&in, &len), 0);
	snprintf(out, 128, "tcp://127.0.0.1:%u", ntohs(in.sin_port));
}

int raw_accept(int listen_fd)
{
	const int fd = sock_accept(listen_fd);

	cr_assert_geq(fd, 0);
	bound_reads(fd);
	return fd;
}

void raw_write(int fd, const void *ptr, size_t len)
{
	cr_assert(sock_send_all(fd, ptr, len));
}

void raw_read(int fd, void *ptr, size_t len)
{
	cr_assert(sock_recv_all(fd, ptr, len));
}

void raw_read_to_end(int fd)
{
	uint8_t buf[65536];
	ssize_t n;

	do {
		n = sock_recv(fd, buf, sizeof(buf));
	} while (n > 0);
	cr_assert(n == 0 || errno == ECONNRESET, "the peer did not close: %s", strerror(errno));
}

void raw_say_hello(int fd, enum ct_sp_protocol self)
{
	uint8_t hello[CT_SP_HELLO_BYTES];

	ct_sp_hello(self, hello);
	raw_write(fd, hello, sizeof(hello));
}

void raw_read_hello(int fd, enum ct_sp_protocol peer)
{
	uint8_t hello[CT_SP_HELLO_BYTES];
	const char *why;

	raw_read(fd, hello, sizeof(hello));
	cr_assert_eq(ct_sp_check_hello(hello, peer, &why), CT_OK);
}

size_t raw_message(uint8_t *out, uint32_t id, const char *body, bool ipc)
{
	const struct ct_sp_route route = { .words = { UINT32_C(0x80000000) | id }, .n = 1 };
	const size_t n = ct_sp_prefix(out, &route, strlen(body), ipc);

	memcpy(out + n, body, strlen(body));
	return n + strlen(body);
}

void raw_reset(int fd)
{
	const struct linger hard = { .l_onoff = 1, .l_linger = 0 };

	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
	cr_assert_eq(close(fd), 0);
}

void pair_init(struct pair *p)
{
	rig_init(&p->r, NULL);
	tap_init(&p->server);
	tap_init(&p->client);
	p->l = rig_listen(&p->r, "tcp://127.0.0.1:0", &p->server);
	p->d = rig_dial(&p->r, ct_listener_url(p->l), &p->client);
	tap_wait(&p->client, &p->client.opened, 1);
	tap_wait(&p->server, &p->server.opened, 1);
	p->c = tap_conn(&p->client);
}

void pair_fini(struct pair *p)
{
	ct_conn_unref(p->c);
	p->d = ct_dialer_free(p->d);
	p->l = ct_listener_free(p->l);
	rig_fini(&p->r);
	tap_fini(&p->server);
	tap_fini(&p->client);
}
