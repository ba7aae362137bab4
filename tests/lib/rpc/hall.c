/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/rpc/hall.h"

#include "base/check.h"
#include "base/mem.h"
#include "obs/trace.h"
#include "rpc/server_internal.h" /* the connection of a call, to cork it */
#include "tests/lib/rpc/until.h"

#include <string.h>

enum { WORKERS = 2, REPLY_BYTES_MAX = 8 << 20 };

/* ---- answers ------------------------------------------------------------------------ */

static void fill_seen(struct ct_call *call, Hall__V1__Seen *seen, char trace_id[CT_ID_HEX_SIZE])
{
	const Ct__V1__CallMeta *meta = ct_call_meta(call);
	const struct ct_trace trace = ct_ctx_trace(ct_call_ctx(call));
	struct ct_arena *a = ct_call_arena(call);
	typedef Hall__V1__Seen__MetadataEntry entry;

	hall__v1__seen__init(seen);
	ct_id_to_hex(&trace.trace_id, trace_id);
	seen->caller = meta->caller;
	seen->traceparent = meta->traceparent;
	seen->idempotency_key = meta->idempotency_key;
	seen->trace_id = trace_id;
	seen->criticality = (uint32_t)ct_call_criticality(call);
	seen->budget_us = ct_deadline_left_us(ct_ctx_now(ct_call_ctx(call)),
					      ct_ctx_deadline(ct_call_ctx(call)));
	seen->metadata = ct_arena_alloc(a, (meta->n_metadata + 1) * sizeof(entry *));
	CT_CHECK(seen->metadata != NULL);
	seen->n_metadata = meta->n_metadata;
	for (size_t i = 0; i < meta->n_metadata; i++) {
		entry *e = ct_arena_alloc(a, sizeof(*e));

		CT_CHECK(e != NULL);
		hall__v1__seen__metadata_entry__init(e);
		e->key = meta->metadata[i]->key;
		e->value = meta->metadata[i]->value;
		seen->metadata[i] = e;
	}
}

static void give_back(struct ct_call *call, const Hall__V1__Ask *ask)
{
	struct ct_bytes value;

	for (size_t i = 0; i < ask->n_give_back; i++)
		if (ct_call_metadata(call, ask->give_back[i], &value))
			CT_CHECK(ct_call_add_metadata(call, ask->give_back[i], value) == CT_OK);
}

static void put_metadata(struct ct_call *call, const Hall__V1__Ask *ask, Hall__V1__Answer *resp)
{
	resp->put_codes = ct_arena_alloc(ct_call_arena(call),
					 (ask->n_put + 1) * sizeof(*resp->put_codes));
	CT_CHECK(resp->put_codes != NULL);
	for (size_t i = 0; i < ask->n_put; i++) {
		const ProtobufCBinaryData *v = &ask->put[i]->value;

		resp->put_codes[resp->n_put_codes++] = (uint32_t)ct_call_add_metadata(
			call, ask->put[i]->key, ct_bytes_of(v->data, v->len));
	}
}

static void answer_ok(struct ct_call *call, const Hall__V1__Ask *ask)
{
	const size_t n = ask->reply_bytes < REPLY_BYTES_MAX ? ask->reply_bytes : REPLY_BYTES_MAX;
	Hall__V1__Answer resp = HALL__V1__ANSWER__INIT;
	char trace_id[CT_ID_HEX_SIZE];
	Hall__V1__Seen seen;

	fill_seen(call, &seen, trace_id);
	resp.seen = &seen;
	put_metadata(call, ask, &resp);
	resp.payload = ask->payload;
	if (n > 0) {
		resp.payload.len = n;
		resp.payload.data = ct_arena_alloc(ct_call_arena(call), n);
		CT_CHECK(resp.payload.data != NULL);
		memset(resp.payload.data, 'r', n);
	}
	ct_call_reply(call, &resp.base);
}

