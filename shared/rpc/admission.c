/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection brings: calls are admitted or refused, cancels carried out.
 * Runs on nng's task threads, blocks on nothing, and decodes no payload. The
 * calls of one receive enter the pool together, under one lock.
 */
#include "rpc/server_internal.h"

#include "base/check.h"
#include "base/mem.h"

#include <string.h>

#define US_PER_MS UINT64_C(1000)

enum { INTAKE_N = 64 };

/* A call as it lies in the receive buffer. */
struct arrival {
	struct ct_conn *conn;
	struct ct_session *session;
	const struct ct_net_msg *msg;
	struct ct_wire_header header;
	struct ct_bytes meta, payload;
	ct_instant now;
	struct ct_route *route; /* NULL: no such method */
};

static void refuse_arrival(struct ct_server *s, const struct arrival *a, enum ct_refusal why)
{
	const struct ct_reply_head head = ct_srv__refusal_head(s, why);

	ct_srv__record_refusal(s, why,
			       &(struct ct_refused){ .conn = a->conn,
						     .route = a->route,
						     .header = &a->header,
						     .meta = a->meta,
						     .received = a->now });
	(void)ct_srv__reply(s, a->conn, &a->msg->route, &a->header, &head);
}

void ct_call__refuse(struct ct_call *c, enum ct_refusal why)
{
	struct ct_server *s = c->server;
	const struct ct_reply_head head = ct_srv__refusal_head(s, why);

	ct_sm_move(&c->sm, CT_CALL_REFUSED);
	ct_call__leave_line(c);
	ct_srv__record_refusal(s, why,
			       &(struct ct_refused){ .conn = c->conn,
						     .route = c->route,
						     .header = &c->header,
						     .meta = c->meta_bytes,
						     .received = c->received });
	ct_srv__leave_places(s, c->route, c->session);
	(void)ct_srv__reply(s, c->conn, &c->reply_to, &c->header, &head);
	if (c->registered)
		ct_registry_remove(s->registry, &c->reg);
	(void)ct_ctx_end_with_hook(&c->ctx, &c->tripped);
	ct_ctx_unref(&c->ctx); /* its turn's */
	ct_ctx_unref(&c->ctx);
}

/* What is left when a receive's worth of calls has been looked at is not worth the
 * look at the clock; enlist() looks again. */
static bool expired(struct ct_server *s, const struct arrival *a)
{
	return a->header.budget_us < US_PER_MS * 10 &&
	       ct_deadline_passed(s->clk, ct_instant_add_us(a->now, a->header.budget_us));
}

/* A draining server answers questions still, but not for ever: a flood of them
 * would keep it from its end. */
static bool answers(const struct ct_server *s, const struct ct_route *r)
{
	if (!atomic_load_explicit(&s->refusing, memory_order_relaxed))
		return true;
	return r != NULL && ct_srv__is_inline(r) &&
	       !atomic_load_explicit(&s->freeing, memory_order_relaxed);
}

/* The order of semantics.md, cheapest first; CT_REFUSALS_N: let it in, it has its
 * place. */
static enum ct_refusal judge(struct ct_server *s, const struct arrival *a)
{
	struct ct_route *r = a->route;
	enum ct_refusal why;

	if (a->msg->too_big)
		return CT_REFUSAL_SIZE;
	if (r != NULL && r->method->max_request_bytes != 0 &&
	    a->payload.len > r->method->max_request_bytes)
		return CT_REFUSAL_SIZE;
	if (!answers(s, r))
		return CT_REFUSAL_DRAINING;
	if (ct_registry_take_tombstone(s->registry, &a->header.cancel_id, a->now)) {
		ct_srv__count(&s->tombstones_hit);
		return CT_REFUSAL_TOMBSTONE;
	}
	if (expired(s, a))
		return CT_REFUSAL_EXPIRED;
	if (r == NULL)
		return CT_REFUSAL_UNKNOWN_METHOD;
	why = ct_srv__take_places(s, r, a->session);
	if (why == CT_REFUSALS_N &&
	    !ct_srv__feasible(s, r, a->session, a->header.budget_us, a->now)) {
		ct_srv__leave_places(s, r, a->session);
		why = CT_REFUSAL_INFEASIBLE;
	}
	return why;
}

