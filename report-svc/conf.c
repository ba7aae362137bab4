/* SPDX-License-Identifier: Apache-2.0 */
#include "report-svc/conf.h"

static const char *const listen_default[] = { "tcp://127.0.0.1:7002", NULL };

#define S struct rsvc_conf
static const struct ct_conf_row listen_rows[] = { CT_SERVICE_LISTEN_ROW(S, listen_default) };
static const struct ct_conf_row rows[] = {
	CT_CONF_UINT(S, put_items_max, "put.items_max", 1000, 1, 10000,
		     "items in one batch; a larger one is refused"),
	CT_CONF_UINT(S, put_results_max, "put.results_max", 1000, 1, 10000,
		     "results in one report; one with more is rejected"),
	CT_CONF_UINT(S, page_size, "page.size", 100, 1, 10000, "items on a page when not asked"),
	CT_CONF_UINT(S, page_size_max, "page.size_max", 1000, 1, 10000,
		     "most items on a page, whatever is asked"),
};
#undef S

static const struct ct_conf_table tables[] = {
	{ listen_rows, CT_ARRAY_N(listen_rows), 0, NULL },
	CT_SERVICE_TABLES,
	CT_STORE_CONF_TABLE(struct rsvc_conf, store),
	{ rows, CT_ARRAY_N(rows), 0, NULL },
};

static void check(const void *conf, struct ct_conf_report *report)
{
	const struct rsvc_conf *c = conf;

	ct_service_conf_check(&c->service, report);
	if (c->page_size > c->page_size_max)
		ct_conf_report_add(report, "'page.size' is more than 'page.size_max'");
}

const struct ct_conf_schema rsvc_conf_schema = {
	.tables = tables,
	.tables_n = CT_ARRAY_N(tables),
	.size = sizeof(struct rsvc_conf),
	.check = check,
};
