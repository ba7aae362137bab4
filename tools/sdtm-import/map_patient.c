/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/map.h"

#include <strings.h>

static bool blank(struct sdtm_row *row, uint32_t column)
{
	return sdtm_row_is(row, column, "");
}

/* From SDTMIG 3.3 on arms are blank for those who got none. */
static bool screen_failed(struct sdtm_row *row)
{
	return strcasecmp(sdtm_row_text(row, DM_DSDECOD), "SCREEN FAILURE") == 0 ||
	       strcasecmp(sdtm_row_text(row, DM_ARMCD), "SCRNFAIL") == 0 ||
	       strcasecmp(sdtm_row_text(row, DM_ARM), "Screen Failure") == 0;
}

/* DM has no status of its own. Without the disposition it cannot tell a
 * completer from a drop-out, so whoever ended treatment is just ENROLLED. */
static Clinic__V1__Patient__Status status_of(struct sdtm_row *row)
{
	if (sdtm_row_is(row, DM_DTHFL, "Y") || !blank(row, DM_DTHDTC))
		return CLINIC__V1__PATIENT__STATUS__DIED;
	if (screen_failed(row))
		return CLINIC__V1__PATIENT__STATUS__SCREEN_FAILED;
	if (sdtm_row_is(row, DM_DSDECOD, "COMPLETED"))
		return CLINIC__V1__PATIENT__STATUS__COMPLETED;
	if (!blank(row, DM_DSDECOD))
		return CLINIC__V1__PATIENT__STATUS__DISCONTINUED;
	if (!blank(row, DM_RFXSTDTC) && blank(row, DM_RFXENDTC) && blank(row, DM_RFENDTC))
		return CLINIC__V1__PATIENT__STATUS__ON_TREATMENT;
	if (!blank(row, DM_RFSTDTC))
		return CLINIC__V1__PATIENT__STATUS__ENROLLED;
	return CLINIC__V1__PATIENT__STATUS__SCREENED;
}

static void map_identity(struct sdtm_row *row, Clinic__V1__Patient *p)
{
	Clinic__V1__PatientIdentity *id;

	if (blank(row, DM_FAMILY) && blank(row, DM_GIVEN) && blank(row, DM_PHONE))
		return;
	id = sdtm_row_new(row, sizeof(*id));
	if (id == NULL)
		return;
	clinic__v1__patient_identity__init(id);
	id->family = sdtm_row_text(row, DM_FAMILY);
	id->given = sdtm_row_text(row, DM_GIVEN);
	id->phone = sdtm_row_text(row, DM_PHONE);
	p->identity = id;
}

static void map_dates(struct sdtm_row *row, Clinic__V1__Patient *p)
{
	p->birth_date = sdtm_row_date(row, DM_BRTHDTC);
	p->consent_dtc = sdtm_row_date(row, DM_RFICDTC);
	p->rfstdtc = sdtm_row_date(row, DM_RFSTDTC);
	p->rfendtc = sdtm_row_date(row, DM_RFENDTC);
	p->dth_dtc = sdtm_row_date(row, DM_DTHDTC);
	(void)sdtm_row_date(row, DM_RFXSTDTC); /* decide the status: must be dates, too */
	(void)sdtm_row_date(row, DM_RFXENDTC);
}

Clinic__V1__Patient *sdtm_map_dm(struct sdtm_row *row)
{
	Clinic__V1__Patient *p = sdtm_row_new(row, sizeof(*p));

	if (p == NULL)
		return NULL;
	clinic__v1__patient__init(p);
	p->study_id = sdtm_row_text(row, DM_STUDYID);
	p->usubjid = sdtm_row_text(row, DM_USUBJID);
	p->subjid = sdtm_row_text(row, DM_SUBJID);
	p->site_id = sdtm_row_text(row, DM_SITEID);
	p->site_name = sdtm_row_text(row, DM_SITENAME);
	p->screening_no = sdtm_row_text(row, DM_SCRNNO);
	p->sex = sdtm_row_text(row, DM_SEX);
	if (sdtm_row_count(row, DM_AGE, &p->age))
		p->maybe_age_case = CLINIC__V1__PATIENT__MAYBE_AGE_AGE;
	p->age_unit = sdtm_row_text(row, DM_AGEU);
	p->race = sdtm_row_text(row, DM_RACE);
	p->ethnic = sdtm_row_text(row, DM_ETHNIC);
	p->country = sdtm_row_text(row, DM_COUNTRY);
	p->arm_cd = sdtm_row_text(row, DM_ARMCD);
	p->arm = sdtm_row_text(row, DM_ARM);
	p->actarm_cd = sdtm_row_text(row, DM_ACTARMCD);
	p->disposition = sdtm_row_text(row, DM_DSDECOD);
	map_dates(row, p);
	map_identity(row, p);
	p->status = status_of(row);
	return row->spoiled ? NULL : p;
}
