/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-svc/handlers/handlers.h"

#include "clinic/handlers/fail.h"
#include "patient-svc/domain/detail.h"

struct lookup {
	struct psvc *app;
	struct ct_call *call;
	const Clinic__V1__GetPatientRequest *req;
	Clinic__V1__Patient *patient;
};

static ct_status look_up(struct ct_db *db, void *arg)
{
	struct lookup *l = arg;

	return psvc_store_find_patient(l->app->store, db, l->req->study_id, l->req->usubjid,
				       ct_call_arena(l->call), &l->patient);
}

void psvc_get_patient(struct ct_call *call, const Clinic__V1__GetPatientRequest *req)
{
	Clinic__V1__GetPatientResponse resp = CLINIC__V1__GET_PATIENT_RESPONSE__INIT;
	struct psvc *app = ct_call_impl(call);
	struct lookup l = { .app = app, .call = call, .req = req };
	struct ct_store_why why = { "" };
	ct_status st;

	if (!clinic_arg_ok(call, "usubjid", req->usubjid, PSVC_KEY_CHARS_MAX, true) ||
	    !clinic_arg_ok(call, "study_id", req->study_id, PSVC_KEY_CHARS_MAX, false))
		return;
	st = ct_store_read(psvc_store_base(app->store), ct_call_ctx(call), look_up, &l, &why);
	if (st == CT_OK) {
		resp.patient = l.patient;
		patient_get_patient_reply(call, &resp);
	} else if (psvc_lookup_fault(st) != NULL) {
		ct_call_fail(call, st, "%s", psvc_lookup_fault(st));
	} else {
		clinic_store_failed(call, app->log, st, why.text);
	}
}
