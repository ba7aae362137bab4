/* SPDX-License-Identifier: Apache-2.0 */
#include "base/attrs.h"
#include "study-gen/row.h"
#include "study-gen/tables.h"

#include <string.h>

static const struct posture {
	const char *position, *timepoint; /* VSPOS; VSTPT,VSTPTNUM,VSELTM,VSTPTREF */
} postures[] = {
	{ "SUPINE", "AFTER LYING DOWN FOR 5 MINUTES,10,PT5M,PATIENT SUPINE" },
	{ "STANDING", "AFTER STANDING FOR 1 MINUTE,20,PT1M,PATIENT STANDING" },
	{ "STANDING", "AFTER STANDING FOR 3 MINUTES,30,PT3M,PATIENT STANDING" },
};

static const struct sign {
	const char *testcd, *test, *unit;
	int32_t low, high;
} signs[] = {
	{ "SYSBP", "Systolic Blood Pressure", "mmHg", 95, 165 },
	{ "DIABP", "Diastolic Blood Pressure", "mmHg", 55, 100 },
	{ "PULSE", "Pulse Rate", "BEATS/MIN", 48, 104 },
};

struct vitals {
	struct gen_out *o;
	const struct gen_subject *s;
	const struct gen_visit *v;
	struct gen_prng r;
	uint32_t seq;
};

static void begin_row(struct vitals *x, const char *testcd, const char *test, const char *position)
{
	gen_put_head(x->o, x->s, "VS");
	gen_out_int(x->o, ++x->seq);
	gen_out_raw(x->o, testcd);
	gen_out_text(x->o, test);
	gen_out_raw(x->o, position);
}

/* VSSTAT to the end */
static void end_row(struct vitals *x, const char *status, const char *location,
		    const char *timepoint)
{
	gen_out_raw(x->o, status);
	gen_out_raw(x->o, location);
	gen_out_raw(x->o, x->v->num10 == 20 && status[0] == '\0' ? "Y" : "");
	gen_put_visit(x->o, x->v);
	gen_put_date(x->o, x->v->day);
	gen_out_int(x->o, gen_study_day(x->s, x->v->day));
	gen_out_raw(x->o, timepoint);
	gen_out_end_row(x->o);
}

static void put_sign(struct vitals *x, const struct sign *sign, const struct posture *posture)
{
	const int32_t value = gen_around(&x->r, sign->low, sign->high);

	begin_row(x, sign->testcd, sign->test, posture->position);
	if (gen_chance(&x->r, 4)) { /* the cuff was broken */
		gen_out_raw(x->o, ",,,,");
		end_row(x, "NOT DONE", "", posture->timepoint);
		return;
	}
	gen_out_int(x->o, value);
	gen_out_raw(x->o, sign->unit);
	gen_out_int(x->o, value);
	gen_out_int(x->o, value);
	gen_out_raw(x->o, sign->unit);
	end_row(x, "", "", posture->timepoint);
}

/* Celsius; where thermometers say Fahrenheit, that is recorded, sometimes as "098.6". */
static void put_temperature(struct vitals *x)
{
	const int32_t tenths = gen_around(&x->r, 358, 378); /* of a degree Celsius */
	const int32_t fahrenheit = (tenths * 9 + 2) / 5 + 320;

	begin_row(x, "TEMP", "Temperature", "");
	if (x->s->site->fahrenheit && !gen_chance(&x->r, 15)) {
		if (fahrenheit < 1000 && gen_chance(&x->r, 100)) {
			char padded[8] = { '0', (char)('0' + fahrenheit / 100),
					   (char)('0' + fahrenheit / 10 % 10), '.',
					   (char)('0' + fahrenheit % 10) };

			gen_out_raw(x->o, padded);
		} else {
			gen_out_scaled(x->o, fahrenheit, 1);
		}
		gen_out_raw(x->o, "F");
	} else {
		gen_out_scaled(x->o, tenths, 1);
		gen_out_raw(x->o, "C");
	}
	gen_out_scaled(x->o, tenths, 1);
	gen_out_scaled(x->o, tenths, 1);
	gen_out_raw(x->o, "C");
	end_row(x, "", gen_chance(&x->r, 800) ? "ORAL CAVITY" : "EAR", ",,,");
}

static void put_size(struct vitals *x, const char *testcd, const char *test, int32_t tenths,
		     const char *unit)
{
	begin_row(x, testcd, test, "");
	gen_out_scaled(x->o, tenths, 1);
	gen_out_raw(x->o, unit);
	gen_out_scaled(x->o, tenths, 1);
	gen_out_scaled(x->o, tenths, 1);
	gen_out_raw(x->o, unit);
	end_row(x, "", "", ",,,");
}

void gen_vs(struct gen_out *o, const struct gen_subject *s)
{
	struct vitals x = { .o = o, .s = s, .r = gen_subject_stream(s, GEN_STREAM_VS) };
	const int32_t height = gen_around(&x.r, s->woman ? 1460 : 1560, s->woman ? 1760 : 1900);
	const int32_t weight = gen_around(&x.r, s->woman ? 420 : 500, s->woman ? 900 : 1050);

	for (uint32_t i = 0; i < s->visits_n; i++) {
		x.v = &s->visits[i];
		for (size_t k = 0; k < CT_ARRAY_N(signs); k++) {
			for (size_t p = 0; p < CT_ARRAY_N(postures); p++)
				put_sign(&x, &signs[k], &postures[p]);
		}
		put_temperature(&x);
		if (x.v->planned)
			put_size(&x, "WEIGHT", "Weight", weight + gen_between(&x.r, -15, 15), "kg");
		if (i == 0)
			put_size(&x, "HEIGHT", "Height", height, "cm");
	}
}
