/* SPDX-License-Identifier: Apache-2.0 */
/* Batches: what becomes of each item, and what a second time changes. */
#include "tests/component/rig.h"

#include "base/mem.h"
#include "clinic/handlers/put.h"
#include "report-svc/app.h"
#include "report-svc/domain/report.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(put, .fini = leak_check, .timeout = 60);

static struct rig rig;

static void check(const Clinic__V1__ItemOutcome *o, Clinic__V1__ItemOutcome__Kind kind,
		  uint64_t version)
{
	cr_assert_eq(o->kind, kind, "%d %s", (int)o->kind, o->message);
	cr_assert_eq(o->version, version);
}

static void check_rejected(const Clinic__V1__ItemOutcome *o, ct_status code, const char *field)
{
	cr_assert_eq(o->kind, REJECTED);
	cr_assert_eq(o->code, (int)code);
	cr_assert_str_eq(o->field, field);
	cr_assert_str_neq(o->message, "");
}

Test(put, a_patient_is_created_left_alone_and_updated)
{
	Clinic__V1__Patient p = rig_patient("S1", "S1-001");
	const Clinic__V1__ItemOutcome *o;

	rig_start(&rig, NULL);
	o = rig_put_patient(&rig, &p);
	check(o, CREATED, 1);
	cr_assert_str_eq(o->key, "S1/S1-001");
	check(rig_put_patient(&rig, &p), UNCHANGED, 1);
	p.arm_cd = "PBO";
	check(rig_put_patient(&rig, &p), UPDATED, 2);
	check(rig_put_patient(&rig, &p), UNCHANGED, 2);
	p.maybe_age_case = CLINIC__V1__PATIENT__MAYBE_AGE_AGE; /* from absent to 0 */
	check(rig_put_patient(&rig, &p), UPDATED, 3);
	p.version = 77; /* the service's own: not looked at */
	check(rig_put_patient(&rig, &p), UNCHANGED, 3);
	rig_stop(&rig);
}

Test(put, an_identity_stays_when_none_is_sent_and_counts_as_a_change_when_it_differs)
{
	Clinic__V1__PatientIdentity id = CLINIC__V1__PATIENT_IDENTITY__INIT;
	Clinic__V1__Patient p = rig_patient("S1", "S1-001");

	rig_start(&rig, NULL);
	id.family = "张";
	id.given = "三";
	p.identity = &id;
	check(rig_put_patient(&rig, &p), CREATED, 1);
	p.identity = NULL;
	check(rig_put_patient(&rig, &p), UNCHANGED, 1);
	cr_assert_eq(rig_sql_number(rig_patient_store(&rig),
				    "SELECT count(*) FROM patient_identity WHERE family = '张'"),
		     1);
	p.identity = &id;
	id.phone = "010-1234";
	check(rig_put_patient(&rig, &p), UPDATED, 2);
	check(rig_put_patient(&rig, &p), UNCHANGED, 2);
	rig_stop(&rig);
}

