/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_SERVER_H
#define CT_RPC_SERVER_H

#include "rpc/call.h"
#include "rpc/runtime.h"

/*
 * Answers calls on one or several listeners with one bounded pool of workers.
 *
 *   new -> add* -> listen+ -> (serving) -> drain | stop -> join -> free
 *
 *                        grace over, or stop
 *   SERVING -> DRAINING ---------------------> CANCELLING -> STOPPED
 *                  \______ all calls ended _________________/
 *
 * Admission, in this order, before the payload is decoded: size, draining,
 * tombstone, expired, method known, method limit, call limit, feasibility,
 * queue. Each refusal is a status with not_processed and is counted by reason.
 * Any thread; nothing here blocks but join and free.
 */
struct ct_client;
struct ct_server;

struct ct_server_opts {
	const struct ct_runtime *rt;     /* outlives the server; rt->service is the server's name */
	const char *version;             /* static, for Stats */
	uint16_t workers;                /* 1..256; 0: 8 */
	uint16_t batch_workers_max;      /* 0: half */
	uint32_t queue_max;              /* calls waiting, per lane; 0: 64 */
	uint32_t calls_max;              /* admitted and not ended, kept ones too; 0: 4096. Lane
				       INLINE has a limit of its own: an eighth, at least 16 */
	uint32_t method_calls_max;       /* the same for any one method; 0: calls_max */
	uint32_t connection_calls_max;   /* the same for any one connection, all lanes; 0: no limit
				       but these */
	uint32_t connections_max;        /* per listener; 0: 10000 */
	uint32_t max_deadline_ms;        /* longer or no budgets are cut to it; 0: 300000 */
	uint32_t drain_ms;               /* grace for running calls; 0: 5000 */
	uint8_t sheddable_queue_percent; /* of each queue, for SHEDDABLE calls; 1..100, 0: 50 */
	uint8_t critical_reserve_percent; /* of each queue, for CRITICAL calls alone; 0..90 */
	uint32_t retry_after_ms;          /* hint on RESOURCE_EXHAUSTED; 0: 50 */
	uint32_t slow_call_ms;            /* a call that takes longer is logged; 0: 1000 */
	bool log_calls;                   /* log every call, not only failed and slow ones */
};

/* INVALID_ARGUMENT: msg_bytes_max of rt's net is below 64 KiB, or an option is out of
 * range. RESOURCE_EXHAUSTED: no memory or thread. */
CT_MUST_USE ct_status ct_server_new(const struct ct_server_opts *opts,
				    struct ct_server **ret_server);

/* What protoc-gen-ct's <service>_register() calls; before the first listen.
 * ALREADY_EXISTS: the method, or one with its hash, is there. */
typedef void(ct_stub_handler_fn)(struct ct_call *call, const void *handlers,
				 const ProtobufCMessage *req);
CT_MUST_USE ct_status ct_server_add(struct ct_server *s, const struct ct_method *m,
				    ct_stub_handler_fn *invoke, const void *handlers, void *impl);

/* Stats of s tell about this client, too: it calls another service for s. Before the first
 * listen; the client outlives s. RESOURCE_EXHAUSTED: no memory. */
CT_MUST_USE ct_status ct_server_show_client(struct ct_server *s, struct ct_client *client);

/* One of the `counters` of Stats. */
struct ct_server_counter {
	const char *name; /* static */
	uint64_t value;
};
enum { CT_SERVER_COUNTERS_MAX = 32 };
/* Writes at most CT_SERVER_COUNTERS_MAX of them and returns how many. Runs for each Stats,
 * on a receiving thread with no lock held: it must not wait. */
typedef size_t(ct_server_counters_fn)(void *arg, struct ct_server_counter *out);

/* Stats of s tell these, too: what the service counts itself. Once, before the first
 * listen; arg outlives the server. */
void ct_server_show_counters(struct ct_server *s, ct_server_counters_fn *fn, void *arg);

/* Starts to listen and to answer. Errors as ct_listener_new(). */
CT_MUST_USE ct_status ct_server_listen(struct ct_server *s, const char *url, const char **ret_why);
/* The i-th listener's URL with its real port; NULL past the last. */
const char *ct_server_url(const struct ct_server *s, size_t i);

