/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/calls.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/text.h"
#include "conc/thread.h"
#include "sdtm-import/sender.h"

#include "clinic/v1/patient.ct.h"
#include "clinic/v1/report.ct.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { RESEND_MS = 200, UNKNOWN_EXIT = 2 };

struct sdtm_calls {
	/* fixed after open */
	const struct sdtm_args *args;
	sdtm_done_fn *done;
	void *arg;
	struct ct_runtime rt;
	struct ct_ctx *ctx; /* parent of every call */
	struct ct_client *patient, *report;
	struct ct_reply reply; /* of the blocking calls */
	pthread_t watcher;
	bool watching;
	atomic_bool interrupted; /* relaxed: looked at now and then */
};

/* ---- Ctrl-C --------------------------------------------------------------- */

static void watched_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGUSR1); /* close() ends the watcher with it */
}

static void *watch(void *arg)
{
	struct sdtm_calls *c = arg;
	sigset_t set;
	int sig;

	watched_signals(&set);
	while (sigwait(&set, &sig) == 0 && sig != SIGUSR1) {
		if (atomic_exchange_explicit(&c->interrupted, true, memory_order_relaxed))
			_exit(UNKNOWN_EXIT); /* the second time: at once */
		(void)ct_ctx_cancel(c->ctx, CT_CANCEL_CALLER);
	}
	return NULL;
}

static ct_status start_watching(struct sdtm_calls *c)
{
	sigset_t set;
	ct_status st;

	watched_signals(&set);
	CT_CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	st = ct_thread_start(&c->watcher, "sdtm-signals", watch, c);
	c->watching = st == CT_OK;
	return st;
}

bool sdtm_calls_interrupted(const struct sdtm_calls *c)
{
	return atomic_load_explicit(&c->interrupted, memory_order_relaxed);
}

void sdtm_calls_cancel(struct sdtm_calls *c)
{
	(void)ct_ctx_cancel(c->ctx, CT_CANCEL_CALLER); /* it may be cancelled already */
}

/* ---- life ----------------------------------------------------------------- */

static ct_status connect_to(struct sdtm_calls *c, const char *peer, const char *const *urls,
			    size_t urls_n, struct ct_client **ret_client, const char **ret_why)
{
	const struct ct_client_opts opts = {
		.rt = &c->rt,
		.peer = peer,
		.urls = urls,
		.urls_n = urls_n,
	};

	return ct_client_new(&opts, ret_client, ret_why);
}

ct_status sdtm_calls_open(const struct sdtm_args *args, sdtm_done_fn *done, void *arg,
			  struct sdtm_calls **ret_calls, const char **ret_why)
{
	const struct ct_runtime_opts ro = { .service = "sdtm-import" };
	struct sdtm_calls *c = ct_mem_zalloc(1, sizeof(*c));
	ct_status st;

	*ret_why = "no memory or threads";
	if (c == NULL)
		return CT_RESOURCE_EXHAUSTED;
	c->args = args;
	c->done = done;
	c->arg = arg;
	ct_reply_init(&c->reply);
	st = ct_runtime_init(&c->rt, &ro);
	if (st == CT_OK)
		st = ct_ctx_new_root(c->rt.timers, CT_NEVER, &c->ctx);
	if (st == CT_OK)
		st = start_watching(c);
	if (st == CT_OK)
		st = connect_to(c, "patient-svc", args->patient, args->patient_n, &c->patient,
				ret_why);
	if (st == CT_OK)
		st = connect_to(c, "report-svc", args->report, args->report_n, &c->report, ret_why);
	if (st != CT_OK)
		c = sdtm_calls_close(c);
	else
		*ret_calls = c;
	return st;
}

struct sdtm_calls *sdtm_calls_close(struct sdtm_calls *c)
{
	if (c == NULL)
		return NULL;
	c->patient = ct_client_free(c->patient);
	c->report = ct_client_free(c->report);
	if (c->watching) {
		CT_CHECK(pthread_kill(c->watcher, SIGUSR1) == 0);
		ct_thread_join(c->watcher);
	}
	c->ctx = ct_ctx_unref(c->ctx);
	ct_reply_fini(&c->reply);
	ct_runtime_fini(&c->rt);
	ct_mem_free(c);
	return NULL;
}

static bool to_report_svc(const struct sdtm_table *table)
{
	return table->id == SDTM_LB || table->id == SDTM_VS || table->id == SDTM_SV;
}

