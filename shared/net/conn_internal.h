/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_NET_CONN_INTERNAL_H
#define CT_NET_CONN_INTERNAL_H

#include "base/list.h"
#include "conc/lock.h"
#include "conc/sm.h"
#include "net/net_internal.h"

#include <stdatomic.h>

struct nng_aio;
struct nng_stream;

/*
 * A connection, for the files of net/.
 *
 *              hello        finish            all sent
 *   GREETING --------> OPEN --------> FLUSHING ----------> CLOSING --------> CLOSED
 *       |               |                 |                   ^      ops 0
 *       +---------------+-----------------+-------------------+
 *           peer left, fault, limit, timeout, ct_conn_close
 *
 * `ops` counts who may touch the stream or an aio: each nng operation from before
 * it is started until the end of its callback, and each thread while it starts or
 * cancels one. CLOSING closes the stream, so the operations end; the last op to go
 * makes it CLOSED and gives it to the chores thread, which tells the user and frees
 * what nng made. The struct itself goes with its last reference.
 */
enum ct_conn_state {
	CT_CONN_GREETING,
	CT_CONN_OPEN,
	CT_CONN_FLUSHING,
	CT_CONN_CLOSING,
	CT_CONN_CLOSED,
};

/* Why it closed, for the counters. */
enum ct_conn_cause {
	CT_CAUSE_NONE,
	CT_CAUSE_ASKED, /* by us */
	CT_CAUSE_LEFT,  /* by the peer */
	CT_CAUSE_HANDSHAKE,
	CT_CAUSE_BAD_FRAME,
	CT_CAUSE_TOO_BIG,
	CT_CAUSE_SLOW_READER,
	CT_CAUSE_STALLED,
	CT_CAUSE_IDLE,
	CT_CAUSE_NO_MEMORY,
};

#define CT_CONN_TAG 0x436f6e6eU /* "Conn" */

enum { CT_RX_SMALL_BYTES = 256 };

struct ct_conn_buf {
	uint8_t *ptr;
	size_t len, cap;
};

struct ct_conn_counts {
	uint64_t msgs_too_big, msgs_in, msgs_out, bytes_in, bytes_out, sends, receives;
};

struct ct_conn {
	unsigned tag;
	_Atomic uint32_t refs; /* relaxed up; acquire-release down: the last one frees */
	/* fixed after new, but what `closed` ends: stream and aios */
	struct ct_net *net;
	const struct ct_conn_events *events;
	void *arg;
	void *user; /* written by opened(), before any other event can be */
	struct nng_stream *stream;
	struct nng_aio *tx_aio, *rx_aio;
	struct nng_aio *rx_now_aio; /* has no callback; whoever made rx_busy true */
	struct nng_aio *tx_now_aio; /* has no callback; whoever made tx_busy true */
	enum ct_sp_protocol self;
	bool ipc;
	char *peer;
	size_t msg_bytes_max; /* the net's, for those who keep a reference longer than it */
	ct_instant born;

	struct ct_lock lock; /* rank CONN; protects everything up to the next comment like this */
	struct ct_sm sm;     /* of enum ct_conn_state */
	enum ct_conn_cause cause;
	ct_status why;
	unsigned ops;
	bool told_open; /* the handshake is done, so `closed` is owed */
	struct ct_conn_counts counts;
	/* sending: send.c */
	struct ct_conn_buf gather; /* what comes next */
	unsigned gather_n;         /* messages in it */
	struct ct_conn_buf flight; /* what is on the wire; nng reads it while tx_busy */
	size_t flight_sent;        /* of flight.len */
	size_t received;           /* bytes of the last receive */
	unsigned corks;
	bool in_batch; /* what came is being handed over: sends gather, up to what is worth one */
	bool tx_busy;
	ct_instant tx_at; /* start or last progress of a send */
	/* receiving: recv.c */
	bool rx_busy;  /* a receive is with nng, or its callback runs: that owns rx below */
	bool rx_large; /* rx has a buffer of its own, and it holds no part of a message */
	bool paused;
	ct_instant rx_at; /* the last bytes, or since when we ask for some again */

	/* whoever made rx_busy true */
	struct ct_conn_buf rx; /* ptr: on the heap, or rx_small */
	size_t rx_need;        /* bytes that make the message at its start whole; 0: it is empty */
	bool rx_filled;        /* the last receive took all the room there was */
	uint64_t rx_skip;      /* so many of the next bytes belong to a message too big */
	unsigned rx_calm;      /* receives in a row that needed no big buffer */
	uint8_t rx_small[CT_RX_SMALL_BYTES];

	/* under net->lock */
	struct ct_list link;          /* net->conns */
	struct ct_listener *listener; /* who counts it; NULL: gone, or a dialer's */
	struct ct_dialer *dialer;     /* whom to tell of its end; NULL: gone, or a listener's */

	struct ct_list shut_link; /* whoever made it CLOSING, until ct_conn__shut() */
	struct ct_chore chore;
};

/* ---- conn.c ---- */