Test(put, a_second_time_writes_nothing)
{
	Clinic__V1__Patient p = rig_patient("S1", "S1-001");
	Clinic__V1__CaseRecord c = rig_case("S1", "S1-001", 1);
	Clinic__V1__Medication m = rig_medication("S1", "S1-001", 1);
	Clinic__V1__DiagnosticReport d = rig_report("S1", "S1-001", "LB/1");
	Clinic__V1__Visit v = rig_visit("S1", "S1-001", 1.1, "2014-01");
	int64_t before;

	rig_start(&rig, NULL);
	check(rig_put_patient(&rig, &p), CREATED, 1);
	check(rig_put_case(&rig, &c), CREATED, 1);
	check(rig_put_medication(&rig, &m), CREATED, 1);
	check(rig_put_report(&rig, &d), CREATED, 1);
	check(rig_put_visit(&rig, &v), CREATED, 1);
	before = rig_sql_number(rig_patient_store(&rig), "SELECT sum(version) FROM medications");
	check(rig_put_patient(&rig, &p), UNCHANGED, 1);
	check(rig_put_case(&rig, &c), UNCHANGED, 1);
	check(rig_put_medication(&rig, &m), UNCHANGED, 1);
	check(rig_put_report(&rig, &d), UNCHANGED, 1);
	check(rig_put_visit(&rig, &v), UNCHANGED, 1);
	cr_assert_eq(
		rig_sql_number(rig_patient_store(&rig), "SELECT sum(version) FROM medications"),
		before);
	c.severity = "MILD";
	check(rig_put_case(&rig, &c), UPDATED, 2);
	m.ongoing = true;
	check(rig_put_medication(&rig, &m), UPDATED, 2);
	d.conclusion = "正常";
	check(rig_put_report(&rig, &d), UPDATED, 2);
	v.maybe_visit_dy_case = CLINIC__V1__VISIT__MAYBE_VISIT_DY_VISIT_DY;
	v.visit_dy = -7;
	check(rig_put_visit(&rig, &v), UPDATED, 2);
	rig_stop(&rig);
}

Test(put, one_bad_item_does_not_undo_its_neighbours)
{
	Clinic__V1__Patient a = rig_patient("S1", "A"), b = rig_patient("S1", "B"),
			    c = rig_patient("S1", "C"), *list[] = { &a, &b, &c, &a };
	Clinic__V1__PutPatientsRequest req = CLINIC__V1__PUT_PATIENTS_REQUEST__INIT;
	const Clinic__V1__PutPatientsResponse *resp = NULL;

	rig_start(&rig, NULL);
	b.birth_date = "2013-02-30";
	req.patients = list;
	req.n_patients = 4;
	cr_assert_eq(patient_put_patients(rig.to_patient, NULL, &req, &rig.reply, &resp), CT_OK);
	cr_assert_eq(resp->n_outcomes, 4);
	check(resp->outcomes[0], CREATED, 1);
	check_rejected(resp->outcomes[1], CT_INVALID_ARGUMENT, "birth_date");
	cr_assert_eq(resp->outcomes[1]->index, 1);
	cr_assert_str_eq(resp->outcomes[1]->key, "S1/B");
	check(resp->outcomes[2], CREATED, 1);
	check(resp->outcomes[3], UNCHANGED, 1); /* the first one again */
	cr_assert_eq(rig_sql_number(rig_patient_store(&rig), "SELECT count(*) FROM patients"), 2);
	rig_stop(&rig);
}

Test(put, records_of_an_unknown_subject_are_rejected_one_by_one)
{
	Clinic__V1__Patient p = rig_patient("S1", "S1-001");
	Clinic__V1__CaseRecord c = rig_case("S1", "S1-002", 1);
	Clinic__V1__Medication m = rig_medication("S2", "S1-001", 1);

	rig_start(&rig, NULL);
	check(rig_put_patient(&rig, &p), CREATED, 1);
	check_rejected(rig_put_case(&rig, &c), CT_NOT_FOUND, "usubjid");
	check_rejected(rig_put_medication(&rig, &m), CT_NOT_FOUND, "usubjid");
	c = rig_case("S1", "S1-001", 1);
	check(rig_put_case(&rig, &c), CREATED, 1);
	rig_stop(&rig);
}

Test(put, report_svc_takes_reports_of_subjects_it_does_not_know)
{
	Clinic__V1__DiagnosticReport d = rig_report("S1", "nobody", "LB/1");
	Clinic__V1__Visit v = rig_visit("S1", "nobody", 1, "2014");

	rig_start(&rig, NULL);
	check(rig_put_report(&rig, &d), CREATED, 1);
	check(rig_put_visit(&rig, &v), CREATED, 1);
	rig_stop(&rig);
}

