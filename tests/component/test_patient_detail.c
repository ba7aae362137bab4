/* SPDX-License-Identifier: Apache-2.0 */
/* The full view, with a report-svc that is well. */
#include "tests/component/detail.h"

#include "base/check.h"
#include "tests/lib/gate.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(patient_detail, .fini = leak_check, .timeout = 60);

Test(patient_detail, everything_is_there_when_both_services_are_well)
{
	Clinic__V1__GetPatientDetailRequest req = detail_request();
	const Clinic__V1__GetPatientDetailResponse *resp;

	rig_start(&detail_rig, NULL);
	detail_put_patient();
	detail_put_cases(2);
	detail_put_reports(3);
	resp = detail_get(&req);
	cr_assert(resp->complete);
	cr_assert_eq(resp->n_sections, 6);
	detail_check(resp, IDENTITY, STATE_OK, 1);
	detail_check(resp, CASES, STATE_OK, 2);
	detail_check(resp, MEDICATIONS, STATE_OK, 2);
	detail_check(resp, LAB_REPORTS, STATE_OK, 3);
	detail_check(resp, VITALS, STATE_OK, 3);
	detail_check(resp, VISITS, STATE_OK, 3);
	cr_assert_str_eq(resp->patient->site_name, "北京协和医院");
	cr_assert_str_eq(resp->patient->identity->family, "张");
	cr_assert_str_eq(resp->cases[0]->term, "头痛");
	cr_assert_str_eq(resp->medications[1]->trt, "阿司匹林");
	cr_assert_str_eq(resp->lab_reports[2]->report_id, "LB/2");
	cr_assert_str_eq(resp->vital_signs[0]->report_id, "VS/0");
	cr_assert_eq(resp->visits[1]->visit_num, 1);
	cr_assert_gt(detail_section(resp, LAB_REPORTS)->latency_us, 0);
	cr_assert_eq(ct_reply_meta(&detail_rig.reply)->timing->n_hops, 3,
		     "each leg is in the ledger");
	rig_stop(&detail_rig);
}

Test(patient_detail, only_what_is_asked_for_is_read_and_told)
{
	Clinic__V1__Section two[] = { CASES, VISITS };
	Clinic__V1__GetPatientDetailRequest req = detail_request();
	const Clinic__V1__GetPatientDetailResponse *resp = NULL;
	struct ct_server_stats before, after;
	unsigned tries = 0;

	rig_start(&detail_rig, NULL);
	detail_put_patient();
	detail_put_cases(1);
	detail_put_reports(1);
	req.sections = two;
	req.n_sections = 2;
	do { /* again when the one leg of it had not enough time */
		ct_server_stats(ct_service_host_server(detail_rig.report), &before);
		cr_assert_eq(detail_call(NULL, &req, &resp), CT_OK);
		ct_server_stats(ct_service_host_server(detail_rig.report), &after);
		cr_assert_leq(after.calls.received - before.calls.received, 1);
	} while (detail_section(resp, VISITS)->state == TIMEOUT && ++tries < 20);
	cr_assert_eq(after.calls.received - before.calls.received, 1);
	cr_assert_eq(resp->n_sections, 2);
	detail_check(resp, CASES, STATE_OK, 1);
	detail_check(resp, VISITS, STATE_OK, 1);
	cr_assert_null(resp->patient);
	cr_assert_eq(resp->n_lab_reports + resp->n_vital_signs + resp->n_medications, 0);
	cr_assert(resp->complete);

	two[1] = IDENTITY; /* nothing of report-svc */
	resp = detail_get(&req);
	ct_server_stats(ct_service_host_server(detail_rig.report), &before);
	cr_assert_eq(after.calls.received, before.calls.received);
	detail_check(resp, IDENTITY, STATE_OK, 1);

	two[1] = (Clinic__V1__Section)7;
	cr_assert_eq(detail_call(NULL, &req, &resp), CT_INVALID_ARGUMENT);
	rig_stop(&detail_rig);
}

