/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending. Messages are copied into `gather`. When nothing is on the wire, gather
 * and `flight` change places and one nng send takes all of it, on the thread that
 * asked. What the kernel does not take at once is called back and sent on from
 * where it stopped. So is a message that follows another at once, since a burst
 * gathers until the callback comes.
 */
#include "base/check.h"
#include "base/mem.h"
#include "net/conn_internal.h"

#include <nng/nng.h>

enum {
	TX_START_BYTES = 256,
	TX_KEEP_BYTES = 256 * 1024, /* a larger buffer is given back once it is sent */
	BURST_US = 20,              /* single messages this close together are a burst */
	ROUNDS_MAX = 8,             /* sends in a row by one who asked for one */
	WORTH_MIN_BYTES = 4 * 1024, /* never worth a send inside a batch, and always */
	WORTH_MAX_BYTES = 32 * 1024,
};

size_t ct_conn__queued_locked(const struct ct_conn *c)
{
	return c->gather.len + c->flight.len - c->flight_sent;
}

static bool reserve(struct ct_conn_buf *b, size_t extra)
{
	size_t cap = b->cap > 0 ? b->cap : TX_START_BYTES;
	uint8_t *ptr;

	if (b->cap - b->len >= extra)
		return true;
	while (cap - b->len < extra)
		cap *= 2;
	ptr = ct_mem_realloc(b->ptr, cap);
	if (ptr == NULL)
		return false;
	b->ptr = ptr;
	b->cap = cap;
	return true;
}

static void append(struct ct_conn_buf *b, const void *ptr, size_t len)
{
	CT_CHECK(b->cap - b->len >= len);
	if (len > 0)
		memcpy(b->ptr + b->len, ptr, len);
	b->len += len;
}

static void release(struct ct_conn_buf *b)
{
	ct_mem_free(b->ptr);
	*b = (struct ct_conn_buf){ NULL, 0, 0 };
}

void ct_conn__send_trim_locked(struct ct_conn *c, bool all)
{
	ct_lock_check_held(&c->lock);
	if (c->tx_busy)
		return;
	if (all || c->gather.len == 0)
		release(&c->gather);
	release(&c->flight);
	c->flight_sent = 0;
}

/* Messages that have no answer yet, whoever gives it: calls on their way and answers in
 * gather too. A peer that leaves some unanswered for good only makes it less exact. */
static uint64_t outstanding_locked(const struct ct_conn *c) CT_REQUIRES(&c->lock)
{
	const uint64_t in = c->counts.msgs_in, out = c->counts.msgs_out;

	return in > out ? in - out + c->gather_n : out - in;
}

/* A third of what is outstanding and of what came last, so that the peer works on the
 * first answers while the others are made: in one send for all, each side would wait for
 * the other's last. What came last counts where messages are answered as they are read. */
static bool worth_a_send_locked(const struct ct_conn *c) CT_REQUIRES(&c->lock)
{
	ct_lock_check_held(&c->lock);
	if (c->gather.len < WORTH_MIN_BYTES)
		return false;
	return c->gather.len >= WORTH_MAX_BYTES ||
	       (c->gather.len >= c->received / 3 && c->gather_n >= outstanding_locked(c) / 3);
}

/* ---- to nng ------------------------------------------------------------------- */

ct_status ct_conn__queue_hello_locked(struct ct_conn *c)
{
	uint8_t hello[CT_SP_HELLO_BYTES];

	ct_lock_check_held(&c->lock);
	if (!reserve(&c->gather, sizeof(hello)))
		return CT_RESOURCE_EXHAUSTED;
	ct_sp_hello(c->self, hello);
	append(&c->gather, hello, sizeof(hello));
	return CT_OK;
}

bool ct_conn__send_take_locked(struct ct_conn *c)
{
	const struct ct_conn_buf empty = c->flight;

	ct_lock_check_held(&c->lock);
	if (c->tx_busy || c->corks > 0 || c->sm.state >= CT_CONN_CLOSING || c->gather.len == 0 ||
	    (c->in_batch && !worth_a_send_locked(c)))
		return false;
	CT_CHECK(empty.len == 0);
	c->flight = c->gather;
	c->gather = empty;
	c->gather_n = 0;
	c->flight_sent = 0;
	c->tx_busy = true;
	c->tx_at = ct_now(c->net->clk);
	c->counts.sends++;
	ct_conn__hold_locked(c, 2);
	return true;
}