Test(put, a_report_cannot_change_its_subject)
{
	Clinic__V1__DiagnosticReport d = rig_report("S1", "S1-001", "LB/1");

	rig_start(&rig, NULL);
	check(rig_put_report(&rig, &d), CREATED, 1);
	d.usubjid = "S1-002";
	check_rejected(rig_put_report(&rig, &d), CT_ALREADY_EXISTS, "report_id");
	d.usubjid = "S1-001";
	d.study_id = "S2";
	check_rejected(rig_put_report(&rig, &d), CT_ALREADY_EXISTS, "report_id");
	cr_assert_eq(rig_sql_number(rig_report_store(&rig),
				    "SELECT count(*) FROM reports WHERE usubjid = 'S1-001'"),
		     1);
	rig_stop(&rig);
}

Test(put, two_visits_of_one_number_are_two)
{
	Clinic__V1__Visit a = rig_visit("S1", "S1-001", 9.2, "2013-06-22"),
			  b = rig_visit("S1", "S1-001", 9.2, "2013-09-22");

	rig_start(&rig, NULL);
	check(rig_put_visit(&rig, &a), CREATED, 1);
	check(rig_put_visit(&rig, &b), CREATED, 1);
	rig_stop(&rig);
}

Test(put, a_batch_with_too_many_items_is_refused_whole)
{
	static const char *const settings[] = { "put.items_max=2", NULL };
	Clinic__V1__Patient a = rig_patient("S1", "A"), *list[] = { &a, &a, &a };
	Clinic__V1__PutPatientsRequest req = CLINIC__V1__PUT_PATIENTS_REQUEST__INIT;
	const Clinic__V1__PutPatientsResponse *resp = NULL;

	rig_start(&rig, &(struct rig_opts){ .patient_settings = settings });
	req.patients = list;
	req.n_patients = 3;
	cr_assert_eq(patient_put_patients(rig.to_patient, NULL, &req, &rig.reply, &resp),
		     CT_INVALID_ARGUMENT);
	cr_assert_eq(rig_sql_number(rig_patient_store(&rig), "SELECT count(*) FROM patients"), 0);
	req.n_patients = 2;
	cr_assert_eq(patient_put_patients(rig.to_patient, NULL, &req, &rig.reply, &resp), CT_OK);
	req.n_patients = 0;
	cr_assert_eq(patient_put_patients(rig.to_patient, NULL, &req, &rig.reply, &resp), CT_OK);
	cr_assert_eq(resp->n_outcomes, 0);
	rig_stop(&rig);
}

/* n results of size - 1 characters each. */
static void heavy_results(Clinic__V1__DiagnosticReport *d, Clinic__V1__Observation *results,
			  Clinic__V1__Observation **list, size_t n, char *text, size_t size)
{
	memset(text, 'x', size - 1);
	for (size_t i = 0; i < n; i++) {
		clinic__v1__observation__init(&results[i]);
		results[i].testcd = "GLUC";
		results[i].orres = text;
		list[i] = &results[i];
	}
	d->results = list;
	d->n_results = n;
}

Test(put, a_report_that_is_too_heavy_is_rejected)
{
	static const char *const settings[] = { "net.msg_bytes_max=262144", NULL };
	enum { RESULTS_N = 600 };
	static Clinic__V1__Observation results[RESULTS_N], *list[RESULTS_N];
	Clinic__V1__DiagnosticReport d = rig_report("S1", "S1-001", "LB/1");
	static char text[201];

	rig_start(&rig, &(struct rig_opts){ .report_settings = settings });
	heavy_results(&d, results, list, RESULTS_N, text, sizeof(text)); /* some 120 kB of 256 */
	check_rejected(rig_put_report(&rig, &d), CT_INVALID_ARGUMENT, "results");
	d.n_results = 100;
	check(rig_put_report(&rig, &d), CREATED, 1);
	rig_stop(&rig);
}

/* The n-th allocation fails, of whatever part of the way; true when the report itself
 * was turned away. */
