/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_CLIENT_H
#define CT_RPC_CLIENT_H

#include "conc/ctx.h"
#include "rpc/metadata.h"
#include "rpc/method.h"
#include "rpc/reply.h"
#include "rpc/runtime.h"

/*
 * Calls one service at one or several endpoints. Every call ends exactly once,
 * at its deadline at the latest, by the caller's own clock; a late reply is
 * counted and dropped. A call that is cancelled or late sends CANCEL to the
 * server that has it. Any thread.
 *
 * Retries (semantics.md's rules): an attempt the server did not process, or an
 * idempotent method that met UNAVAILABLE; within the deadline, at most
 * attempts_max, and within the retry budget (a token bucket and a share of all
 * calls, so that retries never multiply an overload).
 *
 * With `throttle` a client whose calls are refused for load, more than half of them,
 * holds some back (rpc/throttle.h): such a call ends with RESOURCE_EXHAUSTED and
 * not_processed, attempts 0, and no server hears of it; the sync form at once, the async
 * form when its millisecond is over. It is not tried again.
 */
struct ct_client;

struct ct_client_opts {
	const struct ct_runtime *rt; /* outlives the client */
	const char *peer;            /* name of the service for logs and timing, copied */
	/* Endpoints, copied; a tcp host name with several addresses counts as several
	 * and is resolved again. */
	const char *const *urls;
	size_t urls_n;             /* 1..64 */
	uint16_t connections;      /* per address; 0: 1; at most 16 */
	uint32_t timeout_ms;       /* of a call whose ctx and method have none; 0: 2000 */
	uint32_t reply_margin_us;  /* of the parent's time, to answer our own caller; 0: none */
	uint32_t outstanding_max;  /* calls in the client at once; 0: 4096; at most 32768 */
	uint8_t attempts_max;      /* 0: 3 */
	uint32_t retry_backoff_ms; /* before attempt 2, doubled each time, ±20 %; 0: 10 */
	uint32_t resolve_ms;       /* least time between two look-ups of names; 0: 5000 */
	bool throttle;             /* hold calls back while the service refuses most of them */
	/* No connection is ready: wait while the first attempts to connect run, fail
	 * at once, or wait until the call's deadline. */
	enum { CT_WAIT_CONNECTING, CT_WAIT_NEVER, CT_WAIT_READY } wait;
};

struct ct_client_stats {
	uint64_t calls, ok, failed, cancelled, expired; /* calls = the other four + in_flight */
	uint64_t attempts, retries, retries_refused;    /* refused by the retry budget */
	uint64_t throttled;                             /* calls that were held back, see above */
	uint64_t late_replies, connections_lost, cancels_sent;
	uint32_t in_flight, ready; /* ready connections */
};

/* Starts connecting and returns at once. INVALID_ARGUMENT: a URL, *ret_why says
 * what (static). RESOURCE_EXHAUSTED: memory. */
CT_MUST_USE ct_status ct_client_new(const struct ct_client_opts *opts,
				    struct ct_client **ret_client, const char **ret_why);

/* Ends every call (UNAVAILABLE), closes the connections, waits for callbacks
 * that run. Not from a callback. NULL ok; returns NULL. */
struct ct_client *ct_client_free(struct ct_client *c);

void ct_client_stats(struct ct_client *c, struct ct_client_stats *ret_stats);
const char *ct_client_peer(const struct ct_client *c);

/* Blocks until a connection is ready. DEADLINE_EXCEEDED or CANCELLED: ctx. */
CT_MUST_USE ct_status ct_client_wait_ready(struct ct_client *c, struct ct_ctx *ctx);

/* Runs exactly once for each async call, never inside the call that started it
 * (but when there is no memory for the call): on a receiving thread, the timer
 * thread, a thread of the net, the one that cancels the context, or the one in
 * ct_client_free(). It must not block; it may start other calls. reply and all
 * it points to are borrowed until it returns. */
typedef void(ct_done_fn)(void *arg, struct ct_reply *reply);

/* What a call may carry besides its request. All optional, borrowed for the call's start. */
struct ct_call_opts {
	const char
		*idempotency_key; /* for the handler, in every attempt; nothing is dropped for it */
	/* DEFAULT: as much as the call that is being answered under this context. Under
	 * such a call only less than it has counts. */
	enum ct_criticality criticality;
	uint32_t timeout_ms; /* instead of the method's; 0: the method's */
	/* One that breaks the rules of rpc/metadata.h ends the call with INTERNAL, more than
	 * 8 KiB with RESOURCE_EXHAUSTED, both here, without a message to the server. */
	const struct ct_metadata *metadata;
	size_t metadata_n;
};

/* What generated stubs call. req is packed before these return. ctx NULL: no
 * parent. The sync form blocks until the call ended and must not be used on a
 * receiving or timer thread. */
CT_MUST_USE ct_status ct_stub_call(struct ct_client *c, struct ct_ctx *ctx,
				   const struct ct_method *m, const ProtobufCMessage *req,
				   struct ct_reply *reply);
void ct_stub_call_async(struct ct_client *c, struct ct_ctx *ctx, const struct ct_method *m,
			const ProtobufCMessage *req, ct_done_fn *done, void *arg);
/* The same with options; opts NULL: none. */
CT_MUST_USE ct_status ct_client_call(struct ct_client *c, struct ct_ctx *ctx,
				     const struct ct_method *m, const ProtobufCMessage *req,
				     const struct ct_call_opts *opts, struct ct_reply *reply);
void ct_client_start(struct ct_client *c, struct ct_ctx *ctx, const struct ct_method *m,
		     const ProtobufCMessage *req, const struct ct_call_opts *opts, ct_done_fn *done,
		     void *arg);

#endif
