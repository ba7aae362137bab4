/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_CALL_H
#define CT_RPC_CALL_H

#include "base/arena.h"
#include "base/attrs.h"
#include "conc/ctx.h"
#include "rpc/metadata.h"
#include "rpc/method.h"
#include "rpc/reply.h"

#include "ct/v1/meta.pb-c.h"

/*
 * One call on the server, as its handler sees it.
 *
 *                refused                           handler answered
 *   RECEIVED -------------> REFUSED      RUNNING ------------------> REPLIED
 *      | admitted                          ^  | its context was tripped first
 *      v          a worker takes it        |  v
 *   QUEUED --------------------------------+  ABANDONED
 *      | its context was tripped
 *      v
 *   EXPIRED
 *
 * Every call ends exactly once, by ct_call_reply() or ct_call_fail(). A handler
 * either answers before it returns, or calls ct_call_keep() and answers later
 * from any thread. After the answer the call must not be touched.
 */
struct ct_call;

const struct ct_method *ct_call_method(const struct ct_call *c);
/* Tripped when the caller cancels, its deadline passes, its connection is lost
 * or the server's drain is over. Borrowed from the call. */
struct ct_ctx *ct_call_ctx(const struct ct_call *c);
void *ct_call_impl(const struct ct_call *c);          /* what was given at registration */
const char *ct_call_peer(const struct ct_call *c);    /* URL of the connection's other end */
const char *ct_call_caller(const struct ct_call *c);  /* CallMeta.caller, "" */
const char *ct_call_service(const struct ct_call *c); /* the server's own name */
/* How much it matters to its caller. Calls made under ct_call_ctx() matter as much, or
 * less when ct_call_opts say so, never more. */
enum ct_criticality ct_call_criticality(const struct ct_call *c);
const Ct__V1__CallMeta *ct_call_meta(const struct ct_call *c); /* never NULL */
/* What came under this key of its metadata (rpc/metadata.h); it lives as long as the
 * call. False: nothing did. */
bool ct_call_metadata(const struct ct_call *c, const char *key, struct ct_bytes *ret_value);
/* Memory that lives as long as the call. One thread at a time. */
struct ct_arena *ct_call_arena(struct ct_call *c);
ProtobufCAllocator *ct_call_allocator(struct ct_call *c); /* the arena, for protobuf-c */

/* Before the handler returns, when it answers later. */
void ct_call_keep(struct ct_call *c);

/* The answer. resp is packed before this returns. When the context is tripped
 * already, the caller gets that status instead. What is still under way under the call's
 * context ends here, with PARENT: its hooks and the done of its calls run on this thread.
 * Any thread, no lock held. */
void ct_call_reply(struct ct_call *c, const ProtobufCMessage *resp);
/* An OK, or a number that is no status, counts as UNKNOWN. The message is for people and
 * may hold no patient's name. */
void ct_call_fail(struct ct_call *c, ct_status st, const char *fmt, ...) CT_PRINTF(3, 4);
/* Before failing: ask the caller to come back after so long, or never. */
void ct_call_set_retry_after(struct ct_call *c, uint32_t ms);
void ct_call_set_no_retry(struct ct_call *c);
/* Before the answer: a typed detail of an error, copied. Bounded: what does not fit is dropped. */
void ct_call_add_detail(struct ct_call *c, const ProtobufCMessage *detail);

/* Before the answer, error or not: metadata of the reply, copied; a key that was given
 * before gets the new value. INTERNAL: it breaks a rule of rpc/metadata.h.
 * RESOURCE_EXHAUSTED: the 9th key, more than 2 KiB of keys and values, or no memory.
 * On both the reply goes without it. */
CT_MUST_USE ct_status ct_call_add_metadata(struct ct_call *c, const char *key,
					   struct ct_bytes value);

/* A downstream call ended: its time goes into the reply's ledger. Any thread, before
 * the answer. */
void ct_call_add_hop(struct ct_call *c, const char *peer, const struct ct_method *m,
		     const struct ct_reply *reply);

/* Goes on with a kept call on a worker, in its lane, ahead of queued calls: for
 * the part after a downstream answer that is too long for a receiving thread.
 * fn runs exactly once, also when the call's context was tripped meanwhile or the
 * server ends: it looks at ct_ctx_status() first, and answers in any case. Once at
 * a time for a call. Any thread. */
typedef void(ct_resume_fn)(struct ct_call *c, void *arg);
void ct_call_resume(struct ct_call *c, ct_resume_fn *fn, void *arg);

#endif