static bool put_without_memory(Clinic__V1__DiagnosticReport *d, uint64_t n)
{
	Clinic__V1__PutReportsRequest req = CLINIC__V1__PUT_REPORTS_REQUEST__INIT;
	const Clinic__V1__PutReportsResponse *resp = NULL;
	ct_status st;

	req.reports = &d;
	req.n_reports = 1;
	ct_mem_fail_nth(n);
	st = report_put_reports(rig.to_report, NULL, &req, &rig.reply, &resp);
	ct_mem_fail_nth(0);
	if (st != CT_OK || resp->outcomes[0]->kind != REJECTED)
		return false;
	cr_assert_eq(resp->outcomes[0]->code, (int)CT_RESOURCE_EXHAUSTED, "allocation %u: %s",
		     (unsigned)n, resp->outcomes[0]->message);
	return true;
}

Test(put, a_report_for_which_there_is_no_memory_may_be_sent_again)
{
	enum { RESULTS_N = 600, TURNS = 100 };
	static Clinic__V1__Observation results[RESULTS_N], *list[RESULTS_N];
	Clinic__V1__DiagnosticReport d = rig_report("S1", "S1-001", "LB/1");
	static char text[201];
	unsigned turned_away = 0;

	rig_start(&rig, NULL);
	heavy_results(&d, results, list, RESULTS_N, text, sizeof(text)); /* a piece of its own */
	for (uint64_t n = 1; n <= TURNS; n++)
		turned_away += put_without_memory(&d, n);
	cr_assert_gt(turned_away, 0);
	cr_assert_neq(rig_put_report(&rig, &d)->kind, REJECTED);
	rig_stop(&rig);
}

Test(put, a_full_disk_fails_the_batch_and_keeps_nothing_of_it)
{
	static const char *const settings[] = { "store.size_max_pages=40", NULL };
	enum { ITEMS_N = 500 };
	static Clinic__V1__DiagnosticReport reports[ITEMS_N], *list[ITEMS_N];
	static char ids[ITEMS_N][16], text[1001];
	Clinic__V1__PutReportsRequest req = CLINIC__V1__PUT_REPORTS_REQUEST__INIT;
	const Clinic__V1__PutReportsResponse *resp = NULL;

	rig_start(&rig, &(struct rig_opts){ .report_settings = settings });
	memset(text, 'x', sizeof(text) - 1);
	for (int i = 0; i < ITEMS_N; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "LB/%d", i);
		reports[i] = rig_report("S1", "S1-001", ids[i]);
		reports[i].conclusion = text;
		list[i] = &reports[i];
	}
	req.reports = list;
	req.n_reports = ITEMS_N;
	cr_assert_eq(report_put_reports(rig.to_report, NULL, &req, &rig.reply, &resp),
		     CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(rig_sql_number(rig_report_store(&rig), "SELECT count(*) FROM reports"), 0);
	req.n_reports = 1;
	cr_assert_eq(report_put_reports(rig.to_report, NULL, &req, &rig.reply, &resp), CT_OK,
		     "what fits is still taken");
	rig_stop(&rig);
}

/* ---- a caller who gives up ----------------------------------------------------------- */

enum { GIVEN_UP_AT = 3 };

static unsigned checked;

/* Rejects all, so that nothing is stored, and is given up at one of the first. */
static bool check_until_given_up(struct clinic_put *p, size_t i, struct clinic_issue *ret_issue)
{
	checked++;
	if (i == GIVEN_UP_AT)
		(void)ct_ctx_cancel(ct_call_ctx(clinic_put_call(p)), CT_CANCEL_CALLER);
	return clinic_issue_set(ret_issue, CT_INVALID_ARGUMENT, "report_id", "it is a test");
}

static void reply_reports(struct ct_call *call, Clinic__V1__ItemOutcome **outcomes, size_t n)
{
	Clinic__V1__PutReportsResponse resp = CLINIC__V1__PUT_REPORTS_RESPONSE__INIT;

	resp.outcomes = outcomes;
	resp.n_outcomes = n;
	report_put_reports_reply(call, &resp);
}

