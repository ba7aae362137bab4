/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/services/service_conf.h"

#include <string.h>

static const struct ct_conf_choice wait_choices[] = {
	{ "connecting", CT_WAIT_CONNECTING },
	{ "never", CT_WAIT_NEVER },
	{ "ready", CT_WAIT_READY },
	{ NULL, 0 },
};

static const struct ct_conf_row peer_rows[] = {
	CT_CONF_STRINGS(struct ct_peer_conf, urls, "urls", NULL, 1, 64,
			"its endpoints; a name with several addresses counts as several"),
	CT_CONF_UINT(struct ct_peer_conf, connections, "connections", 1, 1, 16,
		     "connections to each address"),
	CT_CONF_UINT(struct ct_peer_conf, timeout_ms, "timeout_ms", 2000, 1, 600000,
		     "budget of a call that has no other"),
	CT_CONF_UINT(struct ct_peer_conf, reply_margin_us, "reply_margin_us", 1000, 0, 1000000,
		     "kept back from our own caller's time, to answer it"),
	CT_CONF_UINT(struct ct_peer_conf, outstanding_max, "outstanding_max", 4096, 1, 32768,
		     "calls to it at once, more are refused here"),
	CT_CONF_UINT(struct ct_peer_conf, attempts_max, "attempts_max", 3, 1, 10,
		     "attempts of one call, the first included"),
	CT_CONF_UINT(struct ct_peer_conf, retry_backoff_ms, "retry_backoff_ms", 10, 1, 10000,
		     "before the second attempt, doubled each time"),
	CT_CONF_UINT(struct ct_peer_conf, resolve_ms, "resolve_ms", 5000, 100, 3600000,
		     "least time between two look-ups of its names"),
	CT_CONF_BOOL(struct ct_peer_conf, throttle, "throttle", true,
		     "hold calls to it back here while it refuses most of them for load"),
	CT_CONF_ENUM(struct ct_peer_conf, wait, "wait", CT_WAIT_CONNECTING, wait_choices,
		     "no connection is ready: wait while the first attempts run, fail at once, or "
		     "wait until the deadline"),
};
static const struct ct_conf_table peer_tables[] = {
	{ peer_rows, CT_ARRAY_N(peer_rows), 0, NULL },
};
static const struct ct_conf_schema peer_schema = {
	.tables = peer_tables,
	.tables_n = CT_ARRAY_N(peer_tables),
	.size = sizeof(struct ct_peer_conf),
};

#define S struct ct_service_conf
const struct ct_conf_row ct_service_conf_rows[CT_SERVICE_CONF_ROWS_N] = {
	CT_CONF_UINT(S, server.workers, "server.workers", 8, 1, 256, "threads that run handlers"),
	CT_CONF_UINT(S, server.batch_workers_max, "server.batch_workers_max", 0, 0, 255,
		     "most of them that may run bulk calls; 0: half"),
	CT_CONF_UINT(S, server.queue_max, "server.queue_max", 64, 1, 65536,
		     "calls that wait for a worker, per lane; more are refused"),
	CT_CONF_UINT(
		S, server.sheddable_queue_percent, "server.sheddable_queue_percent", 50, 1, 100,
		"of each queue, for calls that their callers can do without; more are refused"),
	CT_CONF_UINT(S, server.critical_reserve_percent, "server.critical_reserve_percent", 0, 0,
		     90, "of each queue, kept for critical calls"),
	CT_CONF_UINT(S, server.calls_max, "server.calls_max", 4096, 1, 1000000,
		     "calls admitted and not ended; more are refused"),
	CT_CONF_UINT(S, server.method_calls_max, "server.method_calls_max", 0, 0, 1000000,
		     "the same for any one method; 0: calls_max"),
	CT_CONF_UINT(S, server.connection_calls_max, "server.connection_calls_max", 0, 0, 1000000,
		     "the same for any one connection; 0: no limit but these"),
	CT_CONF_UINT(S, server.connections_max, "server.connections_max", 10000, 1, 1000000,
		     "connections per listener; more are closed at once"),
	CT_CONF_UINT(S, server.max_deadline_ms, "server.max_deadline_ms", 300000, 1, 3600000,
		     "longer or no budgets of callers are cut to it"),
	CT_CONF_UINT(S, server.drain_ms, "server.drain_ms", 5000, 1, 600000,
		     "how long SIGTERM lets running calls go on"),
	CT_CONF_UINT(S, server.retry_after_ms, "server.retry_after_ms", 50, 1, 60000,
		     "hint to a caller that is refused for load"),
	CT_CONF_UINT(S, server.slow_call_ms, "server.slow_call_ms", 1000, 1, 600000,
		     "a call that takes longer is logged"),
	CT_CONF_BOOL(S, server.log_calls, "server.log_calls", false,
		     "log every call, not only failed and slow ones"),
	CT_CONF_UINT(S, net.msg_bytes_max, "net.msg_bytes_max", 4194304, 262144, 67108864,
		     "largest message either way, in bytes"),
	CT_CONF_UINT(S, net.send_bytes_max, "net.send_bytes_max", 0, 0, 1073741824,
		     "most bytes that may wait for one slow reader; 0: twice a message and 1 MiB"),
	CT_CONF_UINT(S, net.handshake_ms, "net.handshake_ms", 10000, 1, 600000,
		     "a connection that has not said hello by then is closed"),
	CT_CONF_UINT(S, net.idle_ms, "net.idle_ms", 0, 0, 86400000,
		     "a connection silent for so long is closed; 0: never"),
	CT_CONF_UINT(S, net.stall_ms, "net.stall_ms", 30000, 1, 600000,
		     "a connection whose peer reads nothing for so long is closed"),
	CT_CONF_UINT(S, net.slow_reader_ms, "net.slow_reader_ms", 1000, 1, 600000,
		     "the same once send_bytes_max is in the way of a message; at most stall_ms"),
	CT_CONF_UINT(S, net.backoff_min_ms, "net.backoff_min_ms", 50, 1, 60000,
		     "before the first attempt to connect again"),
	CT_CONF_UINT(S, net.backoff_max_ms, "net.backoff_max_ms", 2000, 1, 600000,
		     "between later attempts to connect again"),
	CT_CONF_BOOL(S, probe_enabled, "probe.enabled", false,
		     "serve ct.v1.Probe, for tests and benchmarks"),
	CT_CONF_MAP(S, peers, "peers", struct ct_peer_conf, &peer_schema, 0, 32,
		    "services that this one calls"),
};
#undef S

