/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/rpc/raw.h"

#include "base/check.h"
#include "net/address.h"
#include "tests/lib/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_MS = 15000, BACKLOG = 16 };
#define ID_BIT UINT32_C(0x80000000)

static struct raw bounded(int fd, bool ipc)
{
	const struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	const int on = 1;

	CT_CHECK(fd >= 0);
	CT_CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
	CT_CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0);
	if (!ipc)
		CT_CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
	return (struct raw){ .fd = fd, .ipc = ipc };
}

struct raw raw_connect(const char *url)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct ct_address a;
	const char *why;
	struct raw r;
	int rv;

	CT_CHECK(ct_address_parse(url, &a, &why) == CT_OK);
	r = bounded(socket(a.ipc ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), a.ipc);
	if (a.ipc) {
		(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", a.path);
		rv = sock_connect(r.fd, (const struct sockaddr *)&un, sizeof(un), PATIENCE_MS);
	} else {
		CT_CHECK(inet_pton(AF_INET, a.host, &in.sin_addr) == 1);
		in.sin_port = htons(a.port);
		rv = sock_connect(r.fd, (const struct sockaddr *)&in, sizeof(in), PATIENCE_MS);
	}
	CT_CHECK(rv == 0);
	return r;
}

struct raw raw_join(const char *url)
{
	struct raw r = raw_connect(url);

	raw_hello(&r, CT_SP_REQ);
	CT_CHECK(raw_hears_hello(&r, CT_SP_REP));
	return r;
}

struct raw raw_listen(char out_url[64])
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	const struct raw r = bounded(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), false);

	CT_CHECK(bind(r.fd, (const struct sockaddr *)&in, sizeof(in)) == 0);
	CT_CHECK(listen(r.fd, BACKLOG) == 0);
	CT_CHECK(getsockname(r.fd, (struct sockaddr *)&in, &len) == 0);
	(void)snprintf(out_url, 64, "tcp://127.0.0.1:%u", (unsigned)ntohs(in.sin_port));
	return r;
}

struct raw raw_accept(const struct raw *listener)
{
	struct raw r = bounded(sock_accept(listener->fd), false);

	raw_hello(&r, CT_SP_REP);
	CT_CHECK(raw_hears_hello(&r, CT_SP_REQ));
	return r;
}

void raw_close(struct raw *r)
{
	if (r->fd >= 0)
		CT_CHECK(close(r->fd) == 0);
	r->fd = -1;
}

void raw_reset(struct raw *r)
{
	const struct linger hard = { .l_onoff = 1, .l_linger = 0 };

	CT_CHECK(setsockopt(r->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)) == 0);
	raw_close(r);
}

/* ---- bytes ------------------------------------------------------------------------- */

bool raw_write(struct raw *r, const void *ptr, size_t len)
{
	return sock_send_all(r->fd, ptr, len);
}

bool raw_read(struct raw *r, void *ptr, size_t len)
{
	return sock_recv_all(r->fd, ptr, len);
}

bool raw_ends(struct raw *r)
{
	uint8_t buf[RAW_FRAME_MAX];
	ssize_t n;

	do {
		n = sock_recv(r->fd, buf, sizeof(buf));
	} while (n > 0);
	return n == 0 || errno == ECONNRESET;
}

bool raw_readable(struct raw *r, int ms)
{
	struct pollfd p = { .fd = r->fd, .events = POLLIN };
	int rv;

	do {
		rv = poll(&p, 1, ms);
	} while (rv < 0 && errno == EINTR);
	return rv == 1;
}

void raw_hello(struct raw *r, enum ct_sp_protocol self)
{
	uint8_t hello[CT_SP_HELLO_BYTES];

	ct_sp_hello(self, hello);
	(void)raw_write(r, hello, sizeof(hello)); /* a peer that is gone shows in the answer */
}

bool raw_hears_hello(struct raw *r, enum ct_sp_protocol peer)
{
	uint8_t hello[CT_SP_HELLO_BYTES];
	const char *why;

	return raw_read(r, hello, sizeof(hello)) && ct_sp_check_hello(hello, peer, &why) == CT_OK;
}

/* ---- messages ------------------------------------------------------------------------ */

size_t raw_frame(const struct raw *r, uint32_t id, const struct ct_wire_header *h,
		 struct ct_bytes meta, struct ct_bytes payload, uint8_t *out, size_t size)
{
	const struct ct_sp_route route = { .words = { ID_BIT | id }, .n = 1 };
	const size_t body = CT_WIRE_HEADER_BYTES + meta.len + payload.len;
	uint8_t prefix[CT_SP_PREFIX_BYTES_MAX + 4 * CT_SP_ROUTE_WORDS_MAX];
	const size_t n = ct_sp_prefix(prefix, &route, body, r->ipc);
	struct ct_wire_header full = *h;

	CT_CHECK(n + body <= size);
	full.meta_len = (uint32_t)meta.len;
	memcpy(out, prefix, n);
	ct_wire_encode(&full, out + n);
	if (meta.len > 0)
		memcpy(out + n + CT_WIRE_HEADER_BYTES, meta.ptr, meta.len);
	if (payload.len > 0)
		memcpy(out + n + CT_WIRE_HEADER_BYTES + meta.len, payload.ptr, payload.len);
	return n + body;
}

bool raw_send(struct raw *r, uint32_t id, const struct ct_wire_header *h, struct ct_bytes meta,
	      struct ct_bytes payload)
{
	uint8_t frame[RAW_FRAME_MAX];
	const size_t n = raw_frame(r, id, h, meta, payload, frame, sizeof(frame));

	return raw_write(r, frame, n);
}

bool raw_receive(struct raw *r, struct raw_msg *m)
{
	struct ct_sp_parsed parsed;
	const char *why;
	size_t have = 0;

	for (;;) {
		switch (ct_sp_next(ct_bytes_of(m->bytes, have), r->ipc, sizeof(m->bytes),
				   &parsed)) {
		case CT_SP_NEED:
			if (parsed.need > sizeof(m->bytes) ||
			    !raw_read(r, m->bytes + have, parsed.need - have))
				return false;
			have = parsed.need;
			break;
		case CT_SP_MSG:
			m->id = parsed.route.words[parsed.route.n - 1] & ~ID_BIT;
			return ct_wire_decode(parsed.body, &m->h, &m->meta, &m->payload, &why) ==
			       CT_OK;
		case CT_SP_BAD:
			return false;
		}
	}
}

struct ct_wire_header raw_call_header(uint32_t method_hash, uint64_t budget_us)
{
	return (struct ct_wire_header){
		.kind = CT_WIRE_CALL,
		.attempt = 1,
		.budget_us = budget_us,
		.cancel_id = ct_id_new(),
		.method = method_hash,
	};
}

struct ct_wire_header raw_reply_header(const struct ct_wire_header *to, ct_status st)
{
	return (struct ct_wire_header){
		.kind = CT_WIRE_REPLY,
		.code = (uint8_t)st,
		.attempt = to->attempt,
		.cancel_id = to->cancel_id,
	};
}