const char *sdtm_calls_peer(const struct sdtm_table *table)
{
	return to_report_svc(table) ? "report-svc" : "patient-svc";
}

const char *sdtm_calls_url(const struct sdtm_calls *c, const struct sdtm_table *table)
{
	return to_report_svc(table) ? c->args->report[0] : c->args->patient[0];
}

ct_status sdtm_calls_wait(struct sdtm_calls *c, const struct sdtm_table *table, uint32_t timeout_ms)
{
	struct ct_ctx *ctx = NULL;
	ct_status st;

	st = ct_ctx_with_timeout_ms(c->ctx, timeout_ms, &ctx);
	if (st == CT_OK)
		st = ct_client_wait_ready(to_report_svc(table) ? c->report : c->patient, ctx);
	ctx = ct_ctx_unref(ctx);
	return st;
}

/* ---- batches -------------------------------------------------------------- */

/* The outcomes inside a reply, whatever its method. */
static size_t outcomes_of(const struct sdtm_table *table, const ProtobufCMessage *response,
			  Clinic__V1__ItemOutcome *const **ret_outcomes)
{
	const Clinic__V1__PutPatientsResponse *patients = (const void *)response;
	const Clinic__V1__PutCaseRecordsResponse *cases = (const void *)response;
	const Clinic__V1__PutMedicationsResponse *medications = (const void *)response;
	const Clinic__V1__PutReportsResponse *reports = (const void *)response;
	const Clinic__V1__PutVisitsResponse *visits = (const void *)response;

	switch (table->id) {
	case SDTM_DM:
		*ret_outcomes = patients->outcomes;
		return patients->n_outcomes;
	case SDTM_AE:
	case SDTM_MH:
		*ret_outcomes = cases->outcomes;
		return cases->n_outcomes;
	case SDTM_CM:
		*ret_outcomes = medications->outcomes;
		return medications->n_outcomes;
	case SDTM_LB:
	case SDTM_VS:
		*ret_outcomes = reports->outcomes;
		return reports->n_outcomes;
	case SDTM_SV:
		*ret_outcomes = visits->outcomes;
		return visits->n_outcomes;
	case SDTM_TABLES_N:
		break;
	}
	ct_check_failed(__FILE__, __LINE__, __func__, "a table that is sent");
}

static enum sdtm_fate fate_of(const Clinic__V1__ItemOutcome *o)
{
	switch (o->kind) {
	case CLINIC__V1__ITEM_OUTCOME__KIND__CREATED:
		return SDTM_CREATED;
	case CLINIC__V1__ITEM_OUTCOME__KIND__UPDATED:
		return SDTM_UPDATED;
	case CLINIC__V1__ITEM_OUTCOME__KIND__UNCHANGED:
		return SDTM_UNCHANGED;
	default: /* REJECTED, and what this program does not know */
		return SDTM_REJECTED;
	}
}

/* An item of which the answer says nothing counts as refused, not as stored. */
static void take_outcomes(struct sdtm_batch *b, const ProtobufCMessage *response)
{
	Clinic__V1__ItemOutcome *const *from = NULL;
	const size_t n = outcomes_of(b->table, response, &from);

	for (uint32_t i = 0; i < b->items_n; i++) {
		b->outcomes[i] = (struct sdtm_outcome){ .fate = SDTM_REJECTED,
							.code = CT_INTERNAL };
		snprintf(b->outcomes[i].message, sizeof(b->outcomes[i].message),
			 "the service did not say what became of it");
	}
	for (size_t i = 0; i < n; i++) {
		struct sdtm_outcome *o;

		if (from[i]->index >= b->items_n)
			continue;
		o = &b->outcomes[from[i]->index];
		o->fate = fate_of(from[i]);
		o->code = ct_status_from_wire((uint32_t)from[i]->code);
		(void)ct_text_show(o->field, sizeof(o->field), from[i]->field);
		(void)ct_text_show(o->message, sizeof(o->message), from[i]->message);
	}
}

/* What a call in flight needs besides its batch. */
struct flight {
	struct sdtm_calls *calls;
	struct sdtm_batch *batch;
};

