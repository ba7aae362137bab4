/* SPDX-License-Identifier: Apache-2.0 */
#include "study-gen/row.h"
#include "study-gen/tables.h"

#include <stdio.h>

static const char *disposition(const struct gen_subject *s, struct gen_prng *r)
{
	static const char *const reasons[] = { "ADVERSE EVENT", "WITHDRAWAL BY SUBJECT",
					       "LOST TO FOLLOW-UP", "PROTOCOL VIOLATION",
					       "PHYSICIAN DECISION" };

	switch (s->fate) {
	case GEN_COMPLETED:
		return "COMPLETED";
	case GEN_DISCONTINUED:
		return GEN_PICK(r, reasons);
	case GEN_DIED:
		return "DEATH";
	case GEN_SCREEN_FAILED:
		return "SCREEN FAILURE";
	case GEN_ONGOING:
		break;
	}
	return "";
}

/* RFSTDTC to DTHFL */
static void put_course(struct gen_out *o, const struct gen_subject *s)
{
	const bool treated = s->fate != GEN_SCREEN_FAILED;
	const bool over = treated && s->fate != GEN_ONGOING;
	const int32_t last = s->visits[s->visits_n - 1].day;

	for (int twice = 0; twice < 2; twice++) { /* RF and RFX: of the study, of treatment */
		if (treated)
			gen_put_date(o, s->treated);
		else
			gen_out_raw(o, "");
		if (over)
			gen_put_date(o, s->ended);
		else
			gen_out_raw(o, "");
	}
	gen_put_date(o, s->screened);
	if (s->fate == GEN_ONGOING)
		gen_out_raw(o, "");
	else
		gen_put_date(o, last > s->ended && treated ? last : s->ended);
	if (s->fate == GEN_DIED)
		gen_put_date(o, s->ended);
	else
		gen_out_raw(o, "");
	gen_out_raw(o, s->fate == GEN_DIED ? "Y" : "");
}

/* FAMILY,GIVEN,SCRNNO,PHONE and the birth date before them */
static void put_identity(struct gen_out *o, const struct gen_subject *s, struct gen_prng *r)
{
	char text[48];

	(void)gen_put_recalled(o, r, s->born, 30, 60); /* partial birth dates are common */
	gen_out_text(o, s->family);
	gen_out_text(o, s->given);
	snprintf(text, sizeof(text), "S-%s-%s", s->site_id, s->subjid);
	gen_out_text(o, text);
	snprintf(text, sizeof(text), "%s%04u", s->site->phone, s->number % 10000);
	gen_out_text(o, text);
}

void gen_dm(struct gen_out *o, const struct gen_subject *s)
{
	struct gen_prng r = gen_subject_stream(s, GEN_STREAM_DM);

	gen_put_head(o, s, "DM");
	gen_out_text(o, s->subjid);
	put_course(o, s);
	gen_out_text(o, s->site_id);
	gen_out_int(o, (s->screened - s->born) / 365);
	gen_out_raw(o, s->woman ? "YEARS,F" : "YEARS,M");
	gen_out_text(o, s->site->race);
	gen_out_raw(o, "NOT HISPANIC OR LATINO");
	for (int twice = 0; twice < 2; twice++) { /* planned and actual */
		gen_out_text(o, s->arm_cd);
		gen_out_text(o, s->arm);
	}
	gen_out_text(o, s->site->country);
	gen_put_date(o, s->screened);
	gen_out_int(o, gen_study_day(s, s->screened));
	gen_out_text(o, s->site_name);
	put_identity(o, s, &r);
	gen_out_text(o, disposition(s, &r));
	gen_out_end_row(o);
}

void gen_sv(struct gen_out *o, const struct gen_subject *s)
{
	struct gen_prng r = gen_subject_stream(s, GEN_STREAM_SV);

	for (uint32_t i = 0; i < s->visits_n; i++) {
		const struct gen_visit *v = &s->visits[i];

		gen_put_head(o, s, "SV");
		gen_put_visit(o, v);
		gen_put_date(o, v->day);
		gen_put_date(o, v->day + (gen_chance(&r, 20) ? 1 : 0));
		gen_out_end_row(o);
	}
}
