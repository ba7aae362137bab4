/* SPDX-License-Identifier: Apache-2.0 */
#include "clinic/domain/fields.h"

#include "clinic/domain/outcome.h"
#include "patient-svc/domain/case_record.h"
#include "patient-svc/domain/medication.h"
#include "patient-svc/domain/patient.h"
#include "report-svc/domain/report.h"
#include "report-svc/domain/visit.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

TestSuite(fields, .fini = leak_check, .timeout = 60);

static const struct {
	const struct clinic_fields *fields;
	const ProtobufCMessageDescriptor *message;
	unsigned others; /* fields of the message that are no row: version, identity, results */
} tables[] = {
	{ &psvc_patient_fields, &clinic__v1__patient__descriptor, 2 },
	{ &psvc_identity_fields, &clinic__v1__patient_identity__descriptor, 0 },
	{ &psvc_case_fields, &clinic__v1__case_record__descriptor, 1 },
	{ &psvc_medication_fields, &clinic__v1__medication__descriptor, 1 },
	{ &rsvc_report_fields, &clinic__v1__diagnostic_report__descriptor, 2 },
	{ &rsvc_observation_fields, &clinic__v1__observation__descriptor, 0 },
	{ &rsvc_visit_fields, &clinic__v1__visit__descriptor, 1 },
};

static bool type_fits(enum clinic_field_type type, ProtobufCType pb)
{
	switch (type) {
	case CLINIC_TEXT:
	case CLINIC_DATE:
		return pb == PROTOBUF_C_TYPE_STRING;
	case CLINIC_ENUM:
		return pb == PROTOBUF_C_TYPE_ENUM;
	case CLINIC_UINT:
		return pb == PROTOBUF_C_TYPE_UINT32;
	case CLINIC_INT:
		return pb == PROTOBUF_C_TYPE_SINT32;
	case CLINIC_REAL:
		return pb == PROTOBUF_C_TYPE_DOUBLE;
	case CLINIC_BOOL:
		return pb == PROTOBUF_C_TYPE_BOOL;
	}
	return false;
}

