/* SPDX-License-Identifier: Apache-2.0 */
#include "rivals/nng_stream/link.h"

#include <nng/supplemental/util/platform.h>
#include <stdlib.h>

enum { RECV_BYTES = 64 * 1024 };

struct buffer {
	uint8_t *data;
	size_t n;
};

struct link {
	nng_stream *stream;
	struct link_opts opts;
	nng_aio *rx, *tx;
	uint8_t recv[RECV_BYTES];

	nng_mtx *lock;         /* of everything below */
	struct buffer gather;  /* what is put */
	struct buffer on_wire; /* what is being sent; the send's own while sending */
	size_t sent;           /* of it */
	bool sending, in_bytes, lost;
};

static void post_recv(struct link *l)
{
	nng_iov iov = { .iov_buf = l->recv, .iov_len = sizeof(l->recv) };

	nng_aio_set_iov(l->rx, 1, &iov);
	nng_stream_recv(l->stream, l->rx);
}

static void post_send(struct link *l)
{
	nng_iov iov = { .iov_buf = l->on_wire.data + l->sent, .iov_len = l->on_wire.n - l->sent };

	nng_aio_set_iov(l->tx, 1, &iov);
	nng_stream_send(l->stream, l->tx);
}

/* True: the caller posts the send, without the lock. */
static bool take_gathered_locked(struct link *l)
{
	const struct buffer empty = l->on_wire;

	if (l->sending || l->in_bytes || l->lost || l->gather.n == 0)
		return false;
	l->on_wire = l->gather;
	l->gather = empty;
	l->gather.n = 0;
	l->sent = 0;
	l->sending = true;
	return true;
}

static void flush(struct link *l)
{
	bool send;

	nng_mtx_lock(l->lock);
	send = take_gathered_locked(l);
	nng_mtx_unlock(l->lock);
	if (send)
		post_send(l);
}

static void on_sent(void *arg)
{
	struct link *l = arg;

	if (nng_aio_result(l->tx) != 0) {
		nng_stream_close(l->stream); /* the receive ends, and tells it */
		return;
	}
	l->sent += nng_aio_count(l->tx);
	if (l->sent < l->on_wire.n) {
		post_send(l);
		return;
	}
	nng_mtx_lock(l->lock);
	l->sending = false;
	nng_mtx_unlock(l->lock);
	flush(l);
}

static void set_in_bytes(struct link *l, bool in_bytes)
{
	nng_mtx_lock(l->lock);
	l->in_bytes = in_bytes;
	nng_mtx_unlock(l->lock);
}

static void on_received(void *arg)
{
	struct link *l = arg;

	if (nng_aio_result(l->rx) != 0) {
		nng_mtx_lock(l->lock);
		l->lost = true;
		nng_mtx_unlock(l->lock);
		if (l->opts.lost != NULL)
			l->opts.lost(l->opts.arg);
		return;
	}
	set_in_bytes(l, true); /* one send for all that this batch puts */
	l->opts.bytes(l->opts.arg, l, l->recv, nng_aio_count(l->rx));
	set_in_bytes(l, false);
	flush(l);
	post_recv(l);
}

uint8_t *link_begin(struct link *l, size_t n)
{
	nng_mtx_lock(l->lock);
	if (!l->lost && l->gather.n + n <= l->opts.send_max)
		return l->gather.data + l->gather.n;
	nng_mtx_unlock(l->lock);
	return NULL;
}

void link_end(struct link *l, size_t n)
{
	bool send;

	l->gather.n += n;
	send = take_gathered_locked(l);
	nng_mtx_unlock(l->lock);
	if (send)
		post_send(l);
}

void link_lock(struct link *l)
{
	nng_mtx_lock(l->lock);
}

void link_unlock(struct link *l)
{
	nng_mtx_unlock(l->lock);
}

struct link *link_new(nng_stream *stream, const struct link_opts *opts)
{
	struct link *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->stream = stream;
	l->opts = *opts;
	l->gather.data = malloc(opts->send_max);
	l->on_wire.data = malloc(opts->send_max);
	if (l->gather.data == NULL || l->on_wire.data == NULL || nng_mtx_alloc(&l->lock) != 0 ||
	    nng_aio_alloc(&l->rx, on_received, l) != 0 || nng_aio_alloc(&l->tx, on_sent, l) != 0)
		return NULL; /* the program ends */
	nng_aio_set_timeout(l->rx, NNG_DURATION_INFINITE);
	nng_aio_set_timeout(l->tx, NNG_DURATION_INFINITE);
	/* tcp only; ipc has no such option */
	(void)nng_stream_set_bool(stream, NNG_OPT_TCP_NODELAY, true);
	return l;
}

void link_start(struct link *l)
{
	post_recv(l);
}
