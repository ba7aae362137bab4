/* SPDX-License-Identifier: Apache-2.0 */
/* Drives ct.v1.Probe/Echo: typed messages both ways, a deadline on each call. */
#include "rpc/client.h"
#include "base/mem.h"
#include "bench/ours/mallocs.h"
#include "load/corked.h"
#include "load/load_main.h"

#include "ct/v1/probe.ct.h"

#include <string.h>

enum { CONNECT_MS = 5000, LOOK_US = 1000, FILL = 0x5a };

struct target {
	struct ct_runtime rt;
	struct ct_client *client;
	Ct__V1__EchoRequest req; /* every call's */
	struct ct_call_opts opts;
	struct mallocs opened, closed; /* at the window's ends */
};

static void close_target(void *target)
{
	struct target *t = target;

	t->client = ct_client_free(t->client);
	ct_runtime_fini(&t->rt);
	ct_mem_free(t->req.payload.data);
	ct_mem_free(t);
}

static ct_status connect_to(struct target *t, const struct load_target_opts *o,
			    const char **ret_why)
{
	const struct ct_runtime_opts ro = { .service = "bench" };
	const struct ct_client_opts co = {
		.rt = &t->rt,
		.peer = "server",
		.urls = &o->url,
		.urls_n = 1,
		.connections = (uint16_t)o->connections,
		.outstanding_max = o->slots,
	};
	struct ct_client_stats stats;
	struct ct_ctx *ctx = NULL;
	ct_status st;

	st = ct_runtime_init(&t->rt, &ro);
	if (st == CT_OK)
		st = ct_client_new(&co, &t->client, ret_why);
	if (st == CT_OK)
		st = ct_ctx_new_root(t->rt.timers,
				     ct_deadline_after_ms(ct_clock_system(), CONNECT_MS), &ctx);
	if (st == CT_OK)
		st = ct_client_wait_ready(t->client, ctx);
	while (st == CT_OK) {
		ct_client_stats(t->client, &stats);
		if (stats.ready >= o->connections)
			break;
		st = ct_ctx_sleep_until(ctx, ct_instant_add_us(ct_ctx_now(ctx), LOOK_US));
	}
	ct_ctx_unref(ctx);
	return st;
}

static void *open_target(const struct load_target_opts *opts, const char **ret_why)
{
	struct target *t = ct_mem_zalloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	ct__v1__echo_request__init(&t->req);
	t->opts.timeout_ms = opts->timeout_ms;
	t->req.payload.len = opts->payload_bytes;
	t->req.payload.data = ct_mem_alloc(opts->payload_bytes + 1);
	if (t->req.payload.data == NULL || connect_to(t, opts, ret_why) != CT_OK) {
		close_target(t);
		return NULL;
	}
	memset(t->req.payload.data, FILL, opts->payload_bytes);
	return t;
}

static void done(void *arg, struct ct_reply *reply)
{
	const Ct__V1__EchoReply *resp = probe_echo_response(reply);
	struct load_call *call = arg;
	const struct target *t = call->user;
	const bool whole = resp == NULL || resp->payload.len == t->req.payload.len;

	load_call_ended(call, whole ? (int)reply->status : (int)CT_DATA_LOSS);
}

static bool prepare(void *target, struct load_call *call)
{
	call->user = target;
	return true;
}

/* What probe_echo_async() does, with a timeout of the call's own. */
static void start(void *target, struct load_call *call)
{
	const struct target *t = target;

	ct_client_start(t->client, NULL, &probe_echo_method, &t->req.base, &t->opts, done, call);
}

static void window(void *target, bool open)
{
	struct target *t = target;

	mallocs_read(open ? &t->opened : &t->closed);
}

static void json(void *target, const struct load_result *result, FILE *out)
{
	const struct target *t = target;

	(void)fputs(", \"mallocs\": ", out);
	mallocs_json(&t->opened, &t->closed, result->calls, out);
}

int main(int argc, char **argv)
{
	static const struct load_driver driver = {
		.name = "ours",
		.open = open_target,
		.prepare = prepare,
		.start = start,
		.together = load_corked,
		.close = close_target,
		.window = window,
		.json = json,
	};

	mallocs_init();
	return load_main(argc, argv, &driver);
}
