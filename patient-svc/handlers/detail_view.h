/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PSVC_HANDLERS_DETAIL_VIEW_H
#define PSVC_HANDLERS_DETAIL_VIEW_H

#include "patient-svc/clients/report_legs.h"
#include "patient-svc/handlers/handlers.h"

#include <stdatomic.h>

/* A section that is read here. */
struct detail_local {
	bool asked, more;
	ct_status st;
	uint64_t latency_us;
};

/*
 * One full view in the making. Two parties work on it at once: the worker reads
 * this service's store, the legs read report-svc. Each writes its own part; the
 * last to arrive puts the answer together and frees it all.
 *
 *   handler -- legs start ----> report-svc ... join ---- arrive \
 *          \-- local reads ---------------------------- arrive --> answer
 */
struct detail_view {
	/* fixed when the parties start */
	struct ct_call *call;
	struct psvc *app;
	const Clinic__V1__GetPatientDetailRequest *req; /* in the call's memory */
	struct ct_ctx *ctx; /* of all work: ends a margin before the call does; a reference */
	uint32_t sections, max;
	bool partial;

	atomic_int parties; /* acq_rel: the last sees what the others wrote */

	/* the worker's part, until it arrives */
	ct_status lookup;    /* OK: the subject is known */
	char store_why[256]; /* for the log */
	struct detail_local identity, cases, medications;
	Clinic__V1__Patient *patient;
	Clinic__V1__CaseRecord **case_list;
	Clinic__V1__Medication **medication_list;
	size_t cases_n, medications_n;

	/* the legs' part, until the join */
	struct psvc_legs legs;
	struct ct_fanout *fanout; /* NULL: no section of report-svc was asked for */
};

/* detail_answer.c: on a worker, once every party has arrived. Ends the call and
 * frees the view. */
void psvc_detail_answer(struct detail_view *v);
void psvc_detail_free(struct detail_view *v);

#endif
