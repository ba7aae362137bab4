/* SPDX-License-Identifier: Apache-2.0 */
/* The full view, with a report-svc that is slow, broken and dead. */
#include "tests/component/detail.h"
#include "tests/component/fake_report.h"

#include "tests/lib/gate.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(patient_detail_bad_days, .fini = leak_check, .timeout = 60);

/* The method's time is 5 s; legs have 400 ms here, and half a second by themselves. */
enum { TRIES = 20, REPORT_MS = 400, SOON_US = 4500000, AT_ONCE_US = REPORT_MS * 1000 };

static const struct rig_opts faked = { .report = &fake_report_service };

/* So it ends, and does not wait for report-svc, but for a machine that is busy at once
 * each time. */
static void expect_at_once(const Clinic__V1__GetPatientDetailRequest *req, ct_status st)
{
	const Clinic__V1__GetPatientDetailResponse *resp = NULL;
	unsigned tries = 0;

	do
		cr_assert_eq(detail_call(NULL, req, &resp), st);
	while (detail_rig.reply.elapsed_us >= AT_ONCE_US && ++tries < TRIES);
	cr_assert_lt(detail_rig.reply.elapsed_us, AT_ONCE_US, "it waited for report-svc");
}

Test(patient_detail_bad_days, an_unknown_subject_is_not_found_and_its_legs_are_stopped)
{
	Clinic__V1__GetPatientDetailRequest req = detail_request();

	fake_report.lab = FAKE_LAB_WAITS;
	rig_start(&detail_rig, &faked);
	expect_at_once(&req, CT_NOT_FOUND);
	rig_stop(&detail_rig); /* and report-svc has no call left */
}

Test(patient_detail_bad_days, a_slow_report_svc_gives_a_flagged_view_in_time)
{
	static const char *const settings[] = { "detail.report_timeout_ms=400", NULL };
	const struct rig_opts opts = { .report = &fake_report_service,
				       .patient_settings = settings };
	Clinic__V1__GetPatientDetailRequest req = detail_request();
	const Clinic__V1__GetPatientDetailResponse *resp;

	fake_report.lab = FAKE_LAB_WAITS;
	rig_start(&detail_rig, &opts);
	detail_put_patient();
	detail_put_cases(2);
	resp = detail_get(&req);
	cr_assert_not(resp->complete);
	detail_check(resp, LAB_REPORTS, TIMEOUT, 0);
	cr_assert_eq(detail_section(resp, LAB_REPORTS)->code, CT_DEADLINE_EXCEEDED);
	detail_check(resp, VITALS, STATE_OK, 1);
	detail_check(resp, VISITS, STATE_OK, 1);
	detail_check(resp, CASES, STATE_OK, 2);
	cr_assert_str_eq(resp->patient->identity->given, "三");
	cr_assert_geq(detail_rig.reply.elapsed_us, REPORT_MS * 950);
	cr_assert_lt(detail_rig.reply.elapsed_us, SOON_US);
	cr_assert_leq(fake_report.budget_us, REPORT_MS * 1000, "report-svc knew how long it had");
	AWAIT(&fake_report.left); /* and stopped */
	rig_stop(&detail_rig);
}

/* So short that a busy machine may take what is kept back, but not each time. */
static ct_status call_for_ms(uint32_t ms, const Clinic__V1__GetPatientDetailRequest *req,
			     const Clinic__V1__GetPatientDetailResponse **ret_resp)
{
	struct ct_ctx *ctx = NULL;
	ct_status st;

	cr_assert_eq(ct_ctx_new_root(detail_rig.rt.timers,
				     ct_deadline_after_ms(ct_clock_system(), ms), &ctx),
		     CT_OK);
	st = detail_call(ctx, req, ret_resp);
	ct_ctx_unref(ctx);
	return st;
}

