/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one call of ours; client_internal.h has the picture. */
#include "rpc/client_internal.h"

#include "base/check.h"
#include "rpc/cork.h"
#include "rpc/reply_internal.h"

#define US_PER_MS UINT64_C(1000)
#define NS_PER_MS INT64_C(1000000)

static const struct ct_failure no_connection = {
	.status = CT_UNAVAILABLE,
	.message = "no connection to the service",
	.not_processed = true,
};

/* ---- endings ------------------------------------------------------------------- */

static void count_end_locked(struct ct_client *c, ct_status st)
{
	c->stats.in_flight--;
	switch (st) {
	case CT_OK:
		c->stats.ok++;
		ct_retry_budget_success(&c->budget);
		break;
	case CT_CANCELLED:
		c->stats.cancelled++;
		break;
	case CT_DEADLINE_EXCEEDED:
		c->stats.expired++;
		break;
	default:
		c->stats.failed++;
	}
}

/* The caller's own clock and context decide: whatever comes behind its deadline
 * or its cancel is too late. */
static void settle_status(struct ct_out *o, ct_instant now)
{
	const ct_status own = ct_ctx_status_at(&o->ctx, now);
	struct ct_reply *r = o->reply;

	if (own == CT_OK || own == r->status)
		return;
	r->status = own;
	r->message = ct_status_text(own);
	r->response = NULL;
}

static void finish(struct ct_out *o)
{
	struct ct_client *c = o->client;
	struct ct_reply *r = o->reply;
	ct_instant now;

	(void)ct_ctx_end_with_hook(&o->ctx, &o->tripped);
	now = ct_now(c->clk);
	settle_status(o, now);
	r->attempts = (uint8_t)(o->attempts - o->unsent);
	r->elapsed_us = ct_instant_us_between(o->started, now);
	ct_lock_acquire(&c->lock);
	o->state = CT_OUT_DONE;
	c->admitted -= o->admitted;
	count_end_locked(c, r->status);
	ct_lock_release(&c->lock);
	o->done(o->arg, r);
	ct_ctx_unref(&o->ctx);
}

static void finish_later(struct ct_timer *t)
{
	finish(CT_CONTAINER_OF(t, struct ct_out, timer));
}

/* Never inside the start. */
static void finish_at(struct ct_out *o, ct_instant at)
{
	ct_timer_init(&o->timer, finish_later);
	ct_timers_arm(o->client->timers, &o->timer, at);
}

void ct_out__complete(struct ct_out *o)
{
	if (atomic_load(&o->starting))
		finish_at(o, ct_now(o->client->clk));
	else
		finish(o);
}

static void take_failure(struct ct_out *o, const struct ct_failure *f)
{
	struct ct_reply *r = o->reply;

	r->response = NULL;
	r->status = f->status;
	r->message = f->message;
	r->not_processed = f->not_processed && !o->maybe_processed;
	r->no_retry = f->no_retry;
	r->retry_after_ms = f->retry_after_ms;
}

void ct_out__fail(struct ct_out *o, const struct ct_failure *f)
{
	take_failure(o, f);
	ct_out__complete(o);
}

void ct_out__turn_away(struct ct_out *o, const struct ct_failure *f)
{
	take_failure(o, f);
	if (o->reply == &o->own_reply)
		finish_at(o, (ct_instant){ .ns = (o->started.ns / NS_PER_MS + 1) * NS_PER_MS });
	else
		finish(o); /* its caller waits, and has nothing that could run in here */
}

static void fail_tripped(struct ct_out *o)
{
	const ct_status st = ct_ctx_status(&o->ctx);

	CT_CHECK(st != CT_OK);
	ct_out__fail(o, &(struct ct_failure){
				.status = st,
				.message = ct_status_text(st),
				.not_processed = o->attempts == o->unsent,
			});
}

/* ---- attempts ------------------------------------------------------------------ */