static void put_given_up(struct ct_call *call, const Clinic__V1__PutReportsRequest *req)
{
	static const struct clinic_put_type type = { .fields = &rsvc_report_fields,
						     .check = check_until_given_up,
						     .reply = reply_reports };

	clinic_put_run(call, &(struct clinic_put_opts){ .type = &type,
							.items = req->reports,
							.items_n = req->n_reports,
							.items_max = 1000,
							.log = rig.log });
}

static ct_status start_given_up(const struct ct_service_env *env, struct ct_service_why *why,
				void **ret_app)
{
	static const struct report_handlers handlers = { .put_reports = put_given_up };

	(void)why;
	*ret_app = NULL;
	return report_register(env->server, &handlers, NULL);
}

static void stop_given_up(void *app)
{
	(void)app;
}

Test(put, items_of_a_caller_who_gave_up_are_not_looked_at)
{
	enum { ITEMS_N = 500 };
	static const struct ct_service service = { .name = "given-up",
						   .version = "0",
						   .summary = "",
						   .schema = &rsvc_conf_schema,
						   .start = start_given_up,
						   .stop = stop_given_up };
	Clinic__V1__DiagnosticReport d = rig_report("S1", "S1-001", "LB/1"), *list[ITEMS_N];
	Clinic__V1__PutReportsRequest req = CLINIC__V1__PUT_REPORTS_REQUEST__INIT;
	const Clinic__V1__PutReportsResponse *resp = NULL;

	rig_start(&rig, &(struct rig_opts){ .report = &service });
	for (int i = 0; i < ITEMS_N; i++)
		list[i] = &d;
	req.reports = list;
	req.n_reports = ITEMS_N;
	cr_assert_eq(report_put_reports(rig.to_report, NULL, &req, &rig.reply, &resp),
		     CT_CANCELLED);
	rig_stop(&rig);
	cr_assert_eq(checked, GIVEN_UP_AT + 1);
}

/* ---- two replicas of report-svc on one database ------------------------------------ */

static struct ct_service_host *second_report_svc(struct rsvc_conf *conf)
{
	char path[160];
	const char *settings[] = { "server.listen=tcp://127.0.0.1:0", path };
	const struct ct_conf_source src = { NULL, settings, CT_ARRAY_N(settings) };
	struct ct_service_host *h = NULL;
	struct ct_conf_report report;
	struct ct_service_why why;

	(void)snprintf(path, sizeof(path), "store.path=%s", rig.report_conf.store.path);
	cr_assert_eq(ct_conf_load(&rsvc_conf_schema, &src, conf, &report), CT_OK, "%s",
		     report.text);
	cr_assert_eq(ct_service_host_new(&rsvc_service, conf, rig.log, &why, &h), CT_OK, "%s",
		     why.text);
	return h;
}

Test(put, two_replicas_on_one_database_lose_no_update)
{
	enum { ROUNDS = 50 };
	Clinic__V1__DiagnosticReport d = rig_report("S1", "S1-001", "LB/1");
	struct rsvc_conf conf = { .page_size = 0 };
	struct ct_client *first, *second = NULL;
	struct ct_service_host *other;
	char text[16];
	const char *url, *why;

	rig_start(&rig, NULL);
	other = second_report_svc(&conf);
	url = ct_server_url(ct_service_host_server(other), 0);
	cr_assert_eq(ct_client_new(
			     &(struct ct_client_opts){
				     .rt = &rig.rt, .peer = "report", .urls = &url, .urls_n = 1 },
			     &second, &why),
		     CT_OK);
	first = rig.to_report;
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		(void)snprintf(text, sizeof(text), "%u", (unsigned)i % 1000);
		d.conclusion = text;
		rig.to_report = i % 2 == 0 ? first : second;
		check(rig_put_report(&rig, &d), i == 1 ? CREATED : UPDATED, i);
		rig.to_report = i % 2 == 0 ? second : first;
		check(rig_put_report(&rig, &d), UNCHANGED, i);
	}
	rig.to_report = first;
	second = ct_client_free(second);
	other = ct_service_host_free(other);
	ct_conf_fini(&rsvc_conf_schema, &conf);
	rig_stop(&rig);
}
