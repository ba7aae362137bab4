/* SPDX-License-Identifier: Apache-2.0 */
#include "clinic/domain/iso_date.h"

#include "base/attrs.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(iso_date, .fini = leak_check, .timeout = 60);

Test(iso_date, every_precision_is_a_date)
{
	static const char *const good[] = {
		"2003",
		"2003-05",
		"2003-05-17",
		"2014-01-16T13",
		"2014-01-16T13:17",
		"2014-01-16T13:17:30",
		"2014-01-16T13:17:30.5",
		"2014-01-16T13:17:30,125",
		"2014-01-16T13:17Z",
		"2014-01-16T13:17+08:00",
		"2014-01-16T13:17-0330",
		"2014-01-16T13+08",
		"2000-02-29",
		"2012-02-29",
	};

	for (size_t i = 0; i < CT_ARRAY_N(good); i++)
		cr_assert_null(clinic_date_fault(good[i]), "%s", good[i]);
}

Test(iso_date, a_part_that_is_not_known_is_a_hyphen)
{
	static const char *const good[] = { "2003---17", "--05-17", "-----T07:15", "2003-05--T07" };

	for (size_t i = 0; i < CT_ARRAY_N(good); i++)
		cr_assert_null(clinic_date_fault(good[i]), "%s", good[i]);
	cr_assert_str_eq(clinic_date_fault("2003--"), "ends in an unknown part");
	cr_assert_str_eq(clinic_date_fault("-"), "ends in an unknown part");
	cr_assert_str_eq(clinic_date_fault("2003-05-17T-"), "ends in an unknown part");
}

Test(iso_date, what_does_not_exist_is_refused)
{
	cr_assert_str_eq(clinic_date_fault("2003-13"), "has no such month");
	cr_assert_str_eq(clinic_date_fault("2003-00-01"), "has no such month");
	cr_assert_str_eq(clinic_date_fault("2003-01-32"), "has no such day");
	cr_assert_str_eq(clinic_date_fault("2003-01-00"), "has no such day");
	cr_assert_str_eq(clinic_date_fault("2003-02-29"), "has no such day in that month");
	cr_assert_str_eq(clinic_date_fault("1900-02-29"), "has no such day in that month");
	cr_assert_str_eq(clinic_date_fault("2003-04-31"), "has no such day in that month");
	cr_assert_str_eq(clinic_date_fault("2003-01-01T24"), "has no such hour");
	cr_assert_str_eq(clinic_date_fault("2003-01-01T23:60"), "has no such minute");
	cr_assert_str_eq(clinic_date_fault("2003-01-01T23:59:61"), "has no such second");
	cr_assert_str_eq(clinic_date_fault("2003-01-01T23:59+15:00"), "has no such time zone");
	cr_assert_str_eq(clinic_date_fault("2003-01-01T23:59+08:"), "has a faulty time zone");
	cr_assert_str_eq(clinic_date_fault("2003-01-01T23:59+08:3"), "has a faulty time zone");
}

Test(iso_date, what_is_written_otherwise_is_refused)
{
	static const char *const bad[] = {
		"",
		"2003/05/17",
		"17.05.2003",
		"2003-5-17",
		"20030517",
		"03-05-17",
		"2003-05-17 10:00",
		"2003-05-17T",
		"NA",
		"2003-05-17T10:0",
		"2003-05-17T10:00+8",
		"2003-05-17x",
		"2003-05-17Z",
		"2003-05-17T10:00:00.",
		"2003-05-17T10:00:00.1234567890",
		"２００３",
	};

	for (size_t i = 0; i < CT_ARRAY_N(bad); i++)
		cr_assert_not_null(clinic_date_fault(bad[i]), "%s", bad[i]);
}

static void check_span(const char *date, const char *first, const char *last)
{
	char out[CLINIC_DATE_SIZE];

	clinic_date_first(date, out);
	cr_assert_str_eq(out, first, "%s", date);
	clinic_date_last(date, out);
	cr_assert_str_eq(out, last, "%s", date);
}

Test(iso_date, a_date_spans_what_it_may_mean)
{
	check_span("2003", "2003-01-01T00:00:00", "2003-12-31T23:59:59");
	check_span("2003-02", "2003-02-01T00:00:00", "2003-02-28T23:59:59");
	check_span("2012-02", "2012-02-01T00:00:00", "2012-02-29T23:59:59");
	check_span("2003-05-17", "2003-05-17T00:00:00", "2003-05-17T23:59:59");
	check_span("2003-05-17T10:30", "2003-05-17T10:30:00", "2003-05-17T10:30:59");
	check_span("2003-05-17T10:30:05.9Z", "2003-05-17T10:30:05", "2003-05-17T10:30:05");
	check_span("2003---17", "2003-01-17T00:00:00", "2003-12-17T23:59:59");
}

Test(iso_date, no_date_spans_all_of_time)
{
	check_span("", "0000-01-01T00:00:00", "9999-12-31T23:59:59");
	check_span("NA", "0000-01-01T00:00:00", "9999-12-31T23:59:59");
}
