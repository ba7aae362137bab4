/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_LIB_RPC_RAW_H
#define CT_TESTS_LIB_RPC_RAW_H

#include "wire/header.h"
#include "wire/sp.h"

/*
 * A peer that is not ours: plain sockets and hand-made bytes, as docs/protocol.md
 * has them, on either side of a connection. What should work and does not, aborts;
 * what a test asks about is a result. Reads give up after ten seconds.
 */
struct raw {
	int fd; /* -1: closed */
	bool ipc;
};

struct raw raw_connect(const char *url); /* tcp to a numeric v4 host, or ipc */
/* connect, and both hellos of a REQ. */
struct raw raw_join(const char *url);
/* At a free port of the loopback; says where. */
struct raw raw_listen(char out_url[64]);
/* The next connection; both hellos of a REP. */
struct raw raw_accept(const struct raw *listener);
void raw_close(struct raw *r);
void raw_reset(struct raw *r); /* closes with RST where it is tcp */

void raw_hello(struct raw *r, enum ct_sp_protocol self);
/* False: closed, or not that hello. */
bool raw_hears_hello(struct raw *r, enum ct_sp_protocol peer);
/* False: the peer does not take it. */
bool raw_write(struct raw *r, const void *ptr, size_t len);
bool raw_read(struct raw *r, void *ptr, size_t len);
/* The peer closes or resets within fifteen seconds; what it sends before is dropped. */
bool raw_ends(struct raw *r);
/* Something can be read, or the peer has closed, within so long. */
bool raw_readable(struct raw *r, int ms);

/* A frame in out: request id, header (its meta_len is filled in), meta, payload. */
size_t raw_frame(const struct raw *r, uint32_t id, const struct ct_wire_header *h,
		 struct ct_bytes meta, struct ct_bytes payload, uint8_t *out, size_t size);
bool raw_send(struct raw *r, uint32_t id, const struct ct_wire_header *h, struct ct_bytes meta,
	      struct ct_bytes payload);

enum { RAW_FRAME_MAX = 65536 };
struct raw_msg {
	uint32_t id;
	struct ct_wire_header h;
	struct ct_bytes meta, payload; /* in bytes */
	uint8_t bytes[RAW_FRAME_MAX];
};
/* The next message. False: closed, silent for too long, or nothing that decodes. */
bool raw_receive(struct raw *r, struct raw_msg *ret_msg);

/* A CALL of the first attempt with a new id. */
struct ct_wire_header raw_call_header(uint32_t method_hash, uint64_t budget_us);
/* Of the header that came: echoes its id. */
struct ct_wire_header raw_reply_header(const struct ct_wire_header *to, ct_status st);

#endif
