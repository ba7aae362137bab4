/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_SERVER_INTERNAL_H
#define CT_RPC_SERVER_INTERNAL_H

/* What the server's own files share; nobody outside shared/rpc. */

#include "conc/lock.h"
#include "conc/sm.h"
#include "obs/ring.h"
#include "rpc/margin.h"
#include "rpc/outlook.h"
#include "rpc/registry.h"
#include "rpc/regret.h"
#include "rpc/router.h"
#include "rpc/server.h"
#include "wire/header.h"

#include <stdatomic.h>

/* ---- one call ---------------------------------------------------------------- */

enum ct_call_state {
	CT_CALL_RECEIVED,
	CT_CALL_QUEUED,
	CT_CALL_RUNNING,
	CT_CALL_REPLIED,
	CT_CALL_ABANDONED, /* ran, but its context was tripped before the answer */
	CT_CALL_EXPIRED,   /* its context was tripped while it waited */
	CT_CALL_REFUSED,
};
extern const struct ct_sm_row ct_call__rows[];

enum {
	CT_CALL_HOPS_MAX = 16,
	CT_CALL_DETAILS_MAX = 8,
	CT_CALL_DETAILS_BYTES_MAX = 4096,
	CT_CALL_MESSAGE_MAX = 512,
	CT_CALL_METADATA_MAX = 8,
	CT_CALL_METADATA_BYTES_MAX = 2048 /* keys and values */
};

/*
 * References that a call has from the start: that of its life, which its end gives up;
 * that of its turn, so that its memory stays while a handler runs that has answered;
 * and that of the receiving thread, which looks at it once more when the pool has it.
 */
enum { CT_CALL_REFS = 3 };

/*
 * Lives in its server's free list between calls. ctx's reference count is the
 * call's. Everything but the atomics belongs to whoever holds the call's turn:
 * the receiving thread, then the queue, then a worker or the handler's thread;
 * the turn passes through the pool's lock. A tripped context takes a queued
 * call's turn by removing its task from the pool.
 */
struct ct_call {
	unsigned tag;
	struct ct_server *server;
	struct ct_ctx ctx;
	struct ct_ctx_hook tripped; /* on ctx */
	struct ct_registry_entry reg;
	struct ct_task task; /* its wait for a worker */
	struct ct_task resume_task;
	ct_resume_fn *resume_fn;
	void *resume_arg;
	struct ct_sm sm;

	struct ct_conn *conn;       /* a reference */
	struct ct_session *session; /* a place in it, until the call is counted as ended */
	struct ct_sp_route reply_to;
	struct ct_route *route;
	struct ct_wire_header header;
	struct ct_bytes meta_bytes, payload; /* in arena */
	const Ct__V1__CallMeta *meta; /* decoded from meta_bytes at first use; NULL: not yet */
	struct ct_arena arena;
	ProtobufCAllocator allocator;

	/* admitted: into the queue, CT_NEVER for INLINE; answered_at: by its handler;
	 * ended: the answer is packed */
	ct_instant received, admitted, started, answered_at, ended;
	uint64_t queue_us;
	uint64_t line_ns; /* what it stands in line with, while in_line */
	bool in_line;     /* in the server's outlook */

	atomic_int ledger_state;    /* call_ledger.c's */
	struct ct_lock ledger_lock; /* rank CALL; protects down to the blank line */
	struct ct_arena ledger;
	uint64_t downstream_us;    /* time in which at least one leg was out */
	ct_instant downstream_end; /* up to here it is counted */
	Ct__V1__Hop *hops[CT_CALL_HOPS_MAX];
	size_t hops_n;

	Ct__V1__Detail *details[CT_CALL_DETAILS_MAX];
	size_t details_n, details_bytes;
	Ct__V1__ReplyMeta__MetadataEntry *metadata[CT_CALL_METADATA_MAX];
	size_t metadata_n, metadata_bytes;
	uint32_t retry_after_ms;
	bool no_retry;
	bool registered; /* in the registry */
	bool brief;      /* counts as that: in lane INLINE, and not kept; under free_lock */
	atomic_bool answered;
	atomic_bool kept;
	atomic_bool swept; /* relaxed: a sweep has looked for it in the queue */
	struct ct_list free_link;
};

/* ---- the server ---------------------------------------------------------------- */

enum ct_server_state { CT_SRV_SERVING, CT_SRV_DRAINING, CT_SRV_CANCELLING, CT_SRV_STOPPED };

/* How a call may end, for the accounting identity. */
enum ct_end {
	CT_END_OK,
	CT_END_APP_ERROR,
	CT_END_REFUSED,
	CT_END_EXPIRED_QUEUED,
	CT_END_EXPIRED_RUNNING,
	CT_END_CANCELLED_QUEUED,
	CT_END_CANCELLED_RUNNING,
	CT_END_PEER_GONE,
	CT_END_N,
};

