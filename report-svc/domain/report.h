/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RSVC_DOMAIN_REPORT_H
#define RSVC_DOMAIN_REPORT_H

#include "clinic/domain/fields.h"

#include "clinic/v1/report.pb-c.h"

/* Examination reports and their results: what may stand in one. Original results
 * are kept as they were written ("<0.2", "098.6"), the standard ones as text and,
 * where they are one, as a number. Constants and pure functions, any thread. */
extern const struct clinic_fields rsvc_report_fields;      /* the header, without results */
extern const struct clinic_fields rsvc_observation_fields; /* of Clinic__V1__Observation */

/* True when r may be stored; else false and the first thing that is wrong. */
CT_MUST_USE bool rsvc_report_check(const Clinic__V1__DiagnosticReport *r, uint32_t results_max,
				   struct clinic_issue *ret_issue);

/* Which kinds a request asks for: bit k for kind k; all when it names none.
 * False: it names one that does not exist. */
CT_MUST_USE bool rsvc_report_kinds(const Clinic__V1__ReportKind *kinds, size_t n,
				   uint32_t *ret_mask);

#endif