Test(patient_detail, a_subject_of_two_studies_needs_its_study)
{
	Clinic__V1__Patient p = rig_patient("S2", "A");
	Clinic__V1__GetPatientDetailRequest req = detail_request();
	const Clinic__V1__GetPatientDetailResponse *resp = NULL;

	rig_start(&detail_rig, NULL);
	detail_put_patient();
	cr_assert_eq(rig_put_patient(&detail_rig, &p)->kind, CREATED);
	cr_assert_eq(detail_call(NULL, &req, &resp), CT_FAILED_PRECONDITION);
	req.study_id = "S2";
	cr_assert_str_eq(detail_get(&req)->patient->study_id, "S2");
	req.usubjid = "";
	cr_assert_eq(detail_call(NULL, &req, &resp), CT_INVALID_ARGUMENT);
	rig_stop(&detail_rig);
}

/* One report of each kind and one visit, of subject "A" in that study. */
static void put_reports_of(const char *study, char *lab_id, char *vitals_id, double visit_num)
{
	Clinic__V1__DiagnosticReport lab = rig_report(study, "A", lab_id),
				     vitals = rig_report(study, "A", vitals_id);
	Clinic__V1__Visit v = rig_visit(study, "A", visit_num, "2014");

	vitals.kind = CLINIC__V1__REPORT_KIND__VITAL_SIGNS;
	cr_assert_eq(rig_put_report(&detail_rig, &lab)->kind, CREATED);
	cr_assert_eq(rig_put_report(&detail_rig, &vitals)->kind, CREATED);
	cr_assert_eq(rig_put_visit(&detail_rig, &v)->kind, CREATED);
}

/* report-svc takes reports of subjects that patient-svc does not know. */
Test(patient_detail, what_another_study_has_of_the_same_usubjid_is_not_shown)
{
	Clinic__V1__GetPatientDetailRequest req = detail_request();
	const Clinic__V1__GetPatientDetailResponse *resp;

	rig_start(&detail_rig, NULL);
	detail_put_patient();
	put_reports_of("S2", "LB/2", "VS/2", 1);
	resp = detail_get(&req);
	cr_assert_str_eq(resp->patient->study_id, "S1");
	detail_check(resp, LAB_REPORTS, STATE_OK, 0);
	detail_check(resp, VITALS, STATE_OK, 0);
	detail_check(resp, VISITS, STATE_OK, 0);
	cr_assert_eq(resp->n_lab_reports + resp->n_vital_signs + resp->n_visits, 0);
	cr_assert(resp->complete);

	put_reports_of("S1", "LB/1", "VS/1", 2);
	put_reports_of("S3", "LB/3", "VS/3", 3);
	resp = detail_get(&req);
	detail_check(resp, LAB_REPORTS, STATE_OK, 1);
	detail_check(resp, VITALS, STATE_OK, 1);
	detail_check(resp, VISITS, STATE_OK, 1);
	cr_assert_str_eq(resp->lab_reports[0]->report_id, "LB/1");
	cr_assert_str_eq(resp->vital_signs[0]->report_id, "VS/1");
	cr_assert_eq(resp->visits[0]->visit_num, 2);
	cr_assert(resp->complete);

	req.max_per_section = 2; /* the third is beyond what was read: there may be more */
	resp = detail_get(&req);
	detail_check(resp, LAB_REPORTS, STATE_OK, 1);
	cr_assert(detail_section(resp, LAB_REPORTS)->truncated);
	cr_assert_not(resp->complete);
	req.study_id = "S1"; /* then nothing but its own is read */
	resp = detail_get(&req);
	detail_check(resp, VISITS, STATE_OK, 1);
	cr_assert(resp->complete);
	rig_stop(&detail_rig);
}

Test(patient_detail, long_lists_are_cut_and_say_so)
{
	static const char *const settings[] = { "detail.max_per_section=4", NULL };
	const struct rig_opts opts = { .patient_settings = settings };
	Clinic__V1__GetPatientDetailRequest req = detail_request();
	const Clinic__V1__GetPatientDetailResponse *resp;

	rig_start(&detail_rig, &opts);
	detail_put_patient();
	detail_put_cases(4);
	detail_put_reports(5);
	req.max_per_section = 2;
	resp = detail_get(&req);
	detail_check(resp, CASES, STATE_OK, 2);
	cr_assert(detail_section(resp, CASES)->truncated);
	detail_check(resp, LAB_REPORTS, STATE_OK, 2);
	cr_assert(detail_section(resp, LAB_REPORTS)->truncated);
	cr_assert(detail_section(resp, VISITS)->truncated);
	cr_assert_not(detail_section(resp, IDENTITY)->truncated);
	cr_assert_not(resp->complete);
	req.max_per_section = 100; /* more than the service gives */
	resp = detail_get(&req);
	detail_check(resp, CASES, STATE_OK, 4);
	cr_assert_not(detail_section(resp, CASES)->truncated);
	detail_check(resp, VITALS, STATE_OK, 4);
	cr_assert(detail_section(resp, VITALS)->truncated);
	rig_stop(&detail_rig);
}

