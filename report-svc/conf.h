/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RSVC_CONF_H
#define RSVC_CONF_H

#include "rpc/services/service_conf.h"
#include "rpc/services/store_conf.h"

/* The settings of report-svc; configs/report-svc.cfg shows them all. */
struct rsvc_conf {
	struct ct_service_conf service; /* first: the common settings */
	struct ct_store_conf store;
	uint32_t put_items_max, put_results_max;
	uint32_t page_size, page_size_max;
};

extern const struct ct_conf_schema rsvc_conf_schema;

#endif
