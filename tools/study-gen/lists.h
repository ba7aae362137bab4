/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEN_LISTS_H
#define GEN_LISTS_H

#include "study-gen/prng.h"

#include <stdint.h>

/* The words a synthetic study is made of. Nobody real is meant: names are the
 * John Does of their languages, hospitals are examples. */

struct gen_names {
	const char *const *families, *const *women, *const *men;
	uint32_t families_n, women_n, men_n;
};

struct gen_site {
	const char *id, *name, *country, *race, *phone; /* phone: a prefix nobody has */
	const struct gen_names *names;
	bool fahrenheit; /* thermometers of the site */
	bool chinese;    /* verbatim terms in Chinese */
};

enum { GEN_SITES_N = 12 };
extern const struct gen_site gen_sites[GEN_SITES_N];

/* A medical term: as coded, in Chinese, and the body system. */
struct gen_term {
	const char *coded, *chinese, *system;
};

enum { GEN_EVENTS_N = 24, GEN_HISTORY_N = 24 };
extern const struct gen_term gen_events[GEN_EVENTS_N];
extern const struct gen_term gen_history[GEN_HISTORY_N];

struct gen_drug {
	const char *trade, *decod, *med_class, *dose, *unit, *freq, *route;
};

enum { GEN_DRUGS_N = 24 };
extern const struct gen_drug gen_drugs[GEN_DRUGS_N];

/* A laboratory test with a number for a result. Limits and results are whole
 * numbers of 10^-decimals; the standard result is num / den of it, with
 * std_decimals. */
struct gen_test {
	const char *testcd, *test, *category, *unit, *std_unit;
	int32_t low, high, decimals, num, den, std_decimals;
};

enum { GEN_TESTS_N = 31 };
extern const struct gen_test gen_tests[GEN_TESTS_N];

#endif
