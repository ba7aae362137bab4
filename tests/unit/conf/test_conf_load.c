/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf.h"

#include "base/mem.h"
#include "tests/lib/leak_check.h"
#include "tests/unit/conf/example.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct ct_conf_report report; /* each test has a process of its own */

static struct example load(const char *text)
{
	struct example e = { .untouched = 42 };

	cr_assert_eq(ct_conf_load_text(&example_schema, "x.cfg", ct_bytes_of_str(text), NULL, &e,
				       &report),
		     CT_OK, "%s", report.text);
	cr_assert_str_eq(report.text, "");
	return e;
}

static const struct example_peer *peer_at(const struct example *e, size_t i)
{
	cr_assert_lt(i, e->peers.n);
	return (const struct example_peer *)e->peers.entries + i;
}

TestSuite(conf_load, .fini = leak_check, .timeout = 60);

Test(conf_load, an_empty_file_gives_the_defaults)
{
	struct example e = load("");

	cr_assert_eq(e.log.level, CT_LOG_INFO);
	cr_assert_eq(e.pool.workers, 8);
	cr_assert_eq(e.pool.queue_max, 64);
	cr_assert_str_eq(e.listen, "tcp://127.0.0.1:7001");
	cr_assert_eq(e.drain_ms, 5000);
	cr_assert_not(e.probe);
	cr_assert_eq(e.mode, EXAMPLE_OPEN);
	cr_assert_eq(e.share_percent, 50);
	cr_assert_eq(e.nice, -5);
	cr_assert_eq(e.offset_us, -1);
	cr_assert_eq(e.file_bytes, UINT64_C(1) << 40);
	cr_assert_str_eq(e.note, "");
	cr_assert_eq(e.tags.n, 2);
	cr_assert_str_eq(e.tags.v[1], "b");
	cr_assert_eq(e.peers.n, 0);
	cr_assert_eq(e.untouched, 42);
	ct_conf_fini(&example_schema, &e);
}

Test(conf_load, a_partial_schema_passes_over_what_it_does_not_know)
{
	struct ct_conf_schema partial = example_schema;
	struct example e = { .untouched = 42 };

	partial.partial = true;
	cr_assert_eq(
		ct_conf_load_text(&partial, "x.cfg",
				  ct_bytes_of_str("store = { path = \"x\"; deep = { a = 1; }; };"
						  "pool = { workers = 3; frob = true; };"
						  "other = 1;"),
				  NULL, &e, &report),
		CT_OK, "%s", report.text);
	cr_assert_str_eq(report.text, "");
	cr_assert_eq(e.pool.workers, 3);
	ct_conf_fini(&partial, &e);

	cr_assert_eq(ct_conf_load_text(&partial, "x.cfg",
				       ct_bytes_of_str("pool = { workers = 3000; };"), NULL, &e,
				       &report),
		     CT_INVALID_ARGUMENT, "what it knows it checks");
}

Test(conf_load, the_file_sets_every_type)
{
	struct example e = load("# a comment\r\n"
				"log: { level = \"error\"; format = \"json\"; };\r\n"
				"pool = { workers = 256; queue_max = 0x100; };\n"
				"server:\n{\n"
				"  listen = \"ipc:///run/\" \"x\"; // in two parts\n"
				"  drain_ms = 0; mode = \"closed\"; share_percent = 100;\n"
				"};\n"
				"probe = { enabled = true; }; nice = -20;\n"
				"note = \"患者 a\\\"b\\\\c\"; tags = [ \"x\" ];\n"
				"/* the end */");

	cr_assert_eq(e.log.level, CT_LOG_ERROR);
	cr_assert_eq(e.log.format, CT_LOG_JSON);
	cr_assert_eq(e.pool.workers, 256);
	cr_assert_eq(e.pool.queue_max, 256);
	cr_assert_str_eq(e.listen, "ipc:///run/x");
	cr_assert_eq(e.drain_ms, 0);
	cr_assert(e.probe);
	cr_assert_eq(e.mode, EXAMPLE_CLOSED);
	cr_assert_eq(e.share_percent, 100);
	cr_assert_eq(e.nice, -20);
	cr_assert_str_eq(e.note, "患者 a\"b\\c");
	cr_assert_eq(e.tags.n, 1);
	cr_assert_str_eq(e.tags.v[0], "x");
	ct_conf_fini(&example_schema, &e);
}

