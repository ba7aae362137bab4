/* SPDX-License-Identifier: Apache-2.0 */
/* From the parts of a full view to its answer. */
#include "patient-svc/handlers/detail_view.h"

#include "base/mem.h"
#include "clinic/handlers/fail.h"
#include "patient-svc/domain/detail.h"

enum { LOG_EVERY_MS = 100 };

/* The answer and what its section list points to. */
struct answer {
	Clinic__V1__GetPatientDetailResponse resp;
	Clinic__V1__SectionStatus status[PSVC_SECTIONS_N], *list[PSVC_SECTIONS_N];
};

void psvc_detail_free(struct detail_view *v)
{
	v->fanout = ct_fanout_free(v->fanout);
	v->ctx = ct_ctx_unref(v->ctx);
	psvc_legs_fini(&v->legs);
	ct_mem_free(v);
}

static Clinic__V1__SectionStatus *add_section(struct answer *a, Clinic__V1__Section section,
					      ct_status st, uint64_t latency_us)
{
	Clinic__V1__SectionStatus *s = &a->status[a->resp.n_sections];

	clinic__v1__section_status__init(s);
	s->section = section;
	s->state = psvc_section_state(st);
	s->latency_us = latency_us;
	s->code = (int32_t)st;
	if (st != CT_OK)
		s->error = (char *)(uintptr_t)ct_status_text(st); /* packing only reads it */
	a->list[a->resp.n_sections++] = s;
	return s;
}

static void set_count(Clinic__V1__SectionStatus *s, size_t n, bool more)
{
	s->count = (uint32_t)n;
	s->truncated = more;
}

static void add_local(struct detail_view *v, struct answer *a)
{
	Clinic__V1__SectionStatus *s;

	if (v->identity.asked) {
		s = add_section(a, CLINIC__V1__SECTION__IDENTITY, v->lookup,
				v->identity.latency_us);
		set_count(s, 1, false);
		a->resp.patient = v->patient;
	}
	if (v->cases.asked) {
		s = add_section(a, CLINIC__V1__SECTION__CASES, v->cases.st, v->cases.latency_us);
		set_count(s, v->cases_n, v->cases.more);
		a->resp.cases = v->case_list;
		a->resp.n_cases = v->cases_n;
	}
	if (v->medications.asked) {
		s = add_section(a, CLINIC__V1__SECTION__MEDICATIONS, v->medications.st,
				v->medications.latency_us);
		set_count(s, v->medications_n, v->medications.more);
		a->resp.medications = v->medication_list;
		a->resp.n_medications = v->medications_n;
	}
}

/* The list of a leg that ended well goes where its section's items go, without
 * those of another study's subject. */
static void add_list(struct answer *a, const struct psvc_leg *leg, const char *study_id,
		     Clinic__V1__SectionStatus *s)
{
	bool more = false;
	size_t n = 0;

	if (leg->section == CLINIC__V1__SECTION__LAB_REPORTS) {
		a->resp.lab_reports = psvc_leg_reports(leg, study_id, &n, &more);
		a->resp.n_lab_reports = n;
	} else if (leg->section == CLINIC__V1__SECTION__VITALS) {
		a->resp.vital_signs = psvc_leg_reports(leg, study_id, &n, &more);
		a->resp.n_vital_signs = n;
	} else {
		a->resp.visits = psvc_leg_visits(leg, study_id, &n, &more);
		a->resp.n_visits = n;
	}
	set_count(s, n, more);
}

static void add_legs(const struct detail_view *v, struct answer *a)
{
	for (int i = 0; i < PSVC_LEGS_N; i++) {
		const struct psvc_leg *leg = &v->legs.leg[i];
		Clinic__V1__SectionStatus *s;

		if (!leg->asked)
			continue;
		s = add_section(a, leg->section, leg->reply.status, leg->reply.elapsed_us);
		if (leg->reply.status == CT_OK)
			add_list(a, leg, v->patient->study_id, s);
		else if (leg->reply.message[0] != '\0')
			s->error = (char *)(uintptr_t)leg->reply.message;
	}
}

static void log_incomplete(struct detail_view *v, const struct answer *a)
{
	const struct ct_trace trace = ct_ctx_trace(v->ctx);
	uint64_t held_back;

	if (!ct_log_rate_pass(&v->app->partial_rate, ct_ctx_now(v->ctx), LOG_EVERY_MS, &held_back))
		return;
	for (size_t i = 0; i < a->resp.n_sections; i++) {
		const Clinic__V1__SectionStatus *s = a->list[i];

		if (s->state == CLINIC__V1__SECTION_STATE__OK)
			continue;
		CT_LOG(v->app->log, CT_LOG_WARN, "a section of the full view is missing",
		       CT_ID("trace", &trace.trace_id),
		       CT_STR("section", psvc_section_name(s->section)),
		       CT_STATUS("status", ct_status_from_wire((uint32_t)s->code)),
		       CT_US("latency_us", s->latency_us), CT_UINT("held_back", held_back),
		       CT_STR("why", s->error), CT_STR("store_why", v->store_why));
	}
}

/* The section that failed first; NULL: none did. */
static const Clinic__V1__SectionStatus *first_failure(const struct detail_view *v,
						      const struct answer *a)
{
	const int first = atomic_load(&v->legs.first_failed);

	for (size_t i = 0; i < a->resp.n_sections; i++)
		if ((int)a->list[i]->section == first)
			return a->list[i];
	return NULL;
}

static void fail_section(struct detail_view *v, const Clinic__V1__SectionStatus *s)
{
	ct_call_fail(v->call, ct_status_from_wire((uint32_t)s->code), "%s: %s",
		     psvc_section_name(s->section), s->error);
}

static void fail_lookup(struct detail_view *v)
{
	const char *fault = psvc_lookup_fault(v->lookup);

	if (fault != NULL)
		ct_call_fail(v->call, v->lookup, "%s", fault);
	else
		clinic_store_failed(v->call, v->app->log, v->lookup, v->store_why);
}

void psvc_detail_answer(struct detail_view *v)
{
	struct answer a = { .resp = CLINIC__V1__GET_PATIENT_DETAIL_RESPONSE__INIT };
	const Clinic__V1__SectionStatus *failed;

	if (v->lookup != CT_OK) {
		fail_lookup(v);
		goto out;
	}
	a.resp.sections = a.list;
	add_local(v, &a);
	add_legs(v, &a);
	failed = v->partial ? NULL : first_failure(v, &a);
	if (failed != NULL) {
		fail_section(v, failed);
		goto out;
	}
	psvc_detail_trim(&a.resp, v->app->limits.reply_bytes_max);
	a.resp.complete = psvc_detail_complete(&a.resp);
	if (!a.resp.complete)
		log_incomplete(v, &a);
	patient_get_patient_detail_reply(v->call, &a.resp);
out:
	psvc_detail_free(v);
}
