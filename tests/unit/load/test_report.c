/* SPDX-License-Identifier: Apache-2.0 */
#include "load/report.h"

#include "base/status.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct load_result r;
static char *text;
static size_t len;
static FILE *out;

static void set_up(void)
{
	out = open_memstream(&text, &len);
	cr_assert_not_null(out);
}

static void clean_up(void)
{
	free(text);
	leak_check();
}

static const char *written(void)
{
	cr_assert_eq(fclose(out), 0);
	return text;
}

/* A thousand calls in two seconds: 990 took a millisecond, ten were refused after 2 us. */
static void measured(void)
{
	for (unsigned i = 0; i < 990; i++)
		load_hist_add(&r.ok_ns, 1000000);
	for (unsigned i = 0; i < 10; i++)
		load_hist_add(&r.failed_ns, 2000);
	r.by_status[CT_OK] = r.ok = 990;
	r.by_status[CT_RESOURCE_EXHAUSTED] = 10;
	r.calls = 1000;
	r.elapsed_ns = 2000000000;
}

static unsigned lines_with(const char *in, const char *what)
{
	unsigned n = 0;

	for (const char *at = in; (at = strstr(at, what)) != NULL; at += strlen(what))
		n++;
	return n;
}

TestSuite(load_report, .init = set_up, .fini = clean_up, .timeout = 60);

Test(load_report, json_has_counts_rates_and_times)
{
	measured();

	load_report_json(&r, out);

	cr_assert_str_eq(
		written(),
		"\"calls\": 1000, \"ok\": 990, \"by_status\": {\"OK\": 990, "
		"\"RESOURCE_EXHAUSTED\": 10}, \"delayed\": 0, \"missed\": 0, \"lost\": 0, "
		"\"stopped\": false, \"elapsed_ns\": 2000000000, \"cpu_ns\": 0, "
		"\"calls_per_s\": 500.0, \"ok_per_s\": 495.0, "
		"\"latency_ns\": {\"count\": 990, \"mean\": 1000000, \"p50\": 1000000, "
		"\"p90\": 1000000, \"p99\": 1000000, \"p999\": 1000000, \"max\": 1000000}, "
		"\"failed_ns\": {\"count\": 10, \"mean\": 2000, \"p50\": 2000, \"p90\": 2000, "
		"\"p99\": 2000, \"p999\": 2000, \"max\": 2000}, "
		"\"late_ns\": {\"count\": 0, \"mean\": 0, \"p50\": 0, \"p90\": 0, \"p99\": 0, "
		"\"p999\": 0, \"max\": 0}");
}

Test(load_report, a_string_that_would_break_json_does_not)
{
	load_report_json_string("a \"b\"\\c\n\x7f\xc3\xa9", out);

	cr_assert_str_eq(written(), "\"a \\\"b\\\"\\\\c????\"");
}

Test(load_report, text_names_what_went_wrong)
{
	measured();
	r.missed = 3;
	r.delayed = 4;

	load_report_text(&r, out, 80);

	cr_assert_not_null(strstr(written(), "1000 calls in 2.0 s, 500 a second"));
	cr_assert_not_null(strstr(text, "RESOURCE_EXHAUSTED             10    1.0 %"));
	cr_assert_not_null(strstr(text, "3 were due and never started"));
	cr_assert_not_null(strstr(text, "4 waited for others"));
	cr_assert_not_null(strstr(text, "50 %       1.00 ms"));
}

Test(load_report, bars_stay_within_the_columns_and_their_shares_are_all)
{
	for (unsigned i = 1; i <= 10000; i++)
		load_hist_add(&r.ok_ns, i * 1000);
	r.by_status[CT_OK] = r.ok = r.calls = 10000;
	r.elapsed_ns = 1000000000;

	load_report_text(&r, out, 60);

	cr_assert_leq(lines_with(written(), " .. "), 18);
	cr_assert_geq(lines_with(text, " .. "), 9);
	for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
		cr_assert_leq(strcspn(line, "\n"), 60);
}

Test(load_report, nothing_measured_can_be_told_too)
{
	load_report_text(&r, out, 80);
	load_report_line(&r, out);

	cr_assert_not_null(strstr(written(), "0 calls"));
}
