/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/map.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

/* LB and VS hold the same things under other names. */
struct result_columns {
	uint32_t study, subject, seq, testcd, test, category, orres, orresu, stresc, stresn, stresu;
	uint32_t nrlo, nrhi, nrind, blfl, visit_num, visit, dtc, status, location, timepoint;
	uint32_t specimen, position, performer;
};

enum { NONE = SDTM_COLUMNS_MAX }; /* the table has no such column */

/* clang-format off */
#define RESULT_COLUMNS(t)                                                               \
	.study = t##_STUDYID, .subject = t##_USUBJID, .seq = t##_##t##SEQ,              \
	.testcd = t##_##t##TESTCD, .test = t##_##t##TEST, .category = t##_##t##CAT,     \
	.orres = t##_##t##ORRES, .orresu = t##_##t##ORRESU, .stresc = t##_##t##STRESC,  \
	.stresn = t##_##t##STRESN, .stresu = t##_##t##STRESU, .nrlo = t##_##t##STNRLO,  \
	.nrhi = t##_##t##STNRHI, .nrind = t##_##t##NRIND, .blfl = t##_##t##BLFL,        \
	.visit_num = t##_VISITNUM, .visit = t##_VISIT, .dtc = t##_##t##DTC,             \
	.status = t##_##t##STAT, .location = t##_##t##LOC, .timepoint = t##_##t##TPT
static const struct result_columns lb = {
	RESULT_COLUMNS(LB), .specimen = LB_LBSPEC, .position = NONE, .performer = LB_LBNAM,
};
static const struct result_columns vs = {
	RESULT_COLUMNS(VS), .specimen = NONE, .position = VS_VSPOS, .performer = NONE,
};
/* clang-format on */

static const struct result_columns *columns_of(const struct sdtm_table *table)
{
	CT_CHECK(table->grouped);
	return table->id == SDTM_LB ? &lb : &vs;
}

static char *text_if(struct sdtm_row *row, uint32_t column)
{
	static char blank[1]; /* never written to */

	return column == NONE ? blank : sdtm_row_text(row, column);
}

static void fill_result(struct sdtm_row *row, const struct result_columns *at,
			Clinic__V1__Observation *o)
{
	clinic__v1__observation__init(o);
	(void)sdtm_row_count(row, at->seq, &o->seq); /* never blank */
	o->testcd = sdtm_row_text(row, at->testcd);
	o->test = sdtm_row_text(row, at->test);
	o->orres = sdtm_row_text(row, at->orres);
	o->orresu = sdtm_row_text(row, at->orresu);
	o->stresc = sdtm_row_text(row, at->stresc);
	if (sdtm_row_number(row, at->stresn, &o->stresn))
		o->maybe_stresn_case = CLINIC__V1__OBSERVATION__MAYBE_STRESN_STRESN;
	o->stresu = sdtm_row_text(row, at->stresu);
	if (sdtm_row_number(row, at->nrlo, &o->nrlo))
		o->maybe_nrlo_case = CLINIC__V1__OBSERVATION__MAYBE_NRLO_NRLO;
	if (sdtm_row_number(row, at->nrhi, &o->nrhi))
		o->maybe_nrhi_case = CLINIC__V1__OBSERVATION__MAYBE_NRHI_NRHI;
	o->nrind = sdtm_row_text(row, at->nrind);
	o->blfl = sdtm_row_text(row, at->blfl);
	o->dtc = sdtm_row_date(row, at->dtc);
	o->status = sdtm_row_text(row, at->status);
	o->location = sdtm_row_text(row, at->location);
	o->timepoint = sdtm_row_text(row, at->timepoint);
	o->specimen = text_if(row, at->specimen);
	o->position = text_if(row, at->position);
}

static Clinic__V1__Observation *map_result(struct sdtm_row *row, const struct result_columns *at)
{
	Clinic__V1__Observation *o = sdtm_row_new(row, sizeof(*o));

	if (o == NULL)
		return NULL;
	fill_result(row, at, o);
	return row->spoiled ? NULL : o;
}

