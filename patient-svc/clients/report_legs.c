/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-svc/clients/report_legs.h"

#include "base/check.h"
#include "patient-svc/domain/detail.h"

#include "clinic/v1/report.ct.h"

#include <string.h>

static const struct {
	Clinic__V1__Section section;
	Clinic__V1__ReportKind report_kind; /* unspecified: visits */
} kinds[PSVC_LEGS_N] = {
	[PSVC_LEG_LAB] = { CLINIC__V1__SECTION__LAB_REPORTS, CLINIC__V1__REPORT_KIND__LABORATORY },
	[PSVC_LEG_VITALS] = { CLINIC__V1__SECTION__VITALS, CLINIC__V1__REPORT_KIND__VITAL_SIGNS },
	[PSVC_LEG_VISITS] = { CLINIC__V1__SECTION__VISITS,
			      CLINIC__V1__REPORT_KIND__REPORT_KIND_UNSPECIFIED },
};

void psvc_legs_init(struct psvc_legs *l, struct ct_call *call, struct ct_client *client)
{
	l->call = call;
	l->client = client;
	atomic_init(&l->first_failed, 0);
	for (int i = 0; i < PSVC_LEGS_N; i++) {
		l->leg[i].legs = l;
		l->leg[i].section = kinds[i].section;
		l->leg[i].asked = false;
		ct_reply_init(&l->leg[i].reply);
	}
}

void psvc_legs_fini(struct psvc_legs *l)
{
	for (int i = 0; i < PSVC_LEGS_N; i++)
		ct_reply_fini(&l->leg[i].reply);
}

void psvc_legs_note_failure(struct psvc_legs *l, Clinic__V1__Section section)
{
	int none = 0;

	(void)atomic_compare_exchange_strong(&l->first_failed, &none, (int)section);
}

static void keep(struct psvc_leg *leg, const struct ct_method *m, struct ct_reply *reply)
{
	if (reply->status != CT_OK)
		psvc_legs_note_failure(leg->legs, leg->section);
	ct_call_add_hop(leg->legs->call, ct_client_peer(leg->legs->client), m, reply);
	ct_reply_move(&leg->reply, reply);
}

static void reports_done(void *arg, struct ct_reply *reply)
{
	keep(arg, &report_get_reports_method, reply);
}

static void visits_done(void *arg, struct ct_reply *reply)
{
	keep(arg, &report_get_visits_method, reply);
}

static void start_reports(struct psvc_leg *leg, struct ct_fanout *f,
			  const struct psvc_legs_query *q, Clinic__V1__ReportKind kind)
{
	Clinic__V1__GetReportsRequest req = CLINIC__V1__GET_REPORTS_REQUEST__INIT;
	Clinic__V1__Page page = CLINIC__V1__PAGE__INIT;

	page.size = q->max;
	req.page = &page;
	req.study_id = (char *)(uintptr_t)q->study_id; /* packing only reads */
	req.usubjid = (char *)(uintptr_t)q->usubjid;
	req.kinds = &kind;
	req.n_kinds = 1;
	ct_fanout_start(f, leg->legs->client, &report_get_reports_method, &req.base, reports_done,
			leg);
}

static void start_visits(struct psvc_leg *leg, struct ct_fanout *f, const struct psvc_legs_query *q)
{
	Clinic__V1__GetVisitsRequest req = CLINIC__V1__GET_VISITS_REQUEST__INIT;
	Clinic__V1__Page page = CLINIC__V1__PAGE__INIT;

	page.size = q->max;
	req.page = &page;
	req.study_id = (char *)(uintptr_t)q->study_id;
	req.usubjid = (char *)(uintptr_t)q->usubjid;
	ct_fanout_start(f, leg->legs->client, &report_get_visits_method, &req.base, visits_done,
			leg);
}

void psvc_legs_start(struct psvc_legs *l, struct ct_fanout *f, const struct psvc_legs_query *q)
{
	for (int i = 0; i < PSVC_LEGS_N; i++) {
		struct psvc_leg *leg = &l->leg[i];

		leg->asked = (q->sections & PSVC_SECTION_BIT(leg->section)) != 0;
		if (!leg->asked)
			continue;
		if (kinds[i].report_kind != CLINIC__V1__REPORT_KIND__REPORT_KIND_UNSPECIFIED)
			start_reports(leg, f, q, kinds[i].report_kind);
		else
			start_visits(leg, f, q);
	}
}

/* The study's own come first, in their order; nothing leaves the array, which the
 * reply frees. Returns how many they are. */
static size_t reports_of(const char *study_id, Clinic__V1__DiagnosticReport **list, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		Clinic__V1__DiagnosticReport *r = list[i];

		if (strcmp(r->study_id, study_id) != 0)
			continue;
		list[i] = list[kept];
		list[kept++] = r;
	}
	return kept;
}

static size_t visits_of(const char *study_id, Clinic__V1__Visit **list, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		Clinic__V1__Visit *v = list[i];

		if (strcmp(v->study_id, study_id) != 0)
			continue;
		list[i] = list[kept];
		list[kept++] = v;
	}
	return kept;
}

Clinic__V1__DiagnosticReport **psvc_leg_reports(const struct psvc_leg *leg, const char *study_id,
						size_t *ret_n, bool *ret_more)
{
	const Clinic__V1__GetReportsResponse *resp = report_get_reports_response(&leg->reply);

	CT_CHECK(leg->asked && leg->reply.status == CT_OK);
	*ret_n = reports_of(study_id, resp->reports, resp->n_reports);
	*ret_more = resp->next_token[0] != '\0';
	return resp->reports;
}

Clinic__V1__Visit **psvc_leg_visits(const struct psvc_leg *leg, const char *study_id, size_t *ret_n,
				    bool *ret_more)
{
	const Clinic__V1__GetVisitsResponse *resp = report_get_visits_response(&leg->reply);

	CT_CHECK(leg->asked && leg->reply.status == CT_OK);
	*ret_n = visits_of(study_id, resp->visits, resp->n_visits);
	*ret_more = resp->next_token[0] != '\0';
	return resp->visits;
}
