/* SPDX-License-Identifier: Apache-2.0 */
#include "date.h"

#include <stdbool.h>

enum { YEAR_MIN = 1800, YEAR_MAX = 2199 }; /* outside: a slip of the pen, not a patient's life */

struct cursor {
	const char *p, *end;
};

static const char NOT_ISO[] = "not an ISO 8601 date";

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

static bool take_char(struct cursor *c, char ch)
{
	if (c->p == c->end || *c->p != ch)
		return false;
	c->p++;
	return true;
}

static bool at_end(const struct cursor *c)
{
	return c->p == c->end;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* "", "Z", "+08", "+08:00", "+0800". */
static const char *take_zone(struct cursor *c)
{
	int hour = 0;
	int minute = 0;

	if (at_end(c) || take_char(c, 'Z'))
		return at_end(c) ? NULL : NOT_ISO;
	if (!take_char(c, '+') && !take_char(c, '-'))
		return NOT_ISO;
	if (!take_digits(c, 2, &hour))
		return NOT_ISO;
	if (!at_end(c)) {
		(void)take_char(c, ':'); /* both forms are ISO 8601 */
		if (!take_digits(c, 2, &minute) || !at_end(c))
			return NOT_ISO;
	}
	return hour <= 14 && minute <= 59 ? NULL : "there is no such time zone";
}

static const char *take_fraction(struct cursor *c)
{
	const char *from;

	if (!take_char(c, '.') && !take_char(c, ','))
		return NULL;
	from = c->p;
	while (!at_end(c) && *c->p >= '0' && *c->p <= '9')
		c->p++;
	return c->p - from >= 1 && c->p - from <= 9 ? NULL : NOT_ISO;
}

static const char *take_time(struct cursor *c, enum sdtm_date_precision *ret_precision)
{
	int hour = 0;
	int minute = 0;
	int second = 0;

	if (!take_digits(c, 2, &hour))
		return NOT_ISO;
	*ret_precision = SDTM_DATE_HOUR;
	if (take_char(c, ':')) {
		if (!take_digits(c, 2, &minute))
			return NOT_ISO;
		*ret_precision = SDTM_DATE_MINUTE;
		if (take_char(c, ':')) {
			if (!take_digits(c, 2, &second) || take_fraction(c) != NULL)
				return NOT_ISO;
			*ret_precision = SDTM_DATE_SECOND;
		}
	}
	if (hour > 23)
		return "there is no such hour";
	if (minute > 59)
		return "there is no such minute";
	if (second > 59)
		return "there is no such second";
	return take_zone(c);
}

static const char *take_date(struct cursor *c, enum sdtm_date_precision *ret_precision)
{
	int year = 0;
	int month = 0;
	int day = 0;

	if (!take_digits(c, 4, &year))
		return NOT_ISO;
	if (year < YEAR_MIN || year > YEAR_MAX)
		return "the year is not within 1800 to 2199";
	*ret_precision = SDTM_DATE_YEAR;
	if (at_end(c))
		return NULL;
	if (!take_char(c, '-') || !take_digits(c, 2, &month))
		return NOT_ISO;
	if (month < 1 || month > 12)
		return "there is no such month";
	*ret_precision = SDTM_DATE_MONTH;
	if (at_end(c))
		return NULL;
	if (!take_char(c, '-') || !take_digits(c, 2, &day))
		return NOT_ISO;
	if (day < 1 || day > days_in_month(year, month))
		return "the month has no such day";
	*ret_precision = SDTM_DATE_DAY;
	if (at_end(c))
		return NULL;
	return take_char(c, 'T') ? take_time(c, ret_precision) : NOT_ISO;
}

const char *sdtm_date_check(const char *text, size_t len, enum sdtm_date_precision *ret_precision)
{
	struct cursor c = { text, text + len };
	enum sdtm_date_precision precision = SDTM_DATE_YEAR;
	const char *why = take_date(&c, &precision);

	if (why == NULL)
		*ret_precision = precision;
	return why;
}
