/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf.h"

#include "tests/lib/leak_check.h"
#include "tests/unit/conf/example.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct ct_conf_report report; /* each test has a process of its own */

/* The load fails with exactly this report and touches nothing. */
static void expect_bytes(struct ct_bytes text, const char *override, const char *wanted)
{
	const struct ct_conf_source src = { NULL, &override, override != NULL ? 1 : 0 };
	struct example e, before;

	memset(&e, 0x5a, sizeof(e));
	memcpy(&before, &e, sizeof(e));
	cr_assert_eq(ct_conf_load_text(&example_schema, "x.cfg", text, &src, &e, &report),
		     CT_INVALID_ARGUMENT, "accepted; wanted: %s", wanted);
	cr_assert_str_eq(report.text, wanted);
	cr_assert_eq(memcmp(&e, &before, sizeof(e)), 0, "the settings changed");
}

static void expect(const char *text, const char *wanted)
{
	expect_bytes(ct_bytes_of_str(text), NULL, wanted);
}

static void expect_override(const char *override, const char *wanted)
{
	expect_bytes(CT_BYTES_NONE, override, wanted);
}

static char *repeated(const char *s, size_t n)
{
	const size_t len = strlen(s);
	char *text = malloc(n * len + 1);

	cr_assert_not_null(text);
	for (size_t i = 0; i < n; i++)
		memcpy(text + i * len, s, len);
	text[n * len] = '\0';
	return text;
}

TestSuite(conf_errors, .fini = leak_check, .timeout = 60);

Test(conf_errors, an_unknown_setting_is_named_with_its_line_and_the_nearest_known_one)
{
	expect("\n\npool: { wrokers = 1; };",
	       "x.cfg:3: unknown setting 'pool.wrokers' (did you mean 'pool.workers'?)\n");
	expect("worker = 1;", "x.cfg:1: unknown setting 'worker' (did you mean 'pool.workers'?)\n");
	expect("workers = 1;",
	       "x.cfg:1: unknown setting 'workers' (did you mean 'pool.workers'?)\n");
	expect("pol: {\n workers = 1; };",
	       "x.cfg:1: unknown setting 'pol' (did you mean 'pool'?)\n");
	expect("server: { Drain_ms = 1; };",
	       "x.cfg:1: unknown setting 'server.Drain_ms' (did you mean 'server.drain_ms'?)\n");
	expect("something_else = 1;", "x.cfg:1: unknown setting 'something_else'\n");
	expect("peers: { p: { urls = [ \"u\" ]; timeout = 3; }; };",
	       "x.cfg:1: unknown setting 'peers.p.timeout' (did you mean 'peers.p.timeout_ms'?)\n");
}

Test(conf_errors, a_wrong_type_tells_value_type_range_and_unit)
{
	expect("pool: { workers = \"many\"; };",
	       "x.cfg:1: 'pool.workers' is \"many\", must be a whole number 1..256\n");
	expect("server: { drain_ms = 1.5; };", "x.cfg:1: 'server.drain_ms' is the fraction 1.5, "
					       "must be a whole number 0..600000 ms\n");
	expect("probe: { enabled = 1; };",
	       "x.cfg:1: 'probe.enabled' is 1, must be true or false\n");
	expect("server: { mode = \"ajar\"; };",
	       "x.cfg:1: 'server.mode' is \"ajar\", must be one of closed, open\n");
	expect("server: { mode = 3; };",
	       "x.cfg:1: 'server.mode' is 3, must be one of closed, open\n");
	expect("note = true;", "x.cfg:1: 'note' is true, must be text of 0..1000 bytes\n");
	expect("tags = \"a\";", "x.cfg:1: 'tags' is \"a\", must be a list of 0..3 texts\n");
	expect("tags = ( 1, \"a\" );",
	       "x.cfg:1: 'tags' is a list of 2, must be a list of 0..3 texts\n");
	expect("tags = [ 1, 2 ];",
	       "x.cfg:1: 'tags' is a list of 2, must be a list of 0..3 texts\n");
	expect("nice = {};", "x.cfg:1: 'nice' is a group, must be a whole number -20..19\n");
	expect("nice = [ 1 ];", "x.cfg:1: 'nice' is a list of 1, must be a whole number -20..19\n");
	expect("pool = 3;", "x.cfg:1: 'pool' must be a group\n");
	expect("pool = ( { workers = 3; } );", "x.cfg:1: 'pool' must be a group\n");
	expect("peers = 3;", "x.cfg:1: 'peers' is 3, must be a group of 0..3 named groups\n");
	expect("peers: {\n p = 3; };",
	       "x.cfg:2: 'peers.p' must be a group with a name of 1..64 bytes\n");
}

