/* SPDX-License-Identifier: Apache-2.0 */
/* Looking subjects up, one and many. */
#include "tests/component/rig.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

TestSuite(patients, .fini = leak_check, .timeout = 60);

static struct rig rig;

static ct_status get(const char *study, const char *usubjid,
		     const Clinic__V1__Patient **ret_patient)
{
	Clinic__V1__GetPatientRequest req = CLINIC__V1__GET_PATIENT_REQUEST__INIT;
	ct_status st;

	req.study_id = (char *)(uintptr_t)study;
	req.usubjid = (char *)(uintptr_t)usubjid;
	st = rig_ask(&rig, rig.to_patient, &patient_get_patient_method, &req.base);
	if (st == CT_OK)
		*ret_patient = patient_get_patient_response(&rig.reply)->patient;
	return st;
}

static void put(const char *study, const char *usubjid)
{
	Clinic__V1__Patient p = rig_patient(study, usubjid);

	cr_assert_eq(rig_put_patient(&rig, &p)->kind, CREATED);
}

Test(patients, what_was_put_comes_back_to_the_last_field)
{
	Clinic__V1__PatientIdentity id = CLINIC__V1__PATIENT_IDENTITY__INIT;
	Clinic__V1__Patient p = rig_patient("研究一", "01-701-001");
	const Clinic__V1__Patient *back = NULL;

	rig_start(&rig, NULL);
	id.family = "张";
	id.given = "三";
	id.mrn = "M1";
	id.national_id = "110101199001011234";
	id.address = "北京市东城区";
	id.phone = "+86 10 1234";
	id.email = "z@example.org";
	p.identity = &id;
	p.subjid = "001";
	p.site_id = "协和";
	p.site_name = "北京协和医院";
	p.screening_no = "SCR-1";
	p.sex = "F";
	p.birth_date = "1950-03";
	p.maybe_age_case = CLINIC__V1__PATIENT__MAYBE_AGE_AGE;
	p.age = 63;
	p.age_unit = "YEARS";
	p.race = "ASIAN";
	p.ethnic = "NOT HISPANIC OR LATINO";
	p.country = "CHN";
	p.arm_cd = "Xan_Lo";
	p.arm = "Low Dose";
	p.actarm_cd = "Xan_Lo";
	p.status = CLINIC__V1__PATIENT__STATUS__ON_TREATMENT;
	p.consent_dtc = "2013";
	p.rfstdtc = "2014-01-02";
	p.rfendtc = "2014-07-02T10:30";
	p.dth_dtc = "";
	p.disposition = "COMPLETED";
	p.locale = "zh-CN";
	p.tz = "Asia/Shanghai";
	cr_assert_eq(rig_put_patient(&rig, &p)->kind, CREATED);
	p.version = 1;
	cr_assert_eq(get("", "01-701-001", &back), CT_OK);
	{
		uint8_t a[2048], b[2048];
		const size_t n = clinic__v1__patient__get_packed_size(&p);

		cr_assert_leq(n, sizeof(a));
		cr_assert_eq(clinic__v1__patient__get_packed_size(back), n);
		(void)clinic__v1__patient__pack(&p, a);
		(void)clinic__v1__patient__pack(back, b);
		cr_assert_arr_eq(a, b, n);
	}
	rig_stop(&rig);
}

Test(patients, an_unknown_subject_is_not_found)
{
	const Clinic__V1__Patient *p = NULL;

	rig_start(&rig, NULL);
	put("S1", "A");
	cr_assert_eq(get("", "B", &p), CT_NOT_FOUND);
	cr_assert_eq(get("S2", "A", &p), CT_NOT_FOUND);
	cr_assert_eq(get("S1", "A", &p), CT_OK);
	cr_assert_null(p->identity);
	rig_stop(&rig);
}

Test(patients, a_subject_of_two_studies_needs_its_study)
{
	const Clinic__V1__Patient *p = NULL;

	rig_start(&rig, NULL);
	put("S1", "A");
	put("S2", "A");
	cr_assert_eq(get("", "A", &p), CT_FAILED_PRECONDITION);
	cr_assert_eq(get("S2", "A", &p), CT_OK);
	cr_assert_str_eq(p->study_id, "S2");
	rig_stop(&rig);
}

