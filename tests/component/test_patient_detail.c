/* SPDX-License-Identifier: Apache-2.0 */
/* The full view, with a report-svc that is well, slow, broken and dead. */
#include "tests/component/fake_report.h"
#include "tests/component/rig.h"

#include "base/check.h"
#include "tests/lib/gate.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(patient_detail, .fini = leak_check, .timeout = 20);

#define IDENTITY CLINIC__V1__SECTION__IDENTITY
#define CASES CLINIC__V1__SECTION__CASES
#define MEDICATIONS CLINIC__V1__SECTION__MEDICATIONS
#define LAB_REPORTS CLINIC__V1__SECTION__LAB_REPORTS
#define VITALS CLINIC__V1__SECTION__VITALS
#define VISITS CLINIC__V1__SECTION__VISITS
#define STATE_OK CLINIC__V1__SECTION_STATE__OK
#define TIMEOUT CLINIC__V1__SECTION_STATE__TIMEOUT
#define ERROR CLINIC__V1__SECTION_STATE__ERROR
#define UNAVAILABLE CLINIC__V1__SECTION_STATE__UNAVAILABLE

static struct rig rig;
static const struct rig_opts faked = { .report = &fake_report_service };

static Clinic__V1__GetPatientDetailRequest request(void)
{
	Clinic__V1__GetPatientDetailRequest req = CLINIC__V1__GET_PATIENT_DETAIL_REQUEST__INIT;

	req.usubjid = "A";
	return req;
}

static Clinic__V1__GetPatientDetailRequest whole_or_nothing(void)
{
	Clinic__V1__GetPatientDetailRequest req = request();

	req.maybe_allow_partial_case =
		CLINIC__V1__GET_PATIENT_DETAIL_REQUEST__MAYBE_ALLOW_PARTIAL_ALLOW_PARTIAL;
	req.allow_partial = false;
	return req;
}

static ct_status call(struct ct_ctx *ctx, const Clinic__V1__GetPatientDetailRequest *req,
		      const Clinic__V1__GetPatientDetailResponse **ret_resp)
{
	return patient_get_patient_detail(rig.to_patient, ctx, req, &rig.reply, ret_resp);
}

static const Clinic__V1__GetPatientDetailResponse *get(
	const Clinic__V1__GetPatientDetailRequest *req)
{
	const Clinic__V1__GetPatientDetailResponse *resp = NULL;

	cr_assert_eq(call(NULL, req, &resp), CT_OK, "%s", rig.reply.message);
	return resp;
}

static const Clinic__V1__SectionStatus *section(const Clinic__V1__GetPatientDetailResponse *resp,
						Clinic__V1__Section which)
{
	for (size_t i = 0; i < resp->n_sections; i++)
		if (resp->sections[i]->section == which)
			return resp->sections[i];
	cr_assert_fail("the view says nothing of section %d", (int)which);
	return NULL;
}

static void check_section(const Clinic__V1__GetPatientDetailResponse *resp,
			  Clinic__V1__Section which, Clinic__V1__SectionState state, uint32_t count)
{
	const Clinic__V1__SectionStatus *s = section(resp, which);

	cr_assert_eq(s->state, state, "%d: %d %s", (int)which, (int)s->state, s->error);
	cr_assert_eq(s->count, count, "%d: %u", (int)which, s->count);
	cr_assert_eq(s->code == CT_OK, state == STATE_OK);
	cr_assert_eq(s->error[0] == '\0', state == STATE_OK);
}

static void put_patient(void)
{
	Clinic__V1__PatientIdentity id = CLINIC__V1__PATIENT_IDENTITY__INIT;
	Clinic__V1__Patient p = rig_patient("S1", "A");

	id.family = "张";
	id.given = "三";
	p.site_name = "北京协和医院";
	p.identity = &id;
	cr_assert_eq(rig_put_patient(&rig, &p)->kind, CREATED);
}

static void put_cases(uint32_t n)
{
	for (uint32_t i = 1; i <= n; i++) {
		Clinic__V1__CaseRecord c = rig_case("S1", "A", i);
		Clinic__V1__Medication m = rig_medication("S1", "A", i);

		cr_assert_eq(rig_put_case(&rig, &c)->kind, CREATED);
		cr_assert_eq(rig_put_medication(&rig, &m)->kind, CREATED);
	}
}

