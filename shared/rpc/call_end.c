/* SPDX-License-Identifier: Apache-2.0 */
/* How a call ends: counted, answered, let go. Exactly once. */
#include "rpc/server_internal.h"

#include "base/check.h"
#include "rpc/codec.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Around the payload of a message, at most. */
enum {
	AROUND_BYTES_MAX = CT_SP_PREFIX_BYTES_MAX + 4 * CT_SP_ROUTE_WORDS_MAX +
			   CT_WIRE_HEADER_BYTES + CT_WIRE_META_BYTES_MAX
};

/* What the caller of a tripped call is told. */
static ct_status status_of_trip(enum ct_cancel_reason why)
{
	return why == CT_CANCEL_DRAIN ? CT_UNAVAILABLE : ct_status_from_reason(why);
}

static enum ct_end end_of(enum ct_cancel_reason why, bool ran, ct_status st)
{
	switch (why) {
	case CT_CANCEL_NONE:
		return st == CT_OK ? CT_END_OK : CT_END_APP_ERROR;
	case CT_CANCEL_DEADLINE:
		return ran ? CT_END_EXPIRED_RUNNING : CT_END_EXPIRED_QUEUED;
	case CT_CANCEL_PEER_GONE:
		return CT_END_PEER_GONE;
	case CT_CANCEL_CALLER:
	case CT_CANCEL_PARENT:
	case CT_CANCEL_SIBLING:
	case CT_CANCEL_HEDGE_LOST:
	case CT_CANCEL_DRAIN:
		break;
	}
	return ran ? CT_END_CANCELLED_RUNNING : CT_END_CANCELLED_QUEUED;
}

static void fill_timing(struct ct_call *c, Ct__V1__Timing *t)
{
	t->admit_us = ct_instant_us_between(c->received,
					    ct_deadline_sooner(c->admitted, c->started));
	t->queue_us = c->queue_us;
	t->handler_us = ct_instant_us_between(c->started, c->answered_at);
	t->serialize_us = ct_instant_us_between(c->answered_at, c->ended);
	t->downstream_us = c->downstream_us;
	t->n_hops = c->hops_n;
	t->hops = c->hops;
}

/* Out of everybody's sight; the memory goes with the last reference. */
static void let_go(struct ct_call *c)
{
	ct_registry_remove(c->server->registry, &c->reg);
	(void)ct_ctx_end_with_hook(&c->ctx, &c->tripped);
	ct_ctx_unref(&c->ctx);
}

/* Before its answer goes out: whoever has that may send the next call. */
static void leave_worker(struct ct_call *c)
{
	ct_pool_leave(&c->task);
	ct_pool_leave(&c->resume_task);
}

/* Its answer does not fit in the connection's queue. Returns how it ends instead. */
static enum ct_end cut(struct ct_call *c, enum ct_end end, struct ct_reply_head *head)
{
	const struct ct_trace trace = ct_ctx_trace(&c->ctx);

	ct_srv__count(&c->server->replies_cut);
	CT_LOG(c->server->log, CT_LOG_WARN, "no room for an answer, sending a status alone",
	       CT_STR("method", c->route->method->name), CT_STATUS("status", head->status),
	       CT_ID("trace", &trace.trace_id), CT_STR("peer", ct_conn_peer(c->conn)));
	if (end != CT_END_OK)
		return end;
	ct_call__recount(c, end, CT_END_APP_ERROR);
	*head = (struct ct_reply_head){
		.status = CT_RESOURCE_EXHAUSTED,
		.message = "the reply does not fit in the connection's queue",
	};
	return CT_END_APP_ERROR;
}

/* A caller who cannot be told even the status loses the connection, and so waits
 * for nothing. */
static void send_answer(struct ct_call *c, enum ct_end end, struct ct_reply_head head,
			Ct__V1__ReplyMeta *meta, struct ct_bytes payload)
{
	const ct_status st = ct_srv__try_reply(c->conn, &c->reply_to, &c->header, &head, meta,
					       payload);

	if (st == CT_OK)
		return;
	if (st == CT_RESOURCE_EXHAUSTED) {
		end = cut(c, end, &head);
		if (ct_srv__reply(c->server, c->conn, &c->reply_to, &c->header, &head))
			return;
	}
	ct_call__recount(c, end, CT_END_PEER_GONE);
}

/* Counts first, so that a caller who has the reply finds it in Stats. */
static void finish(struct ct_call *c, const struct ct_reply_head *head, enum ct_cancel_reason why,
		   bool ran, struct ct_bytes payload)
{
	Ct__V1__ReplyMeta meta = CT__V1__REPLY_META__INIT;
	Ct__V1__Timing timing = CT__V1__TIMING__INIT;
	enum ct_end end = end_of(why, ran, head->status);

	ct_call__close_ledger(c);
	fill_timing(c, &timing);
	meta.timing = &timing;
	meta.n_details = c->details_n;
	meta.details = c->details;
	meta.n_metadata = c->metadata_n;
	meta.metadata = c->metadata;
	ct_call__record(c, end, head->status, why);
	leave_worker(c);
	if (end != CT_END_PEER_GONE)
		send_answer(c, end, *head, &meta, payload);
	let_go(c);
}

