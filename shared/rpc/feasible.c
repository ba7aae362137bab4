/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a call will be in time: at its arrival, by those in line before it, what its
 * method usually takes, and the margin of its connection; at its turn, by the time that is
 * left alone.
 */
#include "rpc/server_internal.h"

#define NS_PER_US UINT64_C(1000)
#define US_PER_MS UINT64_C(1000)

bool ct_srv__feasible(struct ct_server *s, struct ct_route *r, const struct ct_session *session,
		      uint64_t budget_us, ct_instant now)
{
	const uint64_t max_us = s->opts.max_deadline_ms * US_PER_MS;
	const uint64_t left = (budget_us < max_us ? budget_us : max_us) * NS_PER_US;
	const enum ct_lane lane = r->method->lane;
	uint64_t usual, need;

	if (ct_srv__is_inline(r) || !ct_outlook_line(&s->outlook, lane))
		return true;
	usual = ct_median_ns(&r->usual);
	if (usual == 0)
		return true; /* unknown */
	need = usual + ct_margin_of(&session->margin, left);
	if (ct_outlook_within(&s->outlook, lane, now, left > need ? left - need : 0))
		return true;
	ct_regret_refused(&s->regrets[lane], now, now.ns + (int64_t)left - (int64_t)need);
	return false;
}

void ct_srv__turn(struct ct_call *c, ct_instant now)
{
	const enum ct_lane lane = c->route->method->lane;

	ct_regret_turn(&c->server->regrets[lane], c->received, now,
		       ct_pool_queued(c->server->pool, lane) == 0);
}

bool ct_srv__hopeless(const struct ct_call *c, ct_instant now)
{
	return ct_pool_queued(c->server->pool, c->route->method->lane) > 0 &&
	       ct_ctx_deadline(&c->ctx).ns - now.ns < (int64_t)ct_median_ns(&c->route->usual);
}

void ct_call__join_line(struct ct_call *c)
{
	if (ct_srv__is_inline(c->route))
		return;
	c->line_ns = ct_mean_ns(&c->route->load);
	c->in_line = true;
	ct_outlook_join(&c->server->outlook, c->route->method->lane, c->line_ns);
}

void ct_call__leave_line(struct ct_call *c)
{
	if (!c->in_line)
		return;
	c->in_line = false;
	ct_outlook_leave(&c->server->outlook, c->route->method->lane, c->line_ns);
}