static void fail(struct ct_call *call, const Hall__V1__Ask *ask)
{
	Hall__V1__Answer detail = HALL__V1__ANSWER__INIT;

	detail.payload = ask->payload;
	for (uint32_t i = 0; i < ask->details; i++)
		ct_call_add_detail(call, &detail.base);
	if (ask->retry_after_ms > 0)
		ct_call_set_retry_after(call, ask->retry_after_ms);
	if (ask->no_retry)
		ct_call_set_no_retry(call);
	ct_call_fail(call, (ct_status)ask->code, "%s", ask->message);
}

static void tell(struct ct_call *call, const Hall__V1__Ask *ask)
{
	struct ct_ctx *ctx = ct_call_ctx(call);
	struct hall *h = ct_call_impl(call);
	bool fails;

	ct_lock_acquire(&h->lock);
	h->told++;
	fails = ask->code != 0 && (ask->fail_first == 0 || h->told <= ask->fail_first);
	ct_lock_release(&h->lock);
	if (ask->mute)
		return;
	if (ask->work_us > 0)
		(void)!ct_ctx_sleep_until(ctx, ct_instant_add_us(ct_ctx_now(ctx), ask->work_us));
	give_back(call, ask);
	if (fails)
		fail(call, ask);
	else
		answer_ok(call, ask);
}

/* ---- the gate ------------------------------------------------------------------------ */

static void enter(struct hall *h)
{
	ct_lock_acquire(&h->lock);
	h->entered++;
	ct_cond_broadcast(&h->changed);
	ct_lock_release(&h->lock);
}

static void leave(struct hall *h)
{
	ct_lock_acquire(&h->lock);
	h->left++;
	ct_cond_broadcast(&h->changed);
	ct_lock_release(&h->lock);
}

static void go_in_locked(struct hall *h)
{
	if (++h->inside > h->most_inside)
		h->most_inside = h->inside;
	h->entered++;
	ct_cond_broadcast(&h->changed);
}

static void come_out_locked(struct hall *h, enum ct_cancel_reason why)
{
	h->inside--;
	h->left++;
	if (why != CT_CANCEL_NONE)
		h->reasons[why]++;
	ct_cond_broadcast(&h->changed);
}

static bool take_permit_locked(struct hall *h)
{
	if (h->permits == 0)
		return false;
	h->permits -= h->permits != HALL_ALL;
	return true;
}

/* The call is answered, or somebody else will. */
static void linger(struct hall *h)
{
	ct_lock_acquire(&h->lock);
	while (h->permits != HALL_ALL)
		ct_cond_wait(&h->changed, &h->lock);
	ct_lock_release(&h->lock);
}

struct waiting {
	struct ct_ctx_hook hook;
	struct hall *h;
};

static void wake(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct hall *h = CT_CONTAINER_OF(hook, struct waiting, hook)->h;

	(void)why;
	ct_lock_acquire(&h->lock);
	ct_cond_broadcast(&h->changed);
	ct_lock_release(&h->lock);
}

static void hold(struct ct_call *call, const Hall__V1__Ask *ask)
{
	struct ct_ctx *ctx = ct_call_ctx(call);
	struct hall *h = ct_call_impl(call);
	struct waiting w = { .h = h };
	bool tripped;

	ct_ctx_on_cancel(ctx, &w.hook, wake);
	ct_lock_acquire(&h->lock);
	go_in_locked(h);
	while (!(tripped = !ask->deaf && ct_ctx_done(ctx)) && !take_permit_locked(h))
		ct_cond_wait(&h->changed, &h->lock);
	come_out_locked(h, tripped ? ct_ctx_reason(ctx) : CT_CANCEL_NONE);
	ct_lock_release(&h->lock);
	(void)ct_ctx_hook_remove(ctx, &w.hook);
	if (tripped)
		ct_call_fail(call, ct_status_from_reason(ct_ctx_reason(ctx)), "tripped");
	else
		tell(call, ask);
}

/* ---- kept calls ------------------------------------------------------------------------ */