static void put_reports(unsigned n)
{
	char id[16];

	for (unsigned i = 0; i < n; i++) {
		Clinic__V1__DiagnosticReport d = rig_report("S1", "A", id);
		Clinic__V1__Visit v = rig_visit("S1", "A", i, "2014");

		(void)snprintf(id, sizeof(id), "LB/%u", i);
		cr_assert_eq(rig_put_report(&rig, &d)->kind, CREATED);
		(void)snprintf(id, sizeof(id), "VS/%u", i);
		d.kind = CLINIC__V1__REPORT_KIND__VITAL_SIGNS;
		cr_assert_eq(rig_put_report(&rig, &d)->kind, CREATED);
		cr_assert_eq(rig_put_visit(&rig, &v)->kind, CREATED);
	}
}

Test(patient_detail, everything_is_there_when_both_services_are_well)
{
	Clinic__V1__GetPatientDetailRequest req = request();
	const Clinic__V1__GetPatientDetailResponse *resp;

	rig_start(&rig, NULL);
	put_patient();
	put_cases(2);
	put_reports(3);
	resp = get(&req);
	cr_assert(resp->complete);
	cr_assert_eq(resp->n_sections, 6);
	check_section(resp, IDENTITY, STATE_OK, 1);
	check_section(resp, CASES, STATE_OK, 2);
	check_section(resp, MEDICATIONS, STATE_OK, 2);
	check_section(resp, LAB_REPORTS, STATE_OK, 3);
	check_section(resp, VITALS, STATE_OK, 3);
	check_section(resp, VISITS, STATE_OK, 3);
	cr_assert_str_eq(resp->patient->site_name, "北京协和医院");
	cr_assert_str_eq(resp->patient->identity->family, "张");
	cr_assert_str_eq(resp->cases[0]->term, "头痛");
	cr_assert_str_eq(resp->medications[1]->trt, "阿司匹林");
	cr_assert_str_eq(resp->lab_reports[2]->report_id, "LB/2");
	cr_assert_str_eq(resp->vital_signs[0]->report_id, "VS/0");
	cr_assert_eq(resp->visits[1]->visit_num, 1);
	cr_assert_gt(section(resp, LAB_REPORTS)->latency_us, 0);
	cr_assert_eq(rig.reply.meta->timing->n_hops, 3, "each leg is in the ledger");
	rig_stop(&rig);
}

Test(patient_detail, only_what_is_asked_for_is_read_and_told)
{
	Clinic__V1__Section two[] = { CASES, VISITS };
	Clinic__V1__GetPatientDetailRequest req = request();
	const Clinic__V1__GetPatientDetailResponse *resp = NULL;
	struct ct_server_stats before, after;

	rig_start(&rig, NULL);
	put_patient();
	put_cases(1);
	put_reports(1);
	req.sections = two;
	req.n_sections = 2;
	ct_server_stats(ct_service_host_server(rig.report), &before);
	resp = get(&req);
	ct_server_stats(ct_service_host_server(rig.report), &after);
	cr_assert_eq(after.calls.received - before.calls.received, 1);
	cr_assert_eq(resp->n_sections, 2);
	check_section(resp, CASES, STATE_OK, 1);
	check_section(resp, VISITS, STATE_OK, 1);
	cr_assert_null(resp->patient);
	cr_assert_eq(resp->n_lab_reports + resp->n_vital_signs + resp->n_medications, 0);
	cr_assert(resp->complete);

	two[1] = IDENTITY; /* nothing of report-svc */
	resp = get(&req);
	ct_server_stats(ct_service_host_server(rig.report), &before);
	cr_assert_eq(after.calls.received, before.calls.received);
	check_section(resp, IDENTITY, STATE_OK, 1);

	two[1] = (Clinic__V1__Section)7;
	cr_assert_eq(call(NULL, &req, &resp), CT_INVALID_ARGUMENT);
	rig_stop(&rig);
}

Test(patient_detail, an_unknown_subject_is_not_found_and_its_legs_are_stopped)
{
	Clinic__V1__GetPatientDetailRequest req = request();
	const Clinic__V1__GetPatientDetailResponse *resp = NULL;

	fake_report.lab = FAKE_LAB_WAITS;
	rig_start(&rig, &faked);
	cr_assert_eq(call(NULL, &req, &resp), CT_NOT_FOUND);
	cr_assert_lt(rig.reply.elapsed_us, 400000, "it did not wait for report-svc");
	rig_stop(&rig); /* and report-svc has no call left */
}

Test(patient_detail, a_subject_of_two_studies_needs_its_study)
{
	Clinic__V1__Patient p = rig_patient("S2", "A");
	Clinic__V1__GetPatientDetailRequest req = request();
	const Clinic__V1__GetPatientDetailResponse *resp = NULL;

	rig_start(&rig, NULL);
	put_patient();
	cr_assert_eq(rig_put_patient(&rig, &p)->kind, CREATED);
	cr_assert_eq(call(NULL, &req, &resp), CT_FAILED_PRECONDITION);
	req.study_id = "S2";
	cr_assert_str_eq(get(&req)->patient->study_id, "S2");
	req.usubjid = "";
	cr_assert_eq(call(NULL, &req, &resp), CT_INVALID_ARGUMENT);
	rig_stop(&rig);
}

