/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a connection: however many threads see a reason for it, one of them
 * makes it CLOSING and ends its operations, the last operation makes it CLOSED,
 * and the chores thread tells the user and frees what nng made.
 */
#include "base/check.h"
#include "net/conn_internal.h"

#include <nng/nng.h>

static void count_cause(struct ct_net_stats *s, enum ct_conn_cause cause)
{
	switch (cause) {
	case CT_CAUSE_NONE:
	case CT_CAUSE_ASKED:
	case CT_CAUSE_LEFT:
		break;
	case CT_CAUSE_HANDSHAKE:
		s->handshake_failed++;
		break;
	case CT_CAUSE_BAD_FRAME:
		s->bad_frame++;
		break;
	case CT_CAUSE_TOO_BIG:
		s->too_big++;
		break;
	case CT_CAUSE_SLOW_READER:
		s->slow_reader++;
		break;
	case CT_CAUSE_STALLED:
		s->stalled++;
		break;
	case CT_CAUSE_IDLE:
		s->idle++;
		break;
	case CT_CAUSE_NO_MEMORY:
		s->no_memory++;
		break;
	}
}

void ct_conn__count_locked(const struct ct_conn *c, struct ct_net_stats *s)
{
	count_cause(s, c->cause);
	s->opened += c->told_open ? 1 : 0;
	s->msgs_too_big += c->counts.msgs_too_big;
	s->msgs_in += c->counts.msgs_in;
	s->msgs_out += c->counts.msgs_out;
	s->bytes_in += c->counts.bytes_in;
	s->bytes_out += c->counts.bytes_out;
	s->sends += c->counts.sends;
	s->receives += c->counts.receives;
}

/* Out of the lists; from here on past speaks for it. */
static void count_out(struct ct_conn *c)
{
	struct ct_net *n = c->net;

	ct_lock_acquire(&n->lock);
	ct_lock_acquire(&c->lock);
	ct_conn__count_locked(c, &n->past);
	ct_conn__send_trim_locked(c, true);
	ct_lock_release(&c->lock);
	n->past.closed += c->told_open ? 1 : 0;
	n->connections--;
	n->freed++;
	ct_list_remove(&c->link);
	ct_listener__conn_gone_locked(n, c);
	ct_lock_release(&n->lock);
}

/* On the chores thread: CLOSED, no operation runs and none will. */
static void retire(struct ct_chore *chore)
{
	struct ct_conn *c = CT_CONTAINER_OF(chore, struct ct_conn, chore);
	struct ct_net *n = c->net;

	CT_TAG_CHECK(c, CT_CONN_TAG);
	count_out(c);
	if (c->told_open)
		c->events->closed(c, c->user, c->why);
	ct_dialer__conn_gone(c);
	ct_conn__free_nng_parts(c);
	ct_conn_unref(c);

	ct_lock_acquire(&n->lock);
	if (--n->alive == 0)
		ct_cond_broadcast(&n->gone);
	ct_lock_release(&n->lock); /* ct_net_free() joins this thread before it frees n */
}

bool ct_conn__fail_locked(struct ct_conn *c, enum ct_conn_cause cause, ct_status why)
{
	ct_lock_check_held(&c->lock);
	if (c->sm.state >= CT_CONN_CLOSING)
		return false;
	if (!c->told_open && cause != CT_CAUSE_ASKED && cause != CT_CAUSE_NO_MEMORY)
		cause = CT_CAUSE_HANDSHAKE;
	c->cause = cause;
	c->why = why;
	ct_sm_move(&c->sm, CT_CONN_CLOSING);
	c->ops++; /* until ct_conn__shut() */
	return true;
}

/* Ends the operations that run. A stream that nng closed by itself does not end
 * what was started on it later, hence the cancels. */
static void end_operations(struct ct_conn *c)
{
	nng_stream_close(c->stream);
	nng_aio_cancel(c->rx_aio);
	nng_aio_cancel(c->tx_aio);
}

void ct_conn__shut(struct ct_conn *c)
{
	end_operations(c);
	ct_conn__drop(c);
}

void ct_conn__fail(struct ct_conn *c, enum ct_conn_cause cause, ct_status why)
{
	bool shut;

	ct_lock_acquire(&c->lock);
	shut = ct_conn__fail_locked(c, cause, why);
	ct_lock_release(&c->lock);
	if (shut)
		ct_conn__shut(c);
}

void ct_conn__hold_locked(struct ct_conn *c, unsigned ops)
{
	ct_lock_check_held(&c->lock);
	CT_CHECK(c->sm.state != CT_CONN_CLOSED);
	c->ops += ops;
}

bool ct_conn__drop_locked(struct ct_conn *c, unsigned ops)
{
	ct_lock_check_held(&c->lock);
	CT_CHECK(c->ops >= ops);
	c->ops -= ops;
	if (c->ops > 0 || c->sm.state != CT_CONN_CLOSING)
		return false;
	ct_sm_move(&c->sm, CT_CONN_CLOSED);
	return true;
}

void ct_conn__retire(struct ct_conn *c)
{
	ct_chores_give(c->net->chores, &c->chore, retire);
}

void ct_conn__drop(struct ct_conn *c)
{
	bool quiet;

	ct_lock_acquire(&c->lock);
	quiet = ct_conn__drop_locked(c, 1);
	ct_lock_release(&c->lock);
	if (quiet)
		ct_conn__retire(c);
}

void ct_conn__posted(struct ct_conn *c)
{
	bool closing;

	ct_lock_acquire(&c->lock);
	closing = c->sm.state == CT_CONN_CLOSING;
	if (!closing) {
		CT_CHECK(c->ops > 0);
		c->ops--;
	}
	ct_lock_release(&c->lock);
	if (!closing)
		return;
	end_operations(c);
	ct_conn__drop(c);
}

void ct_conn_close(struct ct_conn *c, ct_status why)
{
	ct_conn__fail(c, CT_CAUSE_ASKED, why);
}

bool ct_conn__finish_locked(struct ct_conn *c)
{
	if (c->sm.state != CT_CONN_OPEN)
		return false;
	ct_sm_move(&c->sm, CT_CONN_FLUSHING);
	return ct_conn__queued_locked(c) == 0 &&
	       ct_conn__fail_locked(c, CT_CAUSE_ASKED, CT_CANCELLED);
}

void ct_conn_finish(struct ct_conn *c)
{
	bool shut;

	ct_lock_acquire(&c->lock);
	shut = ct_conn__finish_locked(c);
	ct_lock_release(&c->lock);
	if (shut)
		ct_conn__shut(c);
}
