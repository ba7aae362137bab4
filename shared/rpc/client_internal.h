/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_CLIENT_INTERNAL_H
#define CT_RPC_CLIENT_INTERNAL_H

/* What the client's own files share; nobody outside shared/rpc. */

#include "conc/lock.h"
#include "rpc/client.h"
#include "rpc/retry.h"
#include "rpc/throttle.h"
#include "wire/header.h"

#include <stdatomic.h>

/*
 * One call of ours on its way.
 *
 *             a link is ready             its slot is claimed by a reply,
 *   WAITING ------------------> SENT ----------------------------------> HANDLED
 *      ^  backoff over             \____ a loss, or a trip ______________/  |  |
 *      |                                                                    |  |
 *   BACKOFF <------------------------ worth another attempt ----------------+  |
 *                                                                    DONE <----+
 *
 * state is under the client's lock; who moves a call to HANDLED owns it. The
 * context's reference count is the call's.
 */
enum ct_out_state { CT_OUT_WAITING, CT_OUT_SENT, CT_OUT_BACKOFF, CT_OUT_HANDLED, CT_OUT_DONE };

struct ct_link;

struct ct_out {
	struct ct_client *client;
	struct ct_ctx ctx; /* child of the caller's */
	struct ct_ctx_hook tripped;
	struct ct_timer timer; /* backoff, and endings that must not run inside the start */
	const struct ct_method *method;
	ct_done_fn *done;
	void *arg;
	struct ct_reply *reply; /* the sync caller's, or own_reply */
	struct ct_reply own_reply;
	struct ct_arena packed;        /* holds meta and payload for all attempts */
	struct ct_bytes meta, payload; /* meta: or the client's plain one */
	ct_instant started;
	enum ct_criticality criticality;
	uint8_t attempts;
	uint8_t unsent;       /* of these, that never left */
	bool maybe_processed; /* an earlier attempt may have run */
	bool admitted;        /* counts against outstanding_max */
	bool throttled;       /* held back: is not sent at all */
	atomic_bool starting; /* ct_client_start() has not returned yet */

	/* under the client's lock from here on */
	struct ct_list link; /* waiting, resting, or a private list */
	enum ct_out_state state;
	struct ct_link *on; /* SENT */
	uint32_t slot;
	const struct ct_link *avoid; /* the link of the last attempt; compared, never followed */
	struct ct_throttle_account *account; /* of the client; NULL: it does not throttle */
	struct ct_id cancel_id;
};

struct ct_slot {
	struct ct_out *out; /* NULL: free */
	uint32_t generation;
	uint32_t next_free;
};

/* LEAVING: the server drains; what is out on the connection ends there. */
enum ct_link_state { CT_LINK_CONNECTING, CT_LINK_READY, CT_LINK_LEAVING, CT_LINK_FAILED };

/* One connection to one address, kept alive by its dialer. */
struct ct_link {
	struct ct_client *client;
	struct ct_endpoint *endpoint;
	char *url;
	struct ct_dialer *dialer;
	struct ct_list of_client; /* under the client's lock, as all below */
	enum ct_link_state state;
	bool in_use;          /* a connection is between opened and closed */
	struct ct_conn *conn; /* READY, LEAVING */
	struct ct_slot *slots;
	uint32_t slots_n, free_head, free_tail; /* first in, first out: generations age evenly */
	uint32_t outstanding;
	/* Since when a CANCEL waits for its answer, which a live server gives at once,
	 * and nothing else came either; 0: does not. */
	ct_instant silent_since;
	uint32_t penalty;    /* of a server that refuses for load: counts as outstanding calls */
	ct_instant faded_at; /* up to here it is forgotten; the last refusal at the earliest */
	uint32_t cancel_ids; /* counts the request ids of CANCELs */
	unsigned ready_i;    /* its place among the ready */
};

struct ct_endpoint {
	struct ct_client *client;
	char *url;
	bool resolving;
	bool resolved_once;
	ct_instant next_resolve;
};

enum { CT_CLIENT_URLS_MAX = 64, CT_CLIENT_LINKS_MAX = 256 };

struct ct_client {
	unsigned tag;
	/* fixed after new */
	struct ct_client_opts opts;
	char *peer;
	struct ct_endpoint endpoints[CT_CLIENT_URLS_MAX];
	size_t endpoints_n;
	struct ct_timers *timers;
	struct ct_net *net;
	struct ct_log *log;
	const struct ct_clock *clk;
	size_t msg_bytes_max;
	uint8_t *plain_meta; /* the CallMeta of a call that carries nothing of its own */
	size_t plain_meta_len;