Test(patient_detail_bad_days, a_callers_short_deadline_still_gets_the_view_before_it_passes)
{
	enum { CALL_MS = 400, MARGIN_MS = 100 };
	static const char *const settings[] = { "detail.reply_margin_ms=100", NULL };
	const struct rig_opts opts = { .report = &fake_report_service,
				       .patient_settings = settings };
	Clinic__V1__GetPatientDetailRequest req = detail_request();
	const Clinic__V1__GetPatientDetailResponse *resp = NULL;
	unsigned tries = 0;
	ct_status st;

	fake_report.lab = FAKE_LAB_WAITS;
	rig_start(&detail_rig, &opts);
	detail_put_patient();
	do
		st = call_for_ms(CALL_MS, &req, &resp);
	while (st == CT_DEADLINE_EXCEEDED && ++tries < TRIES);
	cr_assert_eq(st, CT_OK, "%s", detail_rig.reply.message);
	detail_check(resp, LAB_REPORTS, TIMEOUT, 0);
	detail_check(resp, IDENTITY, STATE_OK, 1);
	cr_assert_leq(fake_report.budget_us, (CALL_MS - MARGIN_MS) * 1000, "less the reply margin");
	rig_stop(&detail_rig);
}

Test(patient_detail_bad_days, a_dead_report_svc_is_flagged_unavailable)
{
	const struct rig_opts opts = { .report_dead = true };
	Clinic__V1__GetPatientDetailRequest req = detail_request();
	const Clinic__V1__GetPatientDetailResponse *resp;

	rig_start(&detail_rig, &opts);
	detail_put_patient();
	detail_put_cases(1);
	resp = detail_get(&req);
	cr_assert_not(resp->complete);
	detail_check(resp, LAB_REPORTS, UNAVAILABLE, 0);
	detail_check(resp, VITALS, UNAVAILABLE, 0);
	detail_check(resp, VISITS, UNAVAILABLE, 0);
	detail_check(resp, CASES, STATE_OK, 1);
	cr_assert_lt(detail_rig.reply.elapsed_us, SOON_US);
	rig_stop(&detail_rig);
}

Test(patient_detail_bad_days, an_error_of_report_svc_is_flagged_with_its_words)
{
	Clinic__V1__GetPatientDetailRequest req = detail_request();
	const Clinic__V1__GetPatientDetailResponse *resp;

	fake_report.lab = FAKE_LAB_FAILS;
	fake_report.lab_status = CT_DATA_LOSS;
	rig_start(&detail_rig, &faked);
	detail_put_patient();
	resp = detail_get(&req);
	detail_check(resp, LAB_REPORTS, ERROR, 0);
	cr_assert_eq(detail_section(resp, LAB_REPORTS)->code, CT_DATA_LOSS);
	cr_assert_str_eq(detail_section(resp, LAB_REPORTS)->error, "as the test says");
	detail_check(resp, VITALS, STATE_OK, 1);
	cr_assert_not(resp->complete);
	rig_stop(&detail_rig);
}

Test(patient_detail_bad_days, without_partial_the_first_failure_is_the_answer)
{
	Clinic__V1__GetPatientDetailRequest req = detail_whole_or_nothing();
	const Clinic__V1__GetPatientDetailResponse *resp = NULL;

	fake_report.lab = FAKE_LAB_FAILS;
	fake_report.lab_status = CT_INTERNAL;
	rig_start(&detail_rig, &faked);
	detail_put_patient();
	cr_assert_eq(detail_call(NULL, &req, &resp), CT_INTERNAL);
	cr_assert_str_eq(detail_rig.reply.message, "LAB_REPORTS: as the test says");
	fake_report.lab = FAKE_LAB_ANSWERS;
	cr_assert(detail_get(&req)->complete);
	rig_stop(&detail_rig);
}

Test(patient_detail_bad_days, without_partial_a_slow_or_dead_report_svc_is_a_status_in_time)
{
	static const char *const settings[] = { "detail.report_timeout_ms=400", NULL };
	const struct rig_opts slow = { .report = &fake_report_service,
				       .patient_settings = settings };
	const struct rig_opts dead = { .report_dead = true };
	Clinic__V1__GetPatientDetailRequest req = detail_whole_or_nothing();
	const Clinic__V1__GetPatientDetailResponse *resp = NULL;
	unsigned tries = 0;

	fake_report.lab = FAKE_LAB_WAITS;
	rig_start(&detail_rig, &slow);
	detail_put_patient();
	do { /* the others answer at once, but for a busy machine */
		cr_assert_eq(detail_call(NULL, &req, &resp), CT_DEADLINE_EXCEEDED);
		cr_assert_lt(detail_rig.reply.elapsed_us, SOON_US);
	} while (strncmp(detail_rig.reply.message, "LAB_REPORTS: ", 13) != 0 && ++tries < TRIES);
	cr_assert_eq(strncmp(detail_rig.reply.message, "LAB_REPORTS: ", 13), 0, "%s",
		     detail_rig.reply.message);
	rig_stop(&detail_rig);

	rig_start(&detail_rig, &dead);
	detail_put_patient();
	cr_assert_eq(detail_call(NULL, &req, &resp), CT_UNAVAILABLE);
	cr_assert_lt(detail_rig.reply.elapsed_us, SOON_US);
	rig_stop(&detail_rig);
}