Test(patient_detail, a_slow_report_svc_gives_a_flagged_view_in_time)
{
	static const char *const settings[] = { "detail.report_timeout_ms=150", NULL };
	const struct rig_opts opts = { .report = &fake_report_service,
				       .patient_settings = settings };
	Clinic__V1__GetPatientDetailRequest req = request();
	const Clinic__V1__GetPatientDetailResponse *resp;

	fake_report.lab = FAKE_LAB_WAITS;
	rig_start(&rig, &opts);
	put_patient();
	put_cases(2);
	resp = get(&req);
	cr_assert_not(resp->complete);
	check_section(resp, LAB_REPORTS, TIMEOUT, 0);
	cr_assert_eq(section(resp, LAB_REPORTS)->code, CT_DEADLINE_EXCEEDED);
	check_section(resp, VITALS, STATE_OK, 1);
	check_section(resp, VISITS, STATE_OK, 1);
	check_section(resp, CASES, STATE_OK, 2);
	cr_assert_str_eq(resp->patient->identity->given, "三");
	cr_assert_geq(rig.reply.elapsed_us, 140000);
	cr_assert_lt(rig.reply.elapsed_us, 1000000);
	cr_assert_leq(fake_report.budget_us, 150000, "report-svc knew how long it had");
	AWAIT(&fake_report.left); /* and stopped */
	rig_stop(&rig);
}

Test(patient_detail, a_callers_short_deadline_still_gets_the_view_before_it_passes)
{
	Clinic__V1__GetPatientDetailRequest req = request();
	const Clinic__V1__GetPatientDetailResponse *resp = NULL;
	struct ct_ctx *ctx = NULL;

	fake_report.lab = FAKE_LAB_WAITS;
	rig_start(&rig, &faked);
	put_patient();
	cr_assert_eq(
		ct_ctx_new_root(rig.rt.timers, ct_deadline_after_ms(ct_clock_system(), 200), &ctx),
		CT_OK);
	cr_assert_eq(call(ctx, &req, &resp), CT_OK, "%s", rig.reply.message);
	check_section(resp, LAB_REPORTS, TIMEOUT, 0);
	check_section(resp, IDENTITY, STATE_OK, 1);
	cr_assert_leq(fake_report.budget_us, 180000, "less the reply margin");
	ct_ctx_unref(ctx);
	rig_stop(&rig);
}

Test(patient_detail, a_dead_report_svc_is_flagged_unavailable)
{
	const struct rig_opts opts = { .report_dead = true };
	Clinic__V1__GetPatientDetailRequest req = request();
	const Clinic__V1__GetPatientDetailResponse *resp;

	rig_start(&rig, &opts);
	put_patient();
	put_cases(1);
	resp = get(&req);
	cr_assert_not(resp->complete);
	check_section(resp, LAB_REPORTS, UNAVAILABLE, 0);
	check_section(resp, VITALS, UNAVAILABLE, 0);
	check_section(resp, VISITS, UNAVAILABLE, 0);
	check_section(resp, CASES, STATE_OK, 1);
	cr_assert_lt(rig.reply.elapsed_us, 600000);
	rig_stop(&rig);
}

Test(patient_detail, an_error_of_report_svc_is_flagged_with_its_words)
{
	Clinic__V1__GetPatientDetailRequest req = request();
	const Clinic__V1__GetPatientDetailResponse *resp;

	fake_report.lab = FAKE_LAB_FAILS;
	fake_report.lab_status = CT_DATA_LOSS;
	rig_start(&rig, &faked);
	put_patient();
	resp = get(&req);
	check_section(resp, LAB_REPORTS, ERROR, 0);
	cr_assert_eq(section(resp, LAB_REPORTS)->code, CT_DATA_LOSS);
	cr_assert_str_eq(section(resp, LAB_REPORTS)->error, "as the test says");
	check_section(resp, VITALS, STATE_OK, 1);
	cr_assert_not(resp->complete);
	rig_stop(&rig);
}

