/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-svc/handlers/detail_view.h"

#include "base/mem.h"
#include "clinic/handlers/fail.h"
#include "patient-svc/domain/detail.h"
#include "rpc/cork.h"

#include <stdio.h>

#define US_PER_MS UINT64_C(1000)

enum { LEFT_PER_MARGIN = 4 /* the margin takes at most this part of a short budget */ };

/* ---- arriving -------------------------------------------------------------------- */

static bool arrive(struct detail_view *v)
{
	return atomic_fetch_sub_explicit(&v->parties, 1, memory_order_acq_rel) == 1;
}

static void answer_on_worker(struct ct_call *call, void *arg)
{
	(void)call;
	psvc_detail_answer(arg);
}

/* Every leg has ended. On a receiving thread: the answer is for a worker. */
static void legs_joined(struct ct_fanout *f, void *arg, ct_status first_error)
{
	struct detail_view *v = arg;

	(void)f;
	(void)first_error;
	if (arrive(v))
		ct_call_resume(v->call, answer_on_worker, v);
}

/* ---- the worker's part ----------------------------------------------------------- */

static uint64_t us_since(const struct detail_view *v, ct_instant start)
{
	return ct_instant_us_between(start, ct_ctx_now(v->ctx));
}

static ct_status read_local(struct ct_db *db, void *arg)
{
	struct detail_view *v = arg;
	struct psvc_store *store = v->app->store;
	struct ct_arena *arena = ct_call_arena(v->call);
	ct_instant start = ct_ctx_now(v->ctx);

	v->lookup = psvc_store_find_patient(store, db, v->req->study_id, v->req->usubjid, arena,
					    &v->patient);
	v->identity.latency_us = us_since(v, start);
	if (v->lookup != CT_OK)
		return v->lookup;
	if (v->cases.asked) {
		start = ct_ctx_now(v->ctx);
		v->cases.st = psvc_store_cases(store, db, v->patient->study_id, v->patient->usubjid,
					       v->max, arena, &v->case_list, &v->cases_n,
					       &v->cases.more);
		v->cases.latency_us = us_since(v, start);
	}
	if (v->medications.asked) {
		start = ct_ctx_now(v->ctx);
		v->medications.st = psvc_store_medications(
			store, db, v->patient->study_id, v->patient->usubjid, v->max, arena,
			&v->medication_list, &v->medications_n, &v->medications.more);
		v->medications.latency_us = us_since(v, start);
	}
	return CT_OK;
}

static void note_failures(struct detail_view *v)
{
	if (v->cases.st != CT_OK)
		psvc_legs_note_failure(&v->legs, CLINIC__V1__SECTION__CASES);
	if (v->medications.st != CT_OK)
		psvc_legs_note_failure(&v->legs, CLINIC__V1__SECTION__MEDICATIONS);
}

/* What makes the reports of no use stops the legs. */
static void run_local(struct detail_view *v)
{
	struct ct_store_why why = { "" };
	ct_status st;

	v->lookup = CT_UNKNOWN;
	st = ct_store_read(psvc_store_base(v->app->store), v->ctx, read_local, v, &why);
	(void)snprintf(v->store_why, sizeof(v->store_why), "%s", why.text);
	if (v->lookup == CT_UNKNOWN) /* there was no reader to be had */
		v->lookup = st != CT_OK ? st : CT_INTERNAL;
	note_failures(v);
	if (v->lookup != CT_OK || (!v->partial && st != CT_OK))
		(void)ct_ctx_cancel(v->ctx, CT_CANCEL_SIBLING);
}

/* ---- starting --------------------------------------------------------------------- */

static ct_status make_ctx(struct detail_view *v)
{
	struct ct_ctx *parent = ct_call_ctx(v->call);
	const ct_instant now = ct_ctx_now(parent), deadline = ct_ctx_deadline(parent);
	const uint64_t left_us = ct_deadline_left_us(now, deadline);
	uint64_t margin_us = v->app->limits.reply_margin_ms * US_PER_MS;

	if (left_us == CT_BUDGET_NONE)
		return ct_ctx_with_deadline(parent, CT_NEVER, &v->ctx);
	if (margin_us > left_us / LEFT_PER_MARGIN)
		margin_us = left_us / LEFT_PER_MARGIN;
	return ct_ctx_with_deadline(parent, ct_instant_add_us(now, left_us - margin_us), &v->ctx);
}

