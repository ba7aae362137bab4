/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/client_internal.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/latch.h"
#include "net/address.h"
#include "rpc/cork.h"
#include "rpc/reply_internal.h"

enum {
	CLIENT_TAG = 0x436c6e74,
	CONNECTIONS_MAX = 16,
	TIMEOUT_MS = 2000,
	OUTSTANDING_MAX = 4096,
	OUTSTANDING_LIMIT = 32768,
	ATTEMPTS_MAX = 3,
	BACKOFF_MS = 10,
	RESOLVE_MS = 5000,
};

#define DEFAULT(field, value) ((field) = (field) != 0 ? (field) : (value))

static void fill_defaults(struct ct_client_opts *o)
{
	DEFAULT(o->connections, 1);
	DEFAULT(o->timeout_ms, TIMEOUT_MS);
	DEFAULT(o->outstanding_max, OUTSTANDING_MAX);
	DEFAULT(o->attempts_max, ATTEMPTS_MAX);
	DEFAULT(o->retry_backoff_ms, BACKOFF_MS);
	DEFAULT(o->resolve_ms, RESOLVE_MS);
}

static const char *what_is_wrong(const struct ct_client_opts *o)
{
	const char *why = NULL;
	struct ct_address a;

	if (o->urls_n < 1 || o->urls_n > CT_CLIENT_URLS_MAX)
		return "a client needs 1 to 64 URLs";
	if (o->connections > CONNECTIONS_MAX)
		return "at most 16 connections per address";
	if (o->outstanding_max > OUTSTANDING_LIMIT)
		return "at most 32768 calls outstanding";
	for (size_t i = 0; i < o->urls_n; i++)
		if (ct_address_parse(o->urls[i], &a, &why) != CT_OK ||
		    ct_address_check_dial(&a, &why) != CT_OK)
			return why;
	return NULL;
}

static void release(struct ct_client *c)
{
	for (size_t i = 0; i < c->endpoints_n; i++)
		ct_mem_free(c->endpoints[i].url);
	ct_out__free_all(c);
	ct_cond_fini(&c->changed);
	ct_lock_fini(&c->lock);
	ct_mem_free(c->plain_meta);
	ct_mem_free(c->peer);
	CT_TAG_CLEAR(c);
	ct_mem_free(c);
}

static bool copy_names(struct ct_client *c, const struct ct_client_opts *opts)
{
	c->peer = ct_mem_strdup(opts->peer != NULL ? opts->peer : "");
	if (c->peer == NULL)
		return false;
	for (size_t i = 0; i < opts->urls_n; i++) {
		struct ct_endpoint *e = &c->endpoints[i];

		*e = (struct ct_endpoint){ .client = c, .url = ct_mem_strdup(opts->urls[i]) };
		if (e->url == NULL)
			return false;
		c->endpoints_n++;
	}
	return true;
}

ct_status ct_client_new(const struct ct_client_opts *opts, struct ct_client **ret_client,
			const char **ret_why)
{
	const char *why = what_is_wrong(opts);
	struct ct_client *c;

	*ret_why = why != NULL ? why : "no memory";
	if (why != NULL)
		return CT_INVALID_ARGUMENT;
	c = ct_mem_zalloc(1, sizeof(*c));
	if (c == NULL)
		return CT_RESOURCE_EXHAUSTED;
	CT_TAG_SET(c, CLIENT_TAG);
	c->opts = *opts;
	c->opts.urls = NULL; /* the endpoints have copies */
	fill_defaults(&c->opts);
	c->timers = opts->rt->timers;
	c->net = opts->rt->net;
	c->log = opts->rt->log;
	c->clk = ct_timers_clock(c->timers);
	c->msg_bytes_max = ct_net_msg_bytes_max(c->net);
	ct_lock_init(&c->lock, CT_RANK_CLIENT);
	ct_cond_init(&c->changed);
	ct_timer_init(&c->resolve_timer, ct_endpoint__resolve_timer);
	ct_list_init(&c->links);
	ct_list_init(&c->waiting);
	ct_list_init(&c->resting);
	ct_list_init(&c->free_outs);
	ct_retry_budget_init(&c->budget);
	if (!copy_names(c, opts) || !ct_out__pack_plain_meta(c)) {
		release(c);
		return CT_RESOURCE_EXHAUSTED;
	}
	ct_endpoint__resolve(c);
	ct_timers_arm(c->timers, &c->resolve_timer,
		      ct_instant_add_us(ct_now(c->clk), c->opts.resolve_ms * UINT64_C(1000)));
	*ret_client = c;
	return CT_OK;
}