static void put_done(void *arg, struct ct_reply *reply)
{
	struct flight f = *(struct flight *)arg;
	struct sdtm_batch *b = f.batch;

	ct_mem_free(arg);
	b->status = reply->status;
	b->retry_after_ms = reply->retry_after_ms;
	b->final = reply->no_retry;
	(void)ct_text_show(b->message, sizeof(b->message), reply->message);
	if (reply->status == CT_OK)
		take_outcomes(b, reply->response);
	f.calls->done(f.calls->arg, b);
}

static void start_call(struct sdtm_calls *c, const struct ct_method *m, struct ct_client *client,
		       const ProtobufCMessage *req, struct sdtm_batch *b)
{
	const struct ct_call_opts opts = { .timeout_ms = c->args->deadline_ms };
	struct flight *f = ct_mem_alloc(sizeof(*f));

	if (f == NULL) {
		b->status = CT_RESOURCE_EXHAUSTED;
		snprintf(b->message, sizeof(b->message), "out of memory here");
		c->done(c->arg, b);
		return;
	}
	*f = (struct flight){ c, b };
	ct_client_start(client, c->ctx, m, req, &opts, put_done, f);
}

void sdtm_calls_put(struct sdtm_calls *c, struct sdtm_batch *b)
{
	Clinic__V1__PutPatientsRequest patients = CLINIC__V1__PUT_PATIENTS_REQUEST__INIT;
	Clinic__V1__PutCaseRecordsRequest cases = CLINIC__V1__PUT_CASE_RECORDS_REQUEST__INIT;
	Clinic__V1__PutMedicationsRequest medications = CLINIC__V1__PUT_MEDICATIONS_REQUEST__INIT;
	Clinic__V1__PutReportsRequest reports = CLINIC__V1__PUT_REPORTS_REQUEST__INIT;
	Clinic__V1__PutVisitsRequest visits = CLINIC__V1__PUT_VISITS_REQUEST__INIT;

	switch (b->table->id) {
	case SDTM_DM:
		patients.n_patients = b->items_n;
		patients.patients = (void *)b->msgs;
		start_call(c, &patient_put_patients_method, c->patient, &patients.base, b);
		break;
	case SDTM_AE:
	case SDTM_MH:
		cases.n_records = b->items_n;
		cases.records = (void *)b->msgs;
		start_call(c, &patient_put_case_records_method, c->patient, &cases.base, b);
		break;
	case SDTM_CM:
		medications.n_medications = b->items_n;
		medications.medications = (void *)b->msgs;
		start_call(c, &patient_put_medications_method, c->patient, &medications.base, b);
		break;
	case SDTM_LB:
	case SDTM_VS:
		reports.n_reports = b->items_n;
		reports.reports = (void *)b->msgs;
		start_call(c, &report_put_reports_method, c->report, &reports.base, b);
		break;
	case SDTM_SV:
		visits.n_visits = b->items_n;
		visits.visits = (void *)b->msgs;
		start_call(c, &report_put_visits_method, c->report, &visits.base, b);
		break;
	case SDTM_TABLES_N:
		ct_check_failed(__FILE__, __LINE__, __func__, "a table that is sent");
	}
}

/* ---- subjects ------------------------------------------------------------- */

ct_status sdtm_calls_known(struct sdtm_calls *c, const char *study_id, const char *usubjid,
			   bool *ret_known)
{
	const struct ct_call_opts opts = { .timeout_ms = c->args->deadline_ms };
	const struct ct_clock *clk = ct_clock_system();
	const ct_instant give_up = ct_deadline_after_ms(clk, c->args->retry_ms);
	Clinic__V1__GetPatientRequest req = CLINIC__V1__GET_PATIENT_REQUEST__INIT;

	req.study_id = (char *)(uintptr_t)study_id; /* packed, not written to */
	req.usubjid = (char *)(uintptr_t)usubjid;
	for (;;) {
		const ct_status st = ct_client_call(c->patient, c->ctx, &patient_get_patient_method,
						    &req.base, &opts, &c->reply);
		ct_instant next;

		if (st == CT_OK || st == CT_NOT_FOUND || st == CT_INVALID_ARGUMENT) {
			*ret_known = st == CT_OK;
			return CT_OK;
		}
		next = ct_deadline_after_ms(clk, c->reply.retry_after_ms > RESEND_MS
							 ? c->reply.retry_after_ms
							 : RESEND_MS);
		if (!sdtm_may_pass(st) || next.ns > give_up.ns)
			return st;
		if (ct_ctx_sleep_until(c->ctx, next) != CT_OK)
			return CT_CANCELLED;
	}
}
