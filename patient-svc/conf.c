/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-svc/conf.h"

static const char *const listen_default[] = { "tcp://127.0.0.1:7001", NULL };

#define S struct psvc_conf
static const struct ct_conf_row listen_rows[] = { CT_SERVICE_LISTEN_ROW(S, listen_default) };
static const struct ct_conf_row rows[] = {
	CT_CONF_UINT(S, put_items_max, "put.items_max", 1000, 1, 10000,
		     "items in one batch; a larger one is refused"),
	CT_CONF_UINT(S, page_size, "page.size", 50, 1, 1000, "patients on a page when not asked"),
	CT_CONF_UINT(S, page_size_max, "page.size_max", 200, 1, 1000,
		     "most patients on a page, whatever is asked"),
	CT_CONF_UINT(S, detail_report_timeout_ms, "detail.report_timeout_ms", 500, 1, 60000,
		     "how long the full view waits for report-svc"),
	CT_CONF_UINT(S, detail_reply_margin_ms, "detail.reply_margin_ms", 20, 0, 10000,
		     "kept back of the caller's time to put the full view together"),
	CT_CONF_UINT(S, detail_max_per_section, "detail.max_per_section", 500, 1, 1000,
		     "most items of one section of the full view, whatever is asked"),
};
#undef S

static const struct ct_conf_table tables[] = {
	{ listen_rows, CT_ARRAY_N(listen_rows), 0, NULL },
	CT_SERVICE_TABLES,
	CT_STORE_CONF_TABLE(struct psvc_conf, store),
	{ rows, CT_ARRAY_N(rows), 0, NULL },
};

static void check(const void *conf, struct ct_conf_report *report)
{
	const struct psvc_conf *c = conf;

	ct_service_conf_check(&c->service, report);
	if (c->page_size > c->page_size_max)
		ct_conf_report_add(report, "'page.size' is more than 'page.size_max'");
	if (ct_service_conf_peer(&c->service, PSVC_REPORT_PEER) == NULL)
		ct_conf_report_add(report, "'peers.%s' is missing: report-svc and its urls",
				   PSVC_REPORT_PEER);
}

const struct ct_conf_schema psvc_conf_schema = {
	.tables = tables,
	.tables_n = CT_ARRAY_N(tables),
	.size = sizeof(struct psvc_conf),
	.check = check,
};
