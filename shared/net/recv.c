/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving. One receive at a time, into one buffer; all whole messages in it are
 * handed over, what is left of the next one moves to the front. A connection that
 * is quiet waits in the few bytes of rx_small. The buffer grows as bytes really
 * arrive, never because a peer announces many.
 */
#include "base/check.h"
#include "base/mem.h"
#include "net/conn_internal.h"

#include <nng/nng.h>

enum {
	RX_START_BYTES = 16 * 1024,
	RX_BUSY_BYTES = 64 * 1024, /* as much as many small messages are worth */
	RX_CALM_RECEIVES = 64,     /* so many without need for more give a larger buffer back */
	BATCH_MSGS = 128,
	BUSY_MSGS = 4,  /* in one receive: more may be there already */
	ROUNDS_MAX = 4, /* receives in one callback; others want its thread, too */
};

void ct_conn__recv_init(struct ct_conn *c)
{
	c->rx = (struct ct_conn_buf){ c->rx_small, 0, sizeof(c->rx_small) };
}

void ct_conn__recv_fini(struct ct_conn *c)
{
	if (c->rx.ptr != c->rx_small)
		ct_mem_free(c->rx.ptr);
	c->rx.ptr = NULL;
}

/* ---- the buffer: touched by whoever made rx_busy true ---------------------------- */

static bool resize(struct ct_conn *c, size_t cap)
{
	const bool small = c->rx.ptr == c->rx_small;
	uint8_t *ptr;

	CT_CHECK(cap >= c->rx.len);
	ptr = ct_mem_realloc(small ? NULL : c->rx.ptr, cap);
	if (ptr == NULL)
		return false;
	if (small)
		memcpy(ptr, c->rx_small, c->rx.len);
	c->rx.ptr = ptr;
	c->rx.cap = cap;
	return true;
}

/* Room for the next receive. False: no memory. */
static bool make_room(struct ct_conn *c)
{
	const size_t cap = c->rx.cap;
	const bool part = c->rx_need > cap; /* of a message that does not fit */
	size_t twice = 2 * cap > RX_START_BYTES ? 2 * cap : RX_START_BYTES;

	if (c->rx_need > RX_BUSY_BYTES || cap <= RX_BUSY_BYTES)
		c->rx_calm = 0;
	else if (++c->rx_calm >= RX_CALM_RECEIVES && c->rx.len <= RX_BUSY_BYTES)
		return resize(c, RX_BUSY_BYTES);
	if (part && c->rx.len >= cap / 2)
		return resize(c, twice < c->rx_need || c->rx_need < RX_START_BYTES ? twice
										   : c->rx_need);
	if (c->rx_filled && cap < RX_BUSY_BYTES)
		return resize(c, twice);
	return true;
}

/* The watchdog saw it idle. */
static void back_to_small(struct ct_conn *c)
{
	if (c->rx.len > 0)
		return;
	ct_conn__recv_fini(c);
	ct_conn__recv_init(c);
}

/* `used` bytes at the front are dealt with. */
static void consume(struct ct_conn *c, size_t used)
{
	c->rx.len -= used;
	if (used > 0 && c->rx.len > 0)
		memmove(c->rx.ptr, c->rx.ptr + used, c->rx.len);
}

/* ---- to nng ---------------------------------------------------------------------- */

static bool wanted_locked(const struct ct_conn *c) CT_REQUIRES(&c->lock)
{
	return c->sm.state < CT_CONN_CLOSING && !c->paused &&
	       ct_conn__queued_locked(c) <= c->net->opts.send_bytes_max / 2;
}

bool ct_conn__recv_take_locked(struct ct_conn *c)
{
	ct_lock_check_held(&c->lock);
	if (c->rx_busy || !wanted_locked(c))
		return false;
	c->rx_busy = true;
	c->rx_at = ct_now(c->net->clk);
	ct_conn__hold_locked(c, 2);
	return true;
}

static void set_room(struct ct_conn *c, nng_aio *aio)
{
	nng_iov iov = { .iov_buf = c->rx.ptr + c->rx.len, .iov_len = c->rx.cap - c->rx.len };

	CT_CHECK(iov.iov_len > 0);
	CT_CHECK(nng_aio_set_iov(aio, 1, &iov) == 0); /* fails for many parts alone */
}

void ct_conn__recv_post(struct ct_conn *c)
{
	set_room(c, c->rx_aio);
	nng_stream_recv(c->stream, c->rx_aio);
	ct_conn__posted(c);
}

/* ---- what came -------------------------------------------------------------------- */

/* Whose connection it is, held so that its free waits for `opened`. */
struct ct_conn_keeper {
	struct ct_dialer *dialer;
	struct ct_listener *listener;
};