static void set_rest(struct ct_conn *c, nng_aio *aio)
{
	nng_iov iov = { .iov_buf = c->flight.ptr + c->flight_sent,
			.iov_len = c->flight.len - c->flight_sent };

	CT_CHECK(nng_aio_set_iov(aio, 1, &iov) == 0); /* fails for many parts alone */
}

/* Offers the flight to the kernel on this thread: an aio without a callback wakes
 * no other. False: it takes nothing now. */
static bool send_now(struct ct_conn *c, int *ret_rv, size_t *ret_n)
{
	set_rest(c, c->tx_now_aio);
	nng_stream_send(c->stream, c->tx_now_aio);
	nng_aio_cancel(c->tx_now_aio); /* nothing, where it is done already */
	nng_aio_wait(c->tx_now_aio);   /* blocks for nothing but a callback of nng's own */
	*ret_n = nng_aio_count(c->tx_now_aio);
	*ret_rv = *ret_n > 0 ? 0 : nng_aio_result(c->tx_now_aio);
	return *ret_rv != NNG_ECANCELED;
}

/* n bytes of the flight are with the kernel. True: the rest must be posted. */
static bool advance_locked(struct ct_conn *c, size_t n) CT_REQUIRES(&c->lock)
{
	ct_lock_check_held(&c->lock);
	CT_CHECK(n <= c->flight.len - c->flight_sent);
	c->flight_sent += n;
	c->counts.bytes_out += n;
	c->tx_at = ct_now(c->net->clk);
	if (c->flight_sent < c->flight.len && c->sm.state < CT_CONN_CLOSING) {
		c->counts.sends++;
		ct_conn__hold_locked(c, 2);
		return true;
	}
	c->tx_busy = false;
	c->flight.len = c->flight_sent = 0;
	if (c->flight.cap > TX_KEEP_BYTES)
		release(&c->flight);
	return ct_conn__send_take_locked(c);
}

/* A send has ended; drops its ops. True: the next must be posted. */
static bool sent(struct ct_conn *c, int rv, size_t n, unsigned ops)
{
	bool post, receive, quiet, shut = false;

	ct_lock_acquire(&c->lock);
	if (rv != 0)
		shut = ct_conn__fail_locked(c, CT_CAUSE_LEFT, CT_UNAVAILABLE);
	post = advance_locked(c, rv == 0 ? n : 0);
	if (c->sm.state == CT_CONN_FLUSHING && ct_conn__queued_locked(c) == 0)
		shut = ct_conn__fail_locked(c, CT_CAUSE_ASKED, CT_CANCELLED);
	receive = ct_conn__recv_take_locked(c);
	quiet = ct_conn__drop_locked(c, ops);
	ct_lock_release(&c->lock);
	if (shut)
		ct_conn__shut(c);
	if (receive)
		ct_conn__recv_post(c);
	if (quiet)
		ct_conn__retire(c);
	return post;
}

static void send_with_callback(struct ct_conn *c)
{
	set_rest(c, c->tx_aio);
	nng_stream_send(c->stream, c->tx_aio);
	ct_conn__posted(c);
}

/* What others queue meanwhile goes too, but not for ever: this thread may be a worker or
 * the one of the timers. */
void ct_conn__send_post(struct ct_conn *c)
{
	unsigned rounds = 0;
	bool post = true;

	while (post) {
		size_t n;
		int rv;

		if (rounds++ == ROUNDS_MAX || !send_now(c, &rv, &n)) {
			send_with_callback(c);
			return;
		}
		post = sent(c, rv, n, 2);
	}
}

void ct_conn__send_cb(void *conn)
{
	struct ct_conn *c = conn;

	if (sent(c, nng_aio_result(c->tx_aio), nng_aio_count(c->tx_aio), 1))
		ct_conn__send_post(c);
}

/* ---- from the user -------------------------------------------------------------- */

/* Whether the peer takes nothing, rather than not as fast as a burst comes. */
static bool reads_too_slowly_locked(const struct ct_conn *c) CT_REQUIRES(&c->lock)
{
	const uint64_t limit_us = (uint64_t)c->net->opts.slow_reader_ms * 1000;

	ct_lock_check_held(&c->lock);
	return c->tx_busy && ct_instant_us_between(c->tx_at, ct_now(c->net->clk)) >= limit_us;
}

