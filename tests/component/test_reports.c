/* SPDX-License-Identifier: Apache-2.0 */
/* Reports and visits of a subject: what is listed, in which order, page by page. */
#include "tests/component/rig.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(reports, .fini = leak_check, .timeout = 60);

static struct rig rig;

static const Clinic__V1__GetReportsResponse *get(Clinic__V1__GetReportsRequest *req)
{
	cr_assert_eq(rig_ask(&rig, rig.to_report, &report_get_reports_method, &req->base), CT_OK,
		     "%s", rig.reply.message);
	return report_get_reports_response(&rig.reply);
}

static void put(const char *id, Clinic__V1__ReportKind kind, const char *category, const char *dtc)
{
	Clinic__V1__DiagnosticReport d = rig_report("S1", "A", id);

	d.kind = kind;
	d.category = (char *)(uintptr_t)category;
	d.effective_dtc = (char *)(uintptr_t)dtc;
	cr_assert_eq(rig_put_report(&rig, &d)->kind, CREATED);
}

static void check_ids(const Clinic__V1__GetReportsResponse *resp, const char *ids)
{
	char got[256] = "";

	for (size_t i = 0; i < resp->n_reports; i++) {
		const size_t n = strlen(got);

		(void)snprintf(got + n, sizeof(got) - n, "%s%s", i > 0 ? " " : "",
			       resp->reports[i]->report_id);
	}
	cr_assert_str_eq(got, ids);
}

static Clinic__V1__GetReportsRequest request(void)
{
	Clinic__V1__GetReportsRequest req = CLINIC__V1__GET_REPORTS_REQUEST__INIT;

	req.usubjid = "A";
	return req;
}

#define LAB CLINIC__V1__REPORT_KIND__LABORATORY
#define VITAL CLINIC__V1__REPORT_KIND__VITAL_SIGNS

Test(reports, results_come_back_as_they_were_written)
{
	Clinic__V1__DiagnosticReport d = rig_report("S1", "A", "LB/1");
	Clinic__V1__Observation a = CLINIC__V1__OBSERVATION__INIT,
				b = CLINIC__V1__OBSERVATION__INIT, *list[] = { &a, &b };
	Clinic__V1__GetReportsRequest req = request();
	const Clinic__V1__DiagnosticReport *back;

	rig_start(&rig, NULL);
	a.testcd = "CRP";
	a.orres = "<0.2";
	a.stresc = "<0.2";
	b.testcd = "TEMP";
	b.orres = "098.6";
	b.maybe_stresn_case = CLINIC__V1__OBSERVATION__MAYBE_STRESN_STRESN;
	b.stresn = 98.6;
	b.specimen = "NA";
	d.results = list;
	d.n_results = 2;
	d.conclusion = "正常";
	d.maybe_visit_num_case = CLINIC__V1__DIAGNOSTIC_REPORT__MAYBE_VISIT_NUM_VISIT_NUM;
	d.visit_num = 1.1;
	cr_assert_eq(rig_put_report(&rig, &d)->kind, CREATED);
	back = get(&req)->reports[0];
	cr_assert_eq(back->n_results, 2);
	cr_assert_str_eq(back->results[0]->orres, "<0.2");
	cr_assert_eq(back->results[0]->maybe_stresn_case,
		     CLINIC__V1__OBSERVATION__MAYBE_STRESN__NOT_SET);
	cr_assert_str_eq(back->results[1]->orres, "098.6");
	cr_assert_eq(back->results[1]->stresn, 98.6);
	cr_assert_str_eq(back->results[1]->specimen, "NA");
	cr_assert_str_eq(back->conclusion, "正常");
	cr_assert_eq(back->visit_num, 1.1);
	cr_assert_eq(back->version, 1);
	rig_stop(&rig);
}

Test(reports, the_list_is_of_one_subject_by_time_and_filters_by_kind_and_category)
{
	Clinic__V1__ReportKind kinds[] = { VITAL };
	char *categories[] = { "URINALYSIS", "CHEMISTRY" };
	Clinic__V1__GetReportsRequest req = request();
	Clinic__V1__DiagnosticReport other = rig_report("S1", "B", "b");

	rig_start(&rig, NULL);
	put("3", LAB, "CHEMISTRY", "2014-03-01");
	put("1", LAB, "HEMATOLOGY", "2014-01-01T08:00");
	put("2", VITAL, "", "2014-02");
	put("4", LAB, "URINALYSIS", "2014-03-01");
	cr_assert_eq(rig_put_report(&rig, &other)->kind, CREATED);
	check_ids(get(&req), "1 2 3 4");
	req.kinds = kinds;
	req.n_kinds = 1;
	check_ids(get(&req), "2");
	req.n_kinds = 0;
	req.categories = categories;
	req.n_categories = 2;
	check_ids(get(&req), "3 4");
	req.study_id = "S2";
	check_ids(get(&req), "");
	rig_stop(&rig);
}

Test(reports, since_leaves_out_only_what_is_certainly_earlier)
{
	Clinic__V1__GetReportsRequest req = request();

	rig_start(&rig, NULL);
	put("year", LAB, "", "2014");
	put("month", LAB, "", "2014-02");
	put("day", LAB, "", "2014-02-10");
	put("time", LAB, "", "2014-02-10T09:00");
	put("none", LAB, "", "");
	put("some-17th", LAB, "", "2014---17");
	req.since = "2013";
	check_ids(get(&req), "none year some-17th month day time");
	req.since = "2014-02-10T10:00";
	check_ids(get(&req), "none year some-17th month day");
	req.since = "2014-02-11";
	check_ids(get(&req), "none year some-17th month");
	req.since = "2014-03";
	check_ids(get(&req), "none year some-17th");
	req.since = "2014-12-18";
	check_ids(get(&req), "none year");
	req.since = "2015";
	check_ids(get(&req), "none");
	rig_stop(&rig);
}