	struct ct_lock lock;    /* rank CLIENT; protects everything below */
	struct ct_cond changed; /* a link became ready, a call or link is gone, a look-up ended */
	struct ct_timer resolve_timer;
	struct ct_list links; /* of struct ct_link */
	size_t links_n;
	struct ct_link *ready[CT_CLIENT_LINKS_MAX];
	unsigned ready_n;
	struct ct_list waiting;
	struct ct_list resting; /* BACKOFF */
	struct ct_list free_outs;
	size_t free_n;
	size_t alive; /* outs whose memory is in use */
	uint32_t admitted;
	unsigned resolving;
	bool closing;
	struct ct_retry_budget budget;
	struct ct_throttle throttle;
	struct ct_client_stats stats;
};

/* ---- out.c: the life of one call ------------------------------------------------- */

/* out_start.c. done runs once, later or, without
 * memory for the call, inside. reply NULL: the call's own. */
void ct_out__start(struct ct_client *c, struct ct_ctx *parent, const struct ct_method *m,
		   const ProtobufCMessage *req, const struct ct_call_opts *opts,
		   struct ct_reply *reply, ct_done_fn *done, void *arg);

/* One attempt came to nothing; the caller owns the call (HANDLED). */
struct ct_failure {
	ct_status status;
	const char *message;
	uint32_t retry_after_ms;
	bool not_processed, no_retry;
};
void ct_out__attempt_failed(struct ct_out *o, const struct ct_failure *f);
/* From HANDLED (or new): out on a link, or waiting, or failed. */
void ct_out__dispatch(struct ct_out *o);
/* The same for who holds a reference. */
void ct_out__dispatch_held(struct ct_out *o);
/* The hook of its context: takes it from wherever it is and tells the server. */
ct_ctx_hook_fn ct_out__tripped;
/* Ends it with what is in its reply. The caller owns it (HANDLED). */
void ct_out__complete(struct ct_out *o);
/* Fails it without another attempt. */
void ct_out__fail(struct ct_out *o, const struct ct_failure *f);
/* The same inside the start, for one that the client has no place for: those of one ms
 * end together, for waking a thread for each would cost more than all the rest. */
void ct_out__turn_away(struct ct_out *o, const struct ct_failure *f);
/* Sends what waits, as far as links are ready. */
void ct_out__send_waiting(struct ct_client *c);
/* Nobody is connecting any more: what waits fails, unless it is to wait. */
void ct_out__fail_waiting(struct ct_client *c);
/* The client closes: what rests between two attempts fails now. */
void ct_out__fail_resting(struct ct_client *c);

/* out_meta.c: CallMeta into o->packed. INTERNAL: metadata that breaks a rule.
 * RESOURCE_EXHAUSTED: over its limit, or no memory. *ret_why (static) says what is wrong. */
CT_MUST_USE bool ct_out__pack_plain_meta(struct ct_client *c);
CT_MUST_USE ct_status ct_out__pack_meta(struct ct_out *o, const struct ct_call_opts *opts,
					const char **ret_why);

/* ---- out_pool.c ------------------------------------------------------------------ */
/* Counted as a call that begins; admitted says whether it may go out, throttled whether
 * that is why not. NULL: no memory, and nothing was counted. */
struct ct_out *ct_out__take(struct ct_client *c, const struct ct_method *m,
			    enum ct_criticality criticality, ct_instant now);
void ct_out__release(struct ct_ctx *ctx); /* of its context: back to the free list */
void ct_out__free_all(struct ct_client *c);

/* ---- link.c: connections and their slots ------------------------------------------- */
extern const struct ct_conn_events ct_link__conn_events;
void ct_link__dial_failed(void *link, ct_status why, uint32_t next_ms);
/* The better of two random ready links, another than `avoid` if there is one; NULL: none ready. */
struct ct_link *ct_link__pick_locked(struct ct_client *c, const struct ct_link *avoid);
/* A slot for o on l. False: no memory, or all ids are in use. */
bool ct_link__put_locked(struct ct_link *l, struct ct_out *o);
/* Takes o out of its slot. */
void ct_link__clear_locked(struct ct_link *l, struct ct_out *o);
uint32_t ct_link__request_id(const struct ct_link *l, uint32_t slot);
void ct_link__send_cancel(struct ct_conn *conn, uint32_t request_id, const struct ct_id *cancel_id,
			  enum ct_cancel_reason why);
uint32_t ct_link__cancel_request_id_locked(struct ct_link *l);
/* A CANCEL goes out on l. True: an earlier one, a second ago or more, has got no
 * answer, nor has anything else come: the peer is out of reach, whatever TCP says,
 * and the connection is to be closed. */
bool ct_link__deaf_locked(struct ct_link *l, ct_instant now);

/* ---- endpoint.c: names, addresses, links -------------------------------------------- */
void ct_endpoint__resolve(struct ct_client *c); /* those that are due */
void ct_endpoint__resolve_timer(struct ct_timer *t);
void ct_endpoint__close_all(struct ct_client *c);         /* waits for dialers */
bool ct_endpoint__connecting_locked(struct ct_client *c); /* a first attempt or look-up runs */

#endif
