/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PSVC_DOMAIN_PATIENT_H
#define PSVC_DOMAIN_PATIENT_H

#include "clinic/domain/fields.h"

#include "clinic/v1/patient.pb-c.h"

/* What a subject of a study is, and what may stand in it. The identity has a
 * table of its own, here and in the store: it is kept apart from the research
 * data. Constants and pure functions, any thread. */
extern const struct clinic_fields psvc_patient_fields;
extern const struct clinic_fields psvc_identity_fields; /* of Clinic__V1__PatientIdentity */

/* True when p may be stored; else false and the first thing that is wrong. */
CT_MUST_USE bool psvc_patient_check(const Clinic__V1__Patient *p, struct clinic_issue *ret_issue);

#endif