/* In the call's arena; whoever takes it out of h->kept answers the call. */
struct hall_kept {
	struct ct_ctx_hook hook;
	struct ct_call *call;
	struct hall *h;
	const Hall__V1__Ask *ask;
};

static bool take_kept_locked(struct hall *h, const struct hall_kept *k)
{
	for (unsigned i = 0; i < h->kept_n; i++) {
		if (h->kept[i] != k)
			continue;
		h->kept[i] = h->kept[--h->kept_n];
		return true;
	}
	return false;
}

static void kept_tripped(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct hall_kept *k = CT_CONTAINER_OF(hook, struct hall_kept, hook);
	struct hall *h = k->h;
	bool mine;

	ct_lock_acquire(&h->lock);
	mine = take_kept_locked(h, k);
	if (mine)
		come_out_locked(h, why);
	ct_lock_release(&h->lock);
	if (mine)
		ct_call_fail(k->call, ct_status_from_reason(why), "tripped");
}

/* Answers what the gate lets go, on the thread that opened it. */
static void answer_kept(struct hall *h)
{
	for (;;) {
		struct hall_kept *k = NULL;

		ct_lock_acquire(&h->lock);
		if (h->kept_n > 0 && take_permit_locked(h)) {
			k = h->kept[--h->kept_n];
			come_out_locked(h, CT_CANCEL_NONE);
		}
		ct_lock_release(&h->lock);
		if (k == NULL)
			return;
		tell(k->call, k->ask);
	}
}

static void keep(struct ct_call *call, const Hall__V1__Ask *ask)
{
	struct hall_kept *k = ct_arena_alloc(ct_call_arena(call), sizeof(*k));
	struct hall *h = ct_call_impl(call);
	const bool stays = ask->linger;

	CT_CHECK(k != NULL);
	*k = (struct hall_kept){ .call = call, .h = h, .ask = ask };
	ct_call_keep(call);
	ct_lock_acquire(&h->lock);
	CT_CHECK(h->kept_n < HALL_KEPT_MAX);
	h->kept[h->kept_n++] = k;
	go_in_locked(h);
	ct_lock_release(&h->lock);
	ct_ctx_on_cancel(ct_call_ctx(call), &k->hook, kept_tripped);
	answer_kept(h); /* the gate may stand open */
	if (stays)
		linger(h);
}

struct orphan {
	struct ct_ctx_hook hook;
	struct ct_ctx *ctx;
	struct hall *h;
};

static void orphan_tripped(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct orphan *o = CT_CONTAINER_OF(hook, struct orphan, hook);

	ct_lock_acquire(&o->h->lock);
	o->h->orphans_ended += why == CT_CANCEL_PARENT;
	ct_cond_broadcast(&o->h->changed);
	ct_lock_release(&o->h->lock);
	ct_ctx_unref(o->ctx);
	ct_mem_free(o);
}

/* Work that knows no end but its context's. */
static void leave_orphan(struct ct_call *call)
{
	struct orphan *o = ct_mem_zalloc(1, sizeof(*o));

	CT_CHECK(o != NULL);
	o->h = ct_call_impl(call);
	CT_CHECK(ct_ctx_with_deadline(ct_call_ctx(call), CT_NEVER, &o->ctx) == CT_OK);
	ct_ctx_on_cancel(o->ctx, &o->hook, orphan_tripped);
}

static void told(struct ct_call *call, const Hall__V1__Ask *ask)
{
	struct hall *h = ct_call_impl(call);
	const bool stays = ask->linger, uncork = ask->uncork;
	struct ct_conn *conn = ct_conn_ref(call->conn);

	if (ask->cork)
		ct_conn_cork(conn);
	if (ask->orphan)
		leave_orphan(call);
	enter(h);
	tell(call, ask);
	leave(h);
	if (uncork)
		ct_conn_uncork(conn);
	ct_conn_unref(conn);
	if (stays)
		linger(h);
}

