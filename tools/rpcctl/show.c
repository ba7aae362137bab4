/* SPDX-License-Identifier: Apache-2.0 */
/* Replies, errors and time ledgers for people and programs. */
#include "rpcctl/commands.h"

#include "base/mem.h"
#include "rpcctl/shown.h"
#include "json/json.h"
#include "json/quote.h"

#include <inttypes.h>

enum { INDENT = 2 };

int rpcctl_show(struct session *s, bool emit_defaults)
{
	const struct ct_json_opts opts = {
		.indent = s->args->compact ? 0 : INDENT,
		.emit_defaults = emit_defaults,
	};
	char *text;
	ct_status st;

	st = ct_json_from_message(s->reply.response, &opts, &text);
	if (st != CT_OK) {
		fprintf(stderr, "rpcctl: cannot show the reply: %s\n", ct_status_text(st));
		return RPCCTL_EXIT_FAILED;
	}
	puts(text);
	ct_mem_free(text);
	return 0;
}

int rpcctl_show_error(const struct session *s)
{
	const struct ct_reply *r = &s->reply;
	char *message = NULL;

	(void)!ct_json_quote(ct_bytes_of_str(r->message), &message); /* NULL shows as "" */
	fprintf(stderr,
		"{\"code\": \"%s\", \"message\": %s, \"not_processed\": %s, "
		"\"retry_after_ms\": %" PRIu32 ", \"attempts\": %u, \"elapsed_us\": %" PRIu64 "}\n",
		ct_status_name(r->status), message != NULL ? message : "\"\"",
		r->not_processed ? "true" : "false", r->retry_after_ms, r->attempts, r->elapsed_us);
	ct_mem_free(message);
	return RPCCTL_EXIT_FAILED;
}

static uint64_t on_server_us(const Ct__V1__Timing *t)
{
	return t->admit_us + t->queue_us + t->handler_us + t->serialize_us;
}

/* One hop and those below it: what each side of it saw. */
static void show_hop(const char *peer, const char *method, int32_t code, uint64_t elapsed_us,
		     const Ct__V1__Timing *t, int depth)
{
	fprintf(stderr, "%*s%s %s: %s after %" PRIu64 " us\n", 2 * depth, "", shown(peer).text,
		shown(method).text, ct_status_name(ct_status_from_wire((uint32_t)code)),
		elapsed_us);
	if (t == NULL)
		return;
	fprintf(stderr,
		"%*sadmit %" PRIu64 " us, queue %" PRIu64 " us, handler %" PRIu64
		" us (downstream %" PRIu64 " us), serialize %" PRIu64
		" us, network and the rest %" PRIu64 " us\n",
		2 * depth + 2, "", t->admit_us, t->queue_us, t->handler_us, t->downstream_us,
		t->serialize_us, elapsed_us > on_server_us(t) ? elapsed_us - on_server_us(t) : 0);
	for (size_t i = 0; i < t->n_hops; i++)
		show_hop(t->hops[i]->peer, t->hops[i]->method, t->hops[i]->code,
			 t->hops[i]->elapsed_us, t->hops[i]->timing, depth + 1);
}

void rpcctl_show_timing(const struct session *s, const struct ct_method *m)
{
	const struct ct_reply *r = &s->reply;
	const Ct__V1__ReplyMeta *meta = ct_reply_meta(r);
	const Ct__V1__Timing *timing = meta != NULL ? meta->timing : NULL;
	const struct ct_trace trace = ct_ctx_trace(s->ctx);
	char hex[CT_ID_HEX_SIZE];

	ct_id_to_hex(&trace.trace_id, hex);
	fprintf(stderr, "trace %s, %u attempt%s\n", hex, r->attempts, r->attempts == 1 ? "" : "s");
	show_hop(r->peer, m->name, (int32_t)r->status, r->elapsed_us, timing, 0);
	if (timing == NULL && r->attempts > 0)
		fprintf(stderr,
			"  no times came back; the services know: rpcctl -a URL … explain %s\n",
			hex);
}