/* So that a field added to a message cannot be forgotten. */
Test(fields, every_table_says_what_its_message_says)
{
	for (size_t i = 0; i < CT_ARRAY_N(tables); i++) {
		const struct clinic_fields *t = tables[i].fields;

		cr_assert_eq(t->n + tables[i].others, tables[i].message->n_fields, "%s",
			     tables[i].message->name);
		for (size_t k = 0; k < t->n; k++) {
			const struct clinic_field *f = &t->rows[k];
			const ProtobufCFieldDescriptor *d =
				protobuf_c_message_descriptor_get_field_by_name(tables[i].message,
										f->name);

			cr_assert_not_null(d, "%s", f->name);
			cr_assert(type_fits(f->type, d->type), "%s", f->name);
			cr_assert_eq(f->offset, d->offset, "%s", f->name);
			if ((d->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
				cr_assert_eq(f->case_offset, d->quantifier_offset, "%s", f->name);
				cr_assert_eq(f->case_value, (int)d->id, "%s", f->name);
			} else {
				cr_assert_eq(f->case_offset, 0, "%s", f->name);
			}
		}
	}
}

static Clinic__V1__Patient good_patient(void)
{
	Clinic__V1__Patient p = CLINIC__V1__PATIENT__INIT;

	p.study_id = "STUDY-1";
	p.usubjid = "S-001";
	p.site_id = "101";
	p.site_name = "北京协和医院";
	p.sex = "F";
	p.birth_date = "1950-03";
	return p;
}

static void refused(const Clinic__V1__Patient *p, const char *field)
{
	struct clinic_issue issue = { .code = CT_OK };

	cr_assert_not(psvc_patient_check(p, &issue));
	cr_assert_eq(issue.code, CT_INVALID_ARGUMENT);
	cr_assert_str_eq(issue.field, field);
	cr_assert_not_null(strstr(issue.message, field), "%s", issue.message);
}

Test(fields, a_good_patient_passes)
{
	Clinic__V1__Patient p = good_patient();
	struct clinic_issue issue;

	cr_assert(psvc_patient_check(&p, &issue));
}

Test(fields, what_is_required_must_be_there)
{
	Clinic__V1__Patient p = good_patient();

	p.usubjid = "";
	refused(&p, "usubjid");
	p = good_patient();
	p.study_id = "";
	refused(&p, "study_id");
	p = good_patient();
	p.site_id = "";
	refused(&p, "site_id");
}

Test(fields, codes_dates_lengths_and_enums_are_checked)
{
	Clinic__V1__Patient p = good_patient();

	p.sex = "female";
	refused(&p, "sex");
	p = good_patient();
	p.birth_date = "1950-02-30";
	refused(&p, "birth_date");
	p = good_patient();
	p.subjid = "0123456789012345678901234567890123456789012345678901234567890123456789";
	refused(&p, "subjid");
	p = good_patient();
	p.status = (Clinic__V1__Patient__Status)99;
	refused(&p, "status");
	p = good_patient();
	p.race = "a\x01";
	refused(&p, "race");
}

Test(fields, an_age_is_possible_or_refused)
{
	Clinic__V1__Patient p = good_patient();
	struct clinic_issue issue;

	p.maybe_age_case = CLINIC__V1__PATIENT__MAYBE_AGE_AGE;
	p.age = 151;
	p.age_unit = "YEARS";
	refused(&p, "age");
	p.age_unit = "DAYS";
	cr_assert(psvc_patient_check(&p, &issue));
	p.age = 4000000;
	refused(&p, "age");
	p.maybe_age_case = CLINIC__V1__PATIENT__MAYBE_AGE__NOT_SET;
	cr_assert(psvc_patient_check(&p, &issue), "an age that is absent is not looked at");
}

Test(fields, a_bad_identity_names_its_field_and_never_the_value)
{
	Clinic__V1__PatientIdentity id = CLINIC__V1__PATIENT_IDENTITY__INIT;
	Clinic__V1__Patient p = good_patient();
	struct clinic_issue issue;

	id.family = "张\n";
	p.identity = &id;
	cr_assert_not(psvc_patient_check(&p, &issue));
	cr_assert_str_eq(issue.field, "identity");
	cr_assert_str_eq(issue.message, "identity.family has a control character");
}

Test(fields, the_message_of_a_wrong_code_lists_the_codes)
{
	Clinic__V1__Patient p = good_patient();
	struct clinic_issue issue;

	p.sex = "X";
	cr_assert_not(psvc_patient_check(&p, &issue));
	cr_assert_str_eq(issue.message, "sex is none of M, F, U");
}

Test(fields, a_case_needs_its_key_and_term)
{
	Clinic__V1__CaseRecord c = CLINIC__V1__CASE_RECORD__INIT;
	struct clinic_issue issue;

	c.study_id = "S";
	c.usubjid = "S-1";
	cr_assert_not(psvc_case_check(&c, &issue));
	cr_assert_str_eq(issue.field, "kind");
	c.kind = CLINIC__V1__CASE_RECORD__KIND__ADVERSE_EVENT;
	cr_assert_not(psvc_case_check(&c, &issue));
	cr_assert_str_eq(issue.field, "seq");
	c.seq = 1;
	cr_assert_not(psvc_case_check(&c, &issue));
	cr_assert_str_eq(issue.field, "term");
	c.term = "头痛";
	cr_assert(psvc_case_check(&c, &issue));
	c.serious = "yes";
	cr_assert_not(psvc_case_check(&c, &issue));
	cr_assert_str_eq(issue.field, "serious");
}

Test(fields, a_dose_is_a_number_or_refused)
{
	Clinic__V1__Medication m = CLINIC__V1__MEDICATION__INIT;
	struct clinic_issue issue;

	m.study_id = "S";
	m.usubjid = "S-1";
	m.seq = 1;
	m.trt = "阿司匹林";
	m.maybe_dose_case = CLINIC__V1__MEDICATION__MAYBE_DOSE_DOSE;
	m.dose = 0.5;
	cr_assert(psvc_medication_check(&m, &issue));
	m.dose = NAN;
	cr_assert_not(psvc_medication_check(&m, &issue));
	cr_assert_str_eq(issue.field, "dose");
	m.dose = 1;
	m.ongoing = true;
	m.end_dtc = "2014";
	cr_assert_not(psvc_medication_check(&m, &issue));
	cr_assert_str_eq(issue.field, "end_dtc");
}

Test(fields, results_keep_what_was_written_and_a_bad_one_is_named_by_its_place)
{
	Clinic__V1__DiagnosticReport r = CLINIC__V1__DIAGNOSTIC_REPORT__INIT;
	Clinic__V1__Observation a = CLINIC__V1__OBSERVATION__INIT,
				b = CLINIC__V1__OBSERVATION__INIT;
	Clinic__V1__Observation *list[] = { &a, &b };
	struct clinic_issue issue;

	r.report_id = "LB/S/S-1/CHEMISTRY";
	r.study_id = "S";
	r.usubjid = "S-1";
	r.kind = CLINIC__V1__REPORT_KIND__LABORATORY;
	r.results = list;
	r.n_results = 2;
	a.testcd = "CRP";
	a.orres = "<0.2";
	b.testcd = "TEMP";
	b.orres = "098.6";
	cr_assert(rsvc_report_check(&r, 2, &issue));
	b.maybe_nrhi_case = CLINIC__V1__OBSERVATION__MAYBE_NRHI_NRHI;
	b.nrhi = INFINITY;
	cr_assert_not(rsvc_report_check(&r, 2, &issue));
	cr_assert_str_eq(issue.field, "results[1].nrhi");
	b.nrhi = 100;
	cr_assert_not(rsvc_report_check(&r, 1, &issue));
	cr_assert_str_eq(issue.field, "results");
}

Test(fields, a_request_for_kinds_is_a_set)
{
	Clinic__V1__ReportKind kinds[] = { CLINIC__V1__REPORT_KIND__VITAL_SIGNS,
					   CLINIC__V1__REPORT_KIND__VITAL_SIGNS };
	uint32_t mask = 0;

	cr_assert(rsvc_report_kinds(kinds, 2, &mask));
	cr_assert_eq(mask, 1U << CLINIC__V1__REPORT_KIND__VITAL_SIGNS);
	cr_assert(rsvc_report_kinds(NULL, 0, &mask));
	cr_assert_eq(mask, UINT32_MAX);
	kinds[1] = (Clinic__V1__ReportKind)3;
	cr_assert_not(rsvc_report_kinds(kinds, 2, &mask));
	kinds[1] = CLINIC__V1__REPORT_KIND__REPORT_KIND_UNSPECIFIED;
	cr_assert_not(rsvc_report_kinds(kinds, 2, &mask));
}

Test(fields, keys_are_joined_and_fit_to_be_shown)
{
	Clinic__V1__CaseRecord c = CLINIC__V1__CASE_RECORD__INIT;
	Clinic__V1__Visit v = CLINIC__V1__VISIT__INIT;
	char key[64];

	c.study_id = "S";
	c.usubjid = "S\x01\xff";
	c.kind = CLINIC__V1__CASE_RECORD__KIND__HISTORY;
	c.seq = 7;
	(void)clinic_fields_key(&psvc_case_fields, &c, key, sizeof(key));
	cr_assert_str_eq(key, "S/S?\?/HISTORY/7");
	(void)clinic_fields_key(&psvc_case_fields, &c, key, 4);
	cr_assert_str_eq(key, "S/S");
	v.study_id = "S";
	v.usubjid = "S-1";
	v.visit_num = 1.1;
	v.start_dtc = "2013-06-22";
	(void)clinic_fields_key(&rsvc_visit_fields, &v, key, sizeof(key));
	cr_assert_str_eq(key, "S-1/1.1/2013-06-22/S");
}

Test(fields, an_outcome_that_is_said_again_counts_once)
{
	const struct clinic_issue issue = { .code = CT_NOT_FOUND, .field = "f", .message = "m" };
	struct clinic_outcomes o;
	struct ct_arena arena;

	ct_arena_init(&arena, 1024, 65536);
	cr_assert_eq(clinic_outcomes_init(&o, &arena, 2), CT_OK);
	cr_assert_eq(clinic_outcome_reject(&o, 0, &issue), CT_OK);
	cr_assert(clinic_outcome_is_rejected(&o, 0));
	clinic_outcome_stored(&o, 0, CLINIC__V1__ITEM_OUTCOME__KIND__CREATED, 1);
	clinic_outcome_stored(&o, 1, CLINIC__V1__ITEM_OUTCOME__KIND__UNCHANGED, 4);
	cr_assert_eq(o.v[0]->code, 0);
	cr_assert_str_eq(o.v[0]->message, "");
	cr_assert_eq(o.v[1]->index, 1);
	cr_assert_eq(clinic_outcomes_count(&o).created, 1);
	cr_assert_eq(clinic_outcomes_count(&o).unchanged, 1);
	cr_assert_eq(clinic_outcomes_count(&o).rejected, 0);
	ct_arena_fini(&arena);
}