Test(patients, a_bad_key_is_refused_before_the_store)
{
	const Clinic__V1__Patient *p = NULL;

	rig_start(&rig, NULL);
	cr_assert_eq(get("", "", &p), CT_INVALID_ARGUMENT);
	cr_assert_str_eq(rig.reply.message, "usubjid is missing");
	cr_assert_eq(get("", "a\xff", &p), CT_INVALID_ARGUMENT);
	cr_assert_eq(get("a\n", "A", &p), CT_INVALID_ARGUMENT);
	rig_stop(&rig);
}

/* ---- search ------------------------------------------------------------------------ */

static const Clinic__V1__SearchPatientsResponse *search(Clinic__V1__SearchPatientsRequest *req)
{
	cr_assert_eq(rig_ask(&rig, rig.to_patient, &patient_search_patients_method, &req->base),
		     CT_OK, "%s", rig.reply.message);
	return patient_search_patients_response(&rig.reply);
}

static void check_hits(const Clinic__V1__SearchPatientsResponse *resp, const char *usubjids)
{
	char got[256] = "";

	for (size_t i = 0; i < resp->n_patients; i++) {
		const size_t n = strlen(got);

		(void)snprintf(got + n, sizeof(got) - n, "%s%s", i > 0 ? " " : "",
			       resp->patients[i]->usubjid);
	}
	cr_assert_str_eq(got, usubjids);
}

static void find(const char *text, const char *usubjids)
{
	Clinic__V1__SearchPatientsRequest req = CLINIC__V1__SEARCH_PATIENTS_REQUEST__INIT;

	req.text = (char *)(uintptr_t)text;
	check_hits(search(&req), usubjids);
}

static void put_named(const char *usubjid, const char *family, const char *given)
{
	Clinic__V1__PatientIdentity id = CLINIC__V1__PATIENT_IDENTITY__INIT;
	Clinic__V1__Patient p = rig_patient("S1", usubjid);

	id.family = (char *)(uintptr_t)family;
	id.given = (char *)(uintptr_t)given;
	id.national_id = "110101199001011234";
	p.identity = &id;
	p.site_name = "北京协和医院";
	p.screening_no = "scr_1%";
	cr_assert_eq(rig_put_patient(&rig, &p)->kind, CREATED);
}

Test(patients, search_finds_parts_of_names_ids_and_sites_in_any_script)
{
	rig_start(&rig, NULL);
	put_named("S1-001", "张", "三");
	put_named("S1-002", "Wang", "Lei");
	put("S2", "S2-001");
	find("张三", "S1-001");
	find("三", "S1-001");
	find("三张", "");
	find("lei wang", "S1-002");
	find("WANG LEI", "S1-002");
	find("协和", "S1-001 S1-002");
	find("-001", "S1-001 S2-001");
	find("SCR_1%", "S1-001 S1-002");
	find("scr_2", "");
	find("%", "S1-001 S1-002"); /* a character like any other */
	find("_", "S1-001 S1-002");
	find("\\", "");
	find("|", "");
	find("wang|", "");
	find("110101", ""); /* a national id is not searched */
	rig_stop(&rig);
}

Test(patients, search_tells_the_name_and_nothing_else_of_the_identity)
{
	Clinic__V1__SearchPatientsRequest req = CLINIC__V1__SEARCH_PATIENTS_REQUEST__INIT;
	const Clinic__V1__SearchPatientsResponse *resp;

	rig_start(&rig, NULL);
	put_named("S1-001", "张", "三");
	req.text = "张";
	resp = search(&req);
	cr_assert_eq(resp->n_patients, 1);
	cr_assert_str_eq(resp->patients[0]->identity->family, "张");
	cr_assert_str_eq(resp->patients[0]->identity->given, "三");
	cr_assert_str_eq(resp->patients[0]->identity->national_id, "");
	rig_stop(&rig);
}

static void put_full(const char *study, const char *usubjid, const char *site, const char *arm,
		     Clinic__V1__Patient__Status status)
{
	Clinic__V1__Patient p = rig_patient(study, usubjid);

	p.site_id = (char *)(uintptr_t)site;
	p.arm_cd = (char *)(uintptr_t)arm;
	p.status = status;
	cr_assert_eq(rig_put_patient(&rig, &p)->kind, CREATED);
}

