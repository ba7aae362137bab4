/* SPDX-License-Identifier: Apache-2.0 */
#include "json_internal.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* -?(0|[1-9][0-9]*) that fits 64 bits of magnitude. */
static bool parse_int(struct ct_bytes text, struct ct_json__number *ret)
{
	const bool negative = text.len > 0 && text.ptr[0] == '-';
	uint64_t v = 0;
	size_t i = negative;

	if (i == text.len || (text.ptr[i] == '0' && i + 1 < text.len))
		return false;
	for (; i < text.len; i++) {
		const unsigned digit = (unsigned)text.ptr[i] - '0';

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*ret = (struct ct_json__number){ .is_int = true, .negative = negative, .magnitude = v };
	return true;
}

bool ct_json__number_parse(struct ct_bytes text, struct ct_json__number *ret)
{
	json_t *v;

	if (parse_int(text, ret))
		return true;
	/* jansson knows the grammar and the locale; blanks around are not part of a number. */
	if (text.len == 0 || !(is_digit(text.ptr[0]) || text.ptr[0] == '-') ||
	    !is_digit(text.ptr[text.len - 1]))
		return false;
	v = json_loadb((const char *)text.ptr, text.len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL,
		       NULL);
	if (v == NULL)
		return false;
	*ret = (struct ct_json__number){ .real = json_real_value(v) };
	json_decref(v);
	return true;
}

bool ct_json__number_to_int(const struct ct_json__number *n, uint64_t min_magnitude, uint64_t max,
			    uint64_t *ret)
{
	const double exact_max = 9007199254740992.0; /* 2^53: above, neighbours are lost */
	uint64_t magnitude = n->magnitude;
	bool negative = n->negative;

	if (!n->is_int) {
		if (fabs(n->real) > exact_max)
			return false;
		negative = n->real < 0;
		magnitude = (uint64_t)fabs(n->real);
		if ((double)magnitude != fabs(n->real)) /* a fraction was cut off */
			return false;
	}
	if (magnitude > (negative ? min_magnitude : max))
		return false;
	*ret = negative ? 0 - magnitude : magnitude;
	return true;
}

double ct_json__number_to_double(const struct ct_json__number *n)
{
	if (!n->is_int)
		return n->real;
	return n->negative ? -(double)n->magnitude : (double)n->magnitude;
}

/* printf writes the locale's decimal point. */
static void set_point(char *s)
{
	for (; *s != '\0'; s++) {
		if (!is_digit((uint8_t)*s) && strchr("+-e", *s) == NULL)
			*s = '.';
	}
}

/* "-0" alone would read back as an integer, which has no sign. */
static bool format_zero(double v, char out[CT_JSON__NUMBER_CHARS])
{
	if (v != 0)
		return false;
	(void)snprintf(out, CT_JSON__NUMBER_CHARS, "%s", signbit(v) ? "-0.0" : "0");
	return true;
}

/* Any decimal of 15 digits (6 for a float) survives the way through a normal
 * double, so the first precision that reads back the same is the shortest. The
 * smallest ones, below DBL_MIN, hold fewer digits. */
void ct_json__format_double(double v, char out[CT_JSON__NUMBER_CHARS])
{
	if (format_zero(v, out))
		return;
	for (int digits = fabs(v) < DBL_MIN ? 1 : DBL_DIG; digits <= DBL_DECIMAL_DIG; digits++) {
		(void)snprintf(out, CT_JSON__NUMBER_CHARS, "%.*g", digits, v); /* 24 at most */
		if (strtod(out, NULL) == v)
			break;
	}
	set_point(out);
}

void ct_json__format_float(float v, char out[CT_JSON__NUMBER_CHARS])
{
	if (format_zero((double)v, out))
		return;
	for (int digits = fabsf(v) < FLT_MIN ? 1 : FLT_DIG; digits <= FLT_DECIMAL_DIG; digits++) {
		(void)snprintf(out, CT_JSON__NUMBER_CHARS, "%.*g", digits, (double)v);
		if (strtof(out, NULL) == v)
			break;
	}
	set_point(out);
}
