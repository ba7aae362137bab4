/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/log_internal.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TS "2025-03-01T08:00:00.000123Z"

enum { WALL_S = 1740816000, RANDOM_ROUNDS = 20000, RANDOM_BYTES_MAX = 1600 };

static const struct ct_id some_id = { { 0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce,
					0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36 } };

static char line[CT_LOG_LINE_MAX + 1]; /* each test has a process of its own */
static size_t line_len;

static void make_line(enum ct_log_format format, const struct ct_log_field *fields, size_t n)
{
	const struct ct_log__head head = {
		.format = format,
		.level = CT_LOG_INFO,
		.service = "report-svc",
		.wall_us = WALL_S * INT64_C(1000000) + 123,
	};

	line_len = ct_log__format_line(line, &head, "call finished", fields, n);
	cr_assert_leq(line_len, CT_LOG_LINE_MAX);
	line[line_len] = '\0';
}

static void expect_logfmt(struct ct_log_field f, const char *wanted)
{
	char whole[CT_LOG_LINE_MAX];

	make_line(CT_LOG_LOGFMT, &f, 1);
	snprintf(whole, sizeof(whole),
		 "ts=" TS " level=info service=report-svc msg=\"call finished\" %s\n", wanted);
	cr_assert_str_eq(line, whole);
}

static void expect_json(struct ct_log_field f, const char *wanted)
{
	char whole[CT_LOG_LINE_MAX];

	make_line(CT_LOG_JSON, &f, 1);
	snprintf(whole, sizeof(whole),
		 "{\"ts\":\"" TS "\",\"level\":\"info\",\"service\":\"report-svc\","
		 "\"msg\":\"call finished\",%s}\n",
		 wanted);
	cr_assert_str_eq(line, whole);
}

/* The end of a JSON string that begins at s; NULL: it is none. */
static const char *skip_json_string(const char *s)
{
	if (*s++ != '"')
		return NULL;
	for (; *s != '"'; s++) {
		if (*s == '\0' || (unsigned char)*s < 0x20)
			return NULL;
		if (*s != '\\')
			continue;
		s++;
		if (*s == 'u' && strspn(s + 1, "0123456789abcdef") >= 4)
			s += 4;
		else if (strchr("\"\\nrt", *s) == NULL)
			return NULL;
	}
	return s + 1;
}

/* True: s is one flat object of n members and a newline. */
static bool is_json_line(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (*s++ != (i == 0 ? '{' : ','))
			return false;
		s = skip_json_string(s);
		if (s == NULL || *s++ != ':')
			return false;
		s = *s == '"' ? skip_json_string(s) : s + strspn(s, "-0123456789truefals");
		if (s == NULL)
			return false;
	}
	return strcmp(s, "}\n") == 0;
}

/* Nothing in it may end a line early, drive a terminal or be no UTF-8. */
static bool is_harmless(const char *s, size_t len)
{
	size_t follow = 0;

	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)s[i];

		if (follow > 0) {
			if ((c & 0xc0) != 0x80)
				return false;
			follow--;
		} else if (c >= 0x80) {
			follow = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
			if (c < 0xc2 || c > 0xf4)
				return false;
			if (c == 0xc2 && (unsigned char)s[i + 1] < 0xa0)
				return false; /* U+0080..U+009F */
		} else if (c == 0x7f || (c < 0x20 && !(c == '\n' && i == len - 1))) {
			return false;
		}
	}
	return follow == 0 && len > 0 && s[len - 1] == '\n';
}

TestSuite(log_line, .fini = leak_check, .timeout = 60);

Test(log_line, plain_words_are_bare_and_all_else_is_quoted_in_logfmt)
{
	expect_logfmt(CT_STR("method", "clinic.v1.ReportService/GetReports"),
		      "method=clinic.v1.ReportService/GetReports");
	expect_logfmt(CT_STR("peer", "tcp://127.0.0.1:40112"), "peer=tcp://127.0.0.1:40112");
	expect_logfmt(CT_STR("k", "two words"), "k=\"two words\"");
	expect_logfmt(CT_STR("k", "a=b"), "k=\"a=b\"");
	expect_logfmt(CT_STR("k", "a\"b"), "k=\"a\\\"b\"");
	expect_logfmt(CT_STR("k", "a\\b"), "k=\"a\\\\b\"");
	expect_logfmt(CT_STR("k", ""), "k=\"\"");
	expect_logfmt(CT_STR("k", NULL), "k=\"\"");
	expect_logfmt(CT_STRN("k", "abcdef", 3), "k=abc");
}

