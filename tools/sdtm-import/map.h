/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_MAP_H
#define SDTM_MAP_H

#include "sdtm-import/row.h"

#include "clinic/v1/patient.pb-c.h"
#include "clinic/v1/report.pb-c.h"

/*
 * Rows into the messages of the public interface. The message and its text are
 * taken from row->mem. NULL: the row is spoiled and row->why says why. Only
 * what is not text is judged here (dates, numbers); the services judge values.
 * Pure but for the arena.
 */
Clinic__V1__Patient *sdtm_map_dm(struct sdtm_row *row);
Clinic__V1__CaseRecord *sdtm_map_ae(struct sdtm_row *row);
Clinic__V1__CaseRecord *sdtm_map_mh(struct sdtm_row *row);
Clinic__V1__Medication *sdtm_map_cm(struct sdtm_row *row);
Clinic__V1__Visit *sdtm_map_sv(struct sdtm_row *row);

/* One result of a report: LB and VS. */
Clinic__V1__Observation *sdtm_map_lb(struct sdtm_row *row);
Clinic__V1__Observation *sdtm_map_vs(struct sdtm_row *row);
/* Will it become one, memory permitting? Takes nothing from row->mem. False: the
 * row is spoiled. */
CT_MUST_USE bool sdtm_map_is_result(struct sdtm_row *row);

/* Which report a result belongs to: results of one subject, category, visit
 * and time. Text is taken as sdtm_row_text() takes it. */
struct sdtm_report_key {
	const char *study_id, *usubjid, *category, *dtc;
	double visit_num;
	bool has_visit;
};
/* False: the row is spoiled. */
CT_MUST_USE bool sdtm_map_report_key(struct sdtm_row *row, struct sdtm_report_key *ret_key);

/* A report for the key, still without id and results. Visit name and performer
 * come from the row. NULL: the row is spoiled. */
Clinic__V1__DiagnosticReport *sdtm_map_report(struct sdtm_row *row,
					      const struct sdtm_report_key *key);

/* "LB/<study>/<subject>/<category>/<visit>/<date>", from part 2 on with "#2".
 * '/', '#' and '%' in the first three are written as %2F, %23, %25. NULL: memory. */
char *sdtm_report_id(struct ct_arena *mem, const struct sdtm_table *table,
		     const struct sdtm_report_key *key, uint32_t part);

#endif
