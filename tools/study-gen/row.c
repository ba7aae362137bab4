/* SPDX-License-Identifier: Apache-2.0 */
#include "study-gen/row.h"

void gen_put_head(struct gen_out *o, const struct gen_subject *s, const char *domain)
{
	gen_out_raw(o, GEN_STUDY);
	gen_out_raw(o, domain);
	gen_out_text(o, s->usubjid);
}

void gen_put_visit(struct gen_out *o, const struct gen_visit *v)
{
	if (v->num10 % 10 == 0)
		gen_out_int(o, v->num10 / 10);
	else
		gen_out_scaled(o, v->num10, 1);
	gen_out_text(o, v->name);
	if (v->planned)
		gen_out_int(o, v->planned_day);
	else
		gen_out_raw(o, "");
}

void gen_put_date(struct gen_out *o, int32_t day)
{
	char text[GEN_DATE_SIZE];

	gen_out_raw(o, gen_date(text, day));
}

bool gen_put_recalled(struct gen_out *o, struct gen_prng *r, int32_t day, uint32_t years,
		      uint32_t months)
{
	const uint32_t dice = gen_below(r, 1000);
	char text[GEN_DATE_SIZE];

	gen_out_raw(o, dice < years            ? gen_year(text, day)
		       : dice < years + months ? gen_month(text, day)
					       : gen_date(text, day));
	return dice >= years + months;
}
