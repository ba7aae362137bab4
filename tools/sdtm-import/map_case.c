/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/map.h"

Clinic__V1__CaseRecord *sdtm_map_ae(struct sdtm_row *row)
{
	Clinic__V1__CaseRecord *c = sdtm_row_new(row, sizeof(*c));

	if (c == NULL)
		return NULL;
	clinic__v1__case_record__init(c);
	c->study_id = sdtm_row_text(row, AE_STUDYID);
	c->usubjid = sdtm_row_text(row, AE_USUBJID);
	c->kind = CLINIC__V1__CASE_RECORD__KIND__ADVERSE_EVENT;
	(void)sdtm_row_count(row, AE_AESEQ, &c->seq); /* never blank */
	c->term = sdtm_row_text(row, AE_AETERM);
	c->decod = sdtm_row_text(row, AE_AEDECOD);
	c->category = sdtm_row_text(row, AE_AECAT);
	c->body_system = sdtm_row_text(row, AE_AEBODSYS);
	c->severity = sdtm_row_text(row, AE_AESEV);
	c->serious = sdtm_row_text(row, AE_AESER);
	c->outcome = sdtm_row_text(row, AE_AEOUT);
	c->relation = sdtm_row_text(row, AE_AEREL);
	c->action = sdtm_row_text(row, AE_AEACN);
	c->start_dtc = sdtm_row_date(row, AE_AESTDTC);
	c->end_dtc = sdtm_row_date(row, AE_AEENDTC);
	if (sdtm_row_number(row, AE_VISITNUM, &c->visit_num))
		c->maybe_visit_num_case = CLINIC__V1__CASE_RECORD__MAYBE_VISIT_NUM_VISIT_NUM;
	c->visit = sdtm_row_text(row, AE_VISIT);
	return row->spoiled ? NULL : c;
}

Clinic__V1__CaseRecord *sdtm_map_mh(struct sdtm_row *row)
{
	Clinic__V1__CaseRecord *c = sdtm_row_new(row, sizeof(*c));

	if (c == NULL)
		return NULL;
	clinic__v1__case_record__init(c);
	c->study_id = sdtm_row_text(row, MH_STUDYID);
	c->usubjid = sdtm_row_text(row, MH_USUBJID);
	c->kind = CLINIC__V1__CASE_RECORD__KIND__HISTORY;
	(void)sdtm_row_count(row, MH_MHSEQ, &c->seq); /* never blank */
	c->term = sdtm_row_text(row, MH_MHTERM);
	c->decod = sdtm_row_text(row, MH_MHDECOD);
	c->category = sdtm_row_text(row, MH_MHCAT);
	c->body_system = sdtm_row_text(row, MH_MHBODSYS);
	c->severity = sdtm_row_text(row, MH_MHSEV);
	c->start_dtc = sdtm_row_date(row, MH_MHSTDTC);
	c->end_dtc = sdtm_row_date(row, MH_MHENDTC);
	if (sdtm_row_number(row, MH_VISITNUM, &c->visit_num))
		c->maybe_visit_num_case = CLINIC__V1__CASE_RECORD__MAYBE_VISIT_NUM_VISIT_NUM;
	c->visit = sdtm_row_text(row, MH_VISIT);
	return row->spoiled ? NULL : c;
}

Clinic__V1__Medication *sdtm_map_cm(struct sdtm_row *row)
{
	Clinic__V1__Medication *m = sdtm_row_new(row, sizeof(*m));

	if (m == NULL)
		return NULL;
	clinic__v1__medication__init(m);
	m->study_id = sdtm_row_text(row, CM_STUDYID);
	m->usubjid = sdtm_row_text(row, CM_USUBJID);
	(void)sdtm_row_count(row, CM_CMSEQ, &m->seq); /* never blank */
	m->trt = sdtm_row_text(row, CM_CMTRT);
	m->decod = sdtm_row_text(row, CM_CMDECOD);
	m->med_class = sdtm_row_text(row, CM_CMCLAS);
	m->indication = sdtm_row_text(row, CM_CMINDC);
	if (sdtm_row_number(row, CM_CMDOSE, &m->dose))
		m->maybe_dose_case = CLINIC__V1__MEDICATION__MAYBE_DOSE_DOSE;
	m->dose_text = sdtm_row_text(row, CM_CMDOSTXT);
	m->dose_unit = sdtm_row_text(row, CM_CMDOSU);
	m->freq = sdtm_row_text(row, CM_CMDOSFRQ);
	m->route = sdtm_row_text(row, CM_CMROUTE);
	m->start_dtc = sdtm_row_date(row, CM_CMSTDTC);
	m->end_dtc = sdtm_row_date(row, CM_CMENDTC);
	m->ongoing = sdtm_row_is(row, CM_CMENRF, "ONGOING") ||
		     sdtm_row_is(row, CM_CMENRTPT, "ONGOING");
	m->status = sdtm_row_text(row, CM_CMSTAT);
	if (sdtm_row_number(row, CM_VISITNUM, &m->visit_num))
		m->maybe_visit_num_case = CLINIC__V1__MEDICATION__MAYBE_VISIT_NUM_VISIT_NUM;
	m->visit = sdtm_row_text(row, CM_VISIT);
	return row->spoiled ? NULL : m;
}
