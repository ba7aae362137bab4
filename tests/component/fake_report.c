/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/component/fake_report.h"

#include "base/check.h"
#include "report-svc/conf.h"

#include "clinic/v1/report.ct.h"

struct fake_report fake_report;

static void answer_one(struct ct_call *call, Clinic__V1__ReportKind kind)
{
	Clinic__V1__GetReportsResponse resp = CLINIC__V1__GET_REPORTS_RESPONSE__INIT;
	Clinic__V1__DiagnosticReport d = CLINIC__V1__DIAGNOSTIC_REPORT__INIT, *list = &d;

	d.study_id = "S1";
	d.report_id = "fake";
	d.kind = kind;
	resp.reports = &list;
	resp.n_reports = 1;
	report_get_reports_reply(call, &resp);
}

static void wait_for_the_end(struct ct_call *call)
{
	const ct_status st = ct_ctx_sleep_until(ct_call_ctx(call), CT_NEVER);

	CT_CHECK(st != CT_OK);
	atomic_store(&fake_report.stop_reason, (int)ct_ctx_reason(ct_call_ctx(call)));
	CT_CHECK(sem_post(&fake_report.left) == 0);
	ct_call_fail(call, st, "stopped");
}

static void get_reports(struct ct_call *call, const Clinic__V1__GetReportsRequest *req)
{
	if (req->n_kinds != 1 || req->kinds[0] != CLINIC__V1__REPORT_KIND__LABORATORY) {
		answer_one(call, CLINIC__V1__REPORT_KIND__VITAL_SIGNS);
		return;
	}
	fake_report.budget_us = ct_deadline_left_us(ct_ctx_now(ct_call_ctx(call)),
						    ct_ctx_deadline(ct_call_ctx(call)));
	fake_report.page_size = req->page->size;
	CT_CHECK(sem_post(&fake_report.entered) == 0);
	switch (fake_report.lab) {
	case FAKE_LAB_ANSWERS:
		answer_one(call, CLINIC__V1__REPORT_KIND__LABORATORY);
		break;
	case FAKE_LAB_WAITS:
		wait_for_the_end(call);
		break;
	case FAKE_LAB_FAILS:
		ct_call_fail(call, fake_report.lab_status, "as the test says");
		break;
	}
}

static void get_visits(struct ct_call *call, const Clinic__V1__GetVisitsRequest *req)
{
	Clinic__V1__GetVisitsResponse resp = CLINIC__V1__GET_VISITS_RESPONSE__INIT;
	Clinic__V1__Visit v = CLINIC__V1__VISIT__INIT, *list = &v;

	(void)req;
	v.study_id = "S1";
	v.visit_num = 1;
	resp.visits = &list;
	resp.n_visits = 1;
	report_get_visits_reply(call, &resp);
}

static const struct report_handlers handlers = { .get_reports = get_reports,
						 .get_visits = get_visits };

static ct_status start(const struct ct_service_env *env, struct ct_service_why *why, void **ret_app)
{
	(void)why;
	CT_CHECK(sem_init(&fake_report.entered, 0, 0) == 0);
	CT_CHECK(sem_init(&fake_report.left, 0, 0) == 0);
	*ret_app = NULL;
	return report_register(env->server, &handlers, NULL);
}

static void stop(void *app)
{
	(void)app;
}

const struct ct_service fake_report_service = {
	.name = "fake-report",
	.version = "0",
	.summary = "",
	.schema = &rsvc_conf_schema,
	.start = start,
	.stop = stop,
};
