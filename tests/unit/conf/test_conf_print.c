/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf.h"

#include "tests/lib/leak_check.h"
#include "tests/unit/conf/example.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ct_conf_report report; /* each test has a process of its own */

static struct example load(const char *text)
{
	struct example e;

	cr_assert_eq(ct_conf_load_text(&example_schema, "x.cfg", ct_bytes_of_str(text), NULL, &e,
				       &report),
		     CT_OK, "%s", report.text);
	return e;
}

/* free() the result. */
static char *print(const struct example *e)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	cr_assert_not_null(out);
	cr_assert_eq(ct_conf_print(&example_schema, e, out), CT_OK);
	cr_assert_eq(fclose(out), 0);
	return text;
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, word)) != NULL; at += strlen(word))
		n++;
	return n;
}

TestSuite(conf_print, .fini = leak_check, .timeout = 60);

Test(conf_print, what_is_printed_loads_to_the_same_values)
{
	struct example a = load(
		"log: { level = \"debug\"; format = \"json\"; buffer_bytes = 8192; };\n"
		"pool: { workers = 3; queue_max = 4; }; probe: { enabled = true; };\n"
		"server: { listen = \"a\\\"b\\\\c\\x01\\x7f\\n院\";\n"
		"mode = \"closed\"; drain_ms = 1; };\n"
		"nice = 7; clock: { offset_us = -9223372036854775808; };\n"
		"store: { file_bytes = 9223372036854775807; }; note = \"\"; tags = [ ];\n"
		"peers: { b: { urls = [ \"u\", \"v\" ]; };\n"
		"*a: { urls = [ \"w\" ]; connections = 64; }; };");
	char *first = print(&a);
	struct example b = load(first);
	char *second = print(&b);

	cr_assert_str_eq(first, second);
	cr_assert_eq(b.log.level, CT_LOG_DEBUG);
	cr_assert_eq(b.log.buffer_bytes, 8192);
	cr_assert_eq(b.pool.workers, 3);
	cr_assert(b.probe);
	cr_assert_str_eq(b.listen, "a\"b\\c\x01\x7f\n院");
	cr_assert_eq(b.mode, EXAMPLE_CLOSED);
	cr_assert_eq(b.offset_us, INT64_MIN);
	cr_assert_eq(b.file_bytes, INT64_MAX);
	cr_assert_eq(b.tags.n, 0);
	cr_assert_eq(b.peers.n, 2);
	cr_assert_str_eq(((struct example_peer *)b.peers.entries)[1].name, "*a");
	cr_assert_eq(((struct example_peer *)b.peers.entries)[1].connections, 64);
	free(first);
	free(second);
	ct_conf_fini(&example_schema, &a);
	ct_conf_fini(&example_schema, &b);
}

Test(conf_print, each_setting_stands_under_its_help_range_unit_and_default)
{
	struct example e = load("server: { drain_ms = 7; };");
	char *text = print(&e);

	cr_assert_not_null(strstr(text, "\t# how long SIGTERM waits for running calls: a whole "
					"number 0..600000 ms, default 5000\n"
					"\tdrain_ms = 7;\n"));
	cr_assert_not_null(strstr(text, "\t# who may call: one of closed, open, default \"open\"\n"
					"\tmode = \"open\";\n"));
	cr_assert_not_null(strstr(text, "# labels: a list of 0..3 texts, "
					"default [ \"a\", \"b\" ]\ntags = [ \"a\", \"b\" ];\n"));
	free(text);
	ct_conf_fini(&example_schema, &e);
}

Test(conf_print, a_group_is_written_once_though_its_rows_stand_apart)
{
	struct example e = load("");
	char *text = print(&e);

	cr_assert_eq(count(text, "\nserver:\n{\n"), 1);
	cr_assert_eq(count(text, "\npool:\n{\n"), 1);
	cr_assert_eq(count(text, "listen = "), 1);
	free(text);
	ct_conf_fini(&example_schema, &e);
}

Test(conf_print, a_map_without_entries_shows_what_one_may_hold)
{
	struct example e = load("");
	char *text = print(&e);

	cr_assert_not_null(strstr(text, "peers:\n{\n\t# NAME:\n\t# {\n"));
	cr_assert_not_null(strstr(text, "\t#\ttimeout_ms = 500; # default budget of a call: "
					"a whole number 1..60000 ms\n"));
	free(text);
	ct_conf_fini(&example_schema, &e);
}

Test(conf_print, an_output_that_fails_is_told)
{
	struct example e = load("");
	FILE *full = fopen("/dev/full", "w");

	cr_assert_not_null(full);
	cr_assert_eq(ct_conf_print(&example_schema, &e, full), CT_UNAVAILABLE);
	cr_assert_eq(ct_conf_print_docs(&example_schema, full), CT_UNAVAILABLE);
	fclose(full);
	ct_conf_fini(&example_schema, &e);
}

Test(conf_print, the_docs_have_a_section_for_each_group_and_a_line_for_each_setting)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	cr_assert_eq(ct_conf_print_docs(&example_schema, out), CT_OK);
	cr_assert_eq(fclose(out), 0);

	cr_assert_eq(count(text, "### "), 10);
	cr_assert_eq(count(text, "### server\n"), 1);
	cr_assert_eq(count(text, "\n| `"),
		     CT_ARRAY_N(example_rows) + CT_ARRAY_N(example_pool_rows) +
			     CT_ARRAY_N(example_peer_rows) + CT_LOG_CONF_ROWS_N);
	cr_assert_not_null(strstr(text, "| `server.drain_ms` | a whole number 0..600000 ms | "
					"`5000` | how long SIGTERM waits for running calls |\n"));
	cr_assert_not_null(strstr(text, "| `peers.NAME.urls` | a list of 1..4 texts | none, must "
					"be set | where it listens |\n"));
	cr_assert_not_null(strstr(text, "of the workers \\| for batches"));
	free(text);
}

Test(conf_print, the_logs_settings_make_its_options)
{
	struct example e = load(
		"log: { level = \"warn\"; format = \"json\"; buffer_bytes = 9000; };");
	const struct ct_log_opts opts = ct_log_conf_opts(&e.log, "svc");

	cr_assert_eq(opts.level, CT_LOG_WARN);
	cr_assert_eq(opts.format, CT_LOG_JSON);
	cr_assert_eq(opts.ring_bytes, 9000);
	cr_assert_str_eq(opts.service, "svc");
	cr_assert_eq(opts.fd, 0);
	ct_conf_fini(&example_schema, &e);
}