/* Queues the message, or says why not. *ret_shut as of ct_conn__fail_locked(). */
static ct_status queue_locked(struct ct_conn *c, const struct ct_sp_route *route,
			      const struct ct_bytes parts[3], size_t body_len, bool *ret_shut)
	CT_REQUIRES(&c->lock)
{
	uint8_t prefix[CT_SP_PREFIX_BYTES_MAX + 4 * CT_SP_ROUTE_WORDS_MAX];
	const size_t prefix_len = ct_sp_prefix(prefix, route, body_len, c->ipc);
	const size_t total = prefix_len + body_len;

	ct_lock_check_held(&c->lock);
	if (c->sm.state != CT_CONN_OPEN)
		return CT_UNAVAILABLE;
	if (total > c->net->opts.send_bytes_max - ct_conn__queued_locked(c)) {
		*ret_shut = reads_too_slowly_locked(c) &&
			    ct_conn__fail_locked(c, CT_CAUSE_SLOW_READER, CT_RESOURCE_EXHAUSTED);
		return CT_RESOURCE_EXHAUSTED;
	}
	if (!reserve(&c->gather, total))
		return CT_RESOURCE_EXHAUSTED;
	append(&c->gather, prefix, prefix_len);
	for (unsigned i = 0; i < 3; i++)
		append(&c->gather, parts[i].ptr, parts[i].len);
	c->counts.msgs_out++;
	c->gather_n++;
	return CT_OK;
}

enum start { START_NONE, START_NOW, START_WITH_CALLBACK };

/* Takes what has gathered, if a send may begin. A small one that follows another at once
 * is sent with a callback: what comes until then goes together. */
static enum start take_locked(struct ct_conn *c) CT_REQUIRES(&c->lock)
{
	const ct_instant last = c->tx_at;

	if (!ct_conn__send_take_locked(c))
		return START_NONE;
	return c->flight.len < WORTH_MIN_BYTES && ct_instant_us_between(last, c->tx_at) < BURST_US
		       ? START_WITH_CALLBACK
		       : START_NOW;
}

static void begin(struct ct_conn *c, enum start how)
{
	if (how == START_WITH_CALLBACK)
		send_with_callback(c);
	else if (how == START_NOW)
		ct_conn__send_post(c);
}

static ct_status put(struct ct_conn *c, const struct ct_sp_route *route,
		     const struct ct_bytes parts[3], bool start)
{
	const size_t body_max = c->msg_bytes_max - sizeof(route->words[0]) * route->n;
	size_t body_len = 0;
	bool shut = false;
	enum start how = START_NONE;
	ct_status st;

	for (unsigned i = 0; i < 3; i++) {
		if (parts[i].len > body_max - body_len)
			return CT_RESOURCE_EXHAUSTED;
		body_len += parts[i].len;
	}
	ct_lock_acquire(&c->lock);
	st = queue_locked(c, route, parts, body_len, &shut);
	if (st == CT_OK && (start || worth_a_send_locked(c)))
		how = take_locked(c);
	ct_lock_release(&c->lock);
	if (shut)
		ct_conn__shut(c);
	begin(c, how);
	return st;
}

ct_status ct_conn_send(struct ct_conn *c, const struct ct_sp_route *route,
		       const struct ct_bytes parts[3])
{
	return put(c, route, parts, true);
}

ct_status ct_conn_queue(struct ct_conn *c, const struct ct_sp_route *route,
			const struct ct_bytes parts[3])
{
	return put(c, route, parts, false);
}

void ct_conn_flush(struct ct_conn *c)
{
	bool post;

	ct_lock_acquire(&c->lock);
	post = ct_conn__send_take_locked(c);
	ct_lock_release(&c->lock);
	if (post)
		ct_conn__send_post(c);
}

void ct_conn_flush_soon(struct ct_conn *c)
{
	enum start how;

	ct_lock_acquire(&c->lock);
	how = take_locked(c);
	ct_lock_release(&c->lock);
	begin(c, how);
}

void ct_conn_cork(struct ct_conn *c)
{
	ct_lock_acquire(&c->lock);
	c->corks++;
	ct_lock_release(&c->lock);
}

void ct_conn_uncork(struct ct_conn *c)
{
	bool post;

	ct_lock_acquire(&c->lock);
	CT_CHECK(c->corks > 0);
	c->corks--;
	post = ct_conn__send_take_locked(c);
	ct_lock_release(&c->lock);
	if (post)
		ct_conn__send_post(c);
}
