/* SPDX-License-Identifier: Apache-2.0 */
/* How a call of ours begins: its context, its bytes, its first attempt. */
#include "rpc/client_internal.h"

#include "base/check.h"
#include "rpc/codec.h"

#define US_PER_MS UINT64_C(1000)

/* False: *ret_f says why it cannot be sent. */
static bool pack(struct ct_out *o, const ProtobufCMessage *req, const struct ct_call_opts *opts,
		 struct ct_failure *ret_f)
{
	const size_t room = o->client->msg_bytes_max - CT_WIRE_HEADER_BYTES -
			    CT_WIRE_META_BYTES_MAX;

	CT_CHECK(req->descriptor == o->method->request);
	ret_f->status = ct_out__pack_meta(o, opts, &ret_f->message);
	if (ret_f->status == CT_OK) {
		ret_f->status = ct_codec_pack(req, room, &o->packed, &o->payload);
		ret_f->message = "the request is larger than a message may be";
	}
	return ret_f->status == CT_OK;
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

/* False: it is over before it began, *ret_f says why. */
static bool begin(struct ct_out *o, const ProtobufCMessage *req, const struct ct_call_opts *opts,
		  struct ct_failure *ret_f)
{
	if (!o->admitted) {
		ret_f->status = CT_RESOURCE_EXHAUSTED;
		ret_f->message = o->throttled ? "held back by this client: the service refuses most"
					      : "too many calls outstanding in this client";
		return false;
	}
	ret_f->status = ct_ctx_status_at(&o->ctx, o->started);
	ret_f->message = ct_status_text(ret_f->status);
	return ret_f->status == CT_OK && pack(o, req, opts, ret_f);
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
	const ct_instant now = ct_now(c->clk);
	struct ct_failure f = { .not_processed = true };
	enum ct_criticality criticality;
	struct ct_out *o;

	opts = opts != NULL ? opts : &plain;
	CT_CHECK(opts->criticality <= CT_CRIT_CRITICAL);
	criticality = parent != NULL ? ct_ctx_criticality(parent, opts->criticality)
				     : opts->criticality;
	o = ct_out__take(c, m, criticality, now);
	if (o == NULL) {
		out_of_memory(done, arg, reply);
		return;
	}
	o->method = m;
	o->criticality = criticality;
	o->done = done;
	o->arg = arg;
	o->reply = reply != NULL ? reply : &o->own_reply;
	o->started = now;
	o->attempts = o->unsent = 0;
	o->maybe_processed = false;
	o->avoid = NULL;
	o->on = NULL;
	o->state = CT_OUT_HANDLED;
	atomic_store_explicit(&o->starting, true, memory_order_relaxed);
	ct_ctx_init_opts(&o->ctx, &(struct ct_ctx_opts){
					  .parent = parent,
					  .timers = c->timers,
					  .deadline = deadline_of(c, parent, m, opts, now),
					  .now = now,
					  .release = ct_out__release,
					  .refs = 2, /* its life's, and ours until this returns */
					  .hook = &o->tripped,
					  .hook_fn = ct_out__tripped,
				  });
	if (begin(o, req, opts, &f))
		ct_out__dispatch_held(o);
	else if (o->admitted)
		ct_out__fail(o, &f);
	else
		ct_out__turn_away(o, &f);
	atomic_store_explicit(&o->starting, false, memory_order_release);
	ct_ctx_unref(&o->ctx);
}