/* The calls of one receive on their way into the pool. Each is held by a
 * reference until the pool has them all: a context that is tripped before its
 * task is queued finds nothing to remove, so that is looked at again behind it. */
struct intake {
	struct ct_list tasks;
	struct ct_call *calls[INTAKE_N];
	size_t n;
	struct ct_list spare; /* calls without use yet */
	size_t to_come;       /* messages not dealt with */
};

static ct_instant deadline_of(struct ct_server *s, const struct arrival *a)
{
	const uint64_t max_us = s->opts.max_deadline_ms * US_PER_MS;

	if (a->header.budget_us <= max_us)
		return ct_instant_add_us(a->now, a->header.budget_us);
	ct_srv__count(&s->clamped);
	return ct_instant_add_us(a->now, max_us);
}

static struct ct_call *take_call(struct ct_server *s, struct intake *in, bool brief)
{
	if (!brief && ct_list_empty(&in->spare))
		ct_call__reserve(s, &in->spare, in->to_come);
	return ct_call__take(s, &in->spare, brief);
}

/* Its meta and payload side by side in its own memory. False: there is none. */
static bool copy_body(struct ct_call *c, const struct arrival *a)
{
	uint8_t *copy = ct_arena_alloc(&c->arena, a->meta.len + a->payload.len);

	if (copy == NULL)
		return false;
	if (a->meta.len > 0)
		memcpy(copy, a->meta.ptr, a->meta.len);
	if (a->payload.len > 0)
		memcpy(copy + a->meta.len, a->payload.ptr, a->payload.len);
	c->meta_bytes = ct_bytes_of(copy, a->meta.len);
	c->payload = ct_bytes_of(copy + a->meta.len, a->payload.len);
	return true;
}

static struct ct_call *accept_call(struct ct_server *s, const struct arrival *a, struct intake *in)
{
	struct ct_call *c = take_call(s, in, ct_srv__is_inline(a->route));

	if (c == NULL)
		return NULL;
	if (!copy_body(c, a)) {
		ct_call__give_back(c);
		return NULL;
	}
	c->received = a->now;
	c->admitted = CT_NEVER;
	c->header = a->header;
	c->route = a->route;
	c->reply_to = a->msg->route;
	c->conn = ct_conn_ref(a->conn);
	c->session = a->session;
	c->in_line = false;
	c->meta = NULL;
	c->task = (struct ct_task){ .fn = ct_call__task_fn,
				    .lane = a->route->method->lane,
				    .spare = s->spare[a->header.code] };
	ct_list_init(&c->task.link);
	ct_call__init_ctx(c, deadline_of(s, a), a->now);
	ct_ctx_set_criticality(&c->ctx, ct_call_criticality(c));
	return c;
}

/* In the registry. False: it was refused. */
static bool enlist(struct ct_server *s, struct ct_call *c)
{
	ct_status st;

	if (ct_ctx_done(&c->ctx)) { /* its budget was gone before we looked */
		ct_call__refuse(c, CT_REFUSAL_EXPIRED);
		return false;
	}
	c->reg.id = c->header.cancel_id;
	st = ct_registry_add(s->registry, &c->reg, c->received);
	if (st != CT_OK) {
		if (st == CT_CANCELLED)
			ct_srv__count(&s->tombstones_hit);
		ct_call__refuse(c,
				st == CT_CANCELLED ? CT_REFUSAL_TOMBSTONE : CT_REFUSAL_DUPLICATE);
		return false;
	}
	/* A sweep that found no such call has set this before it looked. */
	if (!ct_srv__is_inline(c->route) &&
	    atomic_load_explicit(&s->refusing, memory_order_relaxed)) {
		ct_registry_remove(s->registry, &c->reg);
		ct_call__refuse(c, CT_REFUSAL_DRAINING);
		return false;
	}
	c->registered = true;
	ct_sm_move(&c->sm, CT_CALL_QUEUED);
	ct_call__join_line(c);
	return true;
}

