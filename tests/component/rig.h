/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_COMPONENT_RIG_H
#define TESTS_COMPONENT_RIG_H

#include "patient-svc/conf.h"
#include "report-svc/conf.h"
#include "rpc/services/service_host.h"

#include "clinic/v1/patient.ct.h"
#include "clinic/v1/report.ct.h"

/*
 * Both services in this process, on databases in a folder of their own and
 * loopback sockets, with a client to each. One per test.
 */
struct rig_opts {
	const struct ct_service *report;     /* what answers as report-svc; NULL: the real one */
	bool report_dead;                    /* nobody listens where report-svc should be */
	const char *const *patient_settings; /* "path=value", ends with NULL */
	const char *const *report_settings;
};

struct rig {
	char dir[64];
	int log_fd;
	struct ct_log *log; /* at debug, of both services and the clients */
	struct psvc_conf patient_conf;
	struct rsvc_conf report_conf;
	struct ct_service_host *patient, *report;
	struct ct_runtime rt;
	struct ct_client *to_patient, *to_report;
	struct ct_reply reply; /* of the last sync call through the functions below */
};

/* opts NULL: all real. */
void rig_start(struct rig *r, const struct rig_opts *opts);
void rig_stop(struct rig *r);

/* Everything logged so far; free() it. */
char *rig_log_text(struct rig *r);

struct ct_store *rig_patient_store(const struct rig *r);
struct ct_store *rig_report_store(const struct rig *r);

/* Runs one statement without parameters on a store. */
void rig_sql(struct ct_store *s, const char *sql);
/* The one number that a query gives. */
int64_t rig_sql_number(struct ct_store *s, const char *sql);

/* Calls fn until it is true, at most for AWAIT_MS; the rest of the time is others'. */
bool rig_await(bool (*fn)(void *arg), void *arg);

/* A call with a test's time to answer; methods allow a fraction of a second, which a busy
 * machine may take. What it answered is in rig.reply until the next call. */
ct_status rig_ask(struct rig *r, struct ct_client *c, const struct ct_method *m,
		  const ProtobufCMessage *req);

/* ---- things to put, with what is required filled in ------------------------------ */

Clinic__V1__Patient rig_patient(const char *study, const char *usubjid);
Clinic__V1__CaseRecord rig_case(const char *study, const char *usubjid, uint32_t seq);
Clinic__V1__Medication rig_medication(const char *study, const char *usubjid, uint32_t seq);
Clinic__V1__DiagnosticReport rig_report(const char *study, const char *usubjid, const char *id);
Clinic__V1__Visit rig_visit(const char *study, const char *usubjid, double num, const char *start);

/* Puts one; its outcome is in rig.reply until the next call. The call must be OK. */
const Clinic__V1__ItemOutcome *rig_put_patient(struct rig *r, Clinic__V1__Patient *item);
const Clinic__V1__ItemOutcome *rig_put_case(struct rig *r, Clinic__V1__CaseRecord *item);
const Clinic__V1__ItemOutcome *rig_put_medication(struct rig *r, Clinic__V1__Medication *item);
const Clinic__V1__ItemOutcome *rig_put_report(struct rig *r, Clinic__V1__DiagnosticReport *item);
const Clinic__V1__ItemOutcome *rig_put_visit(struct rig *r, Clinic__V1__Visit *item);

#define CREATED CLINIC__V1__ITEM_OUTCOME__KIND__CREATED
#define UPDATED CLINIC__V1__ITEM_OUTCOME__KIND__UPDATED
#define UNCHANGED CLINIC__V1__ITEM_OUTCOME__KIND__UNCHANGED
#define REJECTED CLINIC__V1__ITEM_OUTCOME__KIND__REJECTED

#endif
