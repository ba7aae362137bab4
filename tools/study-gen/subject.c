/* SPDX-License-Identifier: Apache-2.0 */
#include "study-gen/subject.h"

#include "base/attrs.h"
#include "base/check.h"
#include "study-gen/calendar.h"

#include <stdio.h>
#include <string.h>

static const struct plan {
	int32_t num10;
	const char *name;
	int32_t day;
	bool lab, urine;
} schedule[] = {
	{ 10, "SCREENING", -14, true, true },  { 20, "BASELINE", 1, true, true },
	{ 30, "WEEK 2", 15, true, false },     { 40, "WEEK 4", 29, true, true },
	{ 50, "WEEK 6", 43, false, false },    { 60, "WEEK 8", 57, true, false },
	{ 70, "WEEK 12", 85, true, true },     { 80, "WEEK 16", 113, false, false },
	{ 90, "WEEK 20", 141, true, false },   { 100, "WEEK 24", 169, true, true },
	{ 110, "WEEK 26", 183, false, false }, { 120, "FOLLOW-UP", 211, false, false },
};

enum { PLANNED_N = CT_ARRAY_N(schedule), FIRST_TREATED = 1, LAST_TREATED = 10 };

struct gen_prng gen_subject_stream(const struct gen_subject *s, enum gen_stream stream)
{
	struct gen_prng r;

	gen_prng_init(&r, s->seed, s->number, (uint64_t)stream);
	return r;
}

int32_t gen_study_day(const struct gen_subject *s, int32_t day)
{
	const int32_t first = s->fate == GEN_SCREEN_FAILED ? s->screened + 14 : s->treated;

	return day >= first ? day - first + 1 : day - first;
}

/* Sites beyond the list are further houses of those in it. */
static void choose_site(struct gen_subject *s, struct gen_prng *r, uint32_t sites)
{
	const uint32_t k = s->number == 1 ? 0 : gen_below(r, sites);
	const struct gen_site *base = &gen_sites[k % GEN_SITES_N];
	const uint32_t house = k / GEN_SITES_N;

	s->site = base;
	if (house == 0) {
		snprintf(s->site_id, sizeof(s->site_id), "%s", base->id);
		snprintf(s->site_name, sizeof(s->site_name), "%s", base->name);
	} else {
		snprintf(s->site_id, sizeof(s->site_id), "%s-%02u", base->id, house + 1);
		snprintf(s->site_name, sizeof(s->site_name), "%s (%u)", base->name, house + 1);
	}
	snprintf(s->subjid, sizeof(s->subjid), "%04u", s->number);
	snprintf(s->usubjid, sizeof(s->usubjid), GEN_STUDY "-%s-%s", s->site_id, s->subjid);
}

static void choose_person(struct gen_subject *s, struct gen_prng *r)
{
	const struct gen_names *n = s->site->names;

	s->woman = gen_chance(r, 520);
	s->family = n->families[gen_below(r, n->families_n)];
	s->given = s->woman ? n->women[gen_below(r, n->women_n)] : n->men[gen_below(r, n->men_n)];
	s->screened = gen_day_of(2022, 1, 10) + gen_between(r, 0, 540);
	s->born = s->screened - gen_between(r, 45 * 365, 88 * 365);
	if (s->number == 1) { /* somebody to look for in a demonstration */
		s->woman = false;
		s->family = "张";
		s->given = "三";
	}
}

/* How far they came: the index of the last visit they had. */
static uint32_t choose_fate(struct gen_subject *s, struct gen_prng *r)
{
	const uint32_t dice = s->number == 1 ? 500 : gen_below(r, 1000);

	if (dice < 160) {
		s->fate = GEN_SCREEN_FAILED;
		return 0;
	}
	if (dice < 700) {
		s->fate = GEN_COMPLETED;
		return PLANNED_N - 1;
	}
	s->fate = dice < 880 ? GEN_DISCONTINUED : dice < 890 ? GEN_DIED : GEN_ONGOING;
	return (uint32_t)gen_between(r, FIRST_TREATED + 1, LAST_TREATED - 1);
}

static struct gen_visit *add_visit(struct gen_subject *s)
{
	CT_CHECK(s->visits_n < GEN_VISITS_MAX);
	return &s->visits[s->visits_n++];
}

/* Somebody comes between two visits: N.1 */
static void add_unscheduled(struct gen_subject *s, struct gen_prng *r,
			    const struct gen_visit *after)
{
	const struct gen_visit before = *after; /* add_visit() moves nothing, but be clear */
	struct gen_visit *v = add_visit(s);

	*v = (struct gen_visit){
		.num10 = before.num10 + 1,
		.day = before.day + gen_between(r, 2, 9),
		.lab = gen_chance(r, 600),
	};
	snprintf(v->name, sizeof(v->name), "UNSCHEDULED %d.%d", v->num10 / 10, v->num10 % 10);
}

/* The same visit on a second day, as happens when one was cut short. */
static void add_repeated(struct gen_subject *s, struct gen_prng *r, const struct gen_visit *first)
{
	struct gen_visit *v = add_visit(s);

	*v = *first;
	v->day += gen_between(r, 1, 3);
	v->lab = v->urine = false;
}

static void make_visits(struct gen_subject *s, struct gen_prng *r, uint32_t last)
{
	uint32_t extra = GEN_VISITS_MAX - PLANNED_N;

	for (uint32_t i = 0; i <= last; i++) {
		const struct plan *p = &schedule[i];
		struct gen_visit *v = add_visit(s);

		*v = (struct gen_visit){
			.num10 = p->num10,
			.planned = true,
			.planned_day = p->day,
			.lab = p->lab,
			.urine = p->urine,
		};
		snprintf(v->name, sizeof(v->name), "%s", p->name);
		v->day = i == 0               ? s->screened
			 : i == FIRST_TREATED ? s->screened + 14
					      : s->screened + 13 + p->day + gen_between(r, -2, 3);
		if (extra > 0 && gen_chance(r, i == 0 ? 60 : 110)) {
			add_unscheduled(s, r, v);
			extra--;
		} else if (extra > 0 && gen_chance(r, 4)) {
			add_repeated(s, r, v);
			extra--;
		}
	}
}

static void choose_arm(struct gen_subject *s, struct gen_prng *r)
{
	static const struct {
		const char *cd, *name;
	} arms[] = { { "PBO", "Placebo" }, { "LOW", "Low Dose" }, { "HIGH", "High Dose" } };
	const uint32_t i = gen_below(r, CT_ARRAY_N(arms));

	s->arm_cd = s->fate == GEN_SCREEN_FAILED ? "Scrnfail" : arms[i].cd;
	s->arm = s->fate == GEN_SCREEN_FAILED ? "Screen Failure" : arms[i].name;
}

void gen_subject_make(struct gen_subject *s, uint64_t seed, uint32_t number, uint32_t sites)
{
	struct gen_prng r;
	uint32_t last;

	CT_CHECK(number > 0 && sites > 0);
	*s = (struct gen_subject){ .seed = seed, .number = number };
	r = gen_subject_stream(s, GEN_STREAM_SUBJECT);
	choose_site(s, &r, sites);
	choose_person(s, &r);
	last = choose_fate(s, &r);
	make_visits(s, &r, last);
	choose_arm(s, &r);
	s->treated = s->screened + 14;
	s->ended = s->fate == GEN_COMPLETED ? s->treated + 182 + gen_between(&r, -2, 3)
					    : s->visits[s->visits_n - 1].day;
}