/* Questions are answered while the server ends, but none may wait for something:
 * what an inline handler keeps after the sweep is tripped here. What it keeps before
 * that, the end waits for. */
static void run_here(struct ct_server *s, struct ct_call *c)
{
	ct_call__run_inline(c); /* it may end, or be kept and end on another thread */
	if (!atomic_load(&c->answered)) {
		if (atomic_load(&s->cancelling))
			(void)ct_ctx_cancel(&c->ctx, CT_CANCEL_DRAIN);
		else
			ct_call__not_brief(c);
	}
}

/* The call that is to be queued, with the receiver's reference; NULL: it was refused, or
 * ran at once. */
static struct ct_call *on_call(struct ct_server *s, struct arrival *a, struct intake *in)
{
	enum ct_refusal why;
	struct ct_call *c;

	ct_srv__count(&s->received);
	a->route = ct_router_find(&s->router, a->header.method);
	why = judge(s, a);
	if (why != CT_REFUSALS_N) {
		refuse_arrival(s, a, why);
		return NULL;
	}
	c = accept_call(s, a, in);
	if (c == NULL) {
		ct_srv__leave_places(s, a->route, a->session);
		refuse_arrival(s, a, CT_REFUSAL_NO_MEMORY);
		return NULL;
	}
	ct_sm_init(&c->sm, ct_call__rows, CT_CALL_RECEIVED, NULL);
	if (enlist(s, c)) {
		if (!ct_srv__is_inline(a->route))
			return c;
		run_here(s, c);
	}
	ct_ctx_unref(&c->ctx);
	return NULL;
}

static void ref_entry(struct ct_registry_entry *e)
{
	struct ct_call *c = CT_CONTAINER_OF(e, struct ct_call, reg);

	ct_ctx_ref(&c->ctx);
}

static void on_cancel(struct ct_server *s, const struct arrival *a)
{
	struct ct_reply_head head = { .status = CT_OK, .message = "" };
	struct ct_registry_entry *e;

	ct_srv__count(&s->cancels);
	e = ct_registry_cancel(s->registry, &a->header.cancel_id, a->now, ref_entry);
	if (e != NULL) {
		struct ct_call *c = CT_CONTAINER_OF(e, struct ct_call, reg);

		(void)ct_ctx_cancel(&c->ctx, (enum ct_cancel_reason)a->header.code);
		ct_ctx_unref(&c->ctx);
	} else {
		ct_srv__count(&s->cancels_unknown);
		if (a->header.code == CT_CANCEL_DEADLINE) /* its answer was too late */
			ct_margin_late(&a->session->margin);
		head.status = CT_NOT_FOUND;
	}
	(void)ct_srv__reply(s, a->conn, &a->msg->route, &a->header, &head);
}

/* Why the pool did not take it. */
static enum ct_refusal why_left(const struct ct_call *c, ct_status st)
{
	if (st == CT_UNAVAILABLE)
		return CT_REFUSAL_DRAINING;
	return c->task.spare > c->server->spare[CT_CRIT_DEFAULT] ? CT_REFUSAL_SHED
								 : CT_REFUSAL_QUEUE_FULL;
}

/* The queue refused what is left of the list. */
static void refuse_left(struct ct_list *tasks, ct_status st)
{
	struct ct_list *l;

	while ((l = ct_list_pop_front(tasks)) != NULL) {
		struct ct_call *c = CT_CONTAINER_OF(CT_CONTAINER_OF(l, struct ct_task, link),
						    struct ct_call, task);

		ct_call__refuse(c, why_left(c, st));
	}
}

static void submit(struct ct_server *s, struct intake *in)
{
	ct_instant now;
	ct_status st;

	if (in->n == 0)
		return;
	now = ct_now(s->clk);
	for (size_t i = 0; i < in->n; i++)
		in->calls[i]->admitted = now;
	st = ct_pool_submit_list(s->pool, &in->tasks);
	if (st != CT_OK)
		refuse_left(&in->tasks, st);
	for (size_t i = 0; i < in->n; i++) {
		struct ct_call *c = in->calls[i];

		if (ct_ctx_done(&c->ctx) && ct_pool_remove(s->pool, &c->task))
			ct_call__end_queued(c);
		ct_ctx_unref(&c->ctx);
	}
	in->n = 0;
}

