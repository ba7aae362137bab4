/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_UNIT_CONF_EXAMPLE_H
#define CT_TESTS_UNIT_CONF_EXAMPLE_H

#include "conf/conf.h"
#include "conf/log_conf.h"

#include <string.h>

/* The settings of a service that does not exist: each type of row, two tables of
 * one group, a struct of the runtime's, named groups. */
struct example_peer {
	char *name;
	struct ct_conf_strings urls;
	uint16_t connections;
	uint32_t timeout_ms;
};

enum example_mode { EXAMPLE_CLOSED = 3, EXAMPLE_OPEN = 5 };

struct example_pool {
	uint16_t workers;
	uint32_t queue_max;
};

struct example {
	struct ct_log_conf log;
	struct example_pool pool;
	char *listen;
	uint32_t drain_ms;
	bool probe;
	enum example_mode mode;
	uint8_t share_percent;
	int8_t nice;
	int64_t offset_us;
	uint64_t file_bytes;
	char *note;
	struct ct_conf_strings tags;
	struct ct_conf_map peers; /* of struct example_peer */
	int untouched;            /* no row names it */
};

static const struct ct_conf_row example_peer_rows[] = {
	CT_CONF_STRINGS(struct example_peer, urls, "urls", NULL, 1, 4, "where it listens"),
	CT_CONF_UINT(struct example_peer, connections, "connections", 1, 1, 64,
		     "kept open to each address"),
	CT_CONF_UINT(struct example_peer, timeout_ms, "timeout_ms", 500, 1, 60000,
		     "default budget of a call"),
};
static const struct ct_conf_table example_peer_tables[] = {
	{ example_peer_rows, CT_ARRAY_N(example_peer_rows), 0, NULL },
};
static const struct ct_conf_schema example_peer_schema = {
	.tables = example_peer_tables,
	.tables_n = CT_ARRAY_N(example_peer_tables),
	.size = sizeof(struct example_peer),
};

static const struct ct_conf_choice example_modes[] = {
	{ "closed", EXAMPLE_CLOSED },
	{ "open", EXAMPLE_OPEN },
	{ NULL, 0 },
};

static const char *const example_tags[] = { "a", "b", NULL };

static const struct ct_conf_row example_pool_rows[] = {
	CT_CONF_UINT(struct example_pool, workers, "workers", 8, 1, 256,
		     "threads behind the socket"),
	CT_CONF_UINT(struct example_pool, queue_max, "queue_max", 64, 0, 65536,
		     "calls waiting in each lane"),
};

static const struct ct_conf_row example_rows[] = {
	CT_CONF_STRING(struct example, listen, "server.listen", "tcp://127.0.0.1:7001", 1, 255,
		       "where calls come in"),
	CT_CONF_UINT(struct example, drain_ms, "server.drain_ms", 5000, 0, 600000,
		     "how long SIGTERM waits for running calls"),
	CT_CONF_BOOL(struct example, probe, "probe.enabled", false, "serve ct.v1.Probe"),
	CT_CONF_ENUM(struct example, mode, "server.mode", EXAMPLE_OPEN, example_modes,
		     "who may call"),
	CT_CONF_UINT(struct example, share_percent, "server.share_percent", 50, 0, 100,
		     "of the workers | for batches"),
	CT_CONF_INT(struct example, nice, "nice", -5, -20, 19, "scheduling"),
	CT_CONF_INT(struct example, offset_us, "clock.offset_us", -1, INT64_MIN, INT64_MAX,
		    "added to each time"),
	CT_CONF_UINT(struct example, file_bytes, "store.file_bytes", INT64_C(1) << 40, 0, INT64_MAX,
		     "largest database"),
	CT_CONF_STRING(struct example, note, "note", "", 0, 1000, "shown to operators"),
	CT_CONF_STRINGS(struct example, tags, "tags", example_tags, 0, 3, "labels"),
	CT_CONF_MAP(struct example, peers, "peers", struct example_peer, &example_peer_schema, 0, 3,
		    "services called by this one"),
};

static const struct ct_conf_table example_tables[] = {
	CT_LOG_CONF_TABLE(struct example, log),
	{ example_pool_rows, CT_ARRAY_N(example_pool_rows), offsetof(struct example, pool),
	  "pool" },
	{ example_rows, CT_ARRAY_N(example_rows), 0, NULL },
};

static inline void example_check(const void *conf, struct ct_conf_report *report)
{
	const struct example *e = conf;

	if (e->pool.queue_max < e->pool.workers)
		ct_conf_report_add(report, "pool.queue_max must not be below pool.workers");
}

static const struct ct_conf_schema example_schema = {
	.tables = example_tables,
	.tables_n = CT_ARRAY_N(example_tables),
	.size = sizeof(struct example),
	.check = example_check,
};

#endif