/* Who wants to know once that serving changed. changed runs at most once, after
 * the watch left the list, with no lock held; it may add the watch again. */
struct ct_serving_watch {
	struct ct_list link;
	void (*changed)(struct ct_serving_watch *w);
};

/* What the server knows of a connection, its `user`. Freed by whoever leaves last. */
struct ct_session {
	struct ct_server *server;
	_Atomic uint64_t taken; /* by its calls in flight, and one by the connection itself */
	struct ct_margin margin;
};

enum { CT_SERVER_LISTENERS_MAX = 8, CT_SERVER_OUT_MAX = 32 };

struct ct_server {
	unsigned tag;
	/* fixed after the first listen */
	struct ct_server_opts opts;
	struct ct_timers *timers;
	struct ct_net *net;
	struct ct_log *log;
	const struct ct_clock *clk;
	size_t msg_bytes_max;
	uint32_t spare[CT_CRITICALITIES_N]; /* places of a queue that a call spares others */
	ct_instant born;
	struct ct_pool *pool;
	struct ct_registry *registry;
	struct ct_outlook outlook;
	struct ct_regret regrets[CT_POOL_LANES];
	struct ct_router router;
	struct ct_ring *ring;       /* of struct ct_call_record */
	struct ct_client **clients; /* whom Stats tell about */
	size_t clients_n;
	ct_server_counters_fn *counters; /* NULL: none but the server's own */
	void *counters_arg;

	struct ct_lock lock;  /* rank SERVER; protects down to the blank line */
	struct ct_cond moved; /* the state changed, or the last connection closed */
	uint32_t connections;
	struct ct_sm sm; /* enum ct_server_state */
	struct ct_listener *listeners[CT_SERVER_LISTENERS_MAX];
	size_t listeners_n;
	struct ct_timer grace;
	const char *out[CT_SERVER_OUT_MAX]; /* services taken out, names of methods' services */
	size_t out_n;
	struct ct_list watches;

	struct ct_lock free_lock; /* rank CALL; protects down to the blank line */
	struct ct_cond idle;      /* alive became 0, or brief */
	struct ct_list free_calls;
	size_t free_n;
	uint64_t alive; /* calls whose memory is in use */
	uint64_t brief; /* of these, answers of receiving threads; a drain ends without them */

	atomic_bool refusing;   /* state is not SERVING: release on set, relaxed on the hot path */
	atomic_bool cancelling; /* its calls are being tripped, or were */
	atomic_bool freeing;    /* nothing is answered any more, relaxed */
	/* relaxed: statistics */
	_Atomic uint64_t in_flight, inline_in_flight; /* of other lanes, of INLINE */
	_Atomic uint64_t received, ends[CT_END_N], refused_by[CT_REFUSALS_N];
	_Atomic uint64_t cancels, cancels_unknown, tombstones_hit, bad_header, bad_payload,
		bad_metadata, clamped, replies_cut, replies_lost;
	_Atomic uint64_t wasted_us[CT_CANCEL_REASONS_N];
};