Test(patient_detail, a_view_fits_in_a_message)
{
	static const char *const settings[] = { "net.msg_bytes_max=262144", NULL };
	const struct rig_opts opts = { .patient_settings = settings };
	Clinic__V1__GetPatientDetailRequest req = detail_request();
	const Clinic__V1__GetPatientDetailResponse *resp;
	static char text[4001];
	char id[16];

	rig_start(&detail_rig, &opts);
	detail_put_patient();
	memset(text, 'x', sizeof(text) - 1);
	for (unsigned i = 0; i < 100; i++) { /* some 200 kB of each kind */
		Clinic__V1__DiagnosticReport d = rig_report("S1", "A", id);

		(void)snprintf(id, sizeof(id), "r%u", i);
		d.kind = i % 2 == 0 ? CLINIC__V1__REPORT_KIND__LABORATORY
				    : CLINIC__V1__REPORT_KIND__VITAL_SIGNS;
		d.conclusion = text;
		cr_assert_eq(rig_put_report(&detail_rig, &d)->kind, CREATED);
	}
	resp = detail_get(&req);
	cr_assert_lt(clinic__v1__get_patient_detail_response__get_packed_size(resp),
		     262144 - 65536 + 1);
	cr_assert_eq(detail_section(resp, LAB_REPORTS)->count, resp->n_lab_reports);
	cr_assert(detail_section(resp, LAB_REPORTS)->truncated ||
		  detail_section(resp, VITALS)->truncated);
	cr_assert_gt(resp->n_lab_reports + resp->n_vital_signs, 40);
	rig_stop(&detail_rig);
}

enum { AT_ONCE = 16, ROUNDS = 20 };

struct one {
	char usubjid[16];
	bool right, whole; /* right: nothing of somebody else's */
	sem_t done;
};

static void check_own(void *arg, struct ct_reply *reply)
{
	struct one *one = arg;
	const Clinic__V1__GetPatientDetailResponse *resp = patient_get_patient_detail_response(
		reply);

	one->right = resp != NULL && resp->n_lab_reports <= 1 &&
		     strcmp(resp->patient->usubjid, one->usubjid) == 0 &&
		     (resp->n_lab_reports == 0 ||
		      strcmp(resp->lab_reports[0]->usubjid, one->usubjid) == 0);
	if (one->right && resp->complete && resp->n_lab_reports == 1)
		one->whole = true;
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
	cr_assert_eq(rig_put_patient(&detail_rig, &p)->kind, CREATED);
	cr_assert_eq(rig_put_report(&detail_rig, &d)->kind, CREATED);
}

Test(patient_detail, views_at_the_same_time_do_not_mix)
{
	static struct one ones[AT_ONCE];

	rig_start(&detail_rig, NULL);
	for (unsigned i = 0; i < AT_ONCE; i++)
		put_own(&ones[i], i);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < AT_ONCE; i++) {
			Clinic__V1__GetPatientDetailRequest req = detail_request();

			req.usubjid = ones[i].usubjid;
			patient_get_patient_detail_async(detail_rig.to_patient, NULL, &req,
							 check_own, &ones[i]);
		}
		for (unsigned i = 0; i < AT_ONCE; i++) {
			AWAIT(&ones[i].done);
			cr_assert(ones[i].right, "round %u, %s", round, ones[i].usubjid);
		}
	}
	for (unsigned i = 0; i < AT_ONCE; i++) /* a busy machine may take a leg's half second */
		cr_assert(ones[i].whole, "%s was never whole", ones[i].usubjid);
	rig_stop(&detail_rig);
}
