/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PSVC_CLIENTS_REPORT_LEGS_H
#define PSVC_CLIENTS_REPORT_LEGS_H

#include "rpc/call.h"
#include "rpc/fanout.h"

#include "clinic/v1/patient.pb-c.h"

#include <stdatomic.h>

/*
 * The part of a patient's full view that report-svc has: laboratory reports, vital
 * signs and visits, each a leg of one fan-out. A leg's answer is kept until fini.
 */
enum psvc_leg_kind { PSVC_LEG_LAB, PSVC_LEG_VITALS, PSVC_LEG_VISITS, PSVC_LEGS_N };

struct psvc_legs;

struct psvc_leg {
	struct psvc_legs *legs;
	Clinic__V1__Section section;
	bool asked;
	struct ct_reply reply; /* how it ended; read after the join */
};

/* Lives in its owner's memory. A leg writes its own part when it ends, on any
 * thread; the join orders that before whoever reads it. */
struct psvc_legs {
	struct ct_call *call; /* whose ledger gets the hops */
	struct ct_client *client;
	atomic_int first_failed; /* Clinic__V1__Section that failed first; 0: none */
	struct psvc_leg leg[PSVC_LEGS_N];
};

/* What the legs ask for. Borrowed for the start. */
struct psvc_legs_query {
	const char *study_id, *usubjid; /* study_id "": of any study */
	uint32_t sections;              /* PSVC_SECTION_BIT()s; others than ours are ignored */
	uint32_t max;                   /* items of each */
};

void psvc_legs_init(struct psvc_legs *l, struct ct_call *call, struct ct_client *client);
void psvc_legs_fini(struct psvc_legs *l);

/* Starts every leg that is asked for. */
void psvc_legs_start(struct psvc_legs *l, struct ct_fanout *f, const struct psvc_legs_query *q);

/* A section failed; the first one is remembered. Any thread. */
void psvc_legs_note_failure(struct psvc_legs *l, Clinic__V1__Section section);

/* After the join, of legs that were asked for and ended OK: what belongs to the
 * study, how much that is, and whether report-svc has more of the subject. The legs
 * start before the study is known, and another study's subject may have the same
 * usubjid there. One thread; borrowed until fini. */
Clinic__V1__DiagnosticReport **psvc_leg_reports(const struct psvc_leg *leg, const char *study_id,
						size_t *ret_n, bool *ret_more);
Clinic__V1__Visit **psvc_leg_visits(const struct psvc_leg *leg, const char *study_id, size_t *ret_n,
				    bool *ret_more);

#endif
