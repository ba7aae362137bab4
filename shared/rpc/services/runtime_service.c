/* SPDX-License-Identifier: Apache-2.0 */
/* ct.v1.Runtime: what a server tells about itself. On the receiving thread, so
 * everything here is a bounded copy. */
#include "rpc/services/standard.h"

#include "rpc/client.h"
#include "rpc/server_internal.h"

#include "ct/v1/runtime.ct.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXPLAIN_DEFAULT = 64, EXPLAIN_MAX = 512 };

static void no_memory(struct ct_call *call)
{
	ct_call_fail(call, CT_RESOURCE_EXHAUSTED, "no memory for the answer");
}

/* n messages of one type behind an array of pointers, as protobuf-c wants them. */
static void *make_list(struct ct_arena *a, size_t n, size_t size, void ***ret_list)
{
	uint8_t *items = ct_arena_alloc(a, n * size);
	void **list = ct_arena_alloc(a, n * sizeof(void *));

	if (items == NULL || list == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++)
		list[i] = items + i * size;
	*ret_list = list;
	return items;
}

static char *text(const char *s)
{
	return (char *)(uintptr_t)s; /* packing only reads it */
}

/* ---- Stats ------------------------------------------------------------------------ */

static uint64_t rss_bytes(void)
{
	unsigned long long pages = 0;
	char line[128];
	char *end;
	const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, line, sizeof(line) - 1);
	(void)close(fd);
	if (n <= 0)
		return 0;
	line[n] = '\0';
	(void)strtoull(line, &end,
		       10); /* the first number is the size, the second what is resident */
	pages = strtoull(end, NULL, 10);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void fill_counts(Ct__V1__CallCounts *out, const struct ct_call_counts *c)
{
	out->received = c->received;
	out->ok = c->ok;
	out->app_error = c->app_error;
	out->refused = c->refused;
	out->expired_queued = c->expired_queued;
	out->expired_running = c->expired_running;
	out->cancelled_queued = c->cancelled_queued;
	out->cancelled_running = c->cancelled_running;
	out->peer_gone = c->peer_gone;
	out->in_flight = c->in_flight;
}

static bool fill_counters(struct ct_arena *a, const struct ct_server_counter *rows, size_t n,
			  Ct__V1__Counter ***ret_list)
{
	Ct__V1__Counter *c;
	void **list;

	c = make_list(a, n, sizeof(*c), &list);
	if (c == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		ct__v1__counter__init(&c[i]);
		c[i].name = text(rows[i].name);
		c[i].value = rows[i].value;
	}
	*ret_list = (Ct__V1__Counter **)list;
	return true;
}

static bool fill_refusals(struct ct_arena *a, const struct ct_server_stats *st,
			  Ct__V1__StatsResponse *resp)
{
	const struct ct_server_counter rows[] = {
#define X(name, text, status) { text, st->refused_by[CT_REFUSAL_##name] },
		CT_REFUSALS(X)
#undef X
	};

	resp->n_refused_by = CT_ARRAY_N(rows);
	return fill_counters(a, rows, CT_ARRAY_N(rows), &resp->refused_by);
}

static bool fill_wasted(struct ct_arena *a, const struct ct_server_stats *st,
			Ct__V1__StatsResponse *resp)
{
	struct ct_server_counter rows[CT_CANCEL_REASONS_N - 1]; /* every reason but none */

	for (size_t i = 0; i < CT_ARRAY_N(rows); i++)
		rows[i] = (struct ct_server_counter){ ct_cancel_reason_name(
							      (enum ct_cancel_reason)(i + 1)),
						      st->wasted_us_by[i + 1] };
	resp->n_wasted_by = CT_ARRAY_N(rows);
	return fill_counters(a, rows, CT_ARRAY_N(rows), &resp->wasted_by);
}

static bool fill_others(struct ct_arena *a, struct ct_server *s, const struct ct_server_stats *st,
			Ct__V1__StatsResponse *resp)
{
	struct ct_net_stats net;

	ct_net_stats(s->net, &net);
	{
		const struct ct_server_counter rows[] = {
			{ "infeasible_looked_at", st->infeasible_looked_at },
			{ "infeasible_in_time", st->infeasible_in_time },
			{ "infeasible_unused", st->infeasible_unused },
			{ "cancels", st->cancels },
			{ "cancels_unknown", st->cancels_unknown },
			{ "tombstones_hit", st->tombstones_hit },
			{ "bad_header", st->bad_header },
			{ "bad_payload", st->bad_payload },
			{ "bad_metadata", st->bad_metadata },
			{ "deadlines_clamped", st->clamped },
			{ "replies_cut", st->replies_cut },
			{ "replies_lost", st->replies_lost },
			{ "wasted_us", st->wasted_us },
			{ "net_opened", net.opened },
			{ "net_closed", net.closed },
			{ "net_handshake_failed", net.handshake_failed },
			{ "net_bad_frame", net.bad_frame },
			{ "net_too_big", net.too_big },
			{ "net_slow_reader", net.slow_reader },
			{ "net_stalled", net.stalled },
			{ "net_idle", net.idle },
			{ "net_no_memory", net.no_memory },
			{ "net_refused_full", net.refused_full },
			{ "net_msgs_too_big", net.msgs_too_big },
			{ "net_msgs_in", net.msgs_in },
			{ "net_msgs_out", net.msgs_out },
			{ "net_bytes_in", net.bytes_in },
			{ "net_bytes_out", net.bytes_out },
			{ "net_sends", net.sends },
			{ "net_receives", net.receives },
		};

		struct ct_server_counter all[CT_ARRAY_N(rows) + CT_SERVER_COUNTERS_MAX];
		size_t n = CT_ARRAY_N(rows);

		memcpy(all, rows, sizeof(rows));
		if (s->counters != NULL)
			n += s->counters(s->counters_arg, &all[n]);
		resp->n_counters = n;
		return fill_counters(a, all, n, &resp->counters);
	}
}