Test(patients, every_filter_that_is_set_must_hold)
{
	Clinic__V1__SearchPatientsRequest req = CLINIC__V1__SEARCH_PATIENTS_REQUEST__INIT;

	rig_start(&rig, NULL);
	put_full("S1", "a", "101", "PBO", CLINIC__V1__PATIENT__STATUS__ENROLLED);
	put_full("S1", "b", "102", "PBO", CLINIC__V1__PATIENT__STATUS__DIED);
	put_full("S1", "c", "102", "ACT", CLINIC__V1__PATIENT__STATUS__ENROLLED);
	put_full("S2", "d", "102", "ACT", CLINIC__V1__PATIENT__STATUS__ENROLLED);
	check_hits(search(&req), "a b c d");
	req.site_id = "102";
	check_hits(search(&req), "b c d");
	req.study_id = "S1";
	check_hits(search(&req), "b c");
	req.arm_cd = "ACT";
	check_hits(search(&req), "c");
	req.site_id = "";
	req.arm_cd = "";
	check_hits(search(&req), "a b c");
	req.status = CLINIC__V1__PATIENT__STATUS__ENROLLED;
	check_hits(search(&req), "a c");
	req.text = "A";
	check_hits(search(&req), "a");
	rig_stop(&rig);
}

/* Every patient once, in order, whichever way leads into the table. */
static void check_pages(const char *study, const char *site, const char *text)
{
	Clinic__V1__SearchPatientsRequest req = CLINIC__V1__SEARCH_PATIENTS_REQUEST__INIT;
	Clinic__V1__Page page = CLINIC__V1__PAGE__INIT;
	char *token = strdup(""), expected[16];
	unsigned seen = 0;

	req.study_id = (char *)(uintptr_t)study;
	req.site_id = (char *)(uintptr_t)site;
	req.text = (char *)(uintptr_t)text;
	req.page = &page;
	page.size = 3;
	do {
		const Clinic__V1__SearchPatientsResponse *resp;

		page.token = token;
		resp = search(&req);
		for (size_t i = 0; i < resp->n_patients; i++) {
			(void)snprintf(expected, sizeof(expected), "p%02u", seen++);
			cr_assert_str_eq(resp->patients[i]->usubjid, expected);
		}
		free(token);
		token = strdup(resp->next_token);
		cr_assert(resp->n_patients == 3 || token[0] == '\0');
	} while (token[0] != '\0');
	free(token);
	cr_assert_eq(seen, 10);
}

Test(patients, pages_show_everyone_once)
{
	char usubjid[16];

	rig_start(&rig, NULL);
	for (unsigned i = 0; i < 10; i++) {
		(void)snprintf(usubjid, sizeof(usubjid), "p%02u", 9 - i);
		put("S1", usubjid);
	}
	check_pages("", "", "");
	check_pages("S1", "", "");
	check_pages("S1", "101", "");
	check_pages("", "101", "p");
	rig_stop(&rig);
}

Test(patients, a_token_is_of_one_search)
{
	Clinic__V1__SearchPatientsRequest req = CLINIC__V1__SEARCH_PATIENTS_REQUEST__INIT;
	Clinic__V1__Page page = CLINIC__V1__PAGE__INIT;
	char *token;

	rig_start(&rig, NULL);
	put("S1", "a");
	put("S1", "b");
	req.page = &page;
	page.size = 1;
	token = strdup(search(&req)->next_token);
	page.token = token;
	check_hits(search(&req), "b");
	req.study_id = "S1";
	cr_assert_eq(rig_ask(&rig, rig.to_patient, &patient_search_patients_method, &req.base),
		     CT_INVALID_ARGUMENT);
	page.token = "no token";
	cr_assert_eq(rig_ask(&rig, rig.to_patient, &patient_search_patients_method, &req.base),
		     CT_INVALID_ARGUMENT);
	free(token);
	rig_stop(&rig);
}

