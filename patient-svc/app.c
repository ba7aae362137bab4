/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-svc/app.h"

#include "base/mem.h"
#include "patient-svc/conf.h"
#include "patient-svc/handlers/handlers.h"
#include "rpc/services/store_counters.h"

#include "clinic/v1/patient.ct.h"
#include "clinic/v1/report.ct.h"

/* Room that a reply leaves in a message for header, meta and what is not a list. */
enum { REPLY_SPARE_BYTES = 64 * 1024 };

static void set_limits(struct psvc *app, const struct psvc_conf *conf)
{
	app->limits = (struct psvc_limits){
		.items_max = conf->put_items_max,
		.page_size = conf->page_size,
		.page_size_max = conf->page_size_max,
		.report_timeout_ms = conf->detail_report_timeout_ms,
		.reply_margin_ms = conf->detail_reply_margin_ms,
		.section_max = conf->detail_max_per_section,
		.reply_bytes_max = conf->service.net.msg_bytes_max - REPLY_SPARE_BYTES,
	};
}

static ct_status open_store(struct psvc *app, const struct psvc_conf *conf,
			    struct ct_service_why *why)
{
	const struct ct_store_opts opts = ct_store_conf_opts(&conf->store);
	struct ct_store_why reason = { "" };
	const ct_status st = psvc_store_open(&opts, &reason, &app->store);

	if (st != CT_OK)
		ct_service_why_set(why, "the store %s: %s; %s", opts.path, ct_status_text(st),
				   reason.text);
	return st;
}

static void stop(void *arg)
{
	struct psvc *app = arg;

	if (app == NULL)
		return;
	app->store = psvc_store_free(app->store);
	ct_mem_free(app);
}

static ct_status start(const struct ct_service_env *env, struct ct_service_why *why, void **ret_app)
{
	struct psvc *app = ct_mem_zalloc(1, sizeof(*app));
	ct_status st;

	if (app == NULL)
		return CT_RESOURCE_EXHAUSTED;
	set_limits(app, env->conf);
	app->log = env->rt->log;
	app->report = ct_service_host_peer(env->host, PSVC_REPORT_PEER);
	st = open_store(app, env->conf, why);
	if (st == CT_OK) {
		ct_store_counters_show(env->server, psvc_store_base(app->store));
		st = psvc_handlers_register(env->server, app);
		if (st != CT_OK)
			ct_service_why_set(why, "the methods cannot be registered");
	}
	if (st != CT_OK) {
		stop(app);
		return st;
	}
	*ret_app = app;
	return CT_OK;
}

/* The full view asks for all of these at once. */
#define WAIT_FOR(on_)                                                                        \
	{                                                                                    \
		.method = &patient_get_patient_detail_method, .on = &(on_),                  \
		.peer = PSVC_REPORT_PEER,                                                    \
		.timeout_ms = CT_SERVICE_SETTING(struct psvc_conf, detail_report_timeout_ms, \
						 "detail.report_timeout_ms"),                \
		.margin_ms = CT_SERVICE_SETTING(struct psvc_conf, detail_reply_margin_ms,    \
						"detail.reply_margin_ms"),                   \
	}
static const struct ct_service_wait waits[] = {
	WAIT_FOR(report_get_reports_method),
	WAIT_FOR(report_get_visits_method),
};

const struct ct_service psvc_service = {
	.name = "patient-svc",
	.version = CT_VERSION,
	.summary =
		"Identity, cases and medications of a trial's subjects, and the full view of one.",
	.schema = &psvc_conf_schema,
	.start = start,
	.stop = stop,
	.methods = patient_methods,
	.waits = waits,
	.waits_n = CT_ARRAY_N(waits),
};
