/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/leak_check.h"
#include "json/json_internal.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(json_number, .fini = leak_check, .timeout = 60);

Test(json_number, every_double_reads_back_the_same)
{
	uint64_t x = 88172645463325252u; /* xorshift, the same numbers on every run */

	for (unsigned i = 0; i < 200000; i++) {
		char text[CT_JSON__NUMBER_CHARS];
		double v;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(&v, &x, sizeof(v));
		if (!isfinite(v))
			continue;
		ct_json__format_double(v, text);
		cr_assert_eq(strtod(text, NULL), v, "%s", text);
	}
}

Test(json_number, every_float_reads_back_the_same_and_is_shorter)
{
	uint32_t x = 2463534242u;

	for (unsigned i = 0; i < 200000; i++) {
		char text[CT_JSON__NUMBER_CHARS];
		float v;

		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		memcpy(&v, &x, sizeof(v));
		if (!isfinite(v))
			continue;
		ct_json__format_float(v, text);
		cr_assert_eq(strtof(text, NULL), v, "%s", text);
		cr_assert_leq(strlen(text), strlen("-1.23456789e-38"));
	}
}

Test(json_number, decimals_as_people_write_them_stay_as_they_are)
{
	for (int i = -99999; i <= 99999; i++) {
		char want[CT_JSON__NUMBER_CHARS], text[CT_JSON__NUMBER_CHARS];

		(void)snprintf(want, sizeof(want), "%.2f", i / 100.0);
		ct_json__format_double(strtod(want, NULL), text);
		cr_assert_leq(strlen(text), strlen(want), "%s became %s", want, text);
		cr_assert_eq(strtod(text, NULL), strtod(want, NULL));
	}
}

Test(json_number, the_limits_of_64_bits_are_exact)
{
	struct ct_json__number n;
	uint64_t v;

	cr_assert(ct_json__number_parse(ct_bytes_of_str("18446744073709551615"), &n));
	cr_assert(n.is_int);
	cr_assert(ct_json__number_to_int(&n, 0, UINT64_MAX, &v));
	cr_assert_eq(v, UINT64_MAX);
	cr_assert(ct_json__number_parse(ct_bytes_of_str("18446744073709551616"), &n));
	cr_assert_not(n.is_int);
	cr_assert_not(ct_json__number_to_int(&n, 0, UINT64_MAX, &v));
	cr_assert(ct_json__number_parse(ct_bytes_of_str("-9223372036854775808"), &n));
	cr_assert(ct_json__number_to_int(&n, (uint64_t)INT64_MAX + 1, INT64_MAX, &v));
	cr_assert_eq((int64_t)v, INT64_MIN);
}

/* Debian installs no such locale by itself; where there is one it must not matter. */
Test(json_number, the_decimal_point_is_a_point_in_every_locale)
{
	static const char *const names[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "C" };
	char text[CT_JSON__NUMBER_CHARS];

	for (size_t i = 0; i < CT_ARRAY_N(names); i++) {
		struct ct_json__number n;

		if (setlocale(LC_ALL, names[i]) == NULL)
			continue;
		ct_json__format_double(98.6, text);
		cr_assert_str_eq(text, "98.6");
		cr_assert(ct_json__number_parse(ct_bytes_of_str("98.6"), &n));
		cr_assert_eq(n.real, 98.6);
	}
	(void)setlocale(LC_ALL, "C");
}
