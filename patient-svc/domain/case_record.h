/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PSVC_DOMAIN_CASE_RECORD_H
#define PSVC_DOMAIN_CASE_RECORD_H

#include "clinic/domain/fields.h"

#include "clinic/v1/patient.pb-c.h"

/* Medical history and adverse events: what may stand in one. Constants and pure
 * functions, any thread. */
extern const struct clinic_fields psvc_case_fields;

/* True when c may be stored; else false and the first thing that is wrong. */
CT_MUST_USE bool psvc_case_check(const Clinic__V1__CaseRecord *c, struct clinic_issue *ret_issue);

#endif