void ct_call__end_queued(struct ct_call *c)
{
	const ct_instant now = ct_now(c->server->clk);
	const enum ct_cancel_reason why = ct_ctx_reason_at(&c->ctx, now);
	const struct ct_reply_head head = {
		.status = status_of_trip(why),
		.message = "it ended in the queue",
		.not_processed = true,
	};

	CT_CHECK(why != CT_CANCEL_NONE);
	ct_sm_move(&c->sm, CT_CALL_EXPIRED);
	ct_call__leave_line(c);
	ct_call__begin_trace(c); /* for what is logged and remembered of it */
	c->started = c->answered_at = c->ended = now;
	c->queue_us = ct_instant_us_between(c->admitted, now);
	finish(c, &head, why, false, CT_BYTES_NONE);
	ct_ctx_unref(&c->ctx); /* its turn's */
}

static void answer(struct ct_call *c, ct_status st, const char *message,
		   const ProtobufCMessage *resp)
{
	struct ct_reply_head head = { .status = st,
				      .message = message,
				      .retry_after_ms = c->retry_after_ms,
				      .no_retry = c->no_retry };
	struct ct_bytes payload = CT_BYTES_NONE;
	enum ct_cancel_reason why;

	CT_CHECK(!atomic_exchange(&c->answered, true)); /* one answer a call */
	c->answered_at = ct_now(c->server->clk);
	why = ct_ctx_reason_at(&c->ctx, c->answered_at);
	if (why == CT_CANCEL_NONE && resp != NULL) {
		CT_CHECK(resp->descriptor == c->route->method->response);
		if (ct_codec_pack(resp, SIZE_MAX, &c->arena, &payload) != CT_OK) {
			head.status = CT_RESOURCE_EXHAUSTED;
			head.message = "the reply does not fit in the call's memory";
		}
	}
	if (why != CT_CANCEL_NONE) {
		head.status = status_of_trip(why);
		if (resp != NULL)
			head.message = "it was answered too late";
	}
	if (payload.len > c->server->msg_bytes_max - AROUND_BYTES_MAX) {
		payload = CT_BYTES_NONE;
		head.status = CT_RESOURCE_EXHAUSTED;
		head.message = "the reply is larger than a message may be";
		head.no_retry = true;
	}
	c->ended = payload.len > CT_CODEC_QUICK_BYTES ? ct_now(c->server->clk) : c->answered_at;
	ct_sm_move(&c->sm, why == CT_CANCEL_NONE ? CT_CALL_REPLIED : CT_CALL_ABANDONED);
	finish(c, &head, why, true, payload);
}

void ct_call_reply(struct ct_call *c, const ProtobufCMessage *resp)
{
	CT_CHECK(resp != NULL);
	answer(c, CT_OK, "", resp);
}

/* Cut in front of the character that does not fit, so that it stays UTF-8. */
static void cut_utf8(char *text, size_t len)
{
	while (len > 0 && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
		len--;
	if (len > 0 && (unsigned char)text[len - 1] >= 0xc0)
		len--;
	text[len] = '\0';
}

void ct_call_fail(struct ct_call *c, ct_status st, const char *fmt, ...)
{
	char message[CT_CALL_MESSAGE_MAX];
	va_list args;
	int n;

	if (st == CT_OK)
		st = CT_UNKNOWN;
	va_start(args, fmt);
	n = vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	if (n < 0)
		message[0] = '\0';
	else if ((size_t)n >= sizeof(message))
		cut_utf8(message, sizeof(message) - 1);
	answer(c, ct_status_from_wire((uint32_t)st), message, NULL);
}

void ct_call_set_retry_after(struct ct_call *c, uint32_t ms)
{
	c->retry_after_ms = ms;
}

void ct_call_set_no_retry(struct ct_call *c)
{
	c->no_retry = true;
}

void ct_call_add_detail(struct ct_call *c, const ProtobufCMessage *detail)
{
	const size_t room = CT_CALL_DETAILS_BYTES_MAX - c->details_bytes;
	struct ct_bytes value;
	Ct__V1__Detail *d;

	if (c->details_n == CT_CALL_DETAILS_MAX)
		return;
	d = ct_arena_alloc(&c->arena, sizeof(*d));
	if (d == NULL || ct_codec_pack(detail, room, &c->arena, &value) != CT_OK)
		return;
	ct__v1__detail__init(d);
	d->type = (char *)(uintptr_t)detail->descriptor->name; /* packing only reads it */
	d->value = (ProtobufCBinaryData){ value.len, (uint8_t *)(uintptr_t)value.ptr };
	c->details[c->details_n++] = d;
	c->details_bytes += value.len;
}
