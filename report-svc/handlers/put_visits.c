/* SPDX-License-Identifier: Apache-2.0 */
#include "report-svc/handlers/handlers.h"

#include "clinic/handlers/put.h"
#include "report-svc/domain/visit.h"

static bool check(struct clinic_put *p, size_t i, struct clinic_issue *ret_issue)
{
	return rsvc_visit_check(clinic_put_item(p, i), ret_issue);
}

static ct_status store(struct clinic_put *p, struct ct_db *db, size_t i,
		       Clinic__V1__ItemOutcome__Kind *ret_kind, uint64_t *ret_version,
		       struct clinic_issue *ret_issue)
{
	struct rsvc *app = clinic_put_app(p);

	(void)ret_issue;
	return rsvc_store_put_visit(app->store, db, clinic_put_item(p, i), ret_kind, ret_version);
}

static void reply(struct ct_call *call, Clinic__V1__ItemOutcome **outcomes, size_t n)
{
	Clinic__V1__PutVisitsResponse resp = CLINIC__V1__PUT_VISITS_RESPONSE__INIT;

	resp.outcomes = outcomes;
	resp.n_outcomes = n;
	report_put_visits_reply(call, &resp);
}

static const struct clinic_put_type type = { &rsvc_visit_fields, check, store, reply };

void rsvc_put_visits(struct ct_call *call, const Clinic__V1__PutVisitsRequest *req)
{
	struct rsvc *app = ct_call_impl(call);

	clinic_put_run(call, &(struct clinic_put_opts){
				     .type = &type,
				     .items = req->visits,
				     .items_n = req->n_visits,
				     .items_max = app->limits.items_max,
				     .store = rsvc_store_base(app->store),
				     .log = app->log,
				     .app = app,
			     });
}
