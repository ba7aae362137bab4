/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PSVC_CONF_H
#define PSVC_CONF_H

#include "rpc/services/service_conf.h"
#include "rpc/services/store_conf.h"

/* The settings of patient-svc; configs/patient-svc.cfg shows them all. */
struct psvc_conf {
	struct ct_service_conf service; /* first: the common settings */
	struct ct_store_conf store;
	uint32_t put_items_max;
	uint32_t page_size, page_size_max;
	uint32_t detail_report_timeout_ms, detail_reply_margin_ms, detail_max_per_section;
};

extern const struct ct_conf_schema psvc_conf_schema;

/* The peer that answers for reports. */
#define PSVC_REPORT_PEER "report"

#endif
