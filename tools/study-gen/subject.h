/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEN_SUBJECT_H
#define GEN_SUBJECT_H

#include "study-gen/lists.h"
#include "study-gen/prng.h"

#include <stdbool.h>
#include <stdint.h>

/* The invented life of one subject, from which all of its rows follow. */
#define GEN_STUDY "SYN01"

/* Which rows a stream of random numbers is for. */
enum gen_stream {
	GEN_STREAM_SUBJECT,
	GEN_STREAM_DM,
	GEN_STREAM_AE,
	GEN_STREAM_MH,
	GEN_STREAM_CM,
	GEN_STREAM_LB,
	GEN_STREAM_VS,
	GEN_STREAM_SV,
};

enum gen_fate {
	GEN_SCREEN_FAILED, /* never treated */
	GEN_ONGOING,
	GEN_COMPLETED,
	GEN_DISCONTINUED,
	GEN_DIED,
};

struct gen_visit {
	int32_t num10; /* VISITNUM times ten: 11 is the unscheduled visit 1.1 */
	char name[32];
	bool planned;
	int32_t planned_day; /* of the study: day 1 is the first of treatment */
	int32_t day;         /* of the calendar */
	bool lab, urine;
};

enum { GEN_VISITS_MAX = 20 };

struct gen_subject {
	uint64_t seed;
	uint32_t number; /* from 1 */
	const struct gen_site *site;
	char site_id[16], site_name[64];
	char usubjid[48], subjid[16];
	bool woman;
	const char *family, *given;
	int32_t born, screened; /* days of the calendar */
	enum gen_fate fate;
	int32_t treated, ended; /* first and last day of treatment; unless SCREEN_FAILED */
	const char *arm_cd, *arm;
	struct gen_visit visits[GEN_VISITS_MAX];
	uint32_t visits_n;
};

/* number from 1, sites from 1 to 200. */
void gen_subject_make(struct gen_subject *s, uint64_t seed, uint32_t number, uint32_t sites);

/* A stream of random numbers for one of the subject's tables. */
struct gen_prng gen_subject_stream(const struct gen_subject *s, enum gen_stream stream);

/* Days since treatment began, as SDTM counts: 1 is the first, -1 the day before, no 0. */
int32_t gen_study_day(const struct gen_subject *s, int32_t day);

#endif