static const struct hall_handlers handlers = {
	.hold = hold,
	.hold_batch = hold,
	.keep = keep,
	.keep_inline = keep,
	.tell = told,
	.tell_again = told,
	.tell_inline = told,
	.tell_small = told,
};

/* ---- life --------------------------------------------------------------------------------- */

ct_status hall_start_on(struct hall *h, const struct hall_opts *opts)
{
	struct ct_server_opts so = opts->server;
	const char *why;
	ct_status st;

	so.rt = &h->rt;
	if (so.workers == 0)
		so.workers = WORKERS;
	st = ct_server_new(&so, &h->server);
	if (st != CT_OK)
		return st;
	st = hall_register(h->server, &handlers, h);
	if (st == CT_OK && opts->standard)
		st = ct_server_add_standard(h->server);
	if (st == CT_OK)
		st = ct_server_listen(
			h->server, opts->listen != NULL ? opts->listen : "tcp://127.0.0.1:0", &why);
	if (st != CT_OK)
		h->server = ct_server_free(h->server);
	return st;
}

static void make_runtime(struct ct_runtime *rt, const struct hall_opts *o)
{
	const struct ct_runtime_opts ro = { .service = "hall", .net = o->net };
	struct ct_net_opts no = o->net;

	if (o->clock == NULL) {
		CT_CHECK(ct_runtime_init(rt, &ro) == CT_OK);
		return;
	}
	rt->service = ro.service;
	CT_CHECK(ct_timers_new(o->clock, &rt->timers) == CT_OK);
	no.timers = rt->timers;
	CT_CHECK(ct_net_new(&no, &rt->net) == CT_OK);
}

void hall_start(struct hall *h, const struct hall_opts *opts)
{
	static const struct hall_opts plain;
	const struct hall_opts *o = opts != NULL ? opts : &plain;

	memset(h, 0, sizeof(*h));
	ct_lock_init(&h->lock, CT_RANK_APP);
	ct_cond_init(&h->changed);
	make_runtime(&h->rt, o);
	CT_CHECK(hall_start_on(h, o) == CT_OK);
}

static bool adds_up(void *arg)
{
	return hall_stats(arg).identity_ok;
}

bool hall_stop(struct hall *h)
{
	bool right;

	hall_let_go(h, HALL_ALL);
	ct_server_stop(h->server);
	ct_server_join(h->server);
	right = until(adds_up, h); /* questions may still come and go */
	h->server = ct_server_free(h->server);
	ct_runtime_fini(&h->rt);
	ct_cond_fini(&h->changed);
	ct_lock_fini(&h->lock);
	return right;
}

const char *hall_url(const struct hall *h)
{
	return ct_server_url(h->server, 0);
}

/* ---- asking and ordering -------------------------------------------------------------------- */

void hall_let_go(struct hall *h, unsigned n)
{
	ct_lock_acquire(&h->lock);
	h->permits = n == HALL_ALL || h->permits == HALL_ALL ? HALL_ALL : h->permits + n;
	ct_cond_broadcast(&h->changed);
	ct_lock_release(&h->lock);
	answer_kept(h);
}

void hall_shut(struct hall *h)
{
	ct_lock_acquire(&h->lock);
	h->permits = 0;
	ct_lock_release(&h->lock);
}

bool hall_waited(struct hall *h, const unsigned *count, unsigned n)
{
	const ct_instant end = ct_deadline_after_ms(ct_clock_system(), PATIENCE_MS);
	bool enough, in_time = true;

	ct_lock_acquire(&h->lock);
	while (*count < n && in_time)
		in_time = ct_cond_wait_until(&h->changed, &h->lock, end);
	enough = *count >= n;
	ct_lock_release(&h->lock);
	return enough;
}

unsigned hall_get(struct hall *h, const unsigned *count)
{
	unsigned n;

	ct_lock_acquire(&h->lock);
	n = *count;
	ct_lock_release(&h->lock);
	return n;
}
