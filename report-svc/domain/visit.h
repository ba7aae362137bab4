/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RSVC_DOMAIN_VISIT_H
#define RSVC_DOMAIN_VISIT_H

#include "clinic/domain/fields.h"

#include "clinic/v1/report.pb-c.h"

/* Visits of a subject: what may stand in one. The key holds the study, too, so
 * that no study can overwrite another's. Constants and pure functions, any thread. */
extern const struct clinic_fields rsvc_visit_fields;

/* True when v may be stored; else false and the first thing that is wrong. */
CT_MUST_USE bool rsvc_visit_check(const Clinic__V1__Visit *v, struct clinic_issue *ret_issue);

#endif
