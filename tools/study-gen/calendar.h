/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEN_CALENDAR_H
#define GEN_CALENDAR_H

#include <stdint.h>

/* Days of the Gregorian calendar as numbers; 0 is 1970-01-01. Pure. */
int32_t gen_day_of(int32_t year, int32_t month, int32_t day);

enum { GEN_DATE_SIZE = 24 };

/* "2021-03-05", "2021-03", "2021", "2021-03-05T08:30". */
const char *gen_date(char out[GEN_DATE_SIZE], int32_t day);
const char *gen_month(char out[GEN_DATE_SIZE], int32_t day);
const char *gen_year(char out[GEN_DATE_SIZE], int32_t day);
const char *gen_date_time(char out[GEN_DATE_SIZE], int32_t day, int32_t minute);

#endif