Test(conf_errors, a_value_out_of_range_tells_value_range_and_unit)
{
	expect("pool: { workers = 0; };",
	       "x.cfg:1: 'pool.workers' is 0, must be a whole number 1..256\n");
	expect("pool: { workers = 257; };",
	       "x.cfg:1: 'pool.workers' is 257, must be a whole number 1..256\n");
	expect("pool: { workers = 65537; };", /* 1 in 16 bits */
	       "x.cfg:1: 'pool.workers' is 65537, must be a whole number 1..256\n");
	expect("server: { drain_ms = 4294967297; };", /* 1 in 32 bits */
	       "x.cfg:1: 'server.drain_ms' is 4294967297, must be a whole number 0..600000 ms\n");
	expect("nice = -21;", "x.cfg:1: 'nice' is -21, must be a whole number -20..19\n");
	expect("server: { share_percent = 101; };",
	       "x.cfg:1: 'server.share_percent' is 101, must be a whole number 0..100 %\n");
	expect("server: { listen = \"\"; };",
	       "x.cfg:1: 'server.listen' is \"\", must be text of 1..255 bytes\n");
	expect("tags = [ \"1\", \"2\", \"3\", \"4\" ];",
	       "x.cfg:1: 'tags' is a list of 4, must be a list of 0..3 texts\n");
	expect("clock: { offset_us = 9223372036854775808; };",
	       "x.cfg:1: a number beyond 64 bits\n");
	expect("\nclock: { offset_us = -9223372036854775809; };",
	       "x.cfg:2: a number beyond 64 bits\n");
	expect("nice = 0xffffffffffffffffff;", "x.cfg:1: a number beyond 64 bits\n");
	expect("nice = 99999999999999999999999L;", "x.cfg:1: a number beyond 64 bits\n");
}

Test(conf_errors, all_of_them_are_told_at_once)
{
	expect("nice = 99;\npool: { workers = 0;\n wrokers = 1; };",
	       "x.cfg:1: 'nice' is 99, must be a whole number -20..19\n"
	       "x.cfg:2: 'pool.workers' is 0, must be a whole number 1..256\n"
	       "x.cfg:3: unknown setting 'pool.wrokers' (did you mean 'pool.workers'?)\n");
	cr_assert_eq(report.errors_n, 3);
}

Test(conf_errors, a_report_that_is_full_keeps_whole_lines_and_goes_on_counting)
{
	enum { ERRORS = 200 };
	char text[ERRORS * 16] = "";
	size_t len = 0;
	struct example e;

	for (int i = 0; i < ERRORS; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "zz%d = 1;\n", i);
	cr_assert_eq(ct_conf_load_text(&example_schema, "x.cfg", ct_bytes_of_str(text), NULL, &e,
				       &report),
		     CT_INVALID_ARGUMENT);

	cr_assert_eq(report.errors_n, ERRORS);
	cr_assert_eq(report.len, strlen(report.text));
	cr_assert_gt(report.len, CT_CONF_REPORT_SIZE - 64);
	cr_assert_eq(report.text[report.len - 1], '\n');
}

Test(conf_errors, what_must_be_set_and_is_not_is_named)
{
	expect("peers: { p: { }; q: { urls = [ \"u\" ]; }; };",
	       "x.cfg: 'peers.p.urls' must be set, a list of 1..4 texts\n");
	expect("peers: { p: { urls = [ ]; }; };",
	       "x.cfg:1: 'peers.p.urls' is a list of 0, must be a list of 1..4 texts\n");
}