/* Refuses new calls (UNAVAILABLE, not processed), says NOT_SERVING, lets
 * running calls finish for drain_ms, then cancels them (reason DRAIN).
 * stop: cancels at once. Both idempotent; stop overtakes drain.
 * Lane INLINE is answered all the same, until ct_server_free(); what its methods
 * keep is cancelled with the rest. */
void ct_server_drain(struct ct_server *s);
void ct_server_stop(struct ct_server *s);

/* Blocks until STOPPED: every call has ended and its reply was handed to the
 * kernel, or the connection is gone. Of lane INLINE that holds for those that were
 * kept; others come and are answered all the time. */
void ct_server_join(struct ct_server *s);
/* The same, with a bound by the system clock. False: not yet. */
CT_MUST_USE bool ct_server_join_until(struct ct_server *s, ct_instant until);

/* stop, join, release. NULL ok; returns NULL. */
struct ct_server *ct_server_free(struct ct_server *s);

/* received = the eight ends + in_flight; ct_server_stats() looks until it finds them so. */
struct ct_call_counts {
	uint64_t received, ok, app_error, refused, expired_queued, expired_running,
		cancelled_queued, cancelled_running, peer_gone, in_flight;
};

/* Why a call was refused. */
#define CT_REFUSALS(X)                                      \
	X(SIZE, "size", RESOURCE_EXHAUSTED)                 \
	X(DRAINING, "draining", UNAVAILABLE)                \
	X(TOMBSTONE, "tombstone", CANCELLED)                \
	X(DUPLICATE, "duplicate_id", INVALID_ARGUMENT)      \
	X(EXPIRED, "expired", DEADLINE_EXCEEDED)            \
	X(UNKNOWN_METHOD, "unknown_method", UNIMPLEMENTED)  \
	X(METHOD_LIMIT, "method_limit", RESOURCE_EXHAUSTED) \
	X(CALL_LIMIT, "call_limit", RESOURCE_EXHAUSTED)     \
	X(INFEASIBLE, "infeasible", RESOURCE_EXHAUSTED)     \
	X(HOPELESS, "hopeless", RESOURCE_EXHAUSTED)         \
	X(SHED, "shed", RESOURCE_EXHAUSTED)                 \
	X(QUEUE_FULL, "queue_full", RESOURCE_EXHAUSTED)     \
	X(NO_MEMORY, "no_memory", RESOURCE_EXHAUSTED)

enum ct_refusal {
#define X(name, text, status) CT_REFUSAL_##name,
	CT_REFUSALS(X)
#undef X
		CT_REFUSALS_N
};

struct ct_server_stats {
	struct ct_call_counts calls;
	uint64_t refused_by[CT_REFUSALS_N];
	/* Of those refused as INFEASIBLE: looked at again when they would have had their turn;
	 * of these, in time after all; and of these, nobody else had that turn. */
	uint64_t infeasible_looked_at, infeasible_in_time, infeasible_unused;
	uint64_t cancels, cancels_unknown, tombstones_hit, bad_header, bad_payload, bad_metadata,
		clamped;
	uint64_t replies_cut;  /* no room for them: only their status was sent */
	uint64_t replies_lost; /* not even for that: the connection was closed instead */
	uint64_t wasted_us;    /* time of handlers after their context was tripped */
	uint64_t wasted_us_by[CT_CANCEL_REASONS_N]; /* the same by enum ct_cancel_reason */
	uint32_t queued, running, connections;
	bool identity_ok;
	const char *state; /* row name */
};
void ct_server_stats(struct ct_server *s, struct ct_server_stats *ret_stats);

/* The state of one service, or of all for "". For health checks. */
enum ct_serving { CT_SERVING_UNKNOWN, CT_SERVING, CT_NOT_SERVING, CT_SERVICE_UNKNOWN };
/* An application may take a service of its out (a failed store, say) and back. */
void ct_server_set_serving(struct ct_server *s, const char *service, bool serving);

/* ct.v1.Health and ct.v1.Runtime: call once, before listen. */
CT_MUST_USE ct_status ct_server_add_standard(struct ct_server *s);

#endif