Test(log_line, every_kind_of_field_has_its_form)
{
	expect_logfmt(CT_INT("k", INT64_MIN), "k=-9223372036854775808");
	expect_logfmt(CT_UINT("k", UINT64_MAX), "k=18446744073709551615");
	expect_logfmt(CT_US("handler_us", 812), "handler_us=812");
	expect_logfmt(CT_BOOL("k", true), "k=true");
	expect_logfmt(CT_HEX("span", 0xab), "span=00000000000000ab");
	expect_logfmt(CT_ID("trace", &some_id), "trace=4bf92f3577b34da6a3ce929d0e0e4736");
	expect_logfmt(CT_STATUS("status", CT_DEADLINE_EXCEEDED), "status=DEADLINE_EXCEEDED");
	expect_json(CT_INT("k", -5), "\"k\":-5");
	expect_json(CT_UINT("k", 5), "\"k\":5");
	expect_json(CT_BOOL("k", false), "\"k\":false");
	expect_json(CT_HEX("span", 0xab), "\"span\":\"00000000000000ab\"");
	expect_json(CT_ID("trace", &some_id), "\"trace\":\"4bf92f3577b34da6a3ce929d0e0e4736\"");
	expect_json(CT_STR("k", "plain"), "\"k\":\"plain\"");
}

Test(log_line, a_value_cannot_forge_a_second_line_or_field)
{
	expect_logfmt(CT_STR("k", "x\nts=0 level=error msg=\"forged\""),
		      "k=\"x\\nts=0 level=error msg=\\\"forged\\\"\"");
	expect_json(CT_STR("k", "x\",\"level\":\"error"),
		    "\"k\":\"x\\\",\\\"level\\\":\\\"error\"");
	expect_json(CT_STR("k", "back\\slash\r\t"), "\"k\":\"back\\\\slash\\r\\t\"");
}

Test(log_line, what_drives_a_terminal_or_turns_the_text_is_escaped)
{
	expect_logfmt(CT_STR("k", "\x1b[2J"), "k=\"\\u001b[2J\"");
	expect_logfmt(CT_STR("k", "\x7f"), "k=\"\\u007f\"");
	expect_logfmt(CT_STR("k", "\xc2\x9b"), "k=\"\\u009b\"");             /* CSI in one */
	expect_logfmt(CT_STR("k", "\xe2\x80\xa8"), "k=\"\\u2028\"");         /* line separator */
	expect_logfmt(CT_STR("k", "\xe2\x80\xae gnp"), "k=\"\\u202e gnp\""); /* right to left */
	expect_logfmt(CT_STR("k", "\xe2\x81\xa6"), "k=\"\\u2066\"");
	expect_logfmt(CT_STR("k", "\xef\xbb\xbf"), "k=\"\\ufeff\"");
	expect_logfmt(CT_STRN("k", "a\0b", 3), "k=\"a\\u0000b\"");
}

Test(log_line, chinese_text_stays_readable)
{
	expect_logfmt(CT_STR("site", "北京协和医院"), "site=\"北京协和医院\"");
	expect_json(CT_STR("site", "北京协和医院"), "\"site\":\"北京协和医院\"");
	expect_logfmt(CT_STR("k", "\xf0\xa0\xae\xb7"), "k=\"\xf0\xa0\xae\xb7\""); /* 4 bytes */
}