Test(conf_errors, named_groups_have_a_limit)
{
	expect("peers: { a: { urls = [ \"u\" ]; }; b: { urls = [ \"u\" ]; };\n"
	       "c: { urls = [ \"u\" ]; };\nd: { urls = [ \"u\" ]; }; };",
	       "x.cfg:3: 'peers' has more than that, must be a group of 0..3 named groups\n");
}

Test(conf_errors, the_services_own_check_refuses_what_rows_cannot)
{
	expect("pool: { workers = 65; };", "pool.queue_max must not be below pool.workers\n");
}

Test(conf_errors, bad_syntax_has_its_line_and_its_text)
{
	expect("nice = 1;\npool: { workers = ; };",
	       "x.cfg:2: syntax error at 'pool: { workers = ; };'\n");
	expect("nice = 1;\nnice = 2;\n", "x.cfg:2: duplicate setting name at 'nice = 2;'\n");
	expect("pool.workers = 1;", "x.cfg:1: syntax error at 'pool.workers = 1;'\n");
	expect("nice = 1;\n\nnote = \"never\nends;\n", "x.cfg:3: a string without its end\n");
	expect("nice = 1;\n/* never ends\n\n", "x.cfg:2: a comment without its end\n");
	expect("note = \"\\x00\";", "x.cfg:1: a string with a NUL\n");
	expect("nice = 1\x1b;", "x.cfg:1: syntax error at 'nice = 1?;'\n");
	expect("nice = 5.", "x.cfg:1: 'nice' is the fraction 5, must be a whole number -20..19\n");
}

Test(conf_errors, a_nul_byte_ends_nothing_silently)
{
	expect_bytes(ct_bytes_of("nice = 1;\n\0 = 5;", 15), NULL, "x.cfg:2: a NUL byte\n");
	expect_bytes(ct_bytes_of("# c\0\nnice = 99;", 15), NULL,
		     "x.cfg:2: a NUL byte in a comment or string\n");
}

Test(conf_errors, no_other_file_is_read)
{
	expect("\n@include \"/etc/hostname\"\n", "x.cfg:2: @include is not allowed\n");
	expect("pool: {\n\t@include \"x\"\n};", "x.cfg:2: @include is not allowed\n");
}

Test(conf_errors, depth_settings_and_size_have_limits)
{
	char *deep = repeated("a={", 17), *brackets = repeated("(", 100000);
	char *many = repeated("a=1;\n", 4097), *large = repeated("################", 65537);

	expect(deep, "x.cfg:1: nested more than 16 levels deep\n");
	expect(brackets, "x.cfg:1: nested more than 16 levels deep\n");
	expect(many, "x.cfg:4097: more than 4096 settings\n");
	expect(large, "x.cfg: larger than 1 MiB\n");
	free(deep);
	free(brackets);
	free(many);
	free(large);
}

Test(conf_errors, foreign_text_is_cut_and_has_no_control_characters)
{
	char *word = repeated("院", 100), *wanted = repeated("院", 21);
	char text[1024], line[512];

	expect("server: { mode = \"\x1b[2J\n\"; };",
	       "x.cfg:1: 'server.mode' is \"?[2J?\", must be one of closed, open\n");
	snprintf(text, sizeof(text), "server: { mode = \"%s\"; };", word);
	snprintf(line, sizeof(line),
		 "x.cfg:1: 'server.mode' is \"%s…\", must be one of closed, open\n", wanted);
	expect(text, line);
	free(word);
	free(wanted);
}

