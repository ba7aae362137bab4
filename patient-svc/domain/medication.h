/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PSVC_DOMAIN_MEDICATION_H
#define PSVC_DOMAIN_MEDICATION_H

#include "clinic/domain/fields.h"

#include "clinic/v1/patient.pb-c.h"

/* What a subject took: what may stand in it. The dose is kept as it was written
 * and, where it is one, as a number. Constants and pure functions, any thread. */
extern const struct clinic_fields psvc_medication_fields;

/* True when m may be stored; else false and the first thing that is wrong. */
CT_MUST_USE bool psvc_medication_check(const Clinic__V1__Medication *m,
				       struct clinic_issue *ret_issue);

#endif
