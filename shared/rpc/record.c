/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted, logged and remembered of a call that has ended. */
#include "rpc/server_internal.h"

#include "base/check.h"
#include "base/text.h"

#include <stdio.h>

#define US_PER_MS UINT64_C(1000)

static void remember(struct ct_call *c, ct_status code, enum ct_cancel_reason why,
		     uint64_t handler_us, uint64_t tripped_us, uint64_t stop_us)
{
	struct ct_server *s = c->server;
	struct ct_call_record r = {
		.trace_id = ct_ctx_trace(&c->ctx).trace_id,
		.end_state = ct_call__rows[c->sm.state].name,
		.reason = ct_cancel_reason_name(why),
		.code = code,
		.received_us = ct_instant_us_between(s->born, c->received),
		.budget_us = c->header.budget_us,
		.queue_us = c->queue_us,
		.handler_us = handler_us,
		.tripped_us = tripped_us,
		.cancel_to_stop_us = stop_us,
		.attempt = c->header.attempt,
		.criticality = ct_call_criticality(c),
	};

	(void)snprintf(r.method, sizeof(r.method), "%s", c->route->method->name);
	(void)ct_text_show(r.peer, sizeof(r.peer), ct_conn_peer(c->conn));
	(void)ct_text_show(r.caller, sizeof(r.caller), ct_call__meta(c)->caller);
	ct_ring_put(s->ring, &r);
}

static void log_call(struct ct_call *c, ct_status code, enum ct_cancel_reason why,
		     uint64_t handler_us)
{
	struct ct_server *s = c->server;
	const bool slow = handler_us >= s->opts.slow_call_ms * US_PER_MS;
	const struct ct_trace trace = ct_ctx_trace(&c->ctx);

	if (code == CT_OK && !slow && !s->opts.log_calls)
		return;
	CT_LOG(s->log, code == CT_OK ? CT_LOG_INFO : CT_LOG_WARN, slow ? "slow call" : "call ended",
	       CT_STR("method", c->route->method->name), CT_STATUS("status", code),
	       CT_STR("reason", ct_cancel_reason_name(why)), CT_ID("trace", &trace.trace_id),
	       CT_STR("peer", ct_conn_peer(c->conn)), CT_STR("caller", ct_call__meta(c)->caller),
	       CT_US("queue_us", c->queue_us), CT_US("handler_us", handler_us),
	       CT_UINT("attempt", c->header.attempt));
}

void ct_call__record(struct ct_call *c, enum ct_end end, ct_status code, enum ct_cancel_reason why)
{
	struct ct_server *s = c->server;
	struct ct_route *r = c->route;
	const uint64_t handler_us = ct_instant_us_between(c->started, c->ended);
	const ct_instant tripped = ct_ctx_tripped_at(&c->ctx);
	const bool ran = c->sm.state != CT_CALL_EXPIRED;
	const struct ct_trace trace = ct_ctx_trace(&c->ctx);
	uint64_t stop_us = 0, tripped_us = 0;

	CT_CHECK(ct_sm_final(&c->sm));
	ct_srv__count(&s->ends[end]);
	ct_srv__count(&r->calls);
	if (end == CT_END_OK)
		ct_margin_in_time(&c->session->margin);
	if (end == CT_END_EXPIRED_QUEUED || end == CT_END_EXPIRED_RUNNING)
		ct_margin_late(&c->session->margin);
	ct_srv__leave_places(s, r, c->session);
	if (code != CT_OK)
		ct_srv__count(&r->errors);
	if (tripped.ns != INT64_MAX) {
		stop_us = ct_instant_us_between(tripped, c->ended);
		tripped_us = ct_instant_us_between(c->received, tripped);
		ct_hist_record(&r->cancel_to_stop_us, stop_us);
		if (ran)
			atomic_fetch_add_explicit(&s->wasted_us[ct_ctx_reason(&c->ctx)], stop_us,
						  memory_order_relaxed);
	}
	if (ran) {
		const uint64_t ns = (uint64_t)(c->ended.ns - c->started.ns);

		ct_hist_record(&r->handler_us, handler_us);
		if (end == CT_END_OK && r->method->lane != CT_LANE_INLINE)
			ct_median_record(&r->usual, ns);
	}
	if (code != CT_OK || !ct_id_zero(&trace.trace_id))
		remember(c, code, why, handler_us, tripped_us, stop_us);
	log_call(c, code, why, handler_us);
}

void ct_call__recount(struct ct_call *c, enum ct_end was, enum ct_end is)
{
	atomic_fetch_sub_explicit(&c->server->ends[was], 1, memory_order_relaxed);
	ct_srv__count(&c->server->ends[is]);
	if (was == CT_END_OK)
		ct_srv__count(&c->route->errors);
}
