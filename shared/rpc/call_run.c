/* SPDX-License-Identifier: Apache-2.0 */
/* A call from the queue to its handler, and what a handler may ask of it. */
#include "rpc/server_internal.h"

#include "base/check.h"
#include "obs/trace.h"
#include "rpc/codec.h"
#include "rpc/outbox.h"
#include "rpc/plain_meta.h"

const struct ct_sm_row ct_call__rows[] = {
	[CT_CALL_RECEIVED] = { "received", CT_SM_BIT(CT_CALL_QUEUED) | CT_SM_BIT(CT_CALL_REFUSED) },
	[CT_CALL_QUEUED] = { "queued", CT_SM_BIT(CT_CALL_RUNNING) | CT_SM_BIT(CT_CALL_EXPIRED) |
					       CT_SM_BIT(CT_CALL_REFUSED) },
	[CT_CALL_RUNNING] = { "running",
			      CT_SM_BIT(CT_CALL_REPLIED) | CT_SM_BIT(CT_CALL_ABANDONED) },
	[CT_CALL_REPLIED] = { "replied", 0 },
	[CT_CALL_ABANDONED] = { "abandoned", 0 },
	[CT_CALL_EXPIRED] = { "expired", 0 },
	[CT_CALL_REFUSED] = { "refused", 0 },
};

static Ct__V1__CallMeta empty_meta = CT__V1__CALL_META__INIT; /* never written */

/* NULL: it does not decode, or there is no memory. */
static const Ct__V1__CallMeta *read_meta(struct ct_call *c)
{
	ProtobufCMessage *m;

	if (ct_plain_call_meta(c->meta_bytes))
		return ct_plain_call_meta_read(c->meta_bytes, &c->arena);
	if (ct_codec_unpack(&ct__v1__call_meta__descriptor, c->meta_bytes, &c->arena, &m) != CT_OK)
		return NULL;
	return (const Ct__V1__CallMeta *)m;
}

const Ct__V1__CallMeta *ct_call__meta(struct ct_call *c)
{
	if (c->meta == NULL && c->meta_bytes.len > 0)
		c->meta = read_meta(c);
	if (c->meta == NULL)
		c->meta = &empty_meta;
	return c->meta;
}

void ct_call__begin_trace(struct ct_call *c)
{
	const Ct__V1__CallMeta *meta;
	struct ct_trace trace;

	if (ct_plain_call_meta(c->meta_bytes))
		return;
	meta = ct_call__meta(c);

	if (ct_trace_parse(ct_bytes_of_str(meta->traceparent), &trace))
		ct_ctx_set_trace(&c->ctx, trace);
}

/* Decodes the request and hands it to the handler. */
static void serve(struct ct_call *c)
{
	ProtobufCMessage *req;
	const ct_status st = ct_codec_unpack(c->route->method->request, c->payload, &c->arena,
					     &req);

	if (st == CT_OK) {
		c->route->invoke(c, c->route->handlers, req);
		if (!atomic_load(&c->answered) && !atomic_load(&c->kept))
			ct_call_fail(c, CT_UNKNOWN, "the handler returned without an answer");
	} else {
		ct_srv__count(&c->server->bad_payload);
		ct_call_fail(c, st, "the request does not decode as %s",
			     c->route->method->request->name);
	}
}

/* Its turn came. The turn's reference keeps the memory while the handler runs, for it
 * may answer at once. */
static void run(struct ct_call *c, ct_instant now)
{
	const char *broken;

	ct_sm_move(&c->sm, CT_CALL_RUNNING);
	c->started = now;
	c->queue_us = ct_instant_us_between(c->admitted, c->started); /* 0 for INLINE */
	ct_call__begin_trace(c);
	broken = ct_call__metadata_broken(c);
	if (broken == NULL) {
		serve(c);
	} else {
		ct_srv__count(&c->server->bad_metadata);
		ct_call_fail(c, CT_INTERNAL, "%s", broken);
	}
	ct_ctx_unref(&c->ctx);
}

/* Runs it, and learns how long it kept the worker. Returns when it ended. */
static ct_instant work(struct ct_call *c, ct_instant began)
{
	struct ct_server *s = c->server; /* c may be gone when it is over */
	struct ct_route *r = c->route;
	const uint16_t worker = ct_pool_worker();
	ct_instant ended;
	uint64_t ns;

	ct_call__leave_line(c);
	ct_outlook_begin(&s->outlook, worker, began, ct_mean_ns(&r->load));
	run(c, began);
	ended = ct_now(s->clk);
	ct_outlook_end(&s->outlook, worker);
	ns = (uint64_t)(ended.ns - began.ns);
	ct_median_record(&r->busy, ns);
	ct_mean_record(&r->load, ns);
	return ended;
}

