/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEN_ROW_H
#define GEN_ROW_H

#include "study-gen/calendar.h"
#include "study-gen/out.h"
#include "study-gen/subject.h"

/* Pieces that rows of several tables have in common. */

/* STUDYID,DOMAIN,USUBJID */
void gen_put_head(struct gen_out *o, const struct gen_subject *s, const char *domain);

/* VISITNUM,VISIT,VISITDY: "1.1,UNSCHEDULED 1.1," */
void gen_put_visit(struct gen_out *o, const struct gen_visit *v);

void gen_put_date(struct gen_out *o, int32_t day);

/* A date as people remember it: the shares in 1,000 of years and of months
 * alone, else to the day. True: to the day. */
bool gen_put_recalled(struct gen_out *o, struct gen_prng *r, int32_t day, uint32_t years,
		      uint32_t months);

#endif
