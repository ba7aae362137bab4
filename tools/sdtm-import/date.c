/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/date.h"

#include "base/check.h"

#include <stdbool.h>

enum { PARTS = SDTM_DATE_SECOND + 1, UNKNOWN = -1, FRACTION_DIGITS_MAX = 9, ZONE_HOURS_MAX = 14 };

struct cursor {
	const char *p, *end;
};

static const char NOT_ISO[] = "not an ISO 8601 date";

static const struct {
	char before; /* stands between the part and the one before */
	int digits, min, max;
	const char *fault;
} parts[PARTS] = {
	[SDTM_DATE_YEAR] = { '\0', 4, 0, 9999, NOT_ISO },
	[SDTM_DATE_MONTH] = { '-', 2, 1, 12, "there is no such month" },
	[SDTM_DATE_DAY] = { '-', 2, 1, 31, "the month has no such day" },
	[SDTM_DATE_HOUR] = { 'T', 2, 0, 23, "there is no such hour" },
	[SDTM_DATE_MINUTE] = { ':', 2, 0, 59, "there is no such minute" },
	[SDTM_DATE_SECOND] = { ':', 2, 0, 59, "there is no such second" },
};

static bool at_end(const struct cursor *c)
{
	return c->p == c->end;
}

static bool take_char(struct cursor *c, char ch)
{
	if (at_end(c) || *c->p != ch)
		return false;
	c->p++;
	return true;
}

/* Exactly n digits. */
static bool take_digits(struct cursor *c, int n, int *ret_value)
{
	int value = 0;

	if (c->end - c->p < n)
		return false;
	for (int i = 0; i < n; i++) {
		if (c->p[i] < '0' || c->p[i] > '9')
			return false;
		value = value * 10 + (c->p[i] - '0');
	}
	c->p += n;
	*ret_value = value;
	return true;
}

/* Of an unknown year or month, the most there can be. */
static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const bool leap = year == UNKNOWN ||
			  (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));

	if (month == UNKNOWN)
		return 31;
	return month == 2 && leap ? 29 : days[month - 1];
}

/* "", "Z", "+08", "+08:00", "+0800": the end of the text in any case. */
static const char *take_zone(struct cursor *c)
{
	int hours = 0;
	int minutes = 0;

	if (at_end(c) || take_char(c, 'Z'))
		return at_end(c) ? NULL : NOT_ISO;
	if (!take_char(c, '+') && !take_char(c, '-'))
		return NOT_ISO;
	if (!take_digits(c, 2, &hours))
		return NOT_ISO;
	if (!at_end(c)) {
		(void)take_char(c, ':'); /* both forms are ISO 8601 */
		if (!take_digits(c, 2, &minutes) || !at_end(c))
			return NOT_ISO;
	}
	return hours <= ZONE_HOURS_MAX && minutes <= 59 ? NULL : "there is no such time zone";
}

static const char *take_fraction(struct cursor *c)
{
	const char *from;

	if (!take_char(c, '.') && !take_char(c, ','))
		return NULL;
	from = c->p;
	while (!at_end(c) && *c->p >= '0' && *c->p <= '9')
		c->p++;
	return c->p - from >= 1 && c->p - from <= FRACTION_DIGITS_MAX ? NULL : NOT_ISO;
}

/* The parts that are there; a hyphen stands for one that is not known though a
 * later one is. *ret_n: how many. */
static const char *take_parts(struct cursor *c, int v[PARTS], int *ret_n)
{
	int n = 0;

	while (n < PARTS && (n == 0 || take_char(c, parts[n].before))) {
		v[n] = UNKNOWN;
		if (!take_char(c, '-')) {
			if (!take_digits(c, parts[n].digits, &v[n]))
				return NOT_ISO;
			if (v[n] < parts[n].min || v[n] > parts[n].max)
				return parts[n].fault;
		}
		n++;
	}
	*ret_n = n;
	return NULL;
}

const char *sdtm_date_check(const char *text, size_t len, enum sdtm_date_precision *ret_precision)
{
	struct cursor c = { text, text + len };
	const char *why;
	int v[PARTS];
	int n = 0;

	why = take_parts(&c, v, &n);
	if (why == NULL && n == PARTS)
		why = take_fraction(&c);
	if (why == NULL)
		why = n > SDTM_DATE_HOUR ? take_zone(&c) : at_end(&c) ? NULL : NOT_ISO;
	if (why != NULL)
		return why;
	CT_CHECK(n > 0 && n <= PARTS);
	if (v[n - 1] == UNKNOWN)
		return "the date ends in a part that is not known";
	if (n > SDTM_DATE_DAY &&
	    v[SDTM_DATE_DAY] > days_in_month(v[SDTM_DATE_YEAR], v[SDTM_DATE_MONTH]))
		return parts[SDTM_DATE_DAY].fault;
	*ret_precision = (enum sdtm_date_precision)(n - 1);
	return NULL;
}
