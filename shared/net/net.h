/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_NET_NET_H
#define CT_NET_NET_H

#include "base/attrs.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/status.h"
#include "conc/timers.h"
#include "wire/sp.h"

#include <stdbool.h>

/*
 * SP REQ/REP messages over nng's byte streams (tcp, ipc; tls+tcp has its place
 * in the table of net/address.c). Knows bytes and request ids, nothing of
 * calls. Three things: a net (shared limits and the thread that does chores),
 * a listener or a dialer, and the connections they make.
 *
 * Callbacks of one connection never overlap and come in this order:
 *   opened  (batch)*  closed
 * opened and batch run on nng's task threads, closed on the net's own thread,
 * all with no lock held. They must not block.
 */
struct ct_net;
struct ct_conn;

struct ct_net_opts {
	struct ct_timers *timers; /* not owned; outlives the net */
	size_t msg_bytes_max;     /* largest message either way, route included, at least 128;
				  0: 4 MiB */
	size_t skip_bytes_max;    /* a longer message than msg_bytes_max, but not than this, is
				  skipped and told as too_big; 0, or longer: closed */
	size_t send_bytes_max;    /* most bytes waiting for one slow reader, raised to what one
				  message takes; 0: 2 * msg_bytes_max + 1 MiB */
	uint32_t handshake_ms;    /* 0: 10000 */
	uint32_t idle_ms;         /* nothing received for so long: closed; 0: never */
	uint32_t stall_ms;        /* a send makes no progress for so long: closed; 0: 30000 */
	uint32_t slow_reader_ms;  /* the same where send_bytes_max is in the way of a message,
				  at most stall_ms; 0: 1000 */
	uint32_t backoff_min_ms;  /* reconnect, jittered; 0: 50 */
	uint32_t backoff_max_ms;  /* 0: 2000 */
};

/* What happened to all connections of a net since its start; a snapshot. */
struct ct_net_stats {
	uint64_t opened; /* handshakes finished */
	uint64_t closed; /* of those opened: counted just before `closed` is called */
	/* connections closed, by why: */
	uint64_t handshake_failed; /* wrong, none in handshake_ms, or left before it */
	uint64_t bad_frame, too_big, slow_reader, stalled, idle;
	uint64_t no_memory;    /* for a buffer */
	uint64_t refused_full; /* over a listener's connections_max */
	/* handshakes do not count as messages, but as bytes, sends and receives */
	uint64_t msgs_too_big; /* skipped; in msgs_in too */
	uint64_t msgs_in, msgs_out, bytes_in, bytes_out;
	uint64_t sends, receives; /* nng operations that were started, that brought bytes */
	uint32_t connections;     /* now, those in handshake and closing included */
};

/* RESOURCE_EXHAUSTED: no memory or thread. */
CT_MUST_USE ct_status ct_net_new(const struct ct_net_opts *opts, struct ct_net **ret_net);
/* All listeners and dialers must be freed before, which closes what they made.
 * Waits until every `closed` has returned; references that are still held may be
 * dropped later. Lookups that are not answered yet get CANCELLED. Not from a
 * callback. NULL ok; returns NULL. */
struct ct_net *ct_net_free(struct ct_net *n);
size_t ct_net_msg_bytes_max(const struct ct_net *n); /* with the default filled in */
void ct_net_stats(struct ct_net *n, struct ct_net_stats *ret_stats);

/* ---- connections ----------------------------------------------------------- */

/* One received message. Body and route are borrowed until batch() returns. */
struct ct_net_msg {
	struct ct_bytes body;
	struct ct_sp_route route;
	/* Over msg_bytes_max: body is its first CT_NET_KEPT_BYTES, the rest of it is
	 * thrown away as it comes and takes no memory. */
	bool too_big;
};

enum { CT_NET_KEPT_BYTES = 40 };

struct ct_conn_events {
	/* Handshake done, sending is allowed. *ret_user is handed to the others. */
	void (*opened)(void *arg, struct ct_conn *c, void **ret_user);
	/* Everything one receive brought, n >= 1. Sends made inside go out together: when
	 * a third of what is outstanding has gathered and a third of the bytes that came,
	 * but 4 to 32 KiB, and the rest after it returns. */
	void (*batch)(struct ct_conn *c, void *user, const struct ct_net_msg *msgs, size_t n);
	/* Exactly once for each opened. No event follows. why: UNAVAILABLE for a
	 * peer that left, is silent or stalls, INVALID_ARGUMENT for one that broke
	 * the protocol, RESOURCE_EXHAUSTED for a limit, CANCELLED when its listener
	 * or dialer was freed or it was finished, else what ct_conn_close() said. */
	void (*closed)(struct ct_conn *c, void *user, ct_status why);
};

/* Counted references: a conn may be kept after `closed`; sends then fail. */
struct ct_conn *ct_conn_ref(struct ct_conn *c);
struct ct_conn *ct_conn_unref(struct ct_conn *c); /* NULL ok; returns NULL */

/* Queues a message made of up to three parts (copied before it returns) and
 * starts a send when none is in flight; else it goes out with the next one, as
 * does all else that has gathered by then. Never blocks. Any thread.
 * On an error nothing was queued. UNAVAILABLE: closed. RESOURCE_EXHAUSTED:
 * larger than msg_bytes_max, no memory, or more than send_bytes_max would wait.
 * The connection goes on then; only a peer that has taken nothing of a send for
 * slow_reader_ms by that time is closed, as a slow reader. */