Test(conf_errors, a_bad_override_is_named_as_it_was_given)
{
	expect_override("pool.workers=many", "-s pool.workers=many: 'pool.workers' is \"many\", "
					     "must be a whole number 1..256\n");
	expect_override("pool.workers=0",
			"-s pool.workers=0: 'pool.workers' is 0, must be a whole number 1..256\n");
	expect_override("pool.workers= 5", "-s pool.workers= 5: 'pool.workers' is \" 5\", "
					   "must be a whole number 1..256\n");
	expect_override("pool.workers=5x", "-s pool.workers=5x: 'pool.workers' is \"5x\", "
					   "must be a whole number 1..256\n");
	expect_override("clock.offset_us=9223372036854775808",
			"-s clock.offset_us=9223372036854775808: 'clock.offset_us' is "
			"\"9223372036854775808\", must be a whole number "
			"-9223372036854775808..9223372036854775807 µs\n");
	expect_override("probe.enabled=yes", "-s probe.enabled=yes: 'probe.enabled' is \"yes\", "
					     "must be true or false\n");
	expect_override("tags=a,b,c,d",
			"-s tags=a,b,c,d: 'tags' is a list of 4, must be a list of 0..3 texts\n");
	expect_override("pool.workers", "-s pool.workers: must be path=value\n");
	expect_override("pool.wrokers=1", "-s pool.wrokers=1: unknown setting 'pool.wrokers' "
					  "(did you mean 'pool.workers'?)\n");
	expect_override("=1", "-s =1: unknown setting ''\n");
	expect_override("peers=1",
			"-s peers=1: 'peers' is \"1\", must be a group of 0..3 named groups\n");
	expect_override("peers.p=1",
			"-s peers.p=1: must name a setting of the entry, peers.NAME.SETTING\n");
	expect_override("peers.p q.urls=1", "-s peers.p q.urls=1: an entry's name is 1..64 "
					    "letters, digits, '-' and '_'\n");
	expect_override("peers.p.url=1", "-s peers.p.url=1: unknown setting 'peers.p.url' "
					 "(did you mean 'peers.p.urls'?)\n");
	expect_override("peers.p.timeout_ms=1",
			"x.cfg: 'peers.p.urls' must be set, a list of 1..4 texts\n");
}

Test(conf_errors, a_file_that_cannot_be_read_says_why)
{
	char dir[] = "/tmp/ct-test-conf-XXXXXX";
	struct ct_conf_source src = { "/nonexistent/x.cfg", NULL, 0 };
	struct example e, before;
	char wanted[256];

	memset(&e, 0x5a, sizeof(e));
	memcpy(&before, &e, sizeof(e));
	cr_assert_eq(ct_conf_load(&example_schema, &src, &e, &report), CT_NOT_FOUND);
	cr_assert_str_eq(report.text,
			 "/nonexistent/x.cfg: cannot be read: No such file or directory\n");

	cr_assert_not_null(mkdtemp(dir));
	src.path = dir;
	snprintf(wanted, sizeof(wanted), "%s: cannot be read: Is a directory\n", dir);
	cr_assert_eq(ct_conf_load(&example_schema, &src, &e, &report), CT_INVALID_ARGUMENT);
	cr_assert_str_eq(report.text, wanted);
	cr_assert_eq(rmdir(dir), 0);

	src.path = "/dev/zero";
	cr_assert_eq(ct_conf_load(&example_schema, &src, &e, &report), CT_INVALID_ARGUMENT);
	cr_assert_str_eq(report.text, "/dev/zero: larger than 1 MiB\n");
	cr_assert_eq(memcmp(&e, &before, sizeof(e)), 0);
}

Test(conf_errors, a_file_that_may_not_be_read_is_refused_as_such)
{
	char path[] = "/tmp/ct-test-conf-XXXXXX";
	const struct ct_conf_source src = { path, NULL, 0 };
	const int fd = mkstemp(path);
	struct example e;
	char wanted[256];

	cr_assert_geq(fd, 0);
	cr_assert_eq(fchmod(fd, 0), 0);
	cr_assert(geteuid() != 0 || seteuid(65534) == 0); /* root may read anything */
	snprintf(wanted, sizeof(wanted), "%s: cannot be read: Permission denied\n", path);
	cr_assert_eq(ct_conf_load(&example_schema, &src, &e, &report), CT_PERMISSION_DENIED);
	cr_assert_str_eq(report.text, wanted);
	cr_assert(getuid() != 0 || seteuid(0) == 0);
	close(fd);
	unlink(path);
}
