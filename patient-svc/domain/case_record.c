/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-svc/domain/case_record.h"

static const char *const yes_no[] = { "Y", "N", NULL };

#define C Clinic__V1__CaseRecord
#define REQ_KEY (CLINIC_REQUIRED | CLINIC_KEY)
static const struct clinic_field rows[] = {
	CLINIC_F_TEXT(C, study_id, REQ_KEY, 64),
	CLINIC_F_TEXT(C, usubjid, REQ_KEY, 64),
	CLINIC_F_ENUM(C, kind, REQ_KEY, clinic__v1__case_record__kind__descriptor),
	CLINIC_F_UINT(C, seq, REQ_KEY, UINT32_MAX),
	CLINIC_F_TEXT(C, term, CLINIC_REQUIRED, 400),
	CLINIC_F_TEXT(C, decod, 0, 400),
	CLINIC_F_TEXT(C, category, 0, 200),
	CLINIC_F_TEXT(C, body_system, 0, 200),
	CLINIC_F_TEXT(C, severity, 0, 64),
	CLINIC_F_CODE(C, serious, 0, yes_no),
	CLINIC_F_TEXT(C, outcome, 0, 200),
	CLINIC_F_TEXT(C, relation, 0, 200),
	CLINIC_F_TEXT(C, action, 0, 200),
	CLINIC_F_DATE(C, start_dtc, 0),
	CLINIC_F_DATE(C, end_dtc, 0),
	CLINIC_F_MAYBE(C, visit_num, CLINIC__V1__CASE_RECORD__MAYBE_VISIT_NUM_VISIT_NUM,
		       CLINIC_REAL, 0),
	CLINIC_F_TEXT(C, visit, 0, 100),
};
#undef C
const struct clinic_fields psvc_case_fields = { rows, CT_ARRAY_N(rows) };

bool psvc_case_check(const Clinic__V1__CaseRecord *c, struct clinic_issue *ret_issue)
{
	return clinic_fields_check(&psvc_case_fields, c, ret_issue);
}