static bool enter_keeper_locked(struct ct_conn *c, struct ct_conn_keeper *k)
	CT_REQUIRES(&c->net->lock)
{
	*k = (struct ct_conn_keeper){ c->dialer, c->listener };
	if (k->dialer != NULL)
		ct_dialer__enter_locked(c->net, k->dialer);
	if (k->listener != NULL)
		ct_listener__enter_locked(c->net, k->listener);
	return k->dialer != NULL || k->listener != NULL;
}

static void let_go(struct ct_net *n, const struct ct_conn_keeper *k)
{
	ct_lock_acquire(&n->lock);
	if (k->dialer != NULL)
		ct_dialer__leave_locked(n, k->dialer);
	if (k->listener != NULL)
		ct_listener__leave_locked(n, k->listener);
	ct_lock_release(&n->lock);
}

/* The handshake is done. False: it is closing. One whose dialer or listener is
 * being freed closes here, since nobody may be told of it any more. */
static bool open_up(struct ct_conn *c, struct ct_conn_keeper *ret_keeper)
{
	bool open, shut = false;

	ct_lock_acquire(&c->net->lock);
	ct_lock_acquire(&c->lock);
	open = c->sm.state == CT_CONN_GREETING;
	if (open && !enter_keeper_locked(c, ret_keeper)) {
		open = false;
		shut = ct_conn__fail_locked(c, CT_CAUSE_ASKED, CT_CANCELLED);
	}
	if (open) {
		ct_sm_move(&c->sm, CT_CONN_OPEN);
		c->told_open = true;
	}
	ct_lock_release(&c->lock);
	ct_lock_release(&c->net->lock);
	if (shut)
		ct_conn__shut(c);
	return open;
}

/* The handshake. False: it is not done, or has failed. */
static bool greet(struct ct_conn *c)
{
	struct ct_conn_keeper keeper;
	const char *why;

	if (c->rx.len < CT_SP_HELLO_BYTES)
		return false;
	if (ct_sp_check_hello(c->rx.ptr, c->self == CT_SP_REQ ? CT_SP_REP : CT_SP_REQ, &why) !=
	    CT_OK) {
		ct_conn__fail(c, CT_CAUSE_HANDSHAKE, CT_UNAVAILABLE);
		return false;
	}
	consume(c, CT_SP_HELLO_BYTES);
	if (!open_up(c, &keeper))
		return false;
	c->events->opened(c->arg, c, &c->user);
	let_go(c->net, &keeper);
	return true;
}

/* False: it is closing, nothing more is handed over. */
static bool deliver(struct ct_conn *c, const struct ct_net_msg *msgs, size_t n)
{
	int state;

	ct_lock_acquire(&c->lock);
	state = c->sm.state;
	if (state == CT_CONN_OPEN) {
		c->counts.msgs_in += n;
		for (size_t i = 0; i < n; i++)
			c->counts.msgs_too_big += msgs[i].too_big;
	}
	ct_lock_release(&c->lock);
	if (state == CT_CONN_OPEN)
		c->events->batch(c, c->user, msgs, n);
	return state < CT_CONN_CLOSING;
}

/* How many of the bytes from `at` on belong to a message that is skipped. */
static size_t skip(struct ct_conn *c, size_t at)
{
	const size_t here = c->rx.len - at;
	const size_t n = c->rx_skip < here ? (size_t)c->rx_skip : here;

	c->rx_skip -= n;
	return n;
}

/* The message at `at`, or the start of one that is skipped from there on. */
static enum ct_sp_step read_message(struct ct_conn *c, size_t at, struct ct_sp_parsed *ret_p,
				    struct ct_net_msg *ret_msg)
{
	const struct ct_bytes in = ct_bytes_of(c->rx.ptr + at, c->rx.len - at);
	const struct ct_net_opts *o = &c->net->opts;
	enum ct_sp_step step = ct_sp_next(in, c->ipc, o->msg_bytes_max, ret_p);
	const bool too_big = step == CT_SP_BAD && ret_p->too_big &&
			     ret_p->left <= o->skip_bytes_max;

	if (too_big)
		step = ct_sp_start(in, c->ipc, CT_NET_KEPT_BYTES, ret_p);
	if (step != CT_SP_MSG)
		return step;
	if (too_big)
		c->rx_skip = ret_p->left;
	*ret_msg = (struct ct_net_msg){ .route = ret_p->route,
					.body = ret_p->body,
					.too_big = too_big };
	return step;
}

