/* SPDX-License-Identifier: Apache-2.0 */
/* How a call of ours begins: its context, its bytes, its first attempt. */
#include "rpc/client_internal.h"

#include "base/check.h"
#include "rpc/codec.h"

#define US_PER_MS UINT64_C(1000)

static ct_status pack(struct ct_out *o, const ProtobufCMessage *req,
		      const struct ct_call_opts *opts)
{
	const size_t room = o->client->msg_bytes_max - CT_WIRE_HEADER_BYTES -
			    CT_WIRE_META_BYTES_MAX;
	ct_status st;

	CT_CHECK(req->descriptor == o->method->request);
	st = ct_out__pack_meta(o, opts);
	if (st != CT_OK)
		return st;
	return ct_codec_pack(req, room, &o->packed, &o->payload);
}

static ct_instant deadline_of(const struct ct_client *c, struct ct_ctx *parent,
			      const struct ct_method *m, const struct ct_call_opts *opts,
			      ct_instant now)
{
	uint32_t ms = opts->timeout_ms != 0 ? opts->timeout_ms : m->timeout_ms;
	ct_instant above = CT_NEVER;

	if (ms == 0)
		ms = c->opts.timeout_ms;
	if (parent != NULL)
		above = ct_ctx_deadline(parent);
	if (above.ns != INT64_MAX)
		above.ns -= (int64_t)c->opts.reply_margin_us * 1000;
	return ct_deadline_sooner(above, ct_instant_add_us(now, ms * US_PER_MS));
}

/* True: it may go on. False: *ret_f says why not. */
static bool admit(struct ct_out *o, struct ct_failure *ret_f)
{
	struct ct_client *c = o->client;
	bool in;

	ct_lock_acquire(&c->lock);
	c->stats.calls++;
	c->stats.in_flight++;
	ct_retry_budget_call(&c->budget);
	in = c->admitted < c->opts.outstanding_max;
	c->admitted += in;
	o->admitted = in;
	ct_lock_release(&c->lock);
	if (!in)
		*ret_f = (struct ct_failure){
			.status = CT_RESOURCE_EXHAUSTED,
			.message = "too many calls outstanding in this client",
			.not_processed = true
		};
	return in;
}

static void out_of_memory(ct_done_fn *done, void *arg, struct ct_reply *reply)
{
	struct ct_reply bare;

	ct_reply_init(&bare);
	if (reply == NULL)
		reply = &bare;
	reply->status = CT_RESOURCE_EXHAUSTED;
	reply->message = "no memory for the call";
	reply->not_processed = true;
	done(arg, reply);
	ct_reply_fini(&bare); /* empty again, or still, whatever done did */
}

void ct_out__start(struct ct_client *c, struct ct_ctx *parent, const struct ct_method *m,
		   const ProtobufCMessage *req, const struct ct_call_opts *opts,
		   struct ct_reply *reply, ct_done_fn *done, void *arg)
{
	static const struct ct_call_opts plain;
	struct ct_out *o = ct_out__take(c);
	struct ct_failure f = { .not_processed = true };

	if (o == NULL) {
		out_of_memory(done, arg, reply);
		return;
	}
	opts = opts != NULL ? opts : &plain;
	o->method = m;
	o->done = done;
	o->arg = arg;
	o->reply = reply != NULL ? reply : &o->own_reply;
	o->started = ct_now(c->clk);
	o->criticality = opts->criticality;
	o->attempts = o->unsent = 0;
	o->maybe_processed = false;
	o->avoid = NULL;
	o->on = NULL;
	o->state = CT_OUT_HANDLED;
	atomic_store_explicit(&o->starting, true, memory_order_relaxed);
	ct_ctx_init(&o->ctx, parent, c->timers, deadline_of(c, parent, m, opts, o->started),
		    ct_out__release);
	ct_ctx_ref(&o->ctx); /* ours, until this returns */
	ct_ctx_on_cancel(&o->ctx, &o->tripped, ct_out__tripped);
	if (!admit(o, &f)) {
		ct_out__fail(o, &f);
	} else if ((f.status = ct_ctx_status(&o->ctx)) != CT_OK) { /* over before it began */
		f.message = ct_status_text(f.status);
		ct_out__fail(o, &f);
	} else {
		f.status = pack(o, req, opts);
		f.message = "the request is larger than a message may be";
		if (f.status == CT_OK)
			ct_out__dispatch(o);
		else
			ct_out__fail(o, &f);
	}
	atomic_store(&o->starting, false);
	ct_ctx_unref(&o->ctx);
}
