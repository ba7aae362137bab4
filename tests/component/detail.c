/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/component/detail.h"

#include "tests/component/fake_report.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { TRIES = 20 };

struct rig detail_rig;

Clinic__V1__GetPatientDetailRequest detail_request(void)
{
	Clinic__V1__GetPatientDetailRequest req = CLINIC__V1__GET_PATIENT_DETAIL_REQUEST__INIT;

	req.usubjid = "A";
	return req;
}

Clinic__V1__GetPatientDetailRequest detail_whole_or_nothing(void)
{
	Clinic__V1__GetPatientDetailRequest req = detail_request();

	req.maybe_allow_partial_case =
		CLINIC__V1__GET_PATIENT_DETAIL_REQUEST__MAYBE_ALLOW_PARTIAL_ALLOW_PARTIAL;
	req.allow_partial = false;
	return req;
}

ct_status detail_call(struct ct_ctx *ctx, const Clinic__V1__GetPatientDetailRequest *req,
		      const Clinic__V1__GetPatientDetailResponse **ret_resp)
{
	return patient_get_patient_detail(detail_rig.to_patient, ctx, req, &detail_rig.reply,
					  ret_resp);
}

/* A leg has half a second, which a busy machine may take: one timed out that was to
 * be answered at once. */
static bool stalled(const Clinic__V1__GetPatientDetailResponse *resp)
{
	const bool lab_waits = fake_report.lab == FAKE_LAB_WAITS;

	for (size_t i = 0; i < resp->n_sections; i++) {
		const Clinic__V1__SectionStatus *s = resp->sections[i];

		if (s->state == TIMEOUT && !(lab_waits && s->section == LAB_REPORTS))
			return true;
	}
	return false;
}

const Clinic__V1__GetPatientDetailResponse *detail_get(
	const Clinic__V1__GetPatientDetailRequest *req)
{
	const Clinic__V1__GetPatientDetailResponse *resp = NULL;
	unsigned tries = TRIES;
	ct_status st;

	do
		st = detail_call(NULL, req, &resp);
	while (--tries > 0 && (st == CT_DEADLINE_EXCEEDED || (st == CT_OK && stalled(resp))));
	cr_assert_eq(st, CT_OK, "%s", detail_rig.reply.message);
	return resp;
}

const Clinic__V1__SectionStatus *detail_section(const Clinic__V1__GetPatientDetailResponse *resp,
						Clinic__V1__Section which)
{
	for (size_t i = 0; i < resp->n_sections; i++)
		if (resp->sections[i]->section == which)
			return resp->sections[i];
	cr_assert_fail("the view says nothing of section %d", (int)which);
	return NULL;
}

void detail_check(const Clinic__V1__GetPatientDetailResponse *resp, Clinic__V1__Section which,
		  Clinic__V1__SectionState state, uint32_t count)
{
	const Clinic__V1__SectionStatus *s = detail_section(resp, which);

	cr_assert_eq(s->state, state, "%d: %d %s", (int)which, (int)s->state, s->error);
	cr_assert_eq(s->count, count, "%d: %u", (int)which, s->count);
	cr_assert_eq(s->code == CT_OK, state == STATE_OK);
	cr_assert_eq(s->error[0] == '\0', state == STATE_OK);
}

void detail_put_patient(void)
{
	Clinic__V1__PatientIdentity id = CLINIC__V1__PATIENT_IDENTITY__INIT;
	Clinic__V1__Patient p = rig_patient("S1", "A");

	id.family = "张";
	id.given = "三";
	p.site_name = "北京协和医院";
	p.identity = &id;
	cr_assert_eq(rig_put_patient(&detail_rig, &p)->kind, CREATED);
}

void detail_put_cases(uint32_t n)
{
	for (uint32_t i = 1; i <= n; i++) {
		Clinic__V1__CaseRecord c = rig_case("S1", "A", i);
		Clinic__V1__Medication m = rig_medication("S1", "A", i);

		cr_assert_eq(rig_put_case(&detail_rig, &c)->kind, CREATED);
		cr_assert_eq(rig_put_medication(&detail_rig, &m)->kind, CREATED);
	}
}

void detail_put_reports(unsigned n)
{
	char id[16];

	for (unsigned i = 0; i < n; i++) {
		Clinic__V1__DiagnosticReport d = rig_report("S1", "A", id);
		Clinic__V1__Visit v = rig_visit("S1", "A", i, "2014");

		(void)snprintf(id, sizeof(id), "LB/%u", i);
		cr_assert_eq(rig_put_report(&detail_rig, &d)->kind, CREATED);
		(void)snprintf(id, sizeof(id), "VS/%u", i);
		d.kind = CLINIC__V1__REPORT_KIND__VITAL_SIGNS;
		cr_assert_eq(rig_put_report(&detail_rig, &d)->kind, CREATED);
		cr_assert_eq(rig_put_visit(&detail_rig, &v)->kind, CREATED);
	}
}