static void take_in(struct ct_server *s, struct intake *in, struct ct_call *c)
{
	if (in->n == INTAKE_N)
		submit(s, in);
	in->calls[in->n++] = c;
	ct_list_push_back(&in->tasks, &c->task.link);
}

static void bad_message(struct ct_server *s, struct ct_conn *conn, const char *why)
{
	ct_srv__count(&s->bad_header);
	CT_LOG(s->log, CT_LOG_WARN, "bad message, closing the connection", CT_STR("why", why),
	       CT_STR("peer", ct_conn_peer(conn)));
	ct_conn_close(conn, CT_INVALID_ARGUMENT);
}

/* Of a message that is too big only the header has come: enough to refuse a call. */
static ct_status read_arrival(struct arrival *a, const char **ret_why)
{
	ct_status st;

	a->meta = a->payload = CT_BYTES_NONE;
	st = a->msg->too_big
		     ? ct_wire_decode_header(a->msg->body, &a->header, ret_why)
		     : ct_wire_decode(a->msg->body, &a->header, &a->meta, &a->payload, ret_why);
	if (st != CT_OK)
		return st;
	if (a->header.kind == CT_WIRE_REPLY)
		*ret_why = "a reply sent to a server";
	else if (a->msg->too_big && a->header.kind != CT_WIRE_CALL)
		*ret_why = "a cancel over the size limit";
	else
		return CT_OK;
	return CT_INVALID_ARGUMENT;
}

static void on_batch(struct ct_conn *conn, void *user, const struct ct_net_msg *msgs, size_t n)
{
	struct ct_session *session = user;
	struct ct_server *s = session != NULL ? session->server : NULL;
	struct arrival a = { .conn = conn, .session = session };
	struct intake in = { .to_come = n };

	if (s == NULL)
		return; /* there was no memory for its session: it is being closed */
	a.now = ct_now(s->clk);
	ct_list_init(&in.tasks);
	ct_list_init(&in.spare);
	for (size_t i = 0; i < n; i++) {
		struct ct_call *c = NULL;
		const char *why;
		ct_status st;

		a.msg = &msgs[i];
		st = read_arrival(&a, &why);
		if (st != CT_OK) {
			bad_message(s, conn, why);
			break;
		}
		if (a.header.kind == CT_WIRE_CALL)
			c = on_call(s, &a, &in);
		else
			on_cancel(s, &a);
		if (c != NULL)
			take_in(s, &in, c);
		in.to_come--;
	}
	submit(s, &in);
	ct_call__unreserve(s, &in.spare);
}

static void on_opened(void *arg, struct ct_conn *conn, void **ret_user)
{
	struct ct_session *session = ct_mem_zalloc(1, sizeof(*session));
	struct ct_server *s = arg;

	*ret_user = session;
	if (session == NULL) {
		ct_conn_close(conn, CT_RESOURCE_EXHAUSTED);
		return;
	}
	session->server = s;
	atomic_store_explicit(&session->taken, 1, memory_order_relaxed);
	ct_lock_acquire(&s->lock);
	s->connections++;
	ct_lock_release(&s->lock);
}

static void on_closed(struct ct_conn *conn, void *user, ct_status why)
{
	struct ct_session *session = user;
	struct ct_server *s = session != NULL ? session->server : NULL;

	if (s == NULL)
		return;
	ct_srv__leave_session(session);
	CT_LOG(s->log, CT_LOG_DEBUG, "connection closed", CT_STR("peer", ct_conn_peer(conn)),
	       CT_STATUS("status", why));
	ct_srv__cancel_calls(s, conn, CT_CANCEL_PEER_GONE);
	ct_lock_acquire(&s->lock);
	if (--s->connections == 0)
		ct_cond_broadcast(&s->moved);
	ct_lock_release(&s->lock); /* the last touch of s */
}

const struct ct_conn_events ct_srv__conn_events = {
	.opened = on_opened,
	.batch = on_batch,
	.closed = on_closed,
};