/* What one attempt needs once the lock is released. */
struct shot {
	struct ct_conn *conn; /* a reference */
	uint32_t request_id;
	struct ct_id cancel_id;
	uint8_t attempt;
};

/* On a ready link: SENT. False: there is none that takes it. */
static bool assign_locked(struct ct_client *c, struct ct_out *o, struct shot *ret)
{
	struct ct_link *l = ct_link__pick_locked(c, o->avoid);

	if (l == NULL || !ct_link__put_locked(l, o))
		return false;
	o->state = CT_OUT_SENT;
	o->avoid = l;
	o->attempts++;
	o->cancel_id = ct_id_new();
	c->stats.attempts++;
	c->stats.retries += o->attempts > 1;
	*ret = (struct shot){
		.conn = ct_conn_ref(l->conn),
		.request_id = ct_link__request_id(l, o->slot),
		.cancel_id = o->cancel_id,
		.attempt = o->attempts,
	};
	return true;
}

/* Takes the call from wherever it is. False: somebody else has it. */
static bool claim_locked(struct ct_out *o)
{
	switch (o->state) {
	case CT_OUT_SENT:
		ct_link__clear_locked(o->on, o);
		break;
	case CT_OUT_WAITING:
		ct_list_remove(&o->link);
		break;
	case CT_OUT_BACKOFF:
		if (!ct_timers_cancel(o->client->timers, &o->timer))
			return false; /* it fires now and sees the trip itself */
		ct_list_remove(&o->link);
		break;
	case CT_OUT_HANDLED:
	case CT_OUT_DONE:
		return false;
	}
	o->state = CT_OUT_HANDLED;
	return true;
}

/* Still this attempt's? Then it did not leave, and is the caller's to fail. */
static bool claim_unsent(struct ct_out *o, const struct shot *s)
{
	struct ct_client *c = o->client;
	bool mine;

	ct_lock_acquire(&c->lock);
	mine = o->state == CT_OUT_SENT && ct_id_equal(&o->cancel_id, &s->cancel_id) &&
	       claim_locked(o);
	if (mine) /* else it is not ours to write */
		o->unsent++;
	ct_lock_release(&c->lock);
	return mine;
}

/* Sends one attempt. The caller holds a reference, for the reply may be here
 * before this returns. */
static void shoot(struct ct_out *o, const struct shot *s)
{
	const ct_instant now = ct_now(o->client->clk);
	const struct ct_sp_route route = { .words = { s->request_id }, .n = 1 };
	struct ct_wire_header h = {
		.kind = CT_WIRE_CALL,
		.flags = o->method->idempotent ? CT_WIRE_IDEMPOTENT : 0,
		.code = (uint8_t)o->criticality,
		.attempt = s->attempt,
		.cancel_id = s->cancel_id,
		.method = o->method->hash,
		.meta_len = (uint32_t)o->meta.len,
	};
	uint8_t bytes[CT_WIRE_HEADER_BYTES];
	const struct ct_bytes parts[3] = { ct_bytes_of(bytes, sizeof(bytes)), o->meta, o->payload };
	ct_status st;

	/* the budget at the last moment before the connection has it */
	h.budget_us = ct_deadline_left_us(now, ct_ctx_deadline(&o->ctx));
	if (h.budget_us == 0) {
		if (claim_unsent(o, s))
			fail_tripped(o);
		return;
	}
	ct_wire_encode(&h, bytes);
	st = ct_cork__send(s->conn, &route, parts, now);
	if (st == CT_OK || !claim_unsent(o, s))
		return;
	ct_out__attempt_failed(o,
			       &(struct ct_failure){
				       .status = st == CT_RESOURCE_EXHAUSTED ? st : CT_UNAVAILABLE,
				       .message = "the connection does not take the call",
				       .not_processed = true,
			       });
}

/* Where ct_out__dispatch() puts a call. */
enum place { PLACE_SENT, PLACE_WAITS, PLACE_TRIPPED, PLACE_NOWHERE };

/* A trip whose hook ran before this lock was taken is seen here; one whose hook
 * runs later finds the call where this puts it. */
