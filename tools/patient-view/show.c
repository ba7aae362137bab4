/* SPDX-License-Identifier: Apache-2.0 */
/* A full view as tables: whose it is, how each section was had, its first rows. */
#include "patient-view/show.h"

#include "base/attrs.h"
#include "base/status.h"
#include "patient-view/columns.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

typedef Clinic__V1__GetPatientDetailResponse full_view;
typedef Clinic__V1__SectionStatus section_status;

enum { TEXT_SIZE = 96 };

/* One section of the view: where its rows are and what they look like. */
struct section {
	Clinic__V1__Section id;
	const char *title, *rows_are;
	size_t (*rows_n)(const full_view *view);
	void (*show)(const full_view *view, size_t max);
};

static const char *enum_name(const ProtobufCEnumDescriptor *type, int value)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(type, value);

	return v != NULL ? v->name : "?";
}

/* "a b", or the one that is there. */
static const char *join(char out[TEXT_SIZE], const char *a, const char *b)
{
	(void)snprintf(out, TEXT_SIZE, "%s%s%s", a, a[0] != '\0' && b[0] != '\0' ? " " : "", b);
	return out;
}

/* ---- cases, medications, visits ------------------------------------------------ */

static size_t cases_n(const full_view *view)
{
	return view->n_cases;
}

static void show_cases(const full_view *view, size_t max)
{
	static const struct view_column columns[] = {
		{ "from", 16 }, { "to", 16 },       { "kind", 13 },
		{ "term", 36 }, { "severity", 10 }, { "outcome", 0 },
	};

	view_columns_head(columns, CT_ARRAY_N(columns));
	for (size_t i = 0; i < max; i++) {
		const Clinic__V1__CaseRecord *c = view->cases[i];
		const char *cells[CT_ARRAY_N(columns)] = {
			c->start_dtc,
			c->end_dtc,
			enum_name(&clinic__v1__case_record__kind__descriptor, (int)c->kind),
			c->term,
			c->severity,
			c->outcome,
		};

		view_columns_row(columns, CT_ARRAY_N(columns), cells);
	}
}

static size_t medications_n(const full_view *view)
{
	return view->n_medications;
}

static void show_medications(const full_view *view, size_t max)
{
	static const struct view_column columns[] = {
		{ "from", 16 }, { "to", 16 },    { "medication", 28 },
		{ "dose", 16 }, { "route", 14 }, { "for", 0 },
	};

	view_columns_head(columns, CT_ARRAY_N(columns));
	for (size_t i = 0; i < max; i++) {
		const Clinic__V1__Medication *m = view->medications[i];
		char number[TEXT_SIZE] = "", dose[TEXT_SIZE];
		const char *cells[CT_ARRAY_N(columns)] = {
			m->start_dtc, m->end_dtc, m->trt, dose, m->route, m->indication,
		};

		if (m->maybe_dose_case == CLINIC__V1__MEDICATION__MAYBE_DOSE_DOSE)
			(void)snprintf(number, sizeof(number), "%.10g", m->dose);
		(void)join(dose, number[0] != '\0' ? number : m->dose_text, m->dose_unit);
		view_columns_row(columns, CT_ARRAY_N(columns), cells);
	}
}

static size_t visits_n(const full_view *view)
{
	return view->n_visits;
}

static void show_visits(const full_view *view, size_t max)
{
	static const struct view_column columns[] = {
		{ "from", 16 },
		{ "to", 16 },
		{ "number", 8 },
		{ "visit", 0 },
	};

	view_columns_head(columns, CT_ARRAY_N(columns));
	for (size_t i = 0; i < max; i++) {
		const Clinic__V1__Visit *v = view->visits[i];
		char number[TEXT_SIZE];
		const char *cells[CT_ARRAY_N(columns)] = { v->start_dtc, v->end_dtc, number,
							   v->visit };

		(void)snprintf(number, sizeof(number), "%.10g", v->visit_num);
		view_columns_row(columns, CT_ARRAY_N(columns), cells);
	}
}

/* ---- laboratory, vital signs ----------------------------------------------------- */

static size_t results_n(Clinic__V1__DiagnosticReport *const *reports, size_t n)
{
	size_t results = 0;

	for (size_t i = 0; i < n; i++)
		results += reports[i]->n_results;
	return results;
}

static const struct view_column result_columns[] = {
	{ "when", 16 },        { "visit", 15 },    { "test", 28 },
	{ "as recorded", 15 }, { "standard", 15 }, { "remark", 0 },
};

static void show_result(const Clinic__V1__DiagnosticReport *report,
			const Clinic__V1__Observation *o)
{
	char recorded[TEXT_SIZE], standard[TEXT_SIZE];
	const char *cells[CT_ARRAY_N(result_columns)] = {
		o->dtc[0] != '\0' ? o->dtc : report->effective_dtc,
		report->visit,
		o->test[0] != '\0' ? o->test : o->testcd,
		join(recorded, o->orres, o->orresu),
		join(standard, o->stresc, o->stresu),
		o->nrind[0] != '\0' ? o->nrind : o->timepoint,
	};

	view_columns_row(result_columns, CT_ARRAY_N(result_columns), cells);
}

