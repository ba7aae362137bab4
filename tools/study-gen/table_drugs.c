/* SPDX-License-Identifier: Apache-2.0 */
#include "base/attrs.h"
#include "study-gen/row.h"
#include "study-gen/tables.h"

struct course {
	const struct gen_drug *drug;
	const char *indication;
	int32_t began, ended; /* ended 0: it goes on */
	uint64_t memory;      /* the date is recalled alike at every visit */
};

static struct course choose_course(const struct gen_subject *s, struct gen_prng *r)
{
	static const char *const indications[] = { "", "", "PROPHYLAXIS OR NON-THERAPEUTIC USE",
						   "PRIMARY STUDY CONDITION", "NA" };
	struct course c = {
		.drug = &gen_drugs[gen_below(r, GEN_DRUGS_N)],
		.indication = GEN_PICK(r, indications),
		.memory = gen_next(r),
	};

	c.began = s->screened - gen_between(r, -60, 12 * 365);
	if (gen_chance(r, 90))
		c.ended = c.began + gen_between(r, 5, 400);
	return c;
}

/* Medication is asked about, and written down again, at each visit. */
static void put_medication(struct gen_out *o, const struct gen_subject *s, const struct course *c,
			   const struct gen_visit *v, uint32_t seq, uint32_t number)
{
	struct gen_prng recall = { .state = c->memory };
	bool exact = false;

	gen_put_head(o, s, "CM");
	gen_out_int(o, seq);
	gen_out_int(o, number);
	gen_out_text(o, c->drug->trade);
	gen_out_text(o, c->drug->decod);
	gen_out_raw(o, c->indication);
	gen_out_text(o, c->drug->med_class);
	gen_out_raw(o, c->drug->dose);
	gen_out_text(o, c->drug->unit);
	gen_out_raw(o, c->drug->freq);
	gen_out_text(o, c->drug->route);
	gen_put_visit(o, v);
	gen_put_date(o, v->day);
	if (gen_chance(&recall, 3))
		gen_out_raw(o, "");
	else
		exact = gen_put_recalled(o, &recall, c->began, 500, 230);
	if (c->ended == 0)
		gen_out_raw(o, "");
	else
		gen_put_date(o, c->ended);
	if (exact)
		gen_out_int(o, gen_study_day(s, c->began));
	else
		gen_out_raw(o, "");
	if (c->ended == 0)
		gen_out_raw(o, "");
	else
		gen_out_int(o, gen_study_day(s, c->ended));
	gen_out_end_row(o);
}

void gen_cm(struct gen_out *o, const struct gen_subject *s)
{
	struct gen_prng r = gen_subject_stream(s, GEN_STREAM_CM);
	const uint32_t n = (uint32_t)gen_between(&r, 0, 8);
	uint32_t seq = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct course c = choose_course(s, &r);

		for (uint32_t k = 0; k < s->visits_n; k++) {
			const struct gen_visit *v = &s->visits[k];

			if (v->day >= c.began && (c.ended == 0 || v->day <= c.ended) &&
			    v->planned && gen_chance(&r, 750))
				put_medication(o, s, &c, v, ++seq, i + 1);
		}
	}
}