struct ct_client *ct_client_free(struct ct_client *c)
{
	if (c == NULL)
		return NULL;
	CT_TAG_CHECK(c, CLIENT_TAG);
	ct_lock_acquire(&c->lock);
	c->closing = true;
	ct_lock_release(&c->lock);
	ct_timers_cancel_wait(c->timers, &c->resolve_timer);
	ct_out__fail_waiting(c);
	ct_out__fail_resting(c);
	ct_endpoint__close_all(c); /* its lost connections fail what is out */
	ct_out__fail_waiting(c);   /* what came meanwhile */
	ct_out__fail_resting(c);
	ct_lock_acquire(&c->lock);
	while (c->alive > 0)
		ct_cond_wait(&c->changed, &c->lock);
	ct_lock_release(&c->lock);
	release(c);
	return NULL;
}

void ct_client_stats(struct ct_client *c, struct ct_client_stats *ret_stats)
{
	ct_lock_acquire(&c->lock);
	*ret_stats = c->stats;
	ret_stats->ready = c->ready_n;
	ct_lock_release(&c->lock);
}

const char *ct_client_peer(const struct ct_client *c)
{
	return c->peer;
}

/* ---- waiting for a connection ------------------------------------------------------ */

static bool is_ready(void *client)
{
	const struct ct_client *c = client;

	return c->ready_n > 0;
}

ct_status ct_client_wait_ready(struct ct_client *c, struct ct_ctx *ctx)
{
	ct_cork__flush();
	return ct_ctx_wait_cond(ctx, &c->changed, &c->lock, is_ready, c);
}

/* ---- stubs --------------------------------------------------------------------------- */

static void open_latch(void *arg, struct ct_reply *reply)
{
	(void)reply; /* the caller's own */
	ct_latch_count_down(arg);
}

ct_status ct_client_call(struct ct_client *c, struct ct_ctx *ctx, const struct ct_method *m,
			 const ProtobufCMessage *req, const struct ct_call_opts *opts,
			 struct ct_reply *reply)
{
	struct ct_latch ended;

	ct_reply__reset(reply);
	ct_latch_init(&ended, 1);
	ct_out__start(c, ctx, m, req, opts, reply, open_latch, &ended);
	ct_cork__flush();
	ct_latch_wait(&ended);
	ct_latch_fini(&ended);
	return reply->status;
}

ct_status ct_stub_call(struct ct_client *c, struct ct_ctx *ctx, const struct ct_method *m,
		       const ProtobufCMessage *req, struct ct_reply *reply)
{
	return ct_client_call(c, ctx, m, req, NULL, reply);
}

void ct_stub_call_async(struct ct_client *c, struct ct_ctx *ctx, const struct ct_method *m,
			const ProtobufCMessage *req, ct_done_fn *done, void *arg)
{
	ct_out__start(c, ctx, m, req, NULL, NULL, done, arg);
}

void ct_client_start(struct ct_client *c, struct ct_ctx *ctx, const struct ct_method *m,
		     const ProtobufCMessage *req, const struct ct_call_opts *opts, ct_done_fn *done,
		     void *arg)
{
	ct_out__start(c, ctx, m, req, opts, NULL, done, arg);
}
