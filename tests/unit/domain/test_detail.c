/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-svc/domain/detail.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(detail, .fini = leak_check, .timeout = 60);

Test(detail, no_list_of_sections_means_all)
{
	const Clinic__V1__Section two[] = { CLINIC__V1__SECTION__VISITS,
					    CLINIC__V1__SECTION__CASES };
	const Clinic__V1__Section bad[] = { CLINIC__V1__SECTION__VISITS, (Clinic__V1__Section)7 };
	const Clinic__V1__Section none[] = { CLINIC__V1__SECTION__SECTION_UNSPECIFIED };
	uint32_t mask = 0;

	cr_assert(psvc_sections_asked(NULL, 0, &mask));
	cr_assert_eq(mask, 0x7e);
	cr_assert(psvc_sections_asked(two, 2, &mask));
	cr_assert_eq(mask, PSVC_SECTION_BIT(CLINIC__V1__SECTION__VISITS) |
				   PSVC_SECTION_BIT(CLINIC__V1__SECTION__CASES));
	cr_assert_not(psvc_sections_asked(bad, 2, &mask));
	cr_assert_not(psvc_sections_asked(none, 1, &mask));
}

Test(detail, the_number_of_sections_is_that_of_the_message)
{
	cr_assert_eq(clinic__v1__section__descriptor.n_values, PSVC_SECTIONS_N + 1);
}

Test(detail, a_status_becomes_a_state)
{
	cr_assert_eq(psvc_section_state(CT_OK), CLINIC__V1__SECTION_STATE__OK);
	cr_assert_eq(psvc_section_state(CT_DEADLINE_EXCEEDED), CLINIC__V1__SECTION_STATE__TIMEOUT);
	cr_assert_eq(psvc_section_state(CT_UNAVAILABLE), CLINIC__V1__SECTION_STATE__UNAVAILABLE);
	cr_assert_eq(psvc_section_state(CT_RESOURCE_EXHAUSTED),
		     CLINIC__V1__SECTION_STATE__UNAVAILABLE);
	cr_assert_eq(psvc_section_state(CT_INTERNAL), CLINIC__V1__SECTION_STATE__ERROR);
	cr_assert_eq(psvc_section_state(CT_UNIMPLEMENTED), CLINIC__V1__SECTION_STATE__ERROR);
}

Test(detail, a_section_has_at_most_what_is_asked_and_allowed)
{
	cr_assert_eq(psvc_section_max(0, 500), 500);
	cr_assert_eq(psvc_section_max(3, 500), 3);
	cr_assert_eq(psvc_section_max(501, 500), 500);
}

enum { CASES_N = 50, VISITS_N = 3 };

/* A view whose cases weigh most. */
struct view {
	Clinic__V1__GetPatientDetailResponse resp;
	Clinic__V1__CaseRecord cases[CASES_N], *case_list[CASES_N];
	Clinic__V1__Visit visits[VISITS_N], *visit_list[VISITS_N];
	Clinic__V1__SectionStatus status[2], *status_list[2];
	char term[401];
};

static void fill(struct view *v)
{
	clinic__v1__get_patient_detail_response__init(&v->resp);
	memset(v->term, 'x', sizeof(v->term) - 1);
	v->term[sizeof(v->term) - 1] = '\0';
	for (int i = 0; i < CASES_N; i++) {
		clinic__v1__case_record__init(&v->cases[i]);
		v->cases[i].term = v->term;
		v->case_list[i] = &v->cases[i];
	}
	for (int i = 0; i < VISITS_N; i++) {
		clinic__v1__visit__init(&v->visits[i]);
		v->visit_list[i] = &v->visits[i];
	}
	for (int i = 0; i < 2; i++) {
		clinic__v1__section_status__init(&v->status[i]);
		v->status[i].state = CLINIC__V1__SECTION_STATE__OK;
		v->status_list[i] = &v->status[i];
	}
	v->status[0].section = CLINIC__V1__SECTION__CASES;
	v->status[0].count = CASES_N;
	v->status[1].section = CLINIC__V1__SECTION__VISITS;
	v->status[1].count = VISITS_N;
	v->resp.cases = v->case_list;
	v->resp.n_cases = CASES_N;
	v->resp.visits = v->visit_list;
	v->resp.n_visits = VISITS_N;
	v->resp.sections = v->status_list;
	v->resp.n_sections = 2;
}

Test(detail, a_view_that_fits_is_left_alone)
{
	static struct view v;

	fill(&v);
	psvc_detail_trim(&v.resp,
			 clinic__v1__get_patient_detail_response__get_packed_size(&v.resp));
	cr_assert_eq(v.resp.n_cases, CASES_N);
	cr_assert(psvc_detail_complete(&v.resp));
}

Test(detail, a_view_too_heavy_loses_the_end_of_its_longest_list_and_says_so)
{
	static struct view v;

	fill(&v);
	psvc_detail_trim(&v.resp, 10000);
	cr_assert_leq(clinic__v1__get_patient_detail_response__get_packed_size(&v.resp), 10000);
	cr_assert_gt(v.resp.n_cases, 20);
	cr_assert_lt(v.resp.n_cases, 25);
	cr_assert_eq(v.resp.n_visits, VISITS_N);
	cr_assert(v.status[0].truncated);
	cr_assert_eq(v.status[0].count, v.resp.n_cases);
	cr_assert_not(v.status[1].truncated);
	cr_assert_not(psvc_detail_complete(&v.resp));
}

Test(detail, trimming_ends_when_every_list_is_empty)
{
	static struct view v;

	fill(&v);
	psvc_detail_trim(&v.resp, 1);
	cr_assert_eq(v.resp.n_cases, 0);
	cr_assert_eq(v.resp.n_visits, 0);
	cr_assert(v.status[1].truncated);
}

Test(detail, a_view_is_complete_when_every_section_is_ok)
{
	static struct view v;

	fill(&v);
	cr_assert(psvc_detail_complete(&v.resp));
	v.status[1].state = CLINIC__V1__SECTION_STATE__TIMEOUT;
	cr_assert_not(psvc_detail_complete(&v.resp));
}

Test(detail, only_a_lookup_has_a_fault)
{
	cr_assert_not_null(psvc_lookup_fault(CT_NOT_FOUND));
	cr_assert_not_null(psvc_lookup_fault(CT_FAILED_PRECONDITION));
	cr_assert_null(psvc_lookup_fault(CT_INTERNAL));
	cr_assert_str_eq(psvc_section_name(CLINIC__V1__SECTION__LAB_REPORTS), "LAB_REPORTS");
}
