/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PSVC_HANDLERS_HANDLERS_H
#define PSVC_HANDLERS_HANDLERS_H

#include "patient-svc/handlers/psvc.h"

#include "clinic/v1/patient.ct.h"

/* The methods of clinic.v1.PatientService, one file each: decode, call domain and
 * store, encode. ct_call_impl() is the struct psvc. */
void psvc_put_patients(struct ct_call *call, const Clinic__V1__PutPatientsRequest *req);
void psvc_put_case_records(struct ct_call *call, const Clinic__V1__PutCaseRecordsRequest *req);
void psvc_put_medications(struct ct_call *call, const Clinic__V1__PutMedicationsRequest *req);
void psvc_get_patient(struct ct_call *call, const Clinic__V1__GetPatientRequest *req);
void psvc_search_patients(struct ct_call *call, const Clinic__V1__SearchPatientsRequest *req);
void psvc_get_patient_detail(struct ct_call *call, const Clinic__V1__GetPatientDetailRequest *req);

/* Before the first listen; app outlives the server. */
CT_MUST_USE ct_status psvc_handlers_register(struct ct_server *s, struct psvc *app);

#endif
