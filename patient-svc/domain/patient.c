/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-svc/domain/patient.h"

#include <stdio.h>
#include <string.h>

enum { AGE_YEARS_MAX = 150, AGE_MAX = 1500000 /* hours in as many years */ };

static const char *const sexes[] = { "M", "F", "U", NULL };
static const char *const age_units[] = { "YEARS", "MONTHS", "WEEKS", "DAYS", "HOURS", NULL };

#define P Clinic__V1__Patient
#define REQ_KEY (CLINIC_REQUIRED | CLINIC_KEY)
static const struct clinic_field patient_rows[] = {
	CLINIC_F_TEXT(P, study_id, REQ_KEY, 64),
	CLINIC_F_TEXT(P, usubjid, REQ_KEY, 64),
	CLINIC_F_TEXT(P, subjid, 0, 64),
	CLINIC_F_TEXT(P, site_id, CLINIC_REQUIRED, 64),
	CLINIC_F_TEXT(P, site_name, 0, 200),
	CLINIC_F_TEXT(P, screening_no, 0, 64),
	CLINIC_F_CODE(P, sex, 0, sexes),
	CLINIC_F_DATE(P, birth_date, 0),
	CLINIC_F_MAYBE(P, age, CLINIC__V1__PATIENT__MAYBE_AGE_AGE, CLINIC_UINT, AGE_MAX),
	CLINIC_F_CODE(P, age_unit, 0, age_units),
	CLINIC_F_TEXT(P, race, 0, 100),
	CLINIC_F_TEXT(P, ethnic, 0, 100),
	CLINIC_F_TEXT(P, country, 0, 64),
	CLINIC_F_TEXT(P, arm_cd, 0, 64),
	CLINIC_F_TEXT(P, arm, 0, 200),
	CLINIC_F_TEXT(P, actarm_cd, 0, 64),
	CLINIC_F_ENUM(P, status, 0, clinic__v1__patient__status__descriptor),
	CLINIC_F_DATE(P, consent_dtc, 0),
	CLINIC_F_DATE(P, rfstdtc, 0),
	CLINIC_F_DATE(P, rfendtc, 0),
	CLINIC_F_DATE(P, dth_dtc, 0),
	CLINIC_F_TEXT(P, disposition, 0, 200),
	CLINIC_F_TEXT(P, locale, 0, 35),
	CLINIC_F_TEXT(P, tz, 0, 64),
};
#undef P
const struct clinic_fields psvc_patient_fields = { patient_rows, CT_ARRAY_N(patient_rows) };

#define I Clinic__V1__PatientIdentity
static const struct clinic_field identity_rows[] = {
	CLINIC_F_TEXT(I, family, 0, 100),  CLINIC_F_TEXT(I, given, 0, 100),
	CLINIC_F_TEXT(I, mrn, 0, 64),      CLINIC_F_TEXT(I, national_id, 0, 32),
	CLINIC_F_TEXT(I, address, 0, 400), CLINIC_F_TEXT(I, phone, 0, 40),
	CLINIC_F_TEXT(I, email, 0, 254),
};
#undef I
const struct clinic_fields psvc_identity_fields = { identity_rows, CT_ARRAY_N(identity_rows) };

static bool check_identity(const Clinic__V1__PatientIdentity *id, struct clinic_issue *ret_issue)
{
	struct clinic_issue issue;

	if (clinic_fields_check(&psvc_identity_fields, id, &issue))
		return true;
	return clinic_issue_set(ret_issue, issue.code, "identity", "identity.%s", issue.message);
}

bool psvc_patient_check(const Clinic__V1__Patient *p, struct clinic_issue *ret_issue)
{
	if (!clinic_fields_check(&psvc_patient_fields, p, ret_issue))
		return false;
	if (p->maybe_age_case == CLINIC__V1__PATIENT__MAYBE_AGE_AGE && p->age > AGE_YEARS_MAX &&
	    (p->age_unit[0] == '\0' || strcmp(p->age_unit, "YEARS") == 0))
		return clinic_issue_set(ret_issue, CT_INVALID_ARGUMENT, "age",
					"age is over %d years", AGE_YEARS_MAX);
	if (p->identity != NULL)
		return check_identity(p->identity, ret_issue);
	return true;
}
