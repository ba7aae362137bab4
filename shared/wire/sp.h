/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_WIRE_SP_H
#define CT_WIRE_SP_H

#include "base/attrs.h"
#include "base/bytes.h"
#include "base/status.h"

#include <stdbool.h>

/*
 * The scalability protocols' framing of a byte stream, as stock REQ and REP
 * sockets speak it. Pure functions: no allocation, no locks, any thread.
 *
 * Handshake, once each way:  00 'S' 'P' 00  protocol(u16)  00 00
 * Message, tcp and tls:      length(u64)  route  body
 *          ipc:          01  length(u64)  route  body
 * route: zero or more u32 hop ids with the high bit clear (devices push them),
 * then the request id with the high bit set. length counts route and body.
 */
enum { CT_SP_HELLO_BYTES = 8, CT_SP_ROUTE_WORDS_MAX = 16, CT_SP_PREFIX_BYTES_MAX = 9 };

enum ct_sp_protocol { CT_SP_REQ = 0x30, CT_SP_REP = 0x31 };

/* How a reply finds its way back. words[n - 1] is the request id, high bit set.
 * A value; the words are host order. */
struct ct_sp_route {
	uint32_t words[CT_SP_ROUTE_WORDS_MAX];
	uint8_t n; /* 1..CT_SP_ROUTE_WORDS_MAX */
};

void ct_sp_hello(enum ct_sp_protocol self, uint8_t out[CT_SP_HELLO_BYTES]);
/* UNAVAILABLE and a reason unless it is the hello of `want`. */
CT_MUST_USE ct_status ct_sp_check_hello(const uint8_t in[CT_SP_HELLO_BYTES],
					enum ct_sp_protocol want, const char **ret_why);

/* What the next bytes of a stream hold. */
enum ct_sp_step {
	CT_SP_NEED, /* not yet whole: .need bytes from in.ptr make it so, or let us look again */
	CT_SP_MSG,  /* a message: .route and .body are set, .used bytes consumed */
	CT_SP_BAD,  /* the peer is broken; .why says how */
};
struct ct_sp_parsed {
	struct ct_sp_route route;
	struct ct_bytes body; /* into `in` */
	size_t used, need;
	const char *why; /* static */
	bool too_big;    /* BAD because of its length alone */
	uint64_t left;   /* ct_sp_start(): bytes of the message behind .used; too_big: its length */
};
/* msg_bytes_max bounds route plus body; a longer length is BAD before a byte of
 * it is awaited. Only the fields that the step names are written. */
enum ct_sp_step ct_sp_next(struct ct_bytes in, bool ipc, size_t msg_bytes_max,
			   struct ct_sp_parsed *ret);

/* The start of a message that is too big to read whole: its route, and as .body
 * the first body_max bytes of its body, or all there are. MSG: .used bytes are
 * consumed and .left more follow, to be skipped. */
enum ct_sp_step ct_sp_start(struct ct_bytes in, bool ipc, size_t body_max,
			    struct ct_sp_parsed *ret);

/* Bytes in front of a body of body_len: length prefix and route. Returns how many were written. */
size_t ct_sp_prefix(uint8_t out[CT_SP_PREFIX_BYTES_MAX + 4 * CT_SP_ROUTE_WORDS_MAX],
		    const struct ct_sp_route *route, size_t body_len, bool ipc);

#endif
