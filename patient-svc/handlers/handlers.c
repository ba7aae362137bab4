/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-svc/handlers/handlers.h"

static const struct patient_handlers handlers = {
	.put_patients = psvc_put_patients,
	.put_case_records = psvc_put_case_records,
	.put_medications = psvc_put_medications,
	.get_patient = psvc_get_patient,
	.search_patients = psvc_search_patients,
	.get_patient_detail = psvc_get_patient_detail,
};

ct_status psvc_handlers_register(struct ct_server *s, struct psvc *app)
{
	return patient_register(s, &handlers, app);
}