Test(conf_load, numbers_beyond_32_bits_are_read_as_they_are_written)
{
	static const struct {
		const char *text;
		int64_t v;
	} rows[] = {
		{ "2147483647", INT32_MAX },
		{ "2147483648", INT64_C(2147483648) },
		{ "-2147483648", INT32_MIN },
		{ "-2147483649", INT64_C(-2147483649) },
		{ "3000000000L", INT64_C(3000000000) },
		{ "4294967301LL", INT64_C(4294967301) },
		{ "0x80000000", INT64_C(0x80000000) },
		{ "0X7fffffffffffffff", INT64_MAX },
		{ "9223372036854775807", INT64_MAX },
		{ "-9223372036854775808", INT64_MIN },
		{ "00000000000000000000000007", 7 },
	};

	for (size_t i = 0; i < CT_ARRAY_N(rows); i++) {
		char text[100];

		snprintf(text, sizeof(text), "clock: { offset_us = %s; };", rows[i].text);
		struct example e = load(text);

		cr_assert_eq(e.offset_us, rows[i].v, "%s", rows[i].text);
		ct_conf_fini(&example_schema, &e);
	}
}

Test(conf_load, names_comments_and_strings_are_not_taken_for_numbers)
{
	struct example e = load(
		"# 99999999999999999999\n"
		"/* 99999999999999999999 */\n"
		"note = \"99999999999999999999 \\\" @include {{{{{{{{{{{{{{{{{{{{\";\n"
		"peers = { p99999999999999999999 = { urls = [ \"u\" ]; }; };");

	cr_assert_str_eq(e.note, "99999999999999999999 \" @include {{{{{{{{{{{{{{{{{{{{");
	cr_assert_str_eq(peer_at(&e, 0)->name, "p99999999999999999999");
	ct_conf_fini(&example_schema, &e);
}

Test(conf_load, named_groups_come_in_the_order_of_the_file_with_their_own_defaults)
{
	struct example e = load(
		"peers: {\n"
		" report-svc = { urls = [ \"tcp://a:1\", \"tcp://b:2\" ]; timeout_ms = 300; };\n"
		" other = { urls = ( \"ipc:///x\" ); connections = 2; };\n"
		"};");

	cr_assert_eq(e.peers.n, 2);
	cr_assert_str_eq(peer_at(&e, 0)->name, "report-svc");
	cr_assert_eq(peer_at(&e, 0)->urls.n, 2);
	cr_assert_str_eq(peer_at(&e, 0)->urls.v[1], "tcp://b:2");
	cr_assert_eq(peer_at(&e, 0)->connections, 1);
	cr_assert_eq(peer_at(&e, 0)->timeout_ms, 300);
	cr_assert_str_eq(peer_at(&e, 1)->name, "other");
	cr_assert_eq(peer_at(&e, 1)->connections, 2);
	cr_assert_eq(peer_at(&e, 1)->timeout_ms, 500);
	ct_conf_fini(&example_schema, &e);
}

Test(conf_load, a_byte_order_mark_is_skipped)
{
	struct example e = load("\xef\xbb\xbfnice = 3;");

	cr_assert_eq(e.nice, 3);
	ct_conf_fini(&example_schema, &e);
}

Test(conf_load, reads_a_file_and_overrides_win_over_it)
{
	const char *const overrides[] = {
		"pool.workers=3",
		"server.listen=tcp://0.0.0.0:1=2",
		"probe.enabled=true",
		"tags=x,y,z",
		"nice=-7",
		"server.mode=closed",
		"peers.report-svc.timeout_ms=9",
		"peers.made-here.urls=ipc:///a",
		"pool.workers=5",
		"note=",
	};
	char path[] = "/tmp/ct-test-conf-XXXXXX";
	struct ct_conf_source src = { path, overrides, CT_ARRAY_N(overrides) };
	struct example e = { .untouched = 1 };
	FILE *f = fdopen(mkstemp(path), "w");

	cr_assert_not_null(f);
	fputs("pool: { workers = 4; queue_max = 7; }; note = \"n\";\n"
	      "peers: { report-svc: { urls = [ \"u\" ]; timeout_ms = 8; connections = 2; }; };",
	      f);
	cr_assert_eq(fclose(f), 0);
	cr_assert_eq(ct_conf_load(&example_schema, &src, &e, &report), CT_OK, "%s", report.text);
	cr_assert_eq(unlink(path), 0);

	cr_assert_eq(e.pool.workers, 5);
	cr_assert_eq(e.pool.queue_max, 7);
	cr_assert_str_eq(e.listen, "tcp://0.0.0.0:1=2");
	cr_assert(e.probe);
	cr_assert_eq(e.tags.n, 3);
	cr_assert_str_eq(e.tags.v[2], "z");
	cr_assert_eq(e.nice, -7);
	cr_assert_eq(e.mode, EXAMPLE_CLOSED);
	cr_assert_str_eq(e.note, "");
	cr_assert_eq(e.peers.n, 2);
	cr_assert_eq(peer_at(&e, 0)->timeout_ms, 9);
	cr_assert_eq(peer_at(&e, 0)->connections, 2);
	cr_assert_str_eq(peer_at(&e, 1)->name, "made-here");
	cr_assert_str_eq(peer_at(&e, 1)->urls.v[0], "ipc:///a");
	cr_assert_eq(peer_at(&e, 1)->timeout_ms, 500);
	ct_conf_fini(&example_schema, &e);
}

