/* SPDX-License-Identifier: Apache-2.0 */
#include "report-svc/domain/visit.h"

#define V Clinic__V1__Visit
#define REQ_KEY (CLINIC_REQUIRED | CLINIC_KEY)
static const struct clinic_field rows[] = {
	CLINIC_F_TEXT(V, usubjid, REQ_KEY, 64),
	CLINIC_F_REAL(V, visit_num, CLINIC_KEY),
	CLINIC_F_DATE(V, start_dtc, CLINIC_KEY),
	CLINIC_F_TEXT(V, study_id, REQ_KEY, 64),
	CLINIC_F_TEXT(V, visit, 0, 100),
	CLINIC_F_MAYBE(V, visit_dy, CLINIC__V1__VISIT__MAYBE_VISIT_DY_VISIT_DY, CLINIC_INT, 0),
	CLINIC_F_DATE(V, end_dtc, 0),
	CLINIC_F_MAYBE(V, start_dy, CLINIC__V1__VISIT__MAYBE_START_DY_START_DY, CLINIC_INT, 0),
	CLINIC_F_MAYBE(V, end_dy, CLINIC__V1__VISIT__MAYBE_END_DY_END_DY, CLINIC_INT, 0),
	CLINIC_F_TEXT(V, unplanned, 0, 200),
};
#undef V
const struct clinic_fields rsvc_visit_fields = { rows, CT_ARRAY_N(rows) };

bool rsvc_visit_check(const Clinic__V1__Visit *v, struct clinic_issue *ret_issue)
{
	return clinic_fields_check(&rsvc_visit_fields, v, ret_issue);
}