static enum place place_locked(struct ct_client *c, struct ct_out *o, struct shot *ret)
{
	if (ct_ctx_done(&o->ctx))
		return PLACE_TRIPPED;
	if (c->closing)
		return PLACE_NOWHERE;
	if (assign_locked(c, o, ret))
		return PLACE_SENT;
	if (c->ready_n > 0 || c->opts.wait == CT_WAIT_NEVER ||
	    (c->opts.wait == CT_WAIT_CONNECTING && !ct_endpoint__connecting_locked(c)))
		return PLACE_NOWHERE;
	o->state = CT_OUT_WAITING;
	ct_list_push_back(&c->waiting, &o->link);
	return PLACE_WAITS;
}

void ct_out__dispatch_held(struct ct_out *o)
{
	struct ct_client *c = o->client;
	enum place place;
	struct shot s;

	ct_lock_acquire(&c->lock);
	place = place_locked(c, o, &s);
	ct_lock_release(&c->lock);
	switch (place) {
	case PLACE_SENT:
		shoot(o, &s);
		ct_conn_unref(s.conn);
		break;
	case PLACE_WAITS:
		break;
	case PLACE_TRIPPED:
		fail_tripped(o);
		break;
	case PLACE_NOWHERE:
		ct_out__fail(o, &no_connection);
		break;
	}
}

void ct_out__dispatch(struct ct_out *o)
{
	ct_ctx_ref(&o->ctx); /* it may end before this returns */
	ct_out__dispatch_held(o);
	ct_ctx_unref(&o->ctx);
}

static void backoff_over(struct ct_timer *t)
{
	struct ct_out *o = CT_CONTAINER_OF(t, struct ct_out, timer);
	struct ct_client *c = o->client;

	ct_lock_acquire(&c->lock);
	ct_list_remove(&o->link);
	o->state = CT_OUT_HANDLED;
	ct_lock_release(&c->lock);
	ct_reply__reset(o->reply);
	ct_out__dispatch(o);
}

/* Whether the rules, the budget and the time left allow another attempt. */
static bool retry_locked(struct ct_out *o, const struct ct_failure *f, uint64_t *ret_wait_us)
{
	struct ct_client *c = o->client;
	const struct ct_retry_case k = {
		.method = o->method,
		.status = f->status,
		.attempts = o->attempts,
		.attempts_max = c->opts.attempts_max,
		.not_processed = f->not_processed,
		.no_retry = f->no_retry,
	};
	const ct_instant now = ct_now(c->clk);

	if (f->status == CT_UNAVAILABLE || f->status == CT_RESOURCE_EXHAUSTED)
		ct_retry_budget_failure(&c->budget);
	if (c->closing || !ct_retry_worth(&k))
		return false;
	*ret_wait_us = ct_retry_backoff_us(c->opts.retry_backoff_ms, (uint8_t)(o->attempts + 1),
					   f->retry_after_ms, ct_random_u64());
	if (ct_deadline_left_us(now, ct_ctx_deadline(&o->ctx)) <= *ret_wait_us)
		return false;
	if (!ct_retry_budget_take(&c->budget)) {
		c->stats.retries_refused++;
		return false;
	}
	if (o->account != NULL)
		ct_throttle_sent(o->account, now);
	return true;
}

void ct_out__attempt_failed(struct ct_out *o, const struct ct_failure *f)
{
	struct ct_client *c = o->client;
	bool tripped, again;
	uint64_t wait_us;

	o->maybe_processed = o->maybe_processed || !f->not_processed;
	ct_lock_acquire(&c->lock);
	tripped = ct_ctx_done(&o->ctx); /* else its hook, still to come, finds BACKOFF */
	again = !tripped && retry_locked(o, f, &wait_us);
	if (again) {
		o->state = CT_OUT_BACKOFF;
		ct_list_push_back(&c->resting, &o->link);
		ct_timer_init(&o->timer, backoff_over);
		ct_timers_arm(c->timers, &o->timer, ct_instant_add_us(ct_now(c->clk), wait_us));
	}
	ct_lock_release(&c->lock);
	if (tripped)
		fail_tripped(o);
	else if (!again)
		ct_out__fail(o, f);
}