/* How many messages there were. */
static size_t parse(struct ct_conn *c)
{
	struct ct_net_msg msgs[BATCH_MSGS];
	struct ct_sp_parsed p;
	enum ct_sp_step step;
	size_t used = skip(c, 0), n = 0, all = 0;
	bool go = true;

	do {
		step = read_message(c, used, &p, &msgs[n]);
		if (step == CT_SP_MSG) {
			n++;
			all++;
			used += p.used;
			used += skip(c, used);
		}
		if (n == BATCH_MSGS || (step != CT_SP_MSG && n > 0)) {
			go = deliver(c, msgs, n);
			n = 0;
		}
	} while (go && step == CT_SP_MSG);

	if (go && step == CT_SP_BAD)
		ct_conn__fail(c, p.too_big ? CT_CAUSE_TOO_BIG : CT_CAUSE_BAD_FRAME,
			      p.too_big ? CT_RESOURCE_EXHAUSTED : CT_INVALID_ARGUMENT);
	consume(c, used);
	c->rx_need = c->rx.len > 0 && step == CT_SP_NEED ? p.need : 0;
	return all;
}

static void end_batch(struct ct_conn *c)
{
	bool post;

	ct_lock_acquire(&c->lock);
	c->in_batch = false;
	post = ct_conn__send_take_locked(c);
	ct_lock_release(&c->lock);
	if (post)
		ct_conn__send_post(c);
}

/* n bytes more. How many messages they made whole. */
static size_t take(struct ct_conn *c, size_t n)
{
	size_t msgs = 0;
	bool greeting;

	c->rx.len += n;
	c->rx_filled = c->rx.len == c->rx.cap;
	ct_lock_acquire(&c->lock);
	greeting = c->sm.state == CT_CONN_GREETING;
	c->rx_at = ct_now(c->net->clk);
	c->counts.receives++;
	c->counts.bytes_in += n;
	c->received = n;
	c->in_batch = true; /* what opened() and batch() send goes out together */
	ct_lock_release(&c->lock);
	if (!greeting || greet(c))
		msgs = parse(c);
	end_batch(c);
	if (!make_room(c))
		ct_conn__fail(c, CT_CAUSE_NO_MEMORY, CT_RESOURCE_EXHAUSTED);
	return msgs;
}

/* The callback's own op goes over to the next receive, or is dropped. */
static void next(struct ct_conn *c)
{
	bool again;

	ct_lock_acquire(&c->lock);
	c->rx_large = c->rx.ptr != c->rx_small && c->rx.len == 0;
	again = wanted_locked(c);
	if (again)
		ct_conn__hold_locked(c, 1);
	else
		c->rx_busy = false;
	ct_lock_release(&c->lock);
	if (again)
		ct_conn__recv_post(c);
	else
		ct_conn__drop(c);
}

/* What has come meanwhile, on this thread: an aio without a callback wakes no other.
 * 0: nothing, or the connection is over, which the next receive tells. */
static size_t recv_now(struct ct_conn *c)
{
	set_room(c, c->rx_now_aio);
	nng_stream_recv(c->stream, c->rx_now_aio);
	nng_aio_cancel(c->rx_now_aio); /* nothing, where it is done already */
	nng_aio_wait(c->rx_now_aio);   /* blocks for nothing but a callback of nng's own */
	return nng_aio_count(c->rx_now_aio);
}

static bool wanted(struct ct_conn *c)
{
	bool yes;

	ct_lock_acquire(&c->lock);
	yes = wanted_locked(c);
	ct_lock_release(&c->lock);
	return yes;
}

/* A busy peer has sent more by the time its last batch is dealt with. */
static void take_rounds(struct ct_conn *c, size_t n)
{
	unsigned rounds = 1;

	while (take(c, n) >= BUSY_MSGS && rounds < ROUNDS_MAX && wanted(c)) {
		n = recv_now(c);
		if (n == 0)
			break;
		rounds++;
	}
}

void ct_conn__recv_cb(void *conn)
{
	struct ct_conn *c = conn;
	const int rv = nng_aio_result(c->rx_aio);
	const size_t n = nng_aio_count(c->rx_aio);

	if (rv == 0 && n > 0)
		take_rounds(c, n);
	else if (rv == NNG_ECANCELED) /* by us alone: idle, or closing */
		back_to_small(c);
	else
		ct_conn__fail(c, CT_CAUSE_LEFT, CT_UNAVAILABLE);
	next(c);
}

/* ---- from the user ------------------------------------------------------------------ */

void ct_conn_pause(struct ct_conn *c)
{
	ct_lock_acquire(&c->lock);
	c->paused = true;
	ct_lock_release(&c->lock);
}

void ct_conn_resume(struct ct_conn *c)
{
	bool post;

	ct_lock_acquire(&c->lock);
	c->paused = false;
	post = ct_conn__recv_take_locked(c);
	ct_lock_release(&c->lock);
	if (post)
		ct_conn__recv_post(c);
}
