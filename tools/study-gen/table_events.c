/* SPDX-License-Identifier: Apache-2.0 */
#include "base/attrs.h"
#include "study-gen/row.h"
#include "study-gen/tables.h"

#include <string.h>

struct event {
	const struct gen_term *term;
	bool serious, fatal;
	const char *severity;
	int32_t began, ended; /* ended 0: it goes on */
};

/* The term as the site wrote it down: its own language, now and then in need of quotes. */
static const char *verbatim(const struct gen_subject *s, struct gen_prng *r,
			    const struct gen_term *term)
{
	if (strcmp(term->coded, "RASH") == 0 && gen_chance(r, 200))
		return "RASH, \"BUTTERFLY\" TYPE";
	return s->site->chinese && gen_chance(r, 600) ? term->chinese : term->coded;
}

static struct event choose_event(const struct gen_subject *s, struct gen_prng *r)
{
	static const char *const severities[] = { "MILD", "MILD", "MILD", "MODERATE", "SEVERE" };
	const int32_t span = s->ended - s->treated;
	struct event e = {
		.term = &gen_events[gen_below(r, GEN_EVENTS_N)],
		.serious = gen_chance(r, 40),
		.severity = GEN_PICK(r, severities),
	};

	e.began = s->treated + gen_between(r, 0, span > 0 ? span : 0);
	if (!gen_chance(r, 400))
		e.ended = e.began + gen_between(r, 0, 21);
	return e;
}

/* AESEV to AESOD */
static void put_judgement(struct gen_out *o, struct gen_prng *r, const struct event *e)
{
	static const char *const relations[] = { "NONE", "REMOTE", "POSSIBLE", "PROBABLE", "" };
	static const char *const actions[] = { "DOSE NOT CHANGED", "DOSE REDUCED",
					       "DRUG INTERRUPTED", "" };

	gen_out_raw(o, e->severity);
	gen_out_raw(o, e->serious ? "Y" : "N");
	gen_out_raw(o, GEN_PICK(r, actions));
	gen_out_raw(o, GEN_PICK(r, relations));
	gen_out_raw(o, e->fatal        ? "FATAL"
		       : e->ended == 0 ? "NOT RECOVERED/NOT RESOLVED"
				       : "RECOVERED/RESOLVED");
	gen_out_raw(o, "N,N,N");
	gen_out_raw(o, e->fatal ? "Y" : "N");
	gen_out_raw(o, e->serious ? "Y" : "N");
	gen_out_raw(o, "N,N");
}

static void put_event(struct gen_out *o, const struct gen_subject *s, struct gen_prng *r,
		      uint32_t seq, const struct event *e)
{
	char spid[8] = { 'E', (char)('0' + seq / 10 % 10), (char)('0' + seq % 10) };

	gen_put_head(o, s, "AE");
	gen_out_int(o, seq);
	gen_out_text(o, spid);
	gen_out_text(o, verbatim(s, r, e->term));
	gen_out_text(o, e->term->coded);
	gen_out_raw(o, "");
	gen_out_text(o, e->term->coded);
	gen_out_raw(o, ",,,,"); /* AEPTCD to AEHLGTCD */
	gen_out_text(o, e->term->system);
	gen_out_raw(o, "");
	gen_out_text(o, e->term->system);
	gen_out_raw(o, "");
	put_judgement(o, r, e);
	gen_put_date(o, e->began + 1);
	if (gen_put_recalled(o, r, e->began, 10, 20)) {
		if (e->ended == 0)
			gen_out_raw(o, "");
		else
			gen_put_date(o, e->ended);
		gen_out_int(o, gen_study_day(s, e->began));
	} else {
		gen_out_raw(o, ",");
	}
	if (e->ended == 0)
		gen_out_raw(o, "");
	else
		gen_out_int(o, gen_study_day(s, e->ended));
	gen_out_end_row(o);
}

void gen_ae(struct gen_out *o, const struct gen_subject *s)
{
	struct gen_prng r = gen_subject_stream(s, GEN_STREAM_AE);
	const uint32_t n = s->fate == GEN_SCREEN_FAILED ? 0 : (uint32_t)gen_between(&r, 1, 8);
	uint32_t seq = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct event e = choose_event(s, &r);

		put_event(o, s, &r, ++seq, &e);
		if (gen_chance(&r, 30)) /* reported twice under two numbers */
			put_event(o, s, &r, ++seq, &e);
	}
	if (s->fate == GEN_DIED) {
		const struct event e = {
			.term = &gen_events[gen_below(&r, GEN_EVENTS_N)],
			.serious = true,
			.fatal = true,
			.severity = "SEVERE",
			.began = s->ended - 1,
			.ended = s->ended,
		};

		put_event(o, s, &r, ++seq, &e);
	}
}

static void put_history(struct gen_out *o, const struct gen_subject *s, struct gen_prng *r,
			uint32_t seq)
{
	static const char *const severities[] = { "", "MILD", "MODERATE", "SEVERE" };
	const struct gen_term *term = &gen_history[gen_below(r, GEN_HISTORY_N)];
	const int32_t began = s->screened - gen_between(r, 30, 25 * 365);

	gen_put_head(o, s, "MH");
	gen_out_int(o, seq);
	gen_out_raw(o, "");
	gen_out_text(o, s->site->chinese && gen_chance(r, 600) ? term->chinese : term->coded);
	if (gen_chance(r, 4)) /* two lines in one field; no importer we know reads it */
		gen_out_text(o, "KNEE INJURY, LEFT\n(AS A CHILD)");
	else
		gen_out_text(o, term->coded);
	gen_out_text(o, term->coded);
	gen_out_raw(o, ",");
	gen_out_raw(o, seq == 1 ? "PRIMARY DIAGNOSIS" : "SIGNIFICANT PRE-EXISTING CONDITION");
	gen_out_text(o, term->system);
	gen_out_raw(o, GEN_PICK(r, severities));
	gen_put_visit(o, &s->visits[0]);
	gen_put_date(o, s->screened);
	if (gen_chance(r, 450))
		gen_out_raw(o, ""); /* nobody remembers */
	else
		(void)gen_put_recalled(o, r, began, 540, 140);
	gen_out_int(o, gen_study_day(s, s->screened));
	gen_out_end_row(o);
}

void gen_mh(struct gen_out *o, const struct gen_subject *s)
{
	struct gen_prng r = gen_subject_stream(s, GEN_STREAM_MH);
	const uint32_t n = (uint32_t)gen_between(&r, 2, 10);

	for (uint32_t seq = 1; seq <= n; seq++)
		put_history(o, s, &r, seq);
}
