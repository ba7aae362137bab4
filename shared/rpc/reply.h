/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_REPLY_H
#define CT_RPC_REPLY_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"

#include "ct/v1/meta.pb-c.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

/*
 * How a call ended, as its caller sees it. Everything it points to lives in
 * its arena, until it is used for the next call or finished. One thread at a
 * time. Whatever the status, all fields are set.
 */
struct ct_reply {
	ct_status status;
	const char *message;              /* for people; "" when OK */
	const ProtobufCMessage *response; /* NULL unless OK */
	const char *peer;        /* URL of the server that answered or was asked last; "" */
	uint64_t elapsed_us;     /* all attempts and backoffs */
	uint32_t retry_after_ms; /* the server's hint, 0: none */
	uint8_t attempts;        /* how often it was sent; 0: never left */
	bool not_processed;      /* no part of the handler ran: safe to send again */
	bool no_retry;
	struct ct_arena arena;
	/* ct_reply_meta()'s own */
	struct ct_bytes meta_bytes;
	const Ct__V1__ReplyMeta *meta;
};

/* For ct_reply in the caller's memory: init once, use for any number of calls,
 * fini once. */
void ct_reply_init(struct ct_reply *r);
void ct_reply_fini(struct ct_reply *r);

/* In a done callback: the answer outlives it. to, which is initialised, gets all
 * that from holds, and from is as after init. */
void ct_reply_move(struct ct_reply *to, struct ct_reply *from);

/* Details, timing and metadata of the last reply, decoded at the first use; borrowed
 * from r. NULL: none came, or it does not decode. */
const Ct__V1__ReplyMeta *ct_reply_meta(const struct ct_reply *r);

/* What the server gave under this key of the reply's metadata (rpc/metadata.h), with an
 * error too; borrowed from r. False: nothing, or no reply came. */
bool ct_reply_metadata(const struct ct_reply *r, const char *key, struct ct_bytes *ret_value);

static inline const ProtobufCMessage *ct_reply_message(const struct ct_reply *r)
{
	return r->response;
}

#endif
