/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/services/store_conf.h"

#define S struct ct_store_conf
const struct ct_conf_row ct_store_conf_rows[CT_STORE_CONF_ROWS_N] = {
	CT_CONF_STRING(S, path, "path", "", 1, 4096,
		       "the database file; it and its folder are made when missing"),
	CT_CONF_UINT(S, readers, "readers", 4, 1, 64, "connections for reads"),
	CT_CONF_UINT(S, group_max, "group_max", 256, 1, 4096, "most writes in one transaction"),
	CT_CONF_UINT(S, group_ms, "group_ms", 20, 1, 1000,
		     "a transaction takes in no more writes after so long"),
	CT_CONF_UINT(S, write_queue_max, "write_queue_max", 1024, 1, 65536,
		     "writes that may wait; more are refused"),
	CT_CONF_UINT(S, busy_ms, "busy_ms", 5000, 1, 60000, "longest wait for another process"),
	CT_CONF_UINT(S, cache_kib, "cache_kib", 512, 64, 1048576,
		     "page cache of each connection, in KiB"),
	CT_CONF_UINT(S, size_max_pages, "size_max_pages", 0, 0, UINT32_MAX,
		     "largest database, in pages of 4 KiB; 0: what the disk holds"),
	CT_CONF_UINT(S, checkpoint_pages, "checkpoint_pages", 1000, 16, 1048576,
		     "pages of write-ahead log that start a checkpoint"),
};
#undef S

struct ct_store_opts ct_store_conf_opts(const struct ct_store_conf *conf)
{
	return (struct ct_store_opts){
		.path = conf->path,
		.readers = conf->readers,
		.group_max = conf->group_max,
		.group_ms = conf->group_ms,
		.write_queue_max = conf->write_queue_max,
		.busy_ms = conf->busy_ms,
		.cache_kib = conf->cache_kib,
		.size_max_pages = conf->size_max_pages,
		.checkpoint_pages = conf->checkpoint_pages,
	};
}