Test(patients, a_page_ends_before_its_reply_is_too_large)
{
	static const char *const settings[] = { "net.msg_bytes_max=262144", "page.size_max=1000",
						NULL };
	enum { PATIENTS_N = 400 };
	Clinic__V1__SearchPatientsRequest req = CLINIC__V1__SEARCH_PATIENTS_REQUEST__INIT;
	Clinic__V1__Page page = CLINIC__V1__PAGE__INIT;
	const Clinic__V1__SearchPatientsResponse *resp;
	Clinic__V1__Patient p;
	char usubjid[16];

	rig_start(&rig, &(struct rig_opts){ .patient_settings = settings });
	for (unsigned i = 0; i < PATIENTS_N; i++) {
		(void)snprintf(usubjid, sizeof(usubjid), "p%03u", i);
		p = rig_patient("S1", usubjid);
		p.site_name =
			"很长的名字很长的名字很长的名字很长的名字很长的名字很长的名字很长的名字"
			"很长的名字很长的名字很长的名字很长的名字很长的名字很长的名字很长的名字"
			"很长的名字很长的名字很长的名字很长的名字很长的名字很长的名字很长的名字";
		p.arm = p.disposition = p.site_name;
		cr_assert_eq(rig_put_patient(&rig, &p)->kind, CREATED);
	}
	req.page = &page;
	page.size = 1000;
	resp = search(&req);
	cr_assert_gt(resp->n_patients, 100);
	cr_assert_lt(resp->n_patients, PATIENTS_N);
	cr_assert_str_neq(resp->next_token, "");
	rig_stop(&rig);
}

/* ---- stopping ------------------------------------------------------------------------- */

struct slow_search {
	struct ct_store *store;
	ct_status status; /* once it has ended */
	atomic_bool ended;
};

static bool reader_is_busy(void *arg)
{
	const struct slow_search *s = arg;
	struct ct_store_stats now;

	ct_store_stats(s->store, &now);
	return now.readers_busy > 0;
}

static bool reader_is_back(void *arg)
{
	const struct slow_search *s = arg;
	struct ct_store_stats now;

	ct_store_stats(s->store, &now);
	return now.readers_busy == 0;
}

static bool it_runs_or_has_ended(void *arg)
{
	const struct slow_search *s = arg;

	return reader_is_busy(arg) || atomic_load(&s->ended);
}

static bool it_has_ended(void *arg)
{
	const struct slow_search *s = arg;

	return atomic_load(&s->ended);
}

static void keep_status(void *arg, struct ct_reply *reply)
{
	struct slow_search *s = arg;

	s->status = reply->status;
	atomic_store(&s->ended, true);
}

/* A search that is cancelled while its statement runs. False: it had ended before. */
static bool cancel_stops(struct slow_search *s)
{
	Clinic__V1__SearchPatientsRequest req = CLINIC__V1__SEARCH_PATIENTS_REQUEST__INIT;
	struct ct_store_stats before, after;
	struct ct_ctx *ctx = NULL;

	ct_store_stats(s->store, &before);
	atomic_store(&s->ended, false);
	cr_assert_eq(ct_ctx_new_root(rig.rt.timers, CT_NEVER, &ctx), CT_OK);
	req.text = "nobody has this name";
	patient_search_patients_async(rig.to_patient, ctx, &req, keep_status, s);
	cr_assert(rig_await(it_runs_or_has_ended, s));
	(void)ct_ctx_cancel(ctx, CT_CANCEL_CALLER);
	cr_assert(rig_await(it_has_ended, s));
	cr_assert(rig_await(reader_is_back, s));
	ct_store_stats(s->store, &after);
	ct_ctx_unref(ctx);
	return s->status == CT_CANCELLED && after.reads_cancelled == before.reads_cancelled + 1;
}

Test(patients, a_cancel_stops_the_statement_that_runs)
{
	enum { TRIES = 30 };
	struct slow_search s;
	bool stopped = false;

	rig_start(&rig, NULL);
	s.store = rig_patient_store(&rig);
	rig_sql(s.store,
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)"
		" INSERT INTO patients SELECT 'S1', 'p' || i, '', '101', '', '', '', '', NULL, '',"
		" '', '', '', '', '', '', 0, '', '', '', '', '', '', '', 1 FROM n");
	for (unsigned i = 0; i < TRIES && !stopped; i++) /* a busy machine may be late at any */
		stopped = cancel_stops(&s);
	cr_assert(stopped, "the search ran to its end, %d times", TRIES);
	rig_stop(&rig);
}