Test(patient_detail_bad_days,
     without_partial_what_cannot_be_read_here_is_the_answer_and_stops_the_legs)
{
	Clinic__V1__GetPatientDetailRequest req = detail_whole_or_nothing();

	fake_report.lab = FAKE_LAB_WAITS;
	rig_start(&detail_rig, &faked);
	detail_put_patient();
	rig_sql(rig_patient_store(&detail_rig), "DROP TABLE medications");
	expect_at_once(&req, CT_INTERNAL);
	cr_assert_eq(strncmp(detail_rig.reply.message, "MEDICATIONS: ", 13), 0, "%s",
		     detail_rig.reply.message);
	rig_stop(&detail_rig);
}

Test(patient_detail_bad_days, what_cannot_be_read_here_is_flagged_too)
{
	Clinic__V1__GetPatientDetailRequest req = detail_request();
	const Clinic__V1__GetPatientDetailResponse *resp;

	rig_start(&detail_rig, NULL);
	detail_put_patient();
	detail_put_cases(1);
	rig_sql(rig_patient_store(&detail_rig), "DROP TABLE medications");
	resp = detail_get(&req);
	detail_check(resp, MEDICATIONS, ERROR, 0);
	detail_check(resp, CASES, STATE_OK, 1);
	detail_check(resp, VISITS, STATE_OK, 0);
	cr_assert_not(resp->complete);
	rig_stop(&detail_rig);
}

static void keep_status(void *arg, struct ct_reply *reply)
{
	atomic_store((atomic_int *)arg, (int)reply->status);
}

Test(patient_detail_bad_days, a_callers_cancel_reaches_report_svc)
{
	Clinic__V1__GetPatientDetailRequest req = detail_request();
	struct ct_ctx *ctx = NULL;
	atomic_int st = -1;

	fake_report.lab = FAKE_LAB_WAITS;
	rig_start(&detail_rig, &faked);
	detail_put_patient();
	cr_assert_eq(ct_ctx_new_root(detail_rig.rt.timers, CT_NEVER, &ctx), CT_OK);
	patient_get_patient_detail_async(detail_rig.to_patient, ctx, &req, keep_status, &st);
	AWAIT(&fake_report.entered);
	cr_assert(ct_ctx_cancel(ctx, CT_CANCEL_CALLER));
	AWAIT(&fake_report.left);
	cr_assert_eq(atomic_load(&fake_report.stop_reason), CT_CANCEL_PARENT);
	detail_rig.to_patient = ct_client_free(detail_rig.to_patient);
	cr_assert_eq(atomic_load(&st), CT_CANCELLED);
	ct_ctx_unref(ctx);
	rig_stop(&detail_rig);
}

static void check_line(const char *log, const char *msg)
{
	const char *at = strstr(log, msg), *end;

	cr_assert_not_null(at, "%s", msg);
	end = strchr(at, '\n');
	cr_assert_not_null(end);
	at = strstr(at, " trace=");
	cr_assert(at != NULL && at < end, "%s", msg);
}

/* So that one search finds all of them. */
Test(patient_detail_bad_days, every_line_about_a_call_calls_its_trace_the_same)
{
	const struct rig_opts opts = { .report_dead = true };
	Clinic__V1__GetPatientDetailRequest req = detail_request();
	const Clinic__V1__GetPatientDetailResponse *resp = NULL;
	char *log;

	rig_start(&detail_rig, &opts);
	detail_put_patient();
	(void)detail_get(&req);
	rig_sql(rig_patient_store(&detail_rig), "DROP TABLE case_records");
	rig_sql(rig_patient_store(&detail_rig), "DROP TABLE patient_identity");
	cr_assert_neq(detail_call(NULL, &req, &resp), CT_OK);
	log = rig_log_text(&detail_rig);
	check_line(log, "batch put");
	check_line(log, "a section of the full view is missing");
	check_line(log, "the store failed");
	check_line(log, "call ended");
	cr_assert_null(strstr(log, "trace_id="));
	free(log);
	rig_stop(&detail_rig);
}