Test(log_line, bytes_that_are_not_utf8_become_the_replacement_character)
{
	expect_logfmt(CT_STR("k", "\xff"), "k=\"\xef\xbf\xbd\"");
	expect_logfmt(CT_STR("k", "\xe5\x8c"), "k=\"\xef\xbf\xbd\xef\xbf\xbd\""); /* cut short */
	expect_logfmt(CT_STR("k", "\xc0\xaf"), "k=\"\xef\xbf\xbd\xef\xbf\xbd\""); /* overlong / */
	expect_logfmt(CT_STR("k", "\xe0\x80\x8a"), "k=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	expect_logfmt(CT_STR("k", "\xed\xa0\x80"), "k=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	expect_logfmt(CT_STR("k", "\xe5"
				  "A"),
		      "k=\"\xef\xbf\xbd"
		      "A\"");
}

Test(log_line, a_long_value_is_cut_between_characters_and_says_by_how_much)
{
	enum { CHARS = 1000, CHAR_LEN = 3 };
	char text[CHARS * CHAR_LEN + 1] = "";
	struct ct_log_field f;
	const char *value, *mark;
	size_t shown, beyond;
	char *end;

	for (int i = 0; i < CHARS; i++)
		memcpy(text + i * CHAR_LEN, "院", CHAR_LEN + 1);
	f = CT_STR("k", text);
	make_line(CT_LOG_LOGFMT, &f, 1);

	value = strstr(line, "k=\"") + strlen("k=\"");
	mark = strstr(line, "…(+");
	cr_assert_not_null(mark);
	shown = (size_t)(mark - value);
	beyond = strtoul(mark + strlen("…(+"), &end, 10);
	cr_assert_eq(*end, ')');
	cr_assert_eq(shown % CHAR_LEN, 0);
	cr_assert_eq(shown + beyond, CHARS * CHAR_LEN);
	cr_assert_leq(shown, CT_LOG_VALUE_MAX);
	cr_assert_gt(shown, CT_LOG_VALUE_MAX - 16);
	cr_assert(is_harmless(line, line_len));
}

Test(log_line, a_value_that_grows_by_escaping_is_cut_too_not_lost)
{
	char text[CT_LOG_VALUE_MAX];
	struct ct_log_field f = CT_STRN("k", text, sizeof(text));

	memset(text, '\x01', sizeof(text));
	make_line(CT_LOG_JSON, &f, 1);

	cr_assert_not_null(strstr(line, "\"k\":\"\\u0001\\u0001"));
	cr_assert_not_null(strstr(line, "…(+"));
	cr_assert_null(strstr(line, "cut"));
	cr_assert(is_json_line(line, 5));
}

Test(log_line, fields_that_do_not_fit_are_left_out_and_counted)
{
	enum { FIELDS_N = 10 };
	char text[CT_LOG_VALUE_MAX];
	struct ct_log_field fields[FIELDS_N];

	memset(text, 'x', sizeof(text));
	for (int i = 0; i < FIELDS_N; i++)
		fields[i] = CT_STRN("k", text, sizeof(text));
	fields[FIELDS_N - 1] = CT_STR("status", "OK");

	make_line(CT_LOG_LOGFMT, fields, FIELDS_N);
	cr_assert_not_null(strstr(line, " status=OK cut=6\n")); /* three of nine fit */
	make_line(CT_LOG_JSON, fields, FIELDS_N);
	cr_assert_not_null(strstr(line, ",\"status\":\"OK\",\"cut\":6}\n"));
	cr_assert(is_json_line(line, 4 + 3 + 1 + 1));
}

Test(log_line, no_value_whatever_breaks_a_line)
{
	unsigned seed = 12345;
	char text[RANDOM_BYTES_MAX];

	for (int round = 0; round < RANDOM_ROUNDS; round++) {
		const size_t len = (size_t)rand_r(&seed) %
				   (round % 10 == 0 ? RANDOM_BYTES_MAX : 12);
		struct ct_log_field f[2];

		for (size_t i = 0; i < len; i++) /* mostly the bytes that matter */
			text[i] = (char)(rand_r(&seed) % 3 == 0
						 ? rand_r(&seed) % 256
						 : "\n\"\\=\xe2\x80\xc2"[rand_r(&seed) % 7]);
		f[0] = CT_STRN("k", text, len);
		f[1] = CT_UINT("last", 1);
		make_line(CT_LOG_LOGFMT, f, 2);
		cr_assert(is_harmless(line, line_len), "logfmt: %s", line);
		cr_assert_str_eq(line + line_len - strlen(" last=1\n"), " last=1\n");
		make_line(CT_LOG_JSON, f, 2);
		cr_assert(is_harmless(line, line_len), "json: %s", line);
		cr_assert(is_json_line(line, 6), "json: %s", line);
	}
}