static void fill_method(Ct__V1__MethodStats *out, const struct ct_route *r)
{
	struct ct_hist_snap snap;

	ct__v1__method_stats__init(out);
	out->method = text(r->method->name);
	out->calls = ct_srv__get(&r->calls);
	out->errors = ct_srv__get(&r->errors);
	out->refused = ct_srv__get(&r->refused);
	ct_hist_snapshot(&r->handler_us, &snap);
	out->handler_p50_us = ct_hist_percentile_us(&snap, 0.5);
	out->handler_p99_us = ct_hist_percentile_us(&snap, 0.99);
	ct_hist_snapshot(&r->cancel_to_stop_us, &snap);
	out->cancel_to_stop_p99_us = ct_hist_percentile_us(&snap, 0.99);
}

static bool fill_methods(struct ct_arena *a, struct ct_server *s, Ct__V1__StatsResponse *resp)
{
	Ct__V1__MethodStats *m;
	void **list;

	m = make_list(a, s->router.routes_n, sizeof(*m), &list);
	if (m == NULL)
		return false;
	for (size_t i = 0; i < s->router.routes_n; i++)
		fill_method(&m[i], ct_router_at(&s->router, i));
	resp->n_methods = s->router.routes_n;
	resp->methods = (Ct__V1__MethodStats **)list;
	return true;
}

static void fill_peer(Ct__V1__PeerStats *out, struct ct_client *c)
{
	struct ct_client_stats st;

	ct_client_stats(c, &st);
	ct__v1__peer_stats__init(out);
	out->peer = text(ct_client_peer(c));
	out->calls = st.calls;
	out->ok = st.ok;
	out->failed = st.failed;
	out->cancelled = st.cancelled;
	out->expired = st.expired;
	out->in_flight = st.in_flight;
	out->connections = st.ready;
	out->connections_lost = st.connections_lost;
	out->attempts = st.attempts;
	out->retries = st.retries;
	out->retries_refused = st.retries_refused;
	out->throttled = st.throttled;
	out->late_replies = st.late_replies;
	out->cancels_sent = st.cancels_sent;
}

static bool fill_peers(struct ct_arena *a, struct ct_server *s, Ct__V1__StatsResponse *resp)
{
	Ct__V1__PeerStats *p;
	void **list;

	p = make_list(a, s->clients_n, sizeof(*p), &list);
	if (p == NULL)
		return false;
	for (size_t i = 0; i < s->clients_n; i++)
		fill_peer(&p[i], s->clients[i]);
	resp->n_peers = s->clients_n;
	resp->peers = (Ct__V1__PeerStats **)list;
	return true;
}

static void stats(struct ct_call *call, const Ct__V1__StatsRequest *req)
{
	Ct__V1__StatsResponse resp = CT__V1__STATS_RESPONSE__INIT;
	Ct__V1__CallCounts counts = CT__V1__CALL_COUNTS__INIT;
	struct ct_server *s = call->server;
	struct ct_arena *a = ct_call_arena(call);
	struct ct_server_stats st;

	(void)req;
	ct_server_stats(s, &st);
	fill_counts(&counts, &st.calls);
	resp.service = text(s->opts.rt->service);
	resp.version = text(s->opts.version);
	resp.uptime_ms = ct_instant_us_between(s->born, ct_now(s->clk)) / 1000;
	resp.state = text(st.state);
	resp.calls = &counts;
	resp.identity_ok = st.identity_ok;
	resp.queued = st.queued;
	resp.running = st.running;
	resp.connections = st.connections;
	resp.rss_bytes = rss_bytes();
	if (fill_refusals(a, &st, &resp) && fill_others(a, s, &st, &resp) &&
	    fill_wasted(a, &st, &resp) && fill_methods(a, s, &resp) && fill_peers(a, s, &resp))
		runtime_stats_reply(call, &resp);
	else
		no_memory(call);
}

