/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/date.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

#include <string.h>

TestSuite(date, .fini = leak_check, .timeout = 10);

Test(date, each_precision_is_recognised)
{
	static const struct {
		const char *text;
		enum sdtm_date_precision precision;
	} rows[] = {
		{ "2003", SDTM_DATE_YEAR },
		{ "2003-05", SDTM_DATE_MONTH },
		{ "2003-05-17", SDTM_DATE_DAY },
		{ "2003-05-17T09", SDTM_DATE_HOUR },
		{ "2014-01-16T13:17", SDTM_DATE_MINUTE },
		{ "2014-01-16T13:17:05", SDTM_DATE_SECOND },
		{ "2014-01-16T13:17:05.250", SDTM_DATE_SECOND },
		{ "2014-01-16T13:17Z", SDTM_DATE_MINUTE },
		{ "2014-01-16T13:17:05+08:00", SDTM_DATE_SECOND },
		{ "2014-01-16T13:17-0330", SDTM_DATE_MINUTE },
		{ "2014-01-16T13+08", SDTM_DATE_HOUR },
		{ "2003---17", SDTM_DATE_DAY },
		{ "--12-15", SDTM_DATE_DAY },
		{ "--02-29", SDTM_DATE_DAY },
		{ "2003-05-17T-:30", SDTM_DATE_MINUTE },
		{ "-----T07:15", SDTM_DATE_MINUTE },
		{ "2012-02-29", SDTM_DATE_DAY },
		{ "2000-02-29", SDTM_DATE_DAY },
		{ "2013-12-31T23:59:59", SDTM_DATE_SECOND },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum sdtm_date_precision precision = SDTM_DATE_YEAR;
		const char *why = sdtm_date_check(rows[i].text, strlen(rows[i].text), &precision);

		cr_assert_null(why, "%s: %s", rows[i].text, why);
		cr_assert_eq(precision, rows[i].precision, "%s", rows[i].text);
	}
}

Test(date, impossible_and_malformed_dates_are_refused_with_a_reason)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "2013-02-30", "the month has no such day" },
		{ "2013-02-29", "the month has no such day" },
		{ "1900-02-29", "the month has no such day" },
		{ "2013-04-31", "the month has no such day" },
		{ "2013-01-00", "the month has no such day" },
		{ "2013-13-01", "there is no such month" },
		{ "2013-00", "there is no such month" },
		{ "2013-01-01T24:00", "there is no such hour" },
		{ "2013-01-01T23:60", "there is no such minute" },
		{ "2013-01-01T23:59:60", "there is no such second" },
		{ "2013-01-01T10:00+15:00", "there is no such time zone" },
		{ "", "not an ISO 8601 date" },
		{ "13-01-01", "not an ISO 8601 date" },
		{ "2013-1-1", "not an ISO 8601 date" },
		{ "2013/01/01", "not an ISO 8601 date" },
		{ "01.02.2013", "not an ISO 8601 date" },
		{ "20130101", "not an ISO 8601 date" },
		{ "2013-01-01 ", "not an ISO 8601 date" },
		{ " 2013-01-01", "not an ISO 8601 date" },
		{ "2013-01-01 10:00", "not an ISO 8601 date" },
		{ "2013-01-01T", "not an ISO 8601 date" },
		{ "2013-01-01T1", "not an ISO 8601 date" },
		{ "2013-01-01T10:", "not an ISO 8601 date" },
		{ "2013-01-01T10:00:00.", "not an ISO 8601 date" },
		{ "2013-01-01T10:00:00.0123456789", "not an ISO 8601 date" },
		{ "2013-01-01T10:00z", "not an ISO 8601 date" },
		{ "2013-01-01T10:00ZZ", "not an ISO 8601 date" },
		{ "2013-01-01T10:00+8", "not an ISO 8601 date" },
		{ "2013---32", "the month has no such day" },
		{ "--02-30", "the month has no such day" },
		{ "2013--", "the date ends in a part that is not known" },
		{ "2013-05-17T-", "the date ends in a part that is not known" },
		{ "-", "the date ends in a part that is not known" },
		{ "2013-", "not an ISO 8601 date" },
		{ "UNK", "not an ISO 8601 date" },
		{ "+2013", "not an ISO 8601 date" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum sdtm_date_precision precision = SDTM_DATE_YEAR;
		const char *why = sdtm_date_check(rows[i].text, strlen(rows[i].text), &precision);

		cr_assert_not_null(why, "\"%s\" is taken for a date", rows[i].text);
		cr_assert_str_eq(why, rows[i].why, "\"%s\": %s", rows[i].text, why);
	}
}

Test(date, length_counts_and_not_the_nul)
{
	enum sdtm_date_precision precision = SDTM_DATE_YEAR;

	cr_assert_null(sdtm_date_check("2013-02-30", 7, &precision));
	cr_assert_eq(precision, SDTM_DATE_MONTH);
}
