/* SPDX-License-Identifier: Apache-2.0 */
#include "report-svc/domain/report.h"

#include <stdio.h>

#define R Clinic__V1__DiagnosticReport
static const struct clinic_field report_rows[] = {
	CLINIC_F_TEXT(R, report_id, CLINIC_REQUIRED | CLINIC_KEY, 240),
	CLINIC_F_TEXT(R, study_id, CLINIC_REQUIRED, 64),
	CLINIC_F_TEXT(R, usubjid, CLINIC_REQUIRED, 64),
	CLINIC_F_ENUM(R, kind, CLINIC_REQUIRED, clinic__v1__report_kind__descriptor),
	CLINIC_F_TEXT(R, category, 0, 100),
	CLINIC_F_TEXT(R, code, 0, 64),
	CLINIC_F_ENUM(R, status, 0, clinic__v1__diagnostic_report__status__descriptor),
	CLINIC_F_DATE(R, effective_dtc, 0),
	CLINIC_F_DATE(R, issued, 0),
	CLINIC_F_TEXT(R, performer, 0, 200),
	CLINIC_F_MAYBE(R, visit_num, CLINIC__V1__DIAGNOSTIC_REPORT__MAYBE_VISIT_NUM_VISIT_NUM,
		       CLINIC_REAL, 0),
	CLINIC_F_TEXT(R, visit, 0, 100),
	CLINIC_F_TEXT(R, conclusion, 0, 4000),
};
#undef R
const struct clinic_fields rsvc_report_fields = { report_rows, CT_ARRAY_N(report_rows) };

#define O Clinic__V1__Observation
static const struct clinic_field observation_rows[] = {
	CLINIC_F_UINT(O, seq, 0, UINT32_MAX),
	CLINIC_F_TEXT(O, testcd, CLINIC_REQUIRED, 40),
	CLINIC_F_TEXT(O, test, 0, 200),
	CLINIC_F_TEXT(O, orres, 0, 200),
	CLINIC_F_TEXT(O, orresu, 0, 64),
	CLINIC_F_TEXT(O, stresc, 0, 200),
	CLINIC_F_MAYBE(O, stresn, CLINIC__V1__OBSERVATION__MAYBE_STRESN_STRESN, CLINIC_REAL, 0),
	CLINIC_F_TEXT(O, stresu, 0, 64),
	CLINIC_F_MAYBE(O, nrlo, CLINIC__V1__OBSERVATION__MAYBE_NRLO_NRLO, CLINIC_REAL, 0),
	CLINIC_F_MAYBE(O, nrhi, CLINIC__V1__OBSERVATION__MAYBE_NRHI_NRHI, CLINIC_REAL, 0),
	CLINIC_F_TEXT(O, nrind, 0, 64),
	CLINIC_F_TEXT(O, blfl, 0, 8),
	CLINIC_F_DATE(O, dtc, 0),
	CLINIC_F_TEXT(O, specimen, 0, 100),
	CLINIC_F_TEXT(O, status, 0, 64),
	CLINIC_F_TEXT(O, position, 0, 64),
	CLINIC_F_TEXT(O, location, 0, 64),
	CLINIC_F_TEXT(O, timepoint, 0, 100),
};
#undef O
const struct clinic_fields rsvc_observation_fields = { observation_rows,
						       CT_ARRAY_N(observation_rows) };

bool rsvc_report_check(const Clinic__V1__DiagnosticReport *r, uint32_t results_max,
		       struct clinic_issue *ret_issue)
{
	struct clinic_issue issue;
	char field[CLINIC_ISSUE_FIELD_SIZE + 32];

	if (!clinic_fields_check(&rsvc_report_fields, r, ret_issue))
		return false;
	if (r->n_results > results_max)
		return clinic_issue_set(ret_issue, CT_INVALID_ARGUMENT, "results",
					"results has more than %u entries", results_max);
	for (size_t i = 0; i < r->n_results; i++) {
		if (clinic_fields_check(&rsvc_observation_fields, r->results[i], &issue))
			continue;
		(void)snprintf(field, sizeof(field), "results[%zu].%s", i, issue.field);
		return clinic_issue_set(ret_issue, issue.code, field, "%s", issue.message);
	}
	return true;
}

bool rsvc_report_kinds(const Clinic__V1__ReportKind *kinds, size_t n, uint32_t *ret_mask)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < n; i++) {
		const int k = (int)kinds[i];

		if (k == CLINIC__V1__REPORT_KIND__REPORT_KIND_UNSPECIFIED ||
		    protobuf_c_enum_descriptor_get_value(&clinic__v1__report_kind__descriptor, k) ==
			    NULL)
			return false;
		mask |= UINT32_C(1) << k;
	}
	*ret_mask = n > 0 ? mask : UINT32_MAX;
	return true;
}