static void show_results(Clinic__V1__DiagnosticReport *const *reports, size_t n, size_t max)
{
	view_columns_head(result_columns, CT_ARRAY_N(result_columns));
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < reports[i]->n_results; k++) {
			if (max == 0)
				return;
			show_result(reports[i], reports[i]->results[k]);
			max--;
		}
	}
}

static size_t lab_n(const full_view *view)
{
	return results_n(view->lab_reports, view->n_lab_reports);
}

static void show_lab(const full_view *view, size_t max)
{
	show_results(view->lab_reports, view->n_lab_reports, max);
}

static size_t vitals_n(const full_view *view)
{
	return results_n(view->vital_signs, view->n_vital_signs);
}

static void show_vitals(const full_view *view, size_t max)
{
	show_results(view->vital_signs, view->n_vital_signs, max);
}

/* ---- the whole ------------------------------------------------------------------- */

static const struct section sections[] = {
	{ CLINIC__V1__SECTION__LAB_REPORTS, "Laboratory", "results", lab_n, show_lab },
	{ CLINIC__V1__SECTION__VITALS, "Vital signs", "measurements", vitals_n, show_vitals },
	{ CLINIC__V1__SECTION__MEDICATIONS, "Medications", "rows", medications_n,
	  show_medications },
	{ CLINIC__V1__SECTION__CASES, "Cases", "rows", cases_n, show_cases },
	{ CLINIC__V1__SECTION__VISITS, "Visits", "rows", visits_n, show_visits },
};

static const section_status *status_of(const full_view *view, Clinic__V1__Section id)
{
	for (size_t i = 0; i < view->n_sections; i++)
		if (view->sections[i]->section == id)
			return view->sections[i];
	return NULL;
}

static void show_section(const full_view *view, const struct section *s, size_t rows_max)
{
	const section_status *status = status_of(view, s->id);
	const size_t n = s->rows_n(view);
	const size_t max = rows_max != 0 && rows_max < n ? rows_max : n;

	if (status == NULL)
		return;
	printf("\n%s", s->title);
	if (status->state != CLINIC__V1__SECTION_STATE__OK) {
		printf(": MISSING, %s: ",
		       enum_name(&clinic__v1__section_state__descriptor, (int)status->state));
		view_text(status->error);
		puts("");
		return;
	}
	printf(": %zu %s%s\n", n, s->rows_are, status->truncated ? ", and there are more" : "");
	if (n == 0)
		return;
	s->show(view, max);
	if (max < n)
		printf("  %s and %zu more\n", "\xe2\x80\xa6", n - max);
}

static void show_states(const full_view *view)
{
	static const struct view_column columns[] = {
		{ "section", 12 }, { "state", 12 }, { "items", 6 }, { "took", 12 }, { "why", 0 },
	};

	puts("");
	view_columns_head(columns, CT_ARRAY_N(columns));
	for (size_t i = 0; i < view->n_sections; i++) {
		const section_status *s = view->sections[i];
		char count[TEXT_SIZE], took[TEXT_SIZE];
		const char *cells[CT_ARRAY_N(columns)] = {
			enum_name(&clinic__v1__section__descriptor, (int)s->section),
			enum_name(&clinic__v1__section_state__descriptor, (int)s->state),
			count,
			took,
			s->error,
		};

		(void)snprintf(count, sizeof(count), "%" PRIu32, s->count);
		(void)snprintf(took, sizeof(took), "%" PRIu64 " us", s->latency_us);
		view_columns_row(columns, CT_ARRAY_N(columns), cells);
	}
}

static void show_patient(const Clinic__V1__Patient *p)
{
	view_text(p->usubjid);
	if (p->identity != NULL) {
		printf("  ");
		view_text(p->identity->family);
		/* Chinese and Japanese names are written without a blank */
		if ((unsigned char)p->identity->family[0] < 0xe0 && p->identity->family[0] != '\0')
			printf(" ");
		view_text(p->identity->given);
	}
	printf("\n  study ");
	view_text(p->study_id);
	printf("   site ");
	view_text(p->site_id);
	printf(" ");
	view_text(p->site_name);
	printf("\n  sex ");
	view_text(p->sex);
	if (p->maybe_age_case == CLINIC__V1__PATIENT__MAYBE_AGE_AGE) {
		printf("   age %" PRIu32 " ", p->age);
		view_text(p->age_unit);
	}
	printf("   arm ");
	view_text(p->arm);
	printf("   %s\n", enum_name(&clinic__v1__patient__status__descriptor, (int)p->status));
}

void view_show(const full_view *view, size_t rows_max)
{
	if (view->patient != NULL)
		show_patient(view->patient);
	show_states(view);
	for (size_t i = 0; i < CT_ARRAY_N(sections); i++)
		show_section(view, &sections[i], rows_max);
	printf("\n%s\n", view->complete ? "The view is complete."
					: "The view is NOT complete: the table above says why.");
}