/* When this worker ended its last call, if it did nothing else since; 0: it did. */
static _Thread_local ct_instant just_ended;

void ct_call__rest(void)
{
	just_ended.ns = 0;
	ct_outbox__flush();
}

/* One look at the clock for the end of a call and the beginning of the next, unless that
 * one was admitted only after it. */
static ct_instant begin_turn(const struct ct_call *c)
{
	const ct_instant last = just_ended;

	just_ended.ns = 0;
	return last.ns != 0 && last.ns >= c->admitted.ns ? last : ct_now(c->server->clk);
}

void ct_call__task_fn(struct ct_task *task, ct_status why)
{
	struct ct_call *c = CT_CONTAINER_OF(task, struct ct_call, task);
	ct_instant now;

	if (why != CT_OK) {
		ct_call__refuse(c, CT_REFUSAL_DRAINING); /* the pool closes */
		return;
	}
	now = begin_turn(c);
	ct_srv__turn(c, now);
	ct_outbox__begin(c->server->timers, ct_median_ns(&c->route->busy), now);
	if (ct_ctx_status_at(&c->ctx, now) != CT_OK) {
		ct_call__end_queued(c);
	} else if (ct_srv__hopeless(c, now)) {
		ct_margin_late(&c->session->margin);
		ct_pool_leave(&c->task); /* whoever has the refusal may send the next call */
		ct_call__refuse(c, CT_REFUSAL_HOPELESS);
	} else {
		just_ended = now = work(c, now);
	}
	if (ct_outbox__end(now))
		just_ended.ns = 0;
}

void ct_call__run_inline(struct ct_call *c)
{
	run(c, ct_now(c->server->clk));
}

void ct_call__tripped(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct ct_call *c = CT_CONTAINER_OF(hook, struct ct_call, tripped);

	(void)why;
	if (ct_pool_remove(c->server->pool, &c->task))
		ct_call__end_queued(c);
	/* else it runs: the handler sees its context, or it is about to be dequeued */
}

static void resume_fn(struct ct_task *task, ct_status why)
{
	struct ct_call *c = CT_CONTAINER_OF(task, struct ct_call, resume_task);

	CT_CHECK(why == CT_OK); /* the pool outlives every kept call */
	just_ended.ns = 0;
	ct_outbox__begin(c->server->timers, 0, CT_NEVER); /* how long fn takes is unknown */
	ct_ctx_ref(&c->ctx);
	c->resume_fn(c, c->resume_arg);
	ct_ctx_unref(&c->ctx);
}

void ct_call_resume(struct ct_call *c, ct_resume_fn *fn, void *arg)
{
	CT_CHECK(atomic_load(&c->kept));
	c->resume_fn = fn;
	c->resume_arg = arg;
	c->resume_task = (struct ct_task){ .fn = resume_fn,
					   .lane = c->route->method->lane == CT_LANE_BATCH
							   ? CT_LANE_BATCH
							   : CT_LANE_INTERACTIVE,
					   .urgent = true };
	ct_list_init(&c->resume_task.link);
	CT_CHECK(ct_pool_submit(c->server->pool, &c->resume_task) == CT_OK);
}

void ct_call_keep(struct ct_call *c)
{
	(void)ct_call__meta(c); /* any thread may ask for it from now on */
	atomic_store(&c->kept, true);
	ct_pool_leave(&c->task); /* the answer may be out before the handler returns */
}

const struct ct_method *ct_call_method(const struct ct_call *c)
{
	return c->route->method;
}

struct ct_ctx *ct_call_ctx(const struct ct_call *c)
{
	return (struct ct_ctx *)(uintptr_t)&c->ctx; /* a context is shared by nature */
}

void *ct_call_impl(const struct ct_call *c)
{
	return c->route->impl;
}

const char *ct_call_peer(const struct ct_call *c)
{
	return ct_conn_peer(c->conn);
}

/* Decoded at its first use, by the one thread that has the call then. */
const Ct__V1__CallMeta *ct_call_meta(const struct ct_call *c)
{
	return ct_call__meta((struct ct_call *)(uintptr_t)c);
}

const char *ct_call_caller(const struct ct_call *c)
{
	return ct_call_meta(c)->caller;
}

const char *ct_call_service(const struct ct_call *c)
{
	return c->server->opts.rt->service;
}

enum ct_criticality ct_call_criticality(const struct ct_call *c)
{
	return (enum ct_criticality)c->header.code;
}

struct ct_arena *ct_call_arena(struct ct_call *c)
{
	return &c->arena;
}

ProtobufCAllocator *ct_call_allocator(struct ct_call *c)
{
	return &c->allocator;
}