void ct_out__send_waiting(struct ct_client *c)
{
	for (;;) {
		struct ct_list *l;
		struct ct_out *o;

		ct_lock_acquire(&c->lock);
		l = c->ready_n > 0 ? ct_list_pop_front(&c->waiting) : NULL;
		o = l != NULL ? CT_CONTAINER_OF(l, struct ct_out, link) : NULL;
		if (o != NULL)
			o->state = CT_OUT_HANDLED;
		ct_lock_release(&c->lock);
		if (o == NULL)
			return;
		ct_out__dispatch(o);
	}
}

void ct_out__fail_waiting(struct ct_client *c)
{
	struct ct_list all, *l;

	ct_list_init(&all);
	ct_lock_acquire(&c->lock);
	if (c->opts.wait != CT_WAIT_READY || c->closing)
		ct_list_splice_back(&all, &c->waiting);
	for (l = all.next; l != &all; l = l->next)
		CT_CONTAINER_OF(l, struct ct_out, link)->state = CT_OUT_HANDLED;
	ct_lock_release(&c->lock);
	while ((l = ct_list_pop_front(&all)) != NULL)
		ct_out__fail(CT_CONTAINER_OF(l, struct ct_out, link), &no_connection);
}

void ct_out__fail_resting(struct ct_client *c)
{
	struct ct_list ours, *l, *next;

	ct_list_init(&ours);
	ct_lock_acquire(&c->lock);
	for (l = c->resting.next; l != &c->resting; l = next) {
		struct ct_out *o = CT_CONTAINER_OF(l, struct ct_out, link);

		next = l->next;
		if (claim_locked(o)) /* else it fires now, and goes nowhere */
			ct_list_push_back(&ours, &o->link);
	}
	ct_lock_release(&c->lock);
	while ((l = ct_list_pop_front(&ours)) != NULL)
		ct_out__fail(CT_CONTAINER_OF(l, struct ct_out, link), &no_connection);
}

/* ---- trips ----------------------------------------------------------------------- */

/* What the server is told. The caller's context is one above ours: its own
 * reason counts, but what a server's caller decided reaches further servers as
 * PARENT. */
static enum ct_cancel_reason wire_reason(struct ct_out *o, enum ct_cancel_reason why)
{
	const struct ct_ctx *above = ct_ctx_parent(&o->ctx);
	enum ct_cancel_reason up;

	if (why != CT_CANCEL_PARENT || above == NULL || ct_ctx_served(above))
		return why;
	up = ct_ctx_reason(above);
	return up == CT_CANCEL_NONE || up == CT_CANCEL_PEER_GONE ? why : up;
}

void ct_out__tripped(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct ct_out *o = CT_CONTAINER_OF(hook, struct ct_out, tripped);
	struct ct_client *c = o->client;
	struct ct_conn *conn = NULL;
	uint32_t request_id = 0;
	struct ct_id cancel_id;
	bool mine, deaf = false;

	ct_lock_acquire(&c->lock);
	if (o->state == CT_OUT_SENT) {
		conn = o->on->conn != NULL ? ct_conn_ref(o->on->conn) : NULL;
		request_id = ct_link__cancel_request_id_locked(o->on);
		cancel_id = o->cancel_id;
		c->stats.cancels_sent += conn != NULL;
		deaf = ct_link__deaf_locked(o->on, ct_now(c->clk));
	}
	mine = claim_locked(o);
	ct_lock_release(&c->lock);
	if (conn != NULL) {
		ct_link__send_cancel(conn, request_id, &cancel_id, wire_reason(o, why));
		if (deaf)
			ct_conn_close(conn, CT_UNAVAILABLE);
		ct_conn_unref(conn);
	}
	if (mine)
		fail_tripped(o);
}
