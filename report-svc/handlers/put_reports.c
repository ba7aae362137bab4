/* SPDX-License-Identifier: Apache-2.0 */
#include "report-svc/handlers/handlers.h"

#include "clinic/handlers/put.h"
#include "report-svc/domain/report.h"
#include "rpc/codec.h"

enum { REPORTS_IN_REPLY = 4 /* of the largest, at least */ };

/* The report as it is kept: without its version, which the store counts, and
 * without fields this program does not know, which nobody has checked. */
static Clinic__V1__DiagnosticReport as_kept(const Clinic__V1__DiagnosticReport *r)
{
	Clinic__V1__DiagnosticReport kept = *r;

	kept.version = 0;
	kept.base.n_unknown_fields = 0;
	for (size_t i = 0; i < r->n_results; i++)
		r->results[i]->base.n_unknown_fields = 0;
	return kept;
}

static bool check(struct clinic_put *p, size_t i, struct clinic_issue *ret_issue)
{
	const Clinic__V1__DiagnosticReport *r = clinic_put_item(p, i);
	const struct rsvc *app = clinic_put_app(p);
	const size_t bytes_max = app->limits.reply_bytes_max / REPORTS_IN_REPLY;
	Clinic__V1__DiagnosticReport kept;

	if (!rsvc_report_check(r, app->limits.results_max, ret_issue))
		return false;
	kept = as_kept(r);
	if (ct_codec_pack(&kept.base, bytes_max, ct_call_arena(clinic_put_call(p)),
			  clinic_put_extra(p, i)) == CT_OK)
		return true;
	if (protobuf_c_message_get_packed_size(&kept.base) <= bytes_max)
		return clinic_issue_set(ret_issue, CT_RESOURCE_EXHAUSTED, "",
					"no memory for the report");
	return clinic_issue_set(ret_issue, CT_INVALID_ARGUMENT, "results",
				"the report is larger than %zu bytes", bytes_max);
}

static ct_status store(struct clinic_put *p, struct ct_db *db, size_t i,
		       Clinic__V1__ItemOutcome__Kind *ret_kind, uint64_t *ret_version,
		       struct clinic_issue *ret_issue)
{
	const struct ct_bytes *body = clinic_put_extra(p, i);
	const ct_status st = rsvc_store_put_report(db, clinic_put_item(p, i), *body, ret_kind,
						   ret_version);

	if (st != CT_ALREADY_EXISTS || ct_db_status(db) != CT_OK)
		return st;
	(void)clinic_issue_set(ret_issue, CT_ALREADY_EXISTS, "report_id",
			       "another subject has a report of this id");
	return CT_OK;
}

static void reply(struct ct_call *call, Clinic__V1__ItemOutcome **outcomes, size_t n)
{
	Clinic__V1__PutReportsResponse resp = CLINIC__V1__PUT_REPORTS_RESPONSE__INIT;

	resp.outcomes = outcomes;
	resp.n_outcomes = n;
	report_put_reports_reply(call, &resp);
}

static const struct clinic_put_type type = { &rsvc_report_fields, check, store, reply };

void rsvc_put_reports(struct ct_call *call, const Clinic__V1__PutReportsRequest *req)
{
	struct rsvc *app = ct_call_impl(call);

	clinic_put_run(call, &(struct clinic_put_opts){
				     .type = &type,
				     .items = req->reports,
				     .items_n = req->n_reports,
				     .items_max = app->limits.items_max,
				     .store = rsvc_store_base(app->store),
				     .log = app->log,
				     .app = app,
				     .extra_bytes = sizeof(struct ct_bytes), /* the packed report */
			     });
}
