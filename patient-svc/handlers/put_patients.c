/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-svc/handlers/handlers.h"

#include "clinic/handlers/put.h"
#include "patient-svc/domain/patient.h"

static bool check(struct clinic_put *p, size_t i, struct clinic_issue *ret_issue)
{
	return psvc_patient_check(clinic_put_item(p, i), ret_issue);
}

static ct_status store(struct clinic_put *p, struct ct_db *db, size_t i,
		       Clinic__V1__ItemOutcome__Kind *ret_kind, uint64_t *ret_version,
		       struct clinic_issue *ret_issue)
{
	struct psvc *app = clinic_put_app(p);

	(void)ret_issue;
	return psvc_store_put_patient(app->store, db, clinic_put_item(p, i), ret_kind, ret_version);
}

static void reply(struct ct_call *call, Clinic__V1__ItemOutcome **outcomes, size_t n)
{
	Clinic__V1__PutPatientsResponse resp = CLINIC__V1__PUT_PATIENTS_RESPONSE__INIT;

	resp.outcomes = outcomes;
	resp.n_outcomes = n;
	patient_put_patients_reply(call, &resp);
}

static const struct clinic_put_type type = { &psvc_patient_fields, check, store, reply };

void psvc_put_patients(struct ct_call *call, const Clinic__V1__PutPatientsRequest *req)
{
	struct psvc *app = ct_call_impl(call);

	clinic_put_run(call, &(struct clinic_put_opts){
				     .type = &type,
				     .items = req->patients,
				     .items_n = req->n_patients,
				     .items_max = app->limits.items_max,
				     .store = psvc_store_base(app->store),
				     .log = app->log,
				     .app = app,
			     });
}