bool sdtm_map_is_result(struct sdtm_row *row)
{
	struct ct_arena *mem = row->mem;
	Clinic__V1__Observation o;

	row->mem = NULL;
	fill_result(row, columns_of(row->binding->table), &o);
	row->mem = mem;
	return !row->spoiled;
}

Clinic__V1__Observation *sdtm_map_lb(struct sdtm_row *row)
{
	return map_result(row, &lb);
}

Clinic__V1__Observation *sdtm_map_vs(struct sdtm_row *row)
{
	return map_result(row, &vs);
}

bool sdtm_map_report_key(struct sdtm_row *row, struct sdtm_report_key *ret_key)
{
	const struct result_columns *at = columns_of(row->binding->table);
	struct sdtm_report_key key = { 0 };

	key.study_id = sdtm_row_text(row, at->study);
	key.usubjid = sdtm_row_text(row, at->subject);
	key.category = sdtm_row_text(row, at->category);
	key.dtc = sdtm_row_date(row, at->dtc);
	key.has_visit = sdtm_row_number(row, at->visit_num, &key.visit_num);
	if (row->spoiled)
		return false;
	*ret_key = key;
	return true;
}

Clinic__V1__DiagnosticReport *sdtm_map_report(struct sdtm_row *row,
					      const struct sdtm_report_key *key)
{
	const struct result_columns *at = columns_of(row->binding->table);
	Clinic__V1__DiagnosticReport *r = sdtm_row_new(row, sizeof(*r));

	if (r == NULL)
		return NULL;
	clinic__v1__diagnostic_report__init(r);
	r->study_id = sdtm_row_text(row, at->study);
	r->usubjid = sdtm_row_text(row, at->subject);
	r->kind = row->binding->table->id == SDTM_LB ? CLINIC__V1__REPORT_KIND__LABORATORY
						     : CLINIC__V1__REPORT_KIND__VITAL_SIGNS;
	r->category = sdtm_row_text(row, at->category);
	r->status = CLINIC__V1__DIAGNOSTIC_REPORT__STATUS__FINAL;
	r->effective_dtc = sdtm_row_text(row, at->dtc);
	r->performer = text_if(row, at->performer);
	r->visit = sdtm_row_text(row, at->visit);
	if (key->has_visit) {
		r->visit_num = key->visit_num;
		r->maybe_visit_num_case = CLINIC__V1__DIAGNOSTIC_REPORT__MAYBE_VISIT_NUM_VISIT_NUM;
	}
	return row->spoiled ? NULL : r;
}

/* Text as it stands in an id, so that two keys never make one id. */
static void put_escaped(char **p, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '/' || *text == '#' || *text == '%')
			for (int i = 0; i < 3; i++)
				*(*p)++ = *text == '/'   ? "%2F"[i]
					  : *text == '#' ? "%23"[i]
							 : "%25"[i];
		else
			*(*p)++ = *text;
	}
}

char *sdtm_report_id(struct ct_arena *mem, const struct sdtm_table *table,
		     const struct sdtm_report_key *key, uint32_t part)
{
	char visit[32] = "";
	char suffix[16] = "";
	const size_t size = 3 * (strlen(key->study_id) + strlen(key->usubjid) +
				 strlen(key->category)) +
			    strlen(key->dtc) + sizeof(visit) + sizeof(suffix) + 8;
	char *id = ct_arena_alloc(mem, size);
	char *p = id;

	if (id == NULL)
		return NULL;
	if (key->has_visit)
		snprintf(visit, sizeof(visit), "%.15g", key->visit_num);
	if (part > 1)
		snprintf(suffix, sizeof(suffix), "#%u", part);
	put_escaped(&p, table->id == SDTM_LB ? "LB" : "VS");
	*p++ = '/';
	put_escaped(&p, key->study_id);
	*p++ = '/';
	put_escaped(&p, key->usubjid);
	*p++ = '/';
	put_escaped(&p, key->category);
	snprintf(p, size - (size_t)(p - id), "/%s/%s%s", visit, key->dtc, suffix);
	return id;
}
