/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PSVC_DOMAIN_DETAIL_H
#define PSVC_DOMAIN_DETAIL_H

#include "base/attrs.h"
#include "base/status.h"

#include "clinic/v1/patient.pb-c.h"

#include <stdbool.h>

/* The rules of a patient's full view: which sections, what their states mean, what
 * it may weigh. Pure functions, any thread. */
enum {
	PSVC_KEY_CHARS_MAX = 64, /* of study_id, usubjid and the like, as the field tables say */
	PSVC_SECTIONS_N = 6,     /* Clinic__V1__Section 1..6 */
};

#define PSVC_SECTION_BIT(section) (UINT32_C(1) << (section))
/* Those that report-svc has; the others are read here. */
#define PSVC_REPORT_SECTIONS                                  \
	(PSVC_SECTION_BIT(CLINIC__V1__SECTION__LAB_REPORTS) | \
	 PSVC_SECTION_BIT(CLINIC__V1__SECTION__VITALS) |      \
	 PSVC_SECTION_BIT(CLINIC__V1__SECTION__VISITS))

/* "LAB_REPORTS", static. */
const char *psvc_section_name(Clinic__V1__Section section);

/* The sections asked for; all when the list is empty. False: one does not exist. */
CT_MUST_USE bool psvc_sections_asked(const Clinic__V1__Section *list, size_t n, uint32_t *ret_mask);

/* How a section ended, from the status of what it came from. */
Clinic__V1__SectionState psvc_section_state(ct_status st);

/* How many items a section may have: asked 0: max. */
uint32_t psvc_section_max(uint32_t asked, uint32_t max);

/* What to tell a caller when a subject was not found as asked; NULL: st is
 * something else. Static. */
const char *psvc_lookup_fault(ct_status st);

/* Cuts the longest lists from their ends until the packed view has at most
 * bytes_max, and says so in their sections. What is no list stays. */
void psvc_detail_trim(Clinic__V1__GetPatientDetailResponse *resp, size_t bytes_max);

/* Whether every section is OK and whole. */
bool psvc_detail_complete(const Clinic__V1__GetPatientDetailResponse *resp);

#endif
