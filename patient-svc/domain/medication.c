/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-svc/domain/medication.h"

#define M Clinic__V1__Medication
#define REQ_KEY (CLINIC_REQUIRED | CLINIC_KEY)
static const struct clinic_field rows[] = {
	CLINIC_F_TEXT(M, study_id, REQ_KEY, 64),
	CLINIC_F_TEXT(M, usubjid, REQ_KEY, 64),
	CLINIC_F_UINT(M, seq, REQ_KEY, UINT32_MAX),
	CLINIC_F_TEXT(M, trt, CLINIC_REQUIRED, 400),
	CLINIC_F_TEXT(M, decod, 0, 400),
	CLINIC_F_TEXT(M, med_class, 0, 200),
	CLINIC_F_TEXT(M, indication, 0, 400),
	CLINIC_F_MAYBE(M, dose, CLINIC__V1__MEDICATION__MAYBE_DOSE_DOSE, CLINIC_REAL, 0),
	CLINIC_F_TEXT(M, dose_text, 0, 200),
	CLINIC_F_TEXT(M, dose_unit, 0, 64),
	CLINIC_F_TEXT(M, freq, 0, 64),
	CLINIC_F_TEXT(M, route, 0, 64),
	CLINIC_F_DATE(M, start_dtc, 0),
	CLINIC_F_DATE(M, end_dtc, 0),
	CLINIC_F_BOOL(M, ongoing),
	CLINIC_F_TEXT(M, status, 0, 64),
	CLINIC_F_BOOL(M, is_study_drug),
	CLINIC_F_MAYBE(M, visit_num, CLINIC__V1__MEDICATION__MAYBE_VISIT_NUM_VISIT_NUM, CLINIC_REAL,
		       0),
	CLINIC_F_TEXT(M, visit, 0, 100),
};
#undef M
const struct clinic_fields psvc_medication_fields = { rows, CT_ARRAY_N(rows) };

bool psvc_medication_check(const Clinic__V1__Medication *m, struct clinic_issue *ret_issue)
{
	if (!clinic_fields_check(&psvc_medication_fields, m, ret_issue))
		return false;
	if (m->ongoing && m->end_dtc[0] != '\0')
		return clinic_issue_set(ret_issue, CT_INVALID_ARGUMENT, "end_dtc",
					"end_dtc is set though the medication is ongoing");
	return true;
}
