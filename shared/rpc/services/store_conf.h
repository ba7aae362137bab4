/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_SERVICES_STORE_CONF_H
#define CT_RPC_SERVICES_STORE_CONF_H

#include "conf/conf.h"
#include "store/store.h"

/*
 * The settings `store.*` of a service that keeps a database: a member of its
 * struct, and CT_STORE_CONF_TABLE among its tables. The fields mean what those of
 * struct ct_store_opts mean.
 */
struct ct_store_conf {
	char *path;
	uint16_t readers, group_max;
	uint32_t group_ms, write_queue_max, busy_ms, cache_kib, size_max_pages, checkpoint_pages;
};

enum { CT_STORE_CONF_ROWS_N = 9 };
extern const struct ct_conf_row ct_store_conf_rows[CT_STORE_CONF_ROWS_N];

/* clang-format off */
/* One entry of a schema's tables; f is the struct ct_store_conf in the service's struct s. */
#define CT_STORE_CONF_TABLE(s, f) \
	{ ct_store_conf_rows, CT_STORE_CONF_ROWS_N, offsetof(s, f), "store" }
/* clang-format on */

/* Options without migrations and application id; borrows from conf. */
struct ct_store_opts ct_store_conf_opts(const struct ct_store_conf *conf);

#endif
