/* SPDX-License-Identifier: Apache-2.0 */
#include "clinic/domain/iso_date.h"

#include <stdbool.h>
#include <stdio.h>

enum part { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, PARTS };

enum { UNKNOWN = -1, FRACTION_DIGITS_MAX = 9 };

/* UNKNOWN: a hyphen, or past the precision. */
struct parsed {
	int v[PARTS];
	int given; /* parts that stand in the text, known or not */
};

static const struct {
	char before; /* what separates it from the part before */
	int digits, min, max;
	const char *fault;
} parts[PARTS] = {
	[YEAR] = { '\0', 4, 0, 9999, "needs a year of four digits" },
	[MONTH] = { '-', 2, 1, 12, "has no such month" },
	[DAY] = { '-', 2, 1, 31, "has no such day" },
	[HOUR] = { 'T', 2, 0, 23, "has no such hour" },
	[MINUTE] = { ':', 2, 0, 59, "has no such minute" },
	[SECOND] = { ':', 2, 0, 59, "has no such second" },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* n digits; false: they are not there. */
static bool take_digits(const char **s, int n, int *ret_v)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (!is_digit((*s)[i]))
			return false;
		v = v * 10 + ((*s)[i] - '0');
	}
	*s += n;
	*ret_v = v;
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const bool leap = year == UNKNOWN ||
			  (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));

	if (month == UNKNOWN)
		return 31;
	return month == 2 && leap ? 29 : days[month - 1];
}

/* ".5" or ",5" after the seconds. */
static const char *take_fraction(const char **s)
{
	int n = 0;

	if (**s != '.' && **s != ',')
		return NULL;
	(*s)++;
	while (is_digit(**s)) {
		(*s)++;
		n++;
	}
	return n >= 1 && n <= FRACTION_DIGITS_MAX ? NULL : "has a faulty fraction of a second";
}

/* "Z", "+08:00", "-0330", "+08" after a time. */
static const char *take_zone(const char **s)
{
	int hours, minutes = 0;
	bool colon;

	if (**s == 'Z') {
		(*s)++;
		return NULL;
	}
	if (**s != '+' && **s != '-')
		return NULL;
	(*s)++;
	if (!take_digits(s, 2, &hours))
		return "has a faulty time zone";
	colon = **s == ':';
	*s += colon;
	if ((colon || **s != '\0') && !take_digits(s, 2, &minutes))
		return "has a faulty time zone";
	return hours <= 14 && minutes <= 59 ? NULL : "has no such time zone";
}

static const char *take_parts(const char **s, struct parsed *p)
{
	for (int i = YEAR; i < PARTS; i++) {
		if (i != YEAR && **s != parts[i].before)
			return NULL;
		*s += i != YEAR;
		p->given = i + 1;
		if (**s == '-') {
			(*s)++;
			continue;
		}
		if (!take_digits(s, parts[i].digits, &p->v[i]) || p->v[i] < parts[i].min ||
		    p->v[i] > parts[i].max)
			return parts[i].fault;
	}
	return NULL;
}

/* NULL, or why the text is no date. */
static const char *parse(const char *s, struct parsed *ret_p)
{
	struct parsed p = { { UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN }, 0 };
	const char *fault = take_parts(&s, &p);

	if (fault != NULL)
		return fault;
	if (p.given == PARTS && (fault = take_fraction(&s)) != NULL)
		return fault;
	if (p.given > HOUR && (fault = take_zone(&s)) != NULL)
		return fault;
	if (*s != '\0')
		return "is not an ISO 8601 date";
	if (p.v[p.given - 1] == UNKNOWN)
		return "ends in an unknown part";
	if (p.v[DAY] != UNKNOWN && p.v[DAY] > days_in_month(p.v[YEAR], p.v[MONTH]))
		return "has no such day in that month";
	*ret_p = p;
	return NULL;
}

const char *clinic_date_fault(const char *text)
{
	struct parsed p;

	return parse(text, &p);
}

static void put(const struct parsed *p, char out[CLINIC_DATE_SIZE])
{
	/* the remainders change nothing: they show the compiler that it fits */
	(void)snprintf(out, CLINIC_DATE_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u",
		       (unsigned)p->v[YEAR] % 10000, (unsigned)p->v[MONTH] % 100,
		       (unsigned)p->v[DAY] % 100, (unsigned)p->v[HOUR] % 100,
		       (unsigned)p->v[MINUTE] % 100, (unsigned)p->v[SECOND] % 100);
}

static struct parsed parse_or_unknown(const char *text)
{
	struct parsed p = { { UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN }, 0 };

	(void)parse(text, &p); /* faulty: p stays all unknown */
	return p;
}

void clinic_date_first(const char *text, char out[CLINIC_DATE_SIZE])
{
	struct parsed p = parse_or_unknown(text);

	for (int i = YEAR; i < PARTS; i++)
		if (p.v[i] == UNKNOWN)
			p.v[i] = parts[i].min;
	put(&p, out);
}

void clinic_date_last(const char *text, char out[CLINIC_DATE_SIZE])
{
	struct parsed p = parse_or_unknown(text);
	const int year = p.v[YEAR], day = p.v[DAY];

	for (int i = YEAR; i < PARTS; i++)
		if (p.v[i] == UNKNOWN)
			p.v[i] = parts[i].max;
	if (day == UNKNOWN)
		p.v[DAY] = days_in_month(year, p.v[MONTH]);
	put(&p, out);
}
