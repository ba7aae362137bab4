/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/rawcall.h"

#include "base/check.h"
#include "net/address.h"
#include "wire/header.h"
#include "wire/sp.h"

#include "conform/v1/conform.ct.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { FRAME_MAX = 4096, PATIENCE_S = 10, CANCEL_ID = 1, CALL_ID = 2 };

static int connect_to(const struct ct_address *a)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(a->port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const int fd = socket(a->ipc ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CT_CHECK(fd >= 0);
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", a->path);
	CT_CHECK(connect(fd, a->ipc ? (const struct sockaddr *)&un : (const struct sockaddr *)&in,
			 a->ipc ? sizeof(un) : sizeof(in)) == 0);
	CT_CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
	return fd;
}

static void send_all(int fd, const uint8_t *bytes, size_t len)
{
	CT_CHECK(send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len);
}

static bool receive_all(int fd, uint8_t *bytes, size_t len)
{
	return recv(fd, bytes, len, MSG_WAITALL) == (ssize_t)len;
}

static void send_message(int fd, bool ipc, uint32_t request_id, const struct ct_wire_header *h,
			 const uint8_t *payload, size_t payload_len)
{
	const struct ct_sp_route route = { .words = { UINT32_C(0x80000000) | request_id }, .n = 1 };
	uint8_t frame[FRAME_MAX];
	size_t n = ct_sp_prefix(frame, &route, CT_WIRE_HEADER_BYTES + payload_len, ipc);

	CT_CHECK(n + CT_WIRE_HEADER_BYTES + payload_len <= sizeof(frame));
	ct_wire_encode(h, frame + n);
	if (payload_len > 0)
		memcpy(frame + n + CT_WIRE_HEADER_BYTES, payload, payload_len);
	send_all(fd, frame, n + CT_WIRE_HEADER_BYTES + payload_len);
}

/* The next reply's request id and header. */
static bool receive_reply(int fd, bool ipc, uint32_t *ret_id, struct ct_wire_header *ret_h)
{
	struct ct_bytes meta, payload;
	struct ct_sp_parsed parsed;
	uint8_t buf[FRAME_MAX];
	const char *why;
	size_t have = 0;

	for (;;) {
		switch (ct_sp_next(ct_bytes_of(buf, have), ipc, sizeof(buf), &parsed)) {
		case CT_SP_NEED:
			if (parsed.need > sizeof(buf) || !receive_all(fd, buf + have, parsed.need - have))
				return false;
			have = parsed.need;
			break;
		case CT_SP_MSG:
			*ret_id = parsed.route.words[parsed.route.n - 1] & ~UINT32_C(0x80000000);
			return ct_wire_decode(parsed.body, ret_h, &meta, &payload, &why) == CT_OK;
		case CT_SP_BAD:
			return false;
		}
	}
}

static void shake_hands(int fd)
{
	uint8_t mine[CT_SP_HELLO_BYTES], theirs[CT_SP_HELLO_BYTES];
	const char *why;

	ct_sp_hello(CT_SP_REQ, mine);
	send_all(fd, mine, sizeof(mine));
	CT_CHECK(receive_all(fd, theirs, sizeof(theirs)));
	CT_CHECK(ct_sp_check_hello(theirs, CT_SP_REP, &why) == CT_OK);
}

bool raw_call(const struct raw_call *rc, ct_status *ret_status, bool *ret_not_processed)
{
	struct ct_wire_header h = { .kind = CT_WIRE_CANCEL, .code = CT_CANCEL_CALLER,
				    .cancel_id = ct_id_new() };
	Conform__V1__WorkRequest req = CONFORM__V1__WORK_REQUEST__INIT;
	uint8_t payload[FRAME_MAX / 2];
	struct ct_address a;
	const char *why;
	uint32_t id = 0;
	size_t len;
	bool got;
	int fd;

	CT_CHECK(ct_address_parse(rc->call->url, &a, &why) == CT_OK);
	fd = connect_to(&a);
	shake_hands(fd);
	if (rc->cancel_first) {
		send_message(fd, a.ipc, CANCEL_ID, &h, NULL, 0);
		CT_CHECK(receive_reply(fd, a.ipc, &id, &(struct ct_wire_header){ .kind = 0 }));
		CT_CHECK(id == CANCEL_ID);
	}
	req.key = (char *)(uintptr_t)rc->call->key;
	req.n_hops = rc->call->hops_n;
	req.hops = (char **)(uintptr_t)rc->call->hops;
	CT_CHECK(conform__v1__work_request__get_packed_size(&req) <= sizeof(payload));
	len = conform__v1__work_request__pack(&req, payload);
	h.kind = CT_WIRE_CALL;
	h.code = CT_CRIT_DEFAULT;
	h.attempt = 1;
	h.budget_us = rc->budget_us;
	h.method = conform_work_method.hash;
	send_message(fd, a.ipc, CALL_ID, &h, payload, len);
	got = receive_reply(fd, a.ipc, &id, &h) && id == CALL_ID;
	if (got) {
		*ret_status = ct_status_from_wire(h.code);
		*ret_not_processed = (h.flags & CT_WIRE_NOT_PROCESSED) != 0;
	}
	(void)close(fd);
	return got;
}
