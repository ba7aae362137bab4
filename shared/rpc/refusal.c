/* SPDX-License-Identifier: Apache-2.0 */
/* A call that is not admitted: what its caller is told, what is counted, and what of it
 * can be found by its trace. */
#include "rpc/server_internal.h"

#include "base/text.h"
#include "obs/trace.h"
#include "rpc/codec.h"
#include "rpc/plain_meta.h"

#include <stdio.h>

enum { META_CHUNK_BYTES = 1024, META_ARENA_BYTES_MAX = 64 * 1024 };

static const struct refusal_row {
	const char *text;
	ct_status status;
} refusals[CT_REFUSALS_N] = {
#define X(name, text_, status_) [CT_REFUSAL_##name] = { text_, CT_##status_ },
	CT_REFUSALS(X)
#undef X
};

struct ct_reply_head ct_srv__refusal_head(const struct ct_server *s, enum ct_refusal why)
{
	const ct_status st = refusals[why].status;

	return (struct ct_reply_head){
		.status = st,
		.message = refusals[why].text,
		.retry_after_ms = st == CT_RESOURCE_EXHAUSTED && why != CT_REFUSAL_SIZE
					  ? s->opts.retry_after_ms
					  : 0,
		.no_retry = why == CT_REFUSAL_SIZE,
		.not_processed = true,
	};
}

static const char *method_of(const struct ct_refused *c)
{
	return c->route != NULL ? c->route->method->name : "";
}

static void remember(struct ct_server *s, enum ct_refusal why, const struct ct_refused *c,
		     const struct ct_id *trace_id, const char *caller)
{
	struct ct_call_record r = {
		.trace_id = *trace_id,
		.end_state = ct_call__rows[CT_CALL_REFUSED].name,
		.reason = refusals[why].text,
		.code = refusals[why].status,
		.received_us = ct_instant_us_between(s->born, c->received),
		.budget_us = c->header->budget_us,
		.attempt = c->header->attempt,
		.criticality = (enum ct_criticality)c->header->code,
	};

	(void)snprintf(r.method, sizeof(r.method), "%s", method_of(c));
	(void)ct_text_show(r.peer, sizeof(r.peer), ct_conn_peer(c->conn));
	(void)ct_text_show(r.caller, sizeof(r.caller), caller);
	ct_ring_put(s->ring, &r);
}

/* Of calls without a trace only numbers are kept: in overload there are too many. */
static struct ct_trace trace(struct ct_server *s, enum ct_refusal why, const struct ct_refused *c)
{
	struct ct_trace t = { .span_id = 0 };
	struct ct_arena a;
	ProtobufCMessage *m;

	if (ct_plain_call_meta(c->meta))
		return t;
	ct_arena_init(&a, META_CHUNK_BYTES, META_ARENA_BYTES_MAX);
	if (ct_codec_unpack(&ct__v1__call_meta__descriptor, c->meta, &a, &m) == CT_OK) {
		const Ct__V1__CallMeta *meta = (const Ct__V1__CallMeta *)m;

		if (ct_trace_parse(ct_bytes_of_str(meta->traceparent), &t))
			remember(s, why, c, &t.trace_id, meta->caller);
	}
	ct_arena_fini(&a);
	return t;
}

void ct_srv__record_refusal(struct ct_server *s, enum ct_refusal why, const struct ct_refused *c)
{
	struct ct_trace t;

	ct_srv__count(&s->refused_by[why]);
	ct_srv__count(&s->ends[CT_END_REFUSED]);
	if (c->route != NULL)
		ct_srv__count(&c->route->refused);
	t = trace(s, why, c);
	CT_LOG(s->log, CT_LOG_DEBUG, "call refused", CT_STR("reason", refusals[why].text),
	       CT_STR("method", method_of(c)), CT_ID("trace", &t.trace_id),
	       CT_STR("peer", ct_conn_peer(c->conn)));
}