/* ---- ListMethods ------------------------------------------------------------------- */

static void fill_info(Ct__V1__MethodInfo *out, const struct ct_method *m)
{
	ct__v1__method_info__init(out);
	out->name = text(m->name);
	out->hash = m->hash;
	out->request = text(m->request->name);
	out->response = text(m->response->name);
	out->timeout_ms = m->timeout_ms;
	out->idempotent = m->idempotent;
	out->lane = text(ct_lane_name(m->lane));
	out->max_request_bytes = m->max_request_bytes;
}

static void list_methods(struct ct_call *call, const Ct__V1__ListMethodsRequest *req)
{
	Ct__V1__ListMethodsResponse resp = CT__V1__LIST_METHODS_RESPONSE__INIT;
	struct ct_server *s = call->server;
	Ct__V1__MethodInfo *m;
	void **list;

	(void)req;
	m = make_list(ct_call_arena(call), s->router.routes_n, sizeof(*m), &list);
	if (m == NULL) {
		no_memory(call);
		return;
	}
	for (size_t i = 0; i < s->router.routes_n; i++)
		fill_info(&m[i], ct_router_at(&s->router, i)->method);
	resp.n_methods = s->router.routes_n;
	resp.methods = (Ct__V1__MethodInfo **)list;
	runtime_list_methods_reply(call, &resp);
}

/* ---- Explain ------------------------------------------------------------------------ */

static bool fill_record(struct ct_arena *a, Ct__V1__CallRecord *out, const struct ct_call_record *r)
{
	char hex[CT_ID_HEX_SIZE];

	ct__v1__call_record__init(out);
	ct_id_to_hex(&r->trace_id, hex);
	out->trace_id = ct_arena_strdup(a, ct_id_zero(&r->trace_id) ? "" : hex);
	out->method = text(r->method);
	out->peer = text(r->peer);
	out->caller = text(r->caller);
	out->end_state = text(r->end_state);
	out->code = (int32_t)r->code;
	out->reason = text(r->reason);
	out->received_us = r->received_us;
	out->budget_us = r->budget_us;
	out->queue_us = r->queue_us;
	out->handler_us = r->handler_us;
	out->tripped_us = r->tripped_us;
	out->cancel_to_stop_us = r->cancel_to_stop_us;
	out->attempt = r->attempt;
	out->criticality = text(ct_criticality_name(r->criticality));
	return out->trace_id != NULL;
}

/* The records of the trace, or all, at most limit and the newest of them. */
static bool select_records(struct ct_call *call, const struct ct_id *trace, uint32_t limit,
			   Ct__V1__ExplainResponse *resp)
{
	struct ct_ring *ring = call->server->ring;
	struct ct_arena *a = ct_call_arena(call);
	const size_t max = ct_ring_records_max(ring);
	struct ct_call_record *all = ct_arena_alloc(a, max * sizeof(*all));
	Ct__V1__CallRecord *out;
	void **list;
	size_t n, first = 0, have = 0;

	out = make_list(a, limit, sizeof(*out), &list);
	if (all == NULL || out == NULL)
		return false;
	n = ct_ring_read(ring, all, max);
	for (size_t i = n; i > 0 && have < limit; i--) {
		if (!ct_id_zero(trace) && !ct_id_equal(trace, &all[i - 1].trace_id))
			continue;
		have++;
		first = i - 1;
	}
	resp->n_records = 0;
	for (size_t i = first; i < n && resp->n_records < have; i++) {
		if (!ct_id_zero(trace) && !ct_id_equal(trace, &all[i].trace_id))
			continue;
		if (!fill_record(a, &out[resp->n_records], &all[i]))
			return false;
		resp->n_records++;
	}
	resp->records = (Ct__V1__CallRecord **)list;
	return true;
}

static void explain(struct ct_call *call, const Ct__V1__ExplainRequest *req)
{
	Ct__V1__ExplainResponse resp = CT__V1__EXPLAIN_RESPONSE__INIT;
	const uint32_t limit = req->limit == 0            ? EXPLAIN_DEFAULT
			       : req->limit < EXPLAIN_MAX ? req->limit
							  : EXPLAIN_MAX;
	struct ct_id trace = { { 0 } };

	if (req->trace_id[0] != '\0' &&
	    !ct_id_from_hex(req->trace_id, strlen(req->trace_id), &trace)) {
		ct_call_fail(call, CT_INVALID_ARGUMENT, "trace_id is not 32 hex digits");
		return;
	}
	if (select_records(call, &trace, limit, &resp))
		runtime_explain_reply(call, &resp);
	else
		no_memory(call);
}

ct_status ct_standard__add_runtime(struct ct_server *s)
{
	static const struct runtime_handlers handlers = {
		.stats = stats,
		.list_methods = list_methods,
		.explain = explain,
	};

	return runtime_register(s, &handlers, NULL);
}
