/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-svc/handlers/handlers.h"

#include "clinic/handlers/put.h"
#include "patient-svc/domain/medication.h"

static bool check(struct clinic_put *p, size_t i, struct clinic_issue *ret_issue)
{
	return psvc_medication_check(clinic_put_item(p, i), ret_issue);
}

static ct_status store(struct clinic_put *p, struct ct_db *db, size_t i,
		       Clinic__V1__ItemOutcome__Kind *ret_kind, uint64_t *ret_version,
		       struct clinic_issue *ret_issue)
{
	const Clinic__V1__Medication *item = clinic_put_item(p, i);
	struct psvc *app = clinic_put_app(p);
	bool known = false;
	ct_status st;

	st = psvc_store_has_subject(app->store, db, item->study_id, item->usubjid, &known);
	if (st == CT_OK && !known) {
		(void)clinic_issue_set(ret_issue, CT_NOT_FOUND, "usubjid",
				       "the study has no such subject");
		return CT_OK;
	}
	if (st == CT_OK)
		st = psvc_store_put_medication(app->store, db, item, ret_kind, ret_version);
	return st;
}

static void reply(struct ct_call *call, Clinic__V1__ItemOutcome **outcomes, size_t n)
{
	Clinic__V1__PutMedicationsResponse resp = CLINIC__V1__PUT_MEDICATIONS_RESPONSE__INIT;

	resp.outcomes = outcomes;
	resp.n_outcomes = n;
	patient_put_medications_reply(call, &resp);
}

static const struct clinic_put_type type = { &psvc_medication_fields, check, store, reply };

void psvc_put_medications(struct ct_call *call, const Clinic__V1__PutMedicationsRequest *req)
{
	struct psvc *app = ct_call_impl(call);

	clinic_put_run(call, &(struct clinic_put_opts){
				     .type = &type,
				     .items = req->medications,
				     .items_n = req->n_medications,
				     .items_max = app->limits.items_max,
				     .store = psvc_store_base(app->store),
				     .log = app->log,
				     .app = app,
			     });
}
