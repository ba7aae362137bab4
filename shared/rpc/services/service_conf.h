/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_SERVICES_SERVICE_CONF_H
#define CT_RPC_SERVICES_SERVICE_CONF_H

#include "conf/conf.h"
#include "conf/log_conf.h"
#include "rpc/client.h"
#include "rpc/server.h"

/*
 * The settings that every service has, as rows of its own schema, and how they
 * become options of the runtime. A service's struct begins with one of these:
 *
 *   struct my_conf {
 *           struct ct_service_conf service; // first
 *           uint32_t results_max;
 *   };
 *   static const struct ct_conf_row my_listen[] = {
 *           CT_SERVICE_LISTEN_ROW(struct my_conf, my_listen_default),
 *   };
 *   static const struct ct_conf_row my_rows[] = {
 *           CT_CONF_UINT(struct my_conf, results_max, "my.results_max", 100, 1, 1000, "…"),
 *   };
 *   static const struct ct_conf_table my_tables[] = {
 *           { my_listen, CT_ARRAY_N(my_listen), 0, NULL },
 *           CT_SERVICE_TABLES,
 *           { my_rows, CT_ARRAY_N(my_rows), 0, NULL },
 *   };
 */

/* One entry of `peers`: a service that this one calls. */
struct ct_peer_conf {
	char *name;
	struct ct_conf_strings urls;
	uint16_t connections;
	uint32_t timeout_ms, reply_margin_us, outstanding_max;
	uint8_t attempts_max;
	uint32_t retry_backoff_ms, resolve_ms;
	bool throttle;
	int wait; /* CT_WAIT_CONNECTING, … */
};

struct ct_server_conf {
	struct ct_conf_strings listen;
	uint16_t workers, batch_workers_max;
	uint32_t queue_max, calls_max, method_calls_max, connection_calls_max, connections_max,
		max_deadline_ms, drain_ms, retry_after_ms, slow_call_ms;
	uint8_t sheddable_queue_percent, critical_reserve_percent;
	bool log_calls;
};

struct ct_net_conf {
	uint32_t msg_bytes_max, send_bytes_max, handshake_ms, idle_ms, stall_ms, slow_reader_ms,
		backoff_min_ms, backoff_max_ms;
};

struct ct_service_conf {
	struct ct_log_conf log;
	struct ct_server_conf server;
	struct ct_net_conf net;
	struct ct_conf_map peers; /* of struct ct_peer_conf */
	bool probe_enabled;
};

enum { CT_SERVICE_CONF_ROWS_N = 24 };
extern const struct ct_conf_row ct_service_conf_rows[CT_SERVICE_CONF_ROWS_N];

/* clang-format off */
/* server.listen; urls_default: an array of strings that ends with NULL. */
#define CT_SERVICE_LISTEN_ROW(s, urls_default)                                        \
	CT_CONF_STRINGS(s, service.server.listen, "server.listen", urls_default, 1, 8, \
			"where to listen: tcp://host:port, ipc:///path")
/* Entries of a schema's tables, for a struct that begins with its ct_service_conf. */
#define CT_SERVICE_TABLES                                                             \
	{ ct_log_conf_rows, CT_LOG_CONF_ROWS_N, offsetof(struct ct_service_conf, log), "log" }, \
	{ ct_service_conf_rows, CT_SERVICE_CONF_ROWS_N, 0, NULL }
/* clang-format on */

/* Of the common settings alone, for files of any service: what else is there is passed
 * over. The struct is a ct_service_conf. */
extern const struct ct_conf_schema ct_service_conf_schema;

/* What the rows cannot say of the common settings; a schema's check() calls it. */
void ct_service_conf_check(const struct ct_service_conf *conf, struct ct_conf_report *report);

/* NULL: there is no peer of that name. Borrowed from conf. */
const struct ct_peer_conf *ct_service_conf_peer(const struct ct_service_conf *conf,
						const char *name);

/* Options of the runtime; they borrow from conf and from rt. */
struct ct_net_opts ct_service_net_opts(const struct ct_service_conf *conf);
struct ct_server_opts ct_service_server_opts(const struct ct_service_conf *conf,
					     const struct ct_runtime *rt, const char *version);
struct ct_client_opts ct_service_client_opts(const struct ct_peer_conf *peer,
					     const struct ct_runtime *rt);

#endif