Test(patient_detail, without_partial_the_first_failure_is_the_answer)
{
	Clinic__V1__GetPatientDetailRequest req = whole_or_nothing();
	const Clinic__V1__GetPatientDetailResponse *resp = NULL;

	fake_report.lab = FAKE_LAB_FAILS;
	fake_report.lab_status = CT_INTERNAL;
	rig_start(&rig, &faked);
	put_patient();
	cr_assert_eq(call(NULL, &req, &resp), CT_INTERNAL);
	cr_assert_str_eq(rig.reply.message, "LAB_REPORTS: as the test says");
	fake_report.lab = FAKE_LAB_ANSWERS;
	cr_assert(get(&req)->complete);
	rig_stop(&rig);
}

Test(patient_detail, without_partial_a_slow_or_dead_report_svc_is_a_status_in_time)
{
	static const char *const settings[] = { "detail.report_timeout_ms=100", NULL };
	const struct rig_opts slow = { .report = &fake_report_service,
				       .patient_settings = settings };
	const struct rig_opts dead = { .report_dead = true };
	Clinic__V1__GetPatientDetailRequest req = whole_or_nothing();
	const Clinic__V1__GetPatientDetailResponse *resp = NULL;

	fake_report.lab = FAKE_LAB_WAITS;
	rig_start(&rig, &slow);
	put_patient();
	cr_assert_eq(call(NULL, &req, &resp), CT_DEADLINE_EXCEEDED);
	cr_assert_lt(rig.reply.elapsed_us, 1000000);
	cr_assert_eq(strncmp(rig.reply.message, "LAB_REPORTS: ", 13), 0, "%s", rig.reply.message);
	rig_stop(&rig);

	rig_start(&rig, &dead);
	put_patient();
	cr_assert_eq(call(NULL, &req, &resp), CT_UNAVAILABLE);
	cr_assert_lt(rig.reply.elapsed_us, 1000000);
	rig_stop(&rig);
}

Test(patient_detail, without_partial_what_cannot_be_read_here_is_the_answer_and_stops_the_legs)
{
	Clinic__V1__GetPatientDetailRequest req = whole_or_nothing();
	const Clinic__V1__GetPatientDetailResponse *resp = NULL;

	fake_report.lab = FAKE_LAB_WAITS;
	rig_start(&rig, &faked);
	put_patient();
	rig_sql(rig_patient_store(&rig), "DROP TABLE medications");
	cr_assert_eq(call(NULL, &req, &resp), CT_INTERNAL);
	cr_assert_eq(strncmp(rig.reply.message, "MEDICATIONS: ", 13), 0, "%s", rig.reply.message);
	cr_assert_lt(rig.reply.elapsed_us, 400000, "it did not wait for report-svc");
	rig_stop(&rig);
}

Test(patient_detail, what_cannot_be_read_here_is_flagged_too)
{
	Clinic__V1__GetPatientDetailRequest req = request();
	const Clinic__V1__GetPatientDetailResponse *resp;

	rig_start(&rig, NULL);
	put_patient();
	put_cases(1);
	rig_sql(rig_patient_store(&rig), "DROP TABLE medications");
	resp = get(&req);
	check_section(resp, MEDICATIONS, ERROR, 0);
	check_section(resp, CASES, STATE_OK, 1);
	check_section(resp, VISITS, STATE_OK, 0);
	cr_assert_not(resp->complete);
	rig_stop(&rig);
}

Test(patient_detail, long_lists_are_cut_and_say_so)
{
	static const char *const settings[] = { "detail.max_per_section=4", NULL };
	const struct rig_opts opts = { .patient_settings = settings };
	Clinic__V1__GetPatientDetailRequest req = request();
	const Clinic__V1__GetPatientDetailResponse *resp;

	rig_start(&rig, &opts);
	put_patient();
	put_cases(4);
	put_reports(5);
	req.max_per_section = 2;
	resp = get(&req);
	check_section(resp, CASES, STATE_OK, 2);
	cr_assert(section(resp, CASES)->truncated);
	check_section(resp, LAB_REPORTS, STATE_OK, 2);
	cr_assert(section(resp, LAB_REPORTS)->truncated);
	cr_assert(section(resp, VISITS)->truncated);
	cr_assert_not(section(resp, IDENTITY)->truncated);
	cr_assert_not(resp->complete);
	req.max_per_section = 100; /* more than the service gives */
	resp = get(&req);
	check_section(resp, CASES, STATE_OK, 4);
	cr_assert_not(section(resp, CASES)->truncated);
	check_section(resp, VITALS, STATE_OK, 4);
	cr_assert(section(resp, VITALS)->truncated);
	rig_stop(&rig);
}

