/* SPDX-License-Identifier: Apache-2.0 */
#include "study-gen/calendar.h"

#include <stdio.h>

struct civil {
	int32_t year, month, day;
};

/* Years are counted from March, so that the leap day comes last. */
int32_t gen_day_of(int32_t year, int32_t month, int32_t day)
{
	const int32_t y = month > 2 ? year : year - 1;
	const int32_t era = y / 400;
	const int32_t of_era = y - era * 400;
	const int32_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct civil civil_of(int32_t day)
{
	const int32_t z = day + 719468;
	const int32_t era = z / 146097;
	const int32_t doe = z - era * 146097;
	const int32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	const int32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	const int32_t mp = (5 * doy + 2) / 153;
	struct civil c = { .day = doy - (153 * mp + 2) / 5 + 1 };

	c.month = mp < 10 ? mp + 3 : mp - 9;
	c.year = yoe + era * 400 + (c.month <= 2);
	return c;
}

const char *gen_date(char out[GEN_DATE_SIZE], int32_t day)
{
	const struct civil c = civil_of(day);

	snprintf(out, GEN_DATE_SIZE, "%04d-%02d-%02d", c.year, c.month, c.day);
	return out;
}

const char *gen_month(char out[GEN_DATE_SIZE], int32_t day)
{
	const struct civil c = civil_of(day);

	snprintf(out, GEN_DATE_SIZE, "%04d-%02d", c.year, c.month);
	return out;
}

const char *gen_year(char out[GEN_DATE_SIZE], int32_t day)
{
	snprintf(out, GEN_DATE_SIZE, "%04d", civil_of(day).year);
	return out;
}

const char *gen_date_time(char out[GEN_DATE_SIZE], int32_t day, int32_t minute)
{
	char date[GEN_DATE_SIZE];

	snprintf(out, GEN_DATE_SIZE, "%.10sT%02d:%02d", gen_date(date, day), minute / 60 % 24,
		 minute % 60);
	return out;
}
