/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/map.h"

Clinic__V1__Visit *sdtm_map_sv(struct sdtm_row *row)
{
	Clinic__V1__Visit *v = sdtm_row_new(row, sizeof(*v));

	if (v == NULL)
		return NULL;
	clinic__v1__visit__init(v);
	v->study_id = sdtm_row_text(row, SV_STUDYID);
	v->usubjid = sdtm_row_text(row, SV_USUBJID);
	(void)sdtm_row_number(row, SV_VISITNUM, &v->visit_num); /* never blank */
	v->visit = sdtm_row_text(row, SV_VISIT);
	if (sdtm_row_day(row, SV_VISITDY, &v->visit_dy))
		v->maybe_visit_dy_case = CLINIC__V1__VISIT__MAYBE_VISIT_DY_VISIT_DY;
	v->start_dtc = sdtm_row_date(row, SV_SVSTDTC);
	v->end_dtc = sdtm_row_date(row, SV_SVENDTC);
	if (sdtm_row_day(row, SV_SVSTDY, &v->start_dy))
		v->maybe_start_dy_case = CLINIC__V1__VISIT__MAYBE_START_DY_START_DY;
	if (sdtm_row_day(row, SV_SVENDY, &v->end_dy))
		v->maybe_end_dy_case = CLINIC__V1__VISIT__MAYBE_END_DY_END_DY;
	v->unplanned = sdtm_row_text(row, SV_SVUPDES);
	return row->spoiled ? NULL : v;
}