static inline void ct_srv__count(_Atomic uint64_t *n)
{
	atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

static inline uint64_t ct_srv__get(const _Atomic uint64_t *n)
{
	return atomic_load_explicit(n, memory_order_relaxed);
}

/* A finished call, as Explain shows it. Plain memory: strings are cut to fit. */
struct ct_call_record {
	struct ct_id trace_id;
	char method[96], peer[64], caller[48]; /* may be shown */
	const char *end_state, *reason;        /* static */
	ct_status code;
	uint64_t received_us, budget_us, queue_us, handler_us, tripped_us, cancel_to_stop_us;
	uint32_t attempt;
	enum ct_criticality criticality;
};

/* ---- between the files ------------------------------------------------------------ */

/* admission.c: what a listener's connections are told. arg is the server. */
extern const struct ct_conn_events ct_srv__conn_events;

/* places.c. A place for a call in every limit, or none and why; CT_REFUSALS_N: it has them. */
enum ct_refusal ct_srv__take_places(struct ct_server *s, struct ct_route *r,
				    struct ct_session *session);
/* The call has ended. The last touch of session. */
void ct_srv__leave_places(struct ct_server *s, struct ct_route *r, struct ct_session *session);
/* The connection has closed. The last touch of session. */
void ct_srv__leave_session(struct ct_session *session);
uint64_t ct_srv__in_flight(const struct ct_server *s); /* in all lanes */
bool ct_srv__is_inline(const struct ct_route *r);

/* call_pool.c. Up to n calls for those that a receive brings, under one lock; they count
 * as alive until they are given back. */
void ct_call__reserve(struct ct_server *s, struct ct_list *spare, size_t n);
void ct_call__unreserve(struct ct_server *s, struct ct_list *spare);
/* From spare, or a new one. NULL: no memory. */
struct ct_call *ct_call__take(struct ct_server *s, struct ct_list *spare, bool brief);
/* Of one without a context; that of another does it at its last unref. */
void ct_call__give_back(struct ct_call *c);
/* It was kept: a drain waits for it. */
void ct_call__not_brief(struct ct_call *c);
/* Gives it its context, with CT_CALL_REFS references and its hook: from here on the last
 * unref ends its life, and it may be tripped. Its task is set. */
void ct_call__init_ctx(struct ct_call *c, ct_instant deadline, ct_instant now);
void ct_call__free_all(struct ct_server *s);

/* call_run.c */
const Ct__V1__CallMeta *ct_call__meta(struct ct_call *c); /* decodes it at first use */
void ct_call__begin_trace(struct ct_call *c); /* its context continues the caller's trace */
ct_task_fn ct_call__task_fn;
void ct_call__rest(void); /* the worker that calls it finds nothing more to do for now */
void ct_call__run_inline(struct ct_call *c);
/* The hook of a call's context. */
ct_ctx_hook_fn ct_call__tripped;

/* feasible.c: whether a call will be in time. Lane INLINE is always. */
/* One that comes now. Only calls that wait can make it too late, so an estimate that is
 * off never keeps a method out for good. */
bool ct_srv__feasible(struct ct_server *s, struct ct_route *r, const struct ct_session *session,
		      uint64_t budget_us, ct_instant now);
/* Its turn has come: what that says of the calls that were refused. */
void ct_srv__turn(struct ct_call *c, ct_instant now);
/* One that a worker is about to begin, while others wait. */
bool ct_srv__hopeless(const struct ct_call *c, ct_instant now);
/* The call waits for a worker; it does so no more. The caller has its turn. */
void ct_call__join_line(struct ct_call *c);
void ct_call__leave_line(struct ct_call *c);

/* metadata.c. NULL: what came with the call keeps the rules; else the one it breaks. */
const char *ct_call__metadata_broken(struct ct_call *c);

/* call_ledger.c: no hop is added any more, and none is being added. */
void ct_call__close_ledger(struct ct_call *c);

/* call_end.c: ends a call that never ran. The caller's turn is given up, with its
 * reference. */
void ct_call__refuse(struct ct_call *c, enum ct_refusal why);
void ct_call__end_queued(struct ct_call *c);

/* reply_send.c */
struct ct_reply_head {
	ct_status status;
	const char *message;
	uint32_t retry_after_ms;
	bool not_processed, no_retry;
};
/* One REPLY, queued or not; errors as ct_conn_send(). meta is changed; NULL: none. */
CT_MUST_USE ct_status ct_srv__try_reply(struct ct_conn *conn, const struct ct_sp_route *to,
					const struct ct_wire_header *call,
					const struct ct_reply_head *head, Ct__V1__ReplyMeta *meta,
					struct ct_bytes payload);
/* One without more than its head. False: the connection is gone, nothing was sent. One
 * that cannot be queued takes its connection with it, so that no caller waits for it. */
bool ct_srv__reply(struct ct_server *s, struct ct_conn *conn, const struct ct_sp_route *to,
		   const struct ct_wire_header *call, const struct ct_reply_head *head);

/* refusal.c */
struct ct_refused {
	struct ct_conn *conn;
	struct ct_route *route; /* NULL: no such method */
	const struct ct_wire_header *header;
	struct ct_bytes meta;
	ct_instant received;
};
struct ct_reply_head ct_srv__refusal_head(const struct ct_server *s, enum ct_refusal why);
/* Counts it; one with a trace is remembered for Explain too. Before its reply goes out. */
void ct_srv__record_refusal(struct ct_server *s, enum ct_refusal why, const struct ct_refused *c);

/* drain.c */
void ct_srv__init_grace(struct ct_server *s);
/* Blocks until no connection is open, or the instant passed. */
void ct_srv__wait_closed(struct ct_server *s, ct_instant until);
/* Blocks until no call is alive, cancelling what waits for something: of lane INLINE
 * it may have been kept since the end. The server is freeing. */
void ct_srv__end_all(struct ct_server *s);
/* Cancels the calls of one connection, or all when conn is NULL. */
void ct_srv__cancel_calls(struct ct_server *s, const struct ct_conn *conn,
			  enum ct_cancel_reason why);

/* record.c: counts and records a call that has ended. */
void ct_call__record(struct ct_call *c, enum ct_end end, ct_status code, enum ct_cancel_reason why);
/* It was counted as `was`, but that is not what its caller got. */
void ct_call__recount(struct ct_call *c, enum ct_end was, enum ct_end is);

/* serving.c */
enum ct_serving ct_srv__serving(struct ct_server *s, const char *service);
void ct_srv__watch_add(struct ct_server *s, struct ct_serving_watch *w);
/* True: it was still in the list, and changed will not run. */
bool ct_srv__watch_remove(struct ct_server *s, struct ct_serving_watch *w);
void ct_srv__serving_changed(struct ct_server *s);

#endif