static const struct ct_conf_table common_tables[] = { CT_SERVICE_TABLES };
const struct ct_conf_schema ct_service_conf_schema = {
	.tables = common_tables,
	.tables_n = CT_ARRAY_N(common_tables),
	.size = sizeof(struct ct_service_conf),
	.partial = true,
};

void ct_service_conf_check(const struct ct_service_conf *conf, struct ct_conf_report *report)
{
	if (conf->server.workers > 1 && conf->server.batch_workers_max >= conf->server.workers)
		ct_conf_report_add(report, "'server.batch_workers_max' leaves none of "
					   "'server.workers' to interactive calls");
	if (conf->net.backoff_min_ms > conf->net.backoff_max_ms)
		ct_conf_report_add(report,
				   "'net.backoff_min_ms' is more than 'net.backoff_max_ms'");
	if (conf->net.send_bytes_max != 0 && conf->net.send_bytes_max < conf->net.msg_bytes_max)
		ct_conf_report_add(report, "'net.send_bytes_max' is less than 'net.msg_bytes_max'");
}

const struct ct_peer_conf *ct_service_conf_peer(const struct ct_service_conf *conf,
						const char *name)
{
	const struct ct_peer_conf *peers = conf->peers.entries;

	for (size_t i = 0; i < conf->peers.n; i++)
		if (strcmp(peers[i].name, name) == 0)
			return &peers[i];
	return NULL;
}

struct ct_net_opts ct_service_net_opts(const struct ct_service_conf *conf)
{
	const struct ct_net_conf *n = &conf->net;

	return (struct ct_net_opts){
		.msg_bytes_max = n->msg_bytes_max,
		.send_bytes_max = n->send_bytes_max,
		.handshake_ms = n->handshake_ms,
		.idle_ms = n->idle_ms,
		.stall_ms = n->stall_ms,
		.slow_reader_ms = n->slow_reader_ms,
		.backoff_min_ms = n->backoff_min_ms,
		.backoff_max_ms = n->backoff_max_ms,
	};
}

struct ct_server_opts ct_service_server_opts(const struct ct_service_conf *conf,
					     const struct ct_runtime *rt, const char *version)
{
	const struct ct_server_conf *s = &conf->server;

	return (struct ct_server_opts){
		.rt = rt,
		.version = version,
		.workers = s->workers,
		.batch_workers_max = s->batch_workers_max,
		.queue_max = s->queue_max,
		.sheddable_queue_percent = s->sheddable_queue_percent,
		.critical_reserve_percent = s->critical_reserve_percent,
		.calls_max = s->calls_max,
		.method_calls_max = s->method_calls_max,
		.connection_calls_max = s->connection_calls_max,
		.connections_max = s->connections_max,
		.max_deadline_ms = s->max_deadline_ms,
		.drain_ms = s->drain_ms,
		.retry_after_ms = s->retry_after_ms,
		.slow_call_ms = s->slow_call_ms,
		.log_calls = s->log_calls,
	};
}

struct ct_client_opts ct_service_client_opts(const struct ct_peer_conf *peer,
					     const struct ct_runtime *rt)
{
	struct ct_client_opts opts = {
		.rt = rt,
		.peer = peer->name,
		.urls = (const char *const *)peer->urls.v,
		.urls_n = peer->urls.n,
		.connections = peer->connections,
		.timeout_ms = peer->timeout_ms,
		.reply_margin_us = peer->reply_margin_us,
		.outstanding_max = peer->outstanding_max,
		.attempts_max = peer->attempts_max,
		.retry_backoff_ms = peer->retry_backoff_ms,
		.resolve_ms = peer->resolve_ms,
		.throttle = peer->throttle,
	};

	switch (peer->wait) {
	case CT_WAIT_NEVER:
		opts.wait = CT_WAIT_NEVER;
		break;
	case CT_WAIT_READY:
		opts.wait = CT_WAIT_READY;
		break;
	default:
		opts.wait = CT_WAIT_CONNECTING;
		break;
	}
	return opts;
}
