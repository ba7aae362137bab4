/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/services/probe.h"

#include "base/check.h"

#include "ct/v1/probe.ct.h"

enum { HOPS_MAX = 16, SPIN_STEP = 2000 /* turns of a loop: a few µs */ };

/* Burns so much CPU of this thread; what others burn meanwhile does not count. */
static ct_status spin(struct ct_ctx *ctx, uint32_t us)
{
	const uint64_t until_us = ct_thread_cpu_us() + us;
	ct_status st = ct_ctx_status(ctx);
	volatile unsigned turns = 0;

	while (st == CT_OK && ct_thread_cpu_us() < until_us) {
		for (unsigned i = 0; i < SPIN_STEP; i++)
			turns = turns + i;
		st = ct_ctx_status(ctx);
	}
	return st;
}

static ct_status work(struct ct_ctx *ctx, const Ct__V1__EchoRequest *req)
{
	ct_status st = CT_OK;

	if (req->spin_us > 0)
		st = spin(ctx, req->spin_us);
	if (st == CT_OK && req->sleep_us > 0)
		st = ct_ctx_sleep_until(ctx, ct_instant_add_us(ct_ctx_now(ctx), req->sleep_us));
	return st;
}

/* As much as a reply may carry. */
static void give_back_metadata(struct ct_call *call)
{
	const Ct__V1__CallMeta *meta = ct_call_meta(call);

	for (size_t i = 0; i < meta->n_metadata; i++) {
		const ProtobufCBinaryData *v = &meta->metadata[i]->value;

		(void)!ct_call_add_metadata(call, meta->metadata[i]->key,
					    ct_bytes_of(v->data, v->len));
	}
}

static void echo(struct ct_call *call, const Ct__V1__EchoRequest *req,
		 void (*reply)(struct ct_call *, const Ct__V1__EchoReply *))
{
	Ct__V1__EchoReply resp = CT__V1__ECHO_REPLY__INIT;
	const ct_status st = work(ct_call_ctx(call), req);

	give_back_metadata(call);
	if (st != CT_OK) {
		ct_call_fail(call, st, "the work was stopped");
		return;
	}
	resp.payload = req->payload;
	resp.service = (char *)(uintptr_t)ct_call_service(call); /* packing only reads it */
	reply(call, &resp);
}

static void handle_echo(struct ct_call *call, const Ct__V1__EchoRequest *req)
{
	echo(call, req, probe_echo_reply);
}

struct hop {
	struct ct_call *call;
	const char *peer;
};

static void hop_done(void *arg, struct ct_reply *reply)
{
	const struct hop *hop = arg;
	struct ct_call *call = hop->call;

	ct_call_add_hop(call, hop->peer, &probe_chain_method, reply);
	if (reply->status == CT_OK) {
		probe_chain_reply(call, probe_chain_response(reply));
		return;
	}
	if (reply->retry_after_ms > 0)
		ct_call_set_retry_after(call, reply->retry_after_ms);
	ct_call_fail(call, reply->status, "%s: %s", hop->peer, reply->message);
}

/* Hands the rest of the chain to its first hop. */
static void pass_on(struct ct_call *call, const Ct__V1__ChainRequest *req)
{
	const struct ct_probe *probe = ct_call_impl(call);
	struct ct_client *client = probe->find(probe->arg, req->hops[0]);
	struct hop *hop = ct_arena_alloc(ct_call_arena(call), sizeof(*hop));
	Ct__V1__ChainRequest rest = *req;

	if (client == NULL) {
		ct_call_fail(call, CT_INVALID_ARGUMENT, "the settings have no such peer");
		return;
	}
	if (hop == NULL) {
		ct_call_fail(call, CT_RESOURCE_EXHAUSTED, "no memory for the hop");
		return;
	}
	*hop = (struct hop){ .call = call, .peer = ct_client_peer(client) };
	rest.hops = req->hops + 1;
	rest.n_hops = req->n_hops - 1;
	ct_call_keep(call);
	probe_chain_async(client, ct_call_ctx(call), &rest, hop_done, hop);
}

static void handle_chain(struct ct_call *call, const Ct__V1__ChainRequest *req)
{
	static const Ct__V1__EchoRequest nothing = CT__V1__ECHO_REQUEST__INIT;

	if (req->n_hops > HOPS_MAX)
		ct_call_fail(call, CT_INVALID_ARGUMENT, "more than %d hops", HOPS_MAX);
	else if (req->n_hops > 0)
		pass_on(call, req);
	else
		echo(call, req->last != NULL ? req->last : &nothing, probe_chain_reply);
}

static const struct probe_handlers handlers = { .echo = handle_echo, .chain = handle_chain };

ct_status ct_probe_add(struct ct_server *s, const struct ct_probe *probe)
{
	CT_CHECK(probe->find != NULL);
	return probe_register(s, &handlers, (void *)(uintptr_t)probe); /* only read */
}
