/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RSVC_HANDLERS_HANDLERS_H
#define RSVC_HANDLERS_HANDLERS_H

#include "report-svc/handlers/rsvc.h"

#include "clinic/v1/report.ct.h"

/* The methods of clinic.v1.ReportService, one file each: decode, call domain and
 * store, encode. ct_call_impl() is the struct rsvc. */
void rsvc_put_reports(struct ct_call *call, const Clinic__V1__PutReportsRequest *req);
void rsvc_get_reports(struct ct_call *call, const Clinic__V1__GetReportsRequest *req);
void rsvc_put_visits(struct ct_call *call, const Clinic__V1__PutVisitsRequest *req);
void rsvc_get_visits(struct ct_call *call, const Clinic__V1__GetVisitsRequest *req);

/* Before the first listen; app outlives the server. */
CT_MUST_USE ct_status rsvc_handlers_register(struct ct_server *s, struct rsvc *app);

#endif
