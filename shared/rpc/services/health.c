/* SPDX-License-Identifier: Apache-2.0 */
/* ct.v1.Health: is this server, or one service of it, to be sent calls? */
#include "rpc/services/standard.h"

#include "base/check.h"
#include "rpc/server_internal.h"

#include "ct/v1/health.ct.h"

#define US_PER_MS UINT64_C(1000)
/* An unchanged Watch answers this long before the caller gives up. */
#define MARGIN_US (50 * US_PER_MS)

typedef Ct__V1__HealthCheckResponse__ServingStatus wire_serving;

static wire_serving to_wire(enum ct_serving s)
{
	switch (s) {
	case CT_SERVING:
		return CT__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
	case CT_NOT_SERVING:
		return CT__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
	case CT_SERVICE_UNKNOWN:
		return CT__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN;
	case CT_SERVING_UNKNOWN:
		break;
	}
	return CT__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__UNKNOWN;
}

static void reply(struct ct_call *call, wire_serving status)
{
	Ct__V1__HealthCheckResponse resp = CT__V1__HEALTH_CHECK_RESPONSE__INIT;

	resp.status = status;
	health_check_reply(call, &resp);
}

static wire_serving now_serving(struct ct_call *call, const char *service)
{
	return to_wire(ct_srv__serving(call->server, service));
}

static void check(struct ct_call *call, const Ct__V1__HealthCheckRequest *req)
{
	const wire_serving s = now_serving(call, req->service);

	if (s == CT__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN)
		ct_call_fail(call, CT_NOT_FOUND, "no such service here");
	else
		reply(call, s);
}

/* ---- Watch ------------------------------------------------------------------------ */

/* A Watch that waits for a change, for its time, or for its caller to go;
 * whichever comes first ends it. Lives in the call's arena; each of the three
 * that may still touch it holds a reference to the call. */
struct waiter {
	struct ct_call *call;
	const char *service;
	wire_serving known;
	struct ct_serving_watch watch;
	struct ct_timer timer;
	struct ct_ctx_hook hook;
	atomic_bool ended;
};

/* Where it is in them. The caller has a reference of its own. */
static void leave_list_and_timer(struct waiter *w)
{
	struct ct_call *call = w->call;

	if (ct_srv__watch_remove(call->server, &w->watch))
		ct_ctx_unref(&call->ctx);
	if (ct_timers_cancel(call->server->timers, &w->timer))
		ct_ctx_unref(&call->ctx);
}

static void end(struct waiter *w)
{
	struct ct_call *call = w->call;

	if (atomic_exchange(&w->ended, true))
		return;
	leave_list_and_timer(w);
	(void)ct_ctx_hook_remove(&call->ctx, &w->hook); /* waits for it, or is inside it */
	reply(call, now_serving(call, w->service));
}

/* Nothing will change any more, and who waits here would hold up the end. */
static bool is_ending(const struct ct_call *call)
{
	return atomic_load(&call->server->refusing);
}

static bool has_news(const struct waiter *w)
{
	return now_serving(w->call, w->service) != w->known || is_ending(w->call);
}

/* Something has changed somewhere; the reference of the list comes with it. */
static void on_changed(struct ct_serving_watch *watch)
{
	struct waiter *w = CT_CONTAINER_OF(watch, struct waiter, watch);
	struct ct_server *s = w->call->server;
	struct ct_ctx *ctx = &w->call->ctx;

	if (!has_news(w)) {
		ct_ctx_ref(ctx); /* the list's may go with the next change */
		ct_srv__watch_add(s, watch);
		if (has_news(w))
			end(w);
		if (atomic_load(&w->ended) && ct_srv__watch_remove(s, watch))
			ct_ctx_unref(ctx); /* it ended while it was out of the list */
	} else {
		end(w);
	}
	ct_ctx_unref(ctx);
}

static void on_time(struct ct_timer *t)
{
	struct waiter *w = CT_CONTAINER_OF(t, struct waiter, timer);
	struct ct_ctx *ctx = &w->call->ctx;

	end(w);
	ct_ctx_unref(ctx);
}

static void on_trip(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	(void)why;
	end(CT_CONTAINER_OF(hook, struct waiter, hook));
}

static ct_instant answer_at(const struct ct_call *call, uint32_t wait_ms)
{
	const ct_instant now = ct_now(call->server->clk);
	const uint64_t left = ct_deadline_left_us(now, ct_ctx_deadline(&call->ctx));
	uint64_t us = left > 2 * MARGIN_US ? left - MARGIN_US : left / 2;

	if (wait_ms != 0 && wait_ms * US_PER_MS < us)
		us = wait_ms * US_PER_MS;
	return ct_instant_add_us(now, us);
}

static void watch(struct ct_call *call, const Ct__V1__HealthWatchRequest *req)
{
	struct waiter *w;

	if (now_serving(call, req->service) != (wire_serving)req->known) {
		reply(call, now_serving(call, req->service));
		return;
	}
	if (is_ending(call)) {
		ct_call_set_no_retry(call);
		ct_call_fail(call, CT_UNAVAILABLE, "the server is stopping");
		return;
	}
	w = ct_arena_alloc(ct_call_arena(call), sizeof(*w));
	if (w == NULL) {
		ct_call_fail(call, CT_RESOURCE_EXHAUSTED, "no memory to wait");
		return;
	}
	*w = (struct waiter){ .call = call,
			      .service = req->service,
			      .known = (wire_serving)req->known };
	ct_list_init(&w->watch.link);
	w->watch.changed = on_changed;
	ct_timer_init(&w->timer, on_time);
	ct_call_keep(call);
	ct_ctx_ref(&call->ctx);                          /* this function's */
	ct_ctx_on_cancel(&call->ctx, &w->hook, on_trip); /* first: who ends it removes this */
	ct_ctx_ref(&call->ctx);
	ct_srv__watch_add(call->server, &w->watch);
	ct_ctx_ref(&call->ctx);
	ct_timers_arm(call->server->timers, &w->timer, answer_at(call, req->wait_ms));
	if (has_news(w))
		end(w); /* it changed between the first look and the list */
	if (atomic_load(&w->ended))
		leave_list_and_timer(w); /* it ended before it was in both */
	ct_ctx_unref(&call->ctx);
}

ct_status ct_standard__add_health(struct ct_server *s)
{
	static const struct health_handlers handlers = { .check = check, .watch = watch };

	return health_register(s, &handlers, NULL);
}