CT_MUST_USE ct_status ct_conn_send(struct ct_conn *c, const struct ct_sp_route *route,
				   const struct ct_bytes parts[3]);

/* The same, but starts no send before as much has gathered as is worth one inside a
 * batch: the caller flushes soon. What others send on the connection meanwhile takes it
 * along. */
CT_MUST_USE ct_status ct_conn_queue(struct ct_conn *c, const struct ct_sp_route *route,
				    const struct ct_bytes parts[3]);
void ct_conn_flush(struct ct_conn *c);
/* The same for one who may come back with more at once: as with ct_conn_send(), a small
 * send that follows another waits for what comes behind it. */
void ct_conn_flush_soon(struct ct_conn *c);

/* Between cork and uncork this connection gathers and does not start sends.
 * Nests. Any thread. */
void ct_conn_cork(struct ct_conn *c);
void ct_conn_uncork(struct ct_conn *c);

/* Starts closing and drops what is queued; `closed` follows on another thread.
 * Idempotent: the first why counts. Any thread. */
void ct_conn_close(struct ct_conn *c, ct_status why);

/* Refuses further sends, delivers no more batches, and closes with CANCELLED once
 * everything queued has gone out or stall_ms passed without progress. Any thread. */
void ct_conn_finish(struct ct_conn *c);

/* Stops asking for more bytes until resumed; what was asked for already may bring
 * one more batch. While paused, a peer that leaves is noticed by sends alone.
 * A connection with more than half of send_bytes_max queued does this by itself
 * until half of it is gone. Any thread. */
void ct_conn_pause(struct ct_conn *c);
void ct_conn_resume(struct ct_conn *c);

/* Where the peer is, for logs: "tcp://127.0.0.1:40112", "ipc:///run/x". Valid with the conn. */
const char *ct_conn_peer(const struct ct_conn *c);

/* ---- server side ------------------------------------------------------------ */

struct ct_listener;
struct ct_listener_opts {
	const char *url;                     /* tcp://host:port (0: any free), ipc:///path */
	uint32_t connections_max;            /* the next is closed at once and counted; 0: 10000 */
	const struct ct_conn_events *events; /* static */
	void *arg;                           /* for events->opened */
};
/* Binds and listens. INVALID_ARGUMENT: the URL, *ret_why (static) says how.
 * UNAVAILABLE: the address is in use or not ours. A stale ipc socket file whose
 * owner is gone is replaced. */
CT_MUST_USE ct_status ct_listener_new(struct ct_net *n, const struct ct_listener_opts *opts,
				      struct ct_listener **ret_listener, const char **ret_why);
/* With the real port, and the host as it was given. Valid with the listener. */
const char *ct_listener_url(const struct ct_listener *l);
/* Accepts nobody any more; existing connections go on. Idempotent. */
void ct_listener_close(struct ct_listener *l);
/* close, and finishes its connections: each closes once what is queued has gone
 * out. Does not wait for that. */
void ct_listener_finish(struct ct_listener *l);
/* close, and closes its connections. Does not wait for them (ct_net_free does).
 * No `opened` runs after it returns; it waits for one that does. Its arg must live
 * until their `closed`. Not from `opened`. NULL ok; returns NULL. */
struct ct_listener *ct_listener_free(struct ct_listener *l);

/* ---- client side -------------------------------------------------------------- */

/* Keeps one connection to one address alive: connects, and after each loss
 * connects again with jittered backoff, until freed. */
struct ct_dialer;
struct ct_dialer_opts {
	const char *url;                     /* tcp://host:port, ipc:///path */
	const struct ct_conn_events *events; /* static */
	void *arg;
	/* An attempt failed before `opened`; the next is due in next_ms. May be NULL.
	 * Must not block, nor free the dialer. */
	void (*failed)(void *arg, ct_status why, uint32_t next_ms);
};
/* Starts the first attempt. INVALID_ARGUMENT: the URL, *ret_why (static) says
 * how. RESOURCE_EXHAUSTED: no memory. */
CT_MUST_USE ct_status ct_dialer_new(struct ct_net *n, const struct ct_dialer_opts *opts,
				    struct ct_dialer **ret_dialer, const char **ret_why);
/* No attempt starts after it returns, and neither `opened` nor `failed` runs any
 * more: it waits for one that does. Its connection is closed; if it was opened,
 * `closed` still comes. Not from `opened` or `failed`. NULL ok; returns NULL. */
struct ct_dialer *ct_dialer_free(struct ct_dialer *d);

/* ---- names ---------------------------------------------------------------------- */

/* Every address a URL's host has (at most 64), as URLs with numeric hosts, sorted,
 * without doubles; an ipc URL is its own only address. Looks up on a thread of the
 * net's that does nothing else, and calls fn there, once. urls are borrowed. An
 * unknown name: UNAVAILABLE, n = 0. The net is freed first: CANCELLED, n = 0.
 * Not OK, and fn is not called: INVALID_ARGUMENT, the URL; RESOURCE_EXHAUSTED. */
typedef void(ct_resolve_fn)(void *arg, ct_status st, const char *const *urls, size_t n);
CT_MUST_USE ct_status ct_net_resolve(struct ct_net *n, const char *url, ct_resolve_fn *fn,
				     void *arg);
/* Lookups with this arg whose fn has not begun get CANCELLED now, on this thread:
 * a name server that does not answer holds up nobody who is leaving. */
void ct_net_resolve_call_off(struct ct_net *n, const void *arg);

#endif