static ct_status make_fanout(struct detail_view *v)
{
	const uint64_t timeout_us = v->app->limits.report_timeout_ms * US_PER_MS;

	return ct_fanout_new(
		&(struct ct_fanout_opts){
			.parent = v->ctx,
			.deadline = ct_instant_add_us(ct_ctx_now(v->ctx), timeout_us),
			.policy = v->partial ? CT_FANOUT_PARTIAL : CT_FANOUT_FIRST_ERROR,
			.legs_max = PSVC_LEGS_N,
			.join = legs_joined,
			.arg = v,
		},
		&v->fanout);
}

static ct_status make_view(struct ct_call *call, const Clinic__V1__GetPatientDetailRequest *req,
			   uint32_t sections, struct detail_view **ret_view)
{
	struct psvc *app = ct_call_impl(call);
	struct detail_view *v = ct_mem_zalloc(1, sizeof(*v));
	ct_status st;

	if (v == NULL)
		return CT_RESOURCE_EXHAUSTED;
	v->call = call;
	v->app = app;
	v->req = req;
	v->sections = sections;
	v->max = psvc_section_max(req->max_per_section, app->limits.section_max);
	v->partial =
		req->maybe_allow_partial_case !=
			CLINIC__V1__GET_PATIENT_DETAIL_REQUEST__MAYBE_ALLOW_PARTIAL_ALLOW_PARTIAL ||
		req->allow_partial;
	v->identity.asked = (sections & PSVC_SECTION_BIT(CLINIC__V1__SECTION__IDENTITY)) != 0;
	v->cases.asked = (sections & PSVC_SECTION_BIT(CLINIC__V1__SECTION__CASES)) != 0;
	v->medications.asked = (sections & PSVC_SECTION_BIT(CLINIC__V1__SECTION__MEDICATIONS)) != 0;
	psvc_legs_init(&v->legs, call, app->report);
	st = make_ctx(v);
	if (st == CT_OK && (sections & PSVC_REPORT_SECTIONS) != 0)
		st = make_fanout(v);
	if (st != CT_OK) {
		psvc_detail_free(v);
		return st;
	}
	atomic_init(&v->parties, v->fanout != NULL ? 2 : 1);
	*ret_view = v;
	return CT_OK;
}

static void run(struct detail_view *v)
{
	const struct psvc_legs_query query = {
		.study_id = v->req->study_id,
		.usubjid = v->req->usubjid,
		.sections = v->sections,
		.max = v->max,
	};

	ct_call_keep(v->call);
	if (v->fanout != NULL) {
		ct_cork_calls();
		psvc_legs_start(&v->legs, v->fanout, &query);
		ct_uncork_calls();
		ct_fanout_seal(v->fanout);
	}
	run_local(v);
	if (arrive(v))
		psvc_detail_answer(v);
}

void psvc_get_patient_detail(struct ct_call *call, const Clinic__V1__GetPatientDetailRequest *req)
{
	struct detail_view *v = NULL;
	uint32_t sections;
	ct_status st;

	if (!clinic_arg_ok(call, "usubjid", req->usubjid, PSVC_KEY_CHARS_MAX, true) ||
	    !clinic_arg_ok(call, "study_id", req->study_id, PSVC_KEY_CHARS_MAX, false))
		return;
	if (!psvc_sections_asked(req->sections, req->n_sections, &sections)) {
		ct_call_fail(call, CT_INVALID_ARGUMENT, "sections has one that does not exist");
		return;
	}
	st = make_view(call, req, sections, &v);
	if (st == CT_OK)
		run(v);
	else
		ct_call_fail(call, st, "no memory for the view");
}
