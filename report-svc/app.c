/* SPDX-License-Identifier: Apache-2.0 */
#include "report-svc/app.h"

#include "base/mem.h"
#include "report-svc/conf.h"
#include "report-svc/handlers/handlers.h"
#include "rpc/services/store_counters.h"

#include "clinic/v1/report.ct.h"

/* Room that a reply leaves in a message for header, meta and what is not a list. */
enum { REPLY_SPARE_BYTES = 64 * 1024 };

static void set_limits(struct rsvc *app, const struct rsvc_conf *conf)
{
	app->limits = (struct rsvc_limits){
		.items_max = conf->put_items_max,
		.results_max = conf->put_results_max,
		.page_size = conf->page_size,
		.page_size_max = conf->page_size_max,
		.reply_bytes_max = conf->service.net.msg_bytes_max - REPLY_SPARE_BYTES,
	};
}

static ct_status open_store(struct rsvc *app, const struct rsvc_conf *conf,
			    struct ct_service_why *why)
{
	const struct ct_store_opts opts = ct_store_conf_opts(&conf->store);
	struct ct_store_why reason = { "" };
	const ct_status st = rsvc_store_open(&opts, &reason, &app->store);

	if (st != CT_OK)
		ct_service_why_set(why, "the store %s: %s; %s", opts.path, ct_status_text(st),
				   reason.text);
	return st;
}

static void stop(void *arg)
{
	struct rsvc *app = arg;

	if (app == NULL)
		return;
	app->store = rsvc_store_free(app->store);
	ct_mem_free(app);
}

static ct_status start(const struct ct_service_env *env, struct ct_service_why *why, void **ret_app)
{
	struct rsvc *app = ct_mem_zalloc(1, sizeof(*app));
	ct_status st;

	if (app == NULL)
		return CT_RESOURCE_EXHAUSTED;
	set_limits(app, env->conf);
	app->log = env->rt->log;
	st = open_store(app, env->conf, why);
	if (st == CT_OK) {
		ct_store_counters_show(env->server, rsvc_store_base(app->store));
		st = rsvc_handlers_register(env->server, app);
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

const struct ct_service rsvc_service = {
	.name = "report-svc",
	.version = CT_VERSION,
	.summary = "Examination reports and visits of the subjects of a trial.",
	.schema = &rsvc_conf_schema,
	.start = start,
	.stop = stop,
	.methods = report_methods,
};