Test(conf_load, an_empty_override_empties_a_list)
{
	const char *const overrides[] = { "tags=" };
	const struct ct_conf_source src = { NULL, overrides, 1 };
	struct example e;

	cr_assert_eq(ct_conf_load(&example_schema, &src, &e, &report), CT_OK);
	cr_assert_eq(e.tags.n, 0);
	ct_conf_fini(&example_schema, &e);
}

Test(conf_load, without_a_file_there_are_defaults_and_overrides)
{
	const struct ct_conf_source none = { NULL, NULL, 0 };
	struct example e;

	cr_assert_eq(ct_conf_load(&example_schema, &none, &e, &report), CT_OK);
	cr_assert_eq(e.pool.workers, 8);
	ct_conf_fini(&example_schema, &e);
}

Test(conf_load, fini_may_run_twice_and_on_zeroed_memory)
{
	struct example e = load("tags = [ \"x\" ]; peers: { p: { urls = [ \"u\" ]; }; };");
	struct example zero;

	memset(&zero, 0, sizeof(zero));
	ct_conf_fini(&example_schema, &zero);
	ct_conf_fini(&example_schema, &e);
	ct_conf_fini(&example_schema, &e);

	cr_assert_null(e.listen);
	cr_assert_eq(e.peers.n, 0);
	cr_assert_eq(e.untouched, 42);
}

/* Runs the same load with allocation 1, 2, 3 … failing. */
Test(conf_load, without_memory_it_says_so_changes_nothing_and_leaks_nothing)
{
	const char *const overrides[] = { "peers.b.urls=x,y", "tags=q" };
	const struct ct_conf_source src = { NULL, overrides, CT_ARRAY_N(overrides) };
	const struct ct_bytes text = ct_bytes_of_str(
		"note = \"n\"; tags = [ \"a\", \"b\" ];"
		"peers: { a: { urls = [ \"u\", \"v\" ]; }; };");
	struct example e, before;
	uint64_t nth = 0;
	ct_status st;

	memset(&e, 0x5a, sizeof(e));
	memcpy(&before, &e, sizeof(e));
	for (;;) {
		ct_mem_fail_nth(++nth);
		st = ct_conf_load_text(&example_schema, "x.cfg", text, &src, &e, &report);
		if (st == CT_OK)
			break;
		cr_assert_eq(st, CT_RESOURCE_EXHAUSTED);
		cr_assert_str_eq(report.text, "x.cfg: out of memory\n", "allocation %lu", nth);
		cr_assert_eq(memcmp(&e, &before, sizeof(e)), 0);
	}
	ct_mem_fail_nth(0);

	cr_assert_gt(nth, 20);
	cr_assert_eq(e.peers.n, 2);
	ct_conf_fini(&example_schema, &e);
}

Test(conf_load, units_are_told_by_the_end_of_a_name)
{
	cr_assert_str_eq(ct_conf_unit("server.drain_ms"), "ms");
	cr_assert_str_eq(ct_conf_unit("a.wait_us"), "µs");
	cr_assert_str_eq(ct_conf_unit("a.file_bytes"), "bytes");
	cr_assert_str_eq(ct_conf_unit("a.share_percent"), "%");
	cr_assert_str_eq(ct_conf_unit("a.calls_per_s"), "per second");
	cr_assert_str_eq(ct_conf_unit("pool.workers"), "");
	cr_assert_str_eq(ct_conf_unit("_ms"), "");
}