static void refused(Clinic__V1__GetReportsRequest *req)
{
	cr_assert_eq(rig_ask(&rig, rig.to_report, &report_get_reports_method, &req->base),
		     CT_INVALID_ARGUMENT);
}

Test(reports, what_cannot_be_asked_is_refused)
{
	Clinic__V1__ReportKind kinds[] = { (Clinic__V1__ReportKind)9 };
	char *categories[9] = { "1", "2", "3", "4", "5", "6", "7", "8", "9" };
	Clinic__V1__GetReportsRequest req = request();
	Clinic__V1__Page page = CLINIC__V1__PAGE__INIT;

	rig_start(&rig, NULL);
	req.usubjid = "";
	refused(&req);
	req = request();
	req.since = "2014-02-30";
	refused(&req);
	req = request();
	req.kinds = kinds;
	req.n_kinds = 1;
	refused(&req);
	req = request();
	req.categories = categories;
	req.n_categories = 9;
	refused(&req);
	req = request();
	req.page = &page;
	page.token = "ffff";
	refused(&req);
	rig_stop(&rig);
}

Test(reports, pages_show_every_report_once)
{
	Clinic__V1__GetReportsRequest req = request();
	Clinic__V1__Page page = CLINIC__V1__PAGE__INIT;
	char *token = strdup(""), id[16];
	unsigned seen = 0;

	rig_start(&rig, NULL);
	for (unsigned i = 0; i < 10; i++) { /* pairs of one time: the id decides */
		static const char *const times[] = { "2014-01", "2014-02", "2014-03", "2014-04",
						     "" };

		(void)snprintf(id, sizeof(id), "r%u", i);
		put(id, LAB, "", times[i / 2]);
	}
	req.page = &page;
	page.size = 3;
	do {
		const Clinic__V1__GetReportsResponse *resp;

		page.token = token;
		resp = get(&req);
		for (size_t i = 0; i < resp->n_reports; i++, seen++) {
			(void)snprintf(id, sizeof(id), "r%u", (seen + 8) % 10); /* no time first */
			cr_assert_str_eq(resp->reports[i]->report_id, id);
		}
		free(token);
		token = strdup(resp->next_token);
	} while (token[0] != '\0');
	free(token);
	cr_assert_eq(seen, 10);
	rig_stop(&rig);
}

Test(reports, a_page_ends_before_its_reply_is_too_large)
{
	static const char *const settings[] = { "net.msg_bytes_max=262144", NULL };
	Clinic__V1__GetReportsRequest req = request();
	Clinic__V1__Page page = CLINIC__V1__PAGE__INIT;
	const Clinic__V1__GetReportsResponse *resp;
	static char text[4001];
	char id[16];

	rig_start(&rig, &(struct rig_opts){ .report_settings = settings });
	memset(text, 'x', sizeof(text) - 1);
	for (unsigned i = 0; i < 100; i++) {
		Clinic__V1__DiagnosticReport d = rig_report("S1", "A", id);

		(void)snprintf(id, sizeof(id), "r%02u", i);
		d.conclusion = text;
		cr_assert_eq(rig_put_report(&rig, &d)->kind, CREATED);
	}
	req.page = &page;
	page.size = 1000;
	resp = get(&req);
	cr_assert_gt(resp->n_reports, 30);
	cr_assert_lt(resp->n_reports, 60);
	cr_assert_str_neq(resp->next_token, "");
	rig_stop(&rig);
}

/* ---- visits --------------------------------------------------------------------------- */

static void put_visit(double num, const char *start)
{
	Clinic__V1__Visit v = rig_visit("S1", "A", num, start);

	cr_assert_eq(rig_put_visit(&rig, &v)->kind, CREATED);
}

Test(reports, visits_come_by_number_and_start_page_by_page)
{
	static const struct {
		double num;
		const char *start;
	} expected[] = { { 1, "2014-01-01" },   { 1.1, "2014-01-05" }, { 3, "" },
			 { 9.2, "2013-06-22" }, { 9.2, "2013-09-22" }, { 12, "2014" } };
	Clinic__V1__GetVisitsRequest req = CLINIC__V1__GET_VISITS_REQUEST__INIT;
	Clinic__V1__Page page = CLINIC__V1__PAGE__INIT;
	const Clinic__V1__GetVisitsResponse *resp = NULL;
	char *token = strdup("");
	size_t seen = 0;

	rig_start(&rig, NULL);
	for (size_t i = CT_ARRAY_N(expected); i-- > 0;)
		put_visit(expected[i].num, expected[i].start);
	req.usubjid = "A";
	req.page = &page;
	page.size = 2;
	do {
		page.token = token;
		cr_assert_eq(rig_ask(&rig, rig.to_report, &report_get_visits_method, &req.base),
			     CT_OK);
		resp = report_get_visits_response(&rig.reply);
		for (size_t i = 0; i < resp->n_visits; i++, seen++) {
			cr_assert_eq(resp->visits[i]->visit_num, expected[seen].num);
			cr_assert_str_eq(resp->visits[i]->start_dtc, expected[seen].start);
		}
		free(token);
		token = strdup(resp->next_token);
	} while (token[0] != '\0');
	free(token);
	cr_assert_eq(seen, CT_ARRAY_N(expected));
	req.page = NULL;
	req.study_id = "S2";
	cr_assert_eq(rig_ask(&rig, rig.to_report, &report_get_visits_method, &req.base), CT_OK);
	resp = report_get_visits_response(&rig.reply);
	cr_assert_eq(resp->n_visits, 0);
	rig_stop(&rig);
}
