/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_COMPONENT_DETAIL_H
#define TESTS_COMPONENT_DETAIL_H

#include "tests/component/rig.h"

/* What tests of the full view say again and again, about subject "A" of study "S1". */
extern struct rig detail_rig;

#define IDENTITY CLINIC__V1__SECTION__IDENTITY
#define CASES CLINIC__V1__SECTION__CASES
#define MEDICATIONS CLINIC__V1__SECTION__MEDICATIONS
#define LAB_REPORTS CLINIC__V1__SECTION__LAB_REPORTS
#define VITALS CLINIC__V1__SECTION__VITALS
#define VISITS CLINIC__V1__SECTION__VISITS
#define STATE_OK CLINIC__V1__SECTION_STATE__OK
#define TIMEOUT CLINIC__V1__SECTION_STATE__TIMEOUT
#define ERROR CLINIC__V1__SECTION_STATE__ERROR
#define UNAVAILABLE CLINIC__V1__SECTION_STATE__UNAVAILABLE

Clinic__V1__GetPatientDetailRequest detail_request(void);
/* The same with allow_partial = false. */
Clinic__V1__GetPatientDetailRequest detail_whole_or_nothing(void);

/* The answer is in detail_rig.reply until the next call. */
ct_status detail_call(struct ct_ctx *ctx, const Clinic__V1__GetPatientDetailRequest *req,
		      const Clinic__V1__GetPatientDetailResponse **ret_resp);
/* The same, and it must be OK; once more when report-svc was too slow but for `fake_report`. */
const Clinic__V1__GetPatientDetailResponse *detail_get(
	const Clinic__V1__GetPatientDetailRequest *req);

/* It must be there. */
const Clinic__V1__SectionStatus *detail_section(const Clinic__V1__GetPatientDetailResponse *resp,
						Clinic__V1__Section which);
void detail_check(const Clinic__V1__GetPatientDetailResponse *resp, Clinic__V1__Section which,
		  Clinic__V1__SectionState state, uint32_t count);

void detail_put_patient(void);
void detail_put_cases(uint32_t n);   /* and as many medications */
void detail_put_reports(unsigned n); /* of each kind, and as many visits */

#endif
