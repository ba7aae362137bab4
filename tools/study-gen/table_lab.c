/* SPDX-License-Identifier: Apache-2.0 */
#include "study-gen/row.h"
#include "study-gen/tables.h"

#include <stdio.h>
#include <string.h>

/* Half away from zero; integers alone, so that every machine agrees. */
static int64_t divide(int64_t a, int64_t b)
{
	return a >= 0 ? (a + b / 2) / b : -((-a + b / 2) / b);
}

static int64_t power10(int32_t n)
{
	int64_t p = 1;

	while (n-- > 0)
		p *= 10;
	return p;
}

/* The standard unit's value, in 10^-std_decimals, of a whole number of 10^-decimals. */
static int64_t standard(const struct gen_test *t, int64_t value)
{
	return divide(value * t->num * power10(t->std_decimals), t->den * power10(t->decimals));
}

struct result {
	const struct gen_test *test;
	const struct gen_visit *visit;
	int32_t minute; /* of the day the sample was taken */
	uint32_t seq;
	bool day_only; /* nobody wrote the time down */
};

/* LBSEQ,LBTESTCD,LBTEST,LBCAT after the head */
static void put_test(struct gen_out *o, const struct gen_subject *s, const struct result *x)
{
	gen_put_head(o, s, "LB");
	gen_out_int(o, x->seq);
	gen_out_raw(o, x->test->testcd);
	gen_out_text(o, x->test->test);
	gen_out_raw(o, x->test->category);
}

/* LBNRIND to LBDY */
static void put_tail(struct gen_out *o, const struct gen_subject *s, const struct result *x,
		     const char *indicator)
{
	char text[GEN_DATE_SIZE];

	gen_out_raw(o, indicator);
	gen_out_raw(o, x->visit->num10 == 20 ? "Y" : "");
	gen_put_visit(o, x->visit);
	if (x->day_only)
		gen_put_date(o, x->visit->day);
	else
		gen_out_raw(o, gen_date_time(text, x->visit->day, x->minute));
	gen_out_int(o, gen_study_day(s, x->visit->day));
	gen_out_end_row(o);
}

/* LBORRES to LBSTRESU of something that could be measured */
static void put_value(struct gen_out *o, const struct gen_test *t, int32_t value)
{
	gen_out_scaled(o, value, t->decimals);
	gen_out_text(o, t->unit);
	gen_out_scaled(o, t->low, t->decimals);
	gen_out_scaled(o, t->high, t->decimals);
	gen_out_scaled(o, standard(t, value), t->std_decimals);
	gen_out_scaled(o, standard(t, value), t->std_decimals);
	gen_out_text(o, t->std_unit);
}

/* The same below what the instrument can see: "<0.2", and no number. */
static void put_below(struct gen_out *o, const struct gen_test *t)
{
	gen_out_raw(o, "<0.2");
	gen_out_text(o, t->unit);
	gen_out_scaled(o, t->low, t->decimals);
	gen_out_scaled(o, t->high, t->decimals);
	gen_out_raw(o, "<0.2,");
	gen_out_text(o, t->std_unit);
}

static void put_number(struct gen_out *o, const struct gen_subject *s, struct gen_prng *r,
		       const struct result *x)
{
	const struct gen_test *t = x->test;
	const int32_t range = t->high - t->low;
	const int32_t low = t->low - range / 3;
	const int32_t value = gen_around(r, low > 0 ? low : 0, t->high + range / 3);
	const char *indicator = value < t->low ? "LOW" : value > t->high ? "HIGH" : "NORMAL";
	const bool below = strcmp(t->testcd, "CRP") == 0 && gen_chance(r, 250);

	put_test(o, s, x);
	if (below)
		put_below(o, t);
	else
		put_value(o, t, value);
	gen_out_scaled(o, standard(t, t->low), t->std_decimals);
	gen_out_scaled(o, standard(t, t->high), t->std_decimals);
	if (gen_chance(r, 3)) /* says what its limits do not */
		indicator = strcmp(indicator, "NORMAL") == 0 ? "HIGH" : "NORMAL";
	put_tail(o, s, x, below ? "NORMAL" : indicator);
}

/* A word for a result, without unit and limits; "NA" is a word. */
static void put_word(struct gen_out *o, const struct gen_subject *s, struct gen_prng *r,
		     struct result x, const char *testcd, const char *test)
{
	static const char *const words[] = { "N", "N", "N", "N", "P", "TRACE", "NA" };
	static const char *const colours[] = { "YELLOW", "STRAW", "AMBER" };
	const struct gen_test t = { .testcd = testcd, .test = test, .category = "URINALYSIS" };
	const bool colour = strcmp(testcd, "COLOR") == 0;
	const char *word = colour ? GEN_PICK(r, colours) : GEN_PICK(r, words);

	x.test = &t;
	put_test(o, s, &x);
	gen_out_raw(o, word);
	gen_out_raw(o, "NO UNITS,,");
	gen_out_raw(o, word);
	gen_out_raw(o, ",,,");
	put_tail(o, s, &x, strcmp(word, "P") == 0 ? "ABNORMAL" : "NORMAL");
}

static bool due(const struct gen_test *t, const struct gen_visit *v)
{
	if (strcmp(t->category, "URINALYSIS") == 0)
		return v->urine;
	if (strcmp(t->category, "OTHER") == 0 || t->category[0] == '\0')
		return v->num10 == 10 || v->num10 == 100; /* TSH and HbA1c, twice in the study */
	return true;
}

/* By test, then by visit: rows of one sample do not stand together in the file. */
void gen_lb(struct gen_out *o, const struct gen_subject *s)
{
	struct gen_prng r = gen_subject_stream(s, GEN_STREAM_LB);
	const int32_t minute = gen_between(&r, 7 * 60, 15 * 60);
	const uint64_t sloppy = gen_next(&r); /* visits without a time, one bit each */
	struct result x = { .seq = 0 };

	for (uint32_t k = 0; k < GEN_TESTS_N + 2; k++) {
		for (uint32_t i = 0; i < s->visits_n; i++) {
			const struct gen_visit *v = &s->visits[i];

			x.visit = v;
			x.minute = minute + (int32_t)i * 7;
			x.day_only = (sloppy >> (3 * i) & 7) == 0 && i % 4 == 3;
			if (!v->lab || (k < GEN_TESTS_N ? !due(&gen_tests[k], v) : !v->urine))
				continue;
			x.seq++;
			x.test = k < GEN_TESTS_N ? &gen_tests[k] : NULL;
			if (k < GEN_TESTS_N)
				put_number(o, s, &r, &x);
			else if (k == GEN_TESTS_N)
				put_word(o, s, &r, x, "COLOR", "Color");
			else
				put_word(o, s, &r, x, "KETONES", "Ketones");
		}
	}
}