struct ct_conn_params {
	enum ct_sp_protocol self;
	bool ipc;
	const char *url; /* the endpoint's; the peer's name where the socket has none */
	const struct ct_conn_events *events;
	void *arg;
};

/* Takes the stream on success. RESOURCE_EXHAUSTED: the stream stays the caller's. */
CT_MUST_USE ct_status ct_conn__new(struct ct_net *n, struct nng_stream *stream,
				   const struct ct_conn_params *p, struct ct_conn **ret_conn);
/* One that was never added: frees it with its stream. */
void ct_conn__discard(struct ct_conn *c);
/* Counts it in and holds it for the net. Then: start, without the lock. */
void ct_conn__add_locked(struct ct_net *n, struct ct_conn *c) CT_REQUIRES(&n->lock);
/* Sends the hello and asks for the peer's. Drops the op that new gave it. */
void ct_conn__start(struct ct_conn *c);
/* The stream and the aios. No operation may run; waits for the tails of callbacks. */
void ct_conn__free_nng_parts(struct ct_conn *c);

/* ---- close.c: the end ---- */

/* Moves to CLOSING. True: the caller must call ct_conn__shut(), without the lock. */
CT_MUST_USE bool ct_conn__fail_locked(struct ct_conn *c, enum ct_conn_cause cause, ct_status why)
	CT_REQUIRES(&c->lock);
void ct_conn__shut(struct ct_conn *c);
/* ct_conn_finish() with the lock held. True: the caller must call ct_conn__shut(). */
bool ct_conn__finish_locked(struct ct_conn *c) CT_REQUIRES(&c->lock);
void ct_conn__fail(struct ct_conn *c, enum ct_conn_cause cause, ct_status why);

/* Before an operation is given to nng: one op for it, one for who gives it. */
void ct_conn__hold_locked(struct ct_conn *c, unsigned ops) CT_REQUIRES(&c->lock);
/* After it was given. Ends it again if the connection began to close meanwhile: a
 * cancel that came before nng had the operation would be lost. Drops one op. */
void ct_conn__posted(struct ct_conn *c);
/* Drops ops. True: that was the end; the caller must call ct_conn__retire(), without
 * the lock, as its last touch unless it has a reference. */
CT_MUST_USE bool ct_conn__drop_locked(struct ct_conn *c, unsigned ops) CT_REQUIRES(&c->lock);
void ct_conn__retire(struct ct_conn *c);
/* Drops one op; c may be gone afterwards unless the caller has a reference. */
void ct_conn__drop(struct ct_conn *c);
/* Adds what the connection has done to *s, all but `closed`. */
void ct_conn__count_locked(const struct ct_conn *c, struct ct_net_stats *s) CT_REQUIRES(&c->lock);

/* ---- send.c ---- */

void ct_conn__send_cb(void *conn);
size_t ct_conn__queued_locked(const struct ct_conn *c) CT_REQUIRES(&c->lock);
/* Queues the hello. RESOURCE_EXHAUSTED: no memory. */
CT_MUST_USE ct_status ct_conn__queue_hello_locked(struct ct_conn *c) CT_REQUIRES(&c->lock);
/* True: took what has gathered, and the caller must call ct_conn__send_post(). */
CT_MUST_USE bool ct_conn__send_take_locked(struct ct_conn *c) CT_REQUIRES(&c->lock);
void ct_conn__send_post(struct ct_conn *c);
/* Gives idle buffers back. */
void ct_conn__send_trim_locked(struct ct_conn *c, bool all) CT_REQUIRES(&c->lock);

/* ---- recv.c ---- */

void ct_conn__recv_cb(void *conn);
/* True: wants bytes and asks for none; the caller must call ct_conn__recv_post(). */
CT_MUST_USE bool ct_conn__recv_take_locked(struct ct_conn *c) CT_REQUIRES(&c->lock);
void ct_conn__recv_post(struct ct_conn *c);
void ct_conn__recv_init(struct ct_conn *c);
void ct_conn__recv_fini(struct ct_conn *c);

/* ---- listener.c ---- */

/* Around `opened`: its free waits in between. */
void ct_listener__enter_locked(struct ct_net *n, struct ct_listener *l) CT_REQUIRES(&n->lock);
void ct_listener__leave_locked(struct ct_net *n, struct ct_listener *l) CT_REQUIRES(&n->lock);
/* One less of its connections. */
void ct_listener__conn_gone_locked(struct ct_net *n, struct ct_conn *c) CT_REQUIRES(&n->lock);

/* ---- dialer.c: what its connection tells it, on whatever thread that is ---- */

/* Around `opened`: its free waits in between. */
void ct_dialer__enter_locked(struct ct_net *n, struct ct_dialer *d) CT_REQUIRES(&n->lock);
void ct_dialer__leave_locked(struct ct_net *n, struct ct_dialer *d) CT_REQUIRES(&n->lock);
/* After `closed`, if it was owed. */
void ct_dialer__conn_gone(struct ct_conn *c);

#endif
