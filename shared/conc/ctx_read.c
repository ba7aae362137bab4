/* SPDX-License-Identifier: Apache-2.0 */
/* What a context says of itself. Takes no lock. */
#include "conc/ctx.h"

const char *ct_cancel_reason_name(enum ct_cancel_reason why)
{
	switch (why) {
#define X(name, number, text)  \
	case CT_CANCEL_##name: \
		return text;
		CT_CANCEL_REASONS(X)
#undef X
	}
	return "unknown";
}

ct_status ct_status_from_reason(enum ct_cancel_reason why)
{
	if (why == CT_CANCEL_NONE)
		return CT_OK;
	return why == CT_CANCEL_DEADLINE ? CT_DEADLINE_EXCEEDED : CT_CANCELLED;
}

enum ct_cancel_reason ct_ctx_reason(const struct ct_ctx *ctx)
{
	return (enum ct_cancel_reason)atomic_load_explicit(&ctx->tripped, memory_order_acquire);
}

enum ct_cancel_reason ct_ctx_reason_at(const struct ct_ctx *ctx, ct_instant now)
{
	const enum ct_cancel_reason why = ct_ctx_reason(ctx);

	if (why == CT_CANCEL_NONE && now.ns >= ctx->deadline.ns)
		return CT_CANCEL_DEADLINE; /* the timer thread is about to say so */
	return why;
}

ct_status ct_ctx_status_at(const struct ct_ctx *ctx, ct_instant now)
{
	return ct_status_from_reason(ct_ctx_reason_at(ctx, now));
}

ct_status ct_ctx_status(const struct ct_ctx *ctx)
{
	return ct_ctx_status_at(ctx, ct_ctx_now(ctx));
}

ct_instant ct_ctx_deadline(const struct ct_ctx *ctx)
{
	return ctx->deadline;
}

ct_instant ct_ctx_now(const struct ct_ctx *ctx)
{
	return ct_now(ct_timers_clock(ctx->timers));
}

struct ct_timers *ct_ctx_timers(const struct ct_ctx *ctx)
{
	return ctx->timers;
}

ct_instant ct_ctx_tripped_at(const struct ct_ctx *ctx)
{
	if (ct_ctx_reason(ctx) == CT_CANCEL_NONE)
		return CT_NEVER;
	return (ct_instant){ .ns = atomic_load_explicit(&ctx->tripped_ns, memory_order_relaxed) };
}

void ct_ctx_set_trace(struct ct_ctx *ctx, struct ct_trace trace)
{
	ctx->trace = trace;
}

struct ct_trace ct_ctx_trace(const struct ct_ctx *ctx)
{
	return ctx->trace;
}

struct ct_ctx *ct_ctx_parent(const struct ct_ctx *ctx)
{
	return ctx->parent;
}

void ct_ctx_set_served(struct ct_ctx *ctx)
{
	ctx->served = true;
}

bool ct_ctx_served(const struct ct_ctx *ctx)
{
	return ctx->served;
}

void ct_ctx_set_criticality(struct ct_ctx *ctx, enum ct_criticality c)
{
	ctx->criticality = ctx->rated ? ct_criticality_lower(ctx->criticality, c) : c;
	ctx->rated = true;
}

enum ct_criticality ct_ctx_criticality(const struct ct_ctx *ctx, enum ct_criticality asked)
{
	if (!ctx->rated)
		return asked;
	return asked == CT_CRIT_DEFAULT ? ctx->criticality
					: ct_criticality_lower(ctx->criticality, asked);
}