Test(patient_detail, a_view_fits_in_a_message)
{
	static const char *const settings[] = { "net.msg_bytes_max=262144", NULL };
	const struct rig_opts opts = { .patient_settings = settings };
	Clinic__V1__GetPatientDetailRequest req = request();
	const Clinic__V1__GetPatientDetailResponse *resp;
	static char text[4001];
	char id[16];

	rig_start(&rig, &opts);
	put_patient();
	memset(text, 'x', sizeof(text) - 1);
	for (unsigned i = 0; i < 100; i++) { /* some 200 kB of each kind */
		Clinic__V1__DiagnosticReport d = rig_report("S1", "A", id);

		(void)snprintf(id, sizeof(id), "r%u", i);
		d.kind = i % 2 == 0 ? CLINIC__V1__REPORT_KIND__LABORATORY
				    : CLINIC__V1__REPORT_KIND__VITAL_SIGNS;
		d.conclusion = text;
		cr_assert_eq(rig_put_report(&rig, &d)->kind, CREATED);
	}
	resp = get(&req);
	cr_assert_lt(clinic__v1__get_patient_detail_response__get_packed_size(resp),
		     262144 - 65536 + 1);
	cr_assert_eq(section(resp, LAB_REPORTS)->count, resp->n_lab_reports);
	cr_assert(section(resp, LAB_REPORTS)->truncated || section(resp, VITALS)->truncated);
	cr_assert_gt(resp->n_lab_reports + resp->n_vital_signs, 40);
	rig_stop(&rig);
}

static void keep_status(void *arg, struct ct_reply *reply)
{
	atomic_store((atomic_int *)arg, (int)reply->status);
}

Test(patient_detail, a_callers_cancel_reaches_report_svc)
{
	Clinic__V1__GetPatientDetailRequest req = request();
	struct ct_ctx *ctx = NULL;
	atomic_int st = -1;

	fake_report.lab = FAKE_LAB_WAITS;
	rig_start(&rig, &faked);
	put_patient();
	cr_assert_eq(ct_ctx_new_root(rig.rt.timers, CT_NEVER, &ctx), CT_OK);
	patient_get_patient_detail_async(rig.to_patient, ctx, &req, keep_status, &st);
	AWAIT(&fake_report.entered);
	cr_assert(ct_ctx_cancel(ctx, CT_CANCEL_CALLER));
	AWAIT(&fake_report.left);
	cr_assert_eq(atomic_load(&fake_report.stop_reason), CT_CANCEL_PARENT);
	rig.to_patient = ct_client_free(rig.to_patient);
	cr_assert_eq(atomic_load(&st), CT_CANCELLED);
	ct_ctx_unref(ctx);
	rig_stop(&rig);
}

enum { AT_ONCE = 16, ROUNDS = 20 };

struct one {
	char usubjid[16];
	bool right;
	sem_t done;
};

static void check_own(void *arg, struct ct_reply *reply)
{
	struct one *one = arg;
	const Clinic__V1__GetPatientDetailResponse *resp = patient_get_patient_detail_response(
		reply);

	one->right = resp != NULL && resp->complete && resp->n_lab_reports == 1 &&
		     strcmp(resp->patient->usubjid, one->usubjid) == 0 &&
		     strcmp(resp->lab_reports[0]->usubjid, one->usubjid) == 0;
	CT_CHECK(sem_post(&one->done) == 0);
}

static void put_own(struct one *one, unsigned i)
{
	char id[16];
	Clinic__V1__Patient p = rig_patient("S1", one->usubjid);
	Clinic__V1__DiagnosticReport d = rig_report("S1", one->usubjid, id);

	(void)snprintf(one->usubjid, sizeof(one->usubjid), "P%u", i);
	(void)snprintf(id, sizeof(id), "LB/P%u", i);
	cr_assert_eq(sem_init(&one->done, 0, 0), 0);
	cr_assert_eq(rig_put_patient(&rig, &p)->kind, CREATED);
	cr_assert_eq(rig_put_report(&rig, &d)->kind, CREATED);
}

Test(patient_detail, views_at_the_same_time_do_not_mix)
{
	static struct one ones[AT_ONCE];

	rig_start(&rig, NULL);
	for (unsigned i = 0; i < AT_ONCE; i++)
		put_own(&ones[i], i);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < AT_ONCE; i++) {
			Clinic__V1__GetPatientDetailRequest req = request();

			req.usubjid = ones[i].usubjid;
			patient_get_patient_detail_async(rig.to_patient, NULL, &req, check_own,
							 &ones[i]);
		}
		for (unsigned i = 0; i < AT_ONCE; i++) {
			AWAIT(&ones[i].done);
			cr_assert(ones[i].right, "round %u, %s", round, ones[i].usubjid);
		}
	}
	rig_stop(&rig);
}
