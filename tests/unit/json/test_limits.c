/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include "base/arena.h"
#include "base/mem.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(json_limits, .fini = leak_check, .timeout = 60);

static char *append(char *at, const char *s)
{
	const size_t len = strlen(s);

	memcpy(at, s, len + 1);
	return at + len;
}

/* head, then `piece` n times, then tail. */
static char *repeated(const char *head, const char *piece, size_t n, const char *tail)
{
	char *text = ct_mem_alloc(strlen(head) + n * strlen(piece) + strlen(tail) + 1);
	char *at = text;

	cr_assert_not_null(text);
	at = append(at, head);
	for (size_t i = 0; i < n; i++)
		at = append(at, piece);
	(void)append(at, tail);
	return text;
}

/* {"next":{"next":… levels objects in one another under messageField. */
static char *nested(size_t levels)
{
	char *open = repeated("{\"messageField\":{", "\"next\":{", levels - 2, "");
	char *text = repeated(open, "}", levels, "");

	ct_mem_free(open);
	return text;
}

Test(json_limits, text_that_is_not_json_is_refused_with_line_and_column)
{
	expect_refused("", "line 1, column 1: '[' or '{' expected near end of file");
	expect_refused("{", "line 1, column 1: string or '}' expected near end of file");
	expect_refused("{\n  \"int32Field\": 1,\n  \"x\" 2\n}", "line 3, column 7: ':' expected");
	expect_refused("{\"stringField\":\"张三\" 1}", "line 1, column 21: '}' expected");
	expect_refused("{\"int32Field\":01}", "line 1, column 15: invalid token");
	expect_refused("{} {}", "line 1, column 4: end of file expected");
	expect_refused("{\"stringField\":\"a\nb\"}", "line 1, column 16: unexpected newline");
	expect_refused("{\"int32List\":[1,]}", "line 1, column 17: unexpected token");
	expect_refused("{'a':1}", "line 1, column 2: string or '}' expected");
	expect_refused("\xef\xbb\xbf{}", "line 1, column 1: '[' or '{' expected");
	expect_refused("{12345678901234567890:1}", "line 1, column 2: string expected");
	expect_refused("{\"uint64Field\":00000000000000000001}",
		       "uint64Field: an integer of 64 bits, not negative is expected");
}

Test(json_limits, an_error_buffer_of_any_size_is_enough)
{
	ProtobufCMessage *msg = NULL;
	char err[16];

	for (size_t size = 0; size <= sizeof(err); size++) {
		static const char *const bad[] = { "{\"nope\":1}", "{,}", "{\"int32List\":[\"\"]}",
						   "{\"stringField\":\"\\u0000\"}" };

		for (size_t i = 0; i < CT_ARRAY_N(bad); i++) {
			memset(err, 'x', sizeof(err));
			cr_assert_eq(ct_json_to_message(ct_bytes_of_str(bad[i]),
							&ctest__v1__everything__descriptor, NULL,
							&msg, size > 0 ? err : NULL, size),
				     CT_INVALID_ARGUMENT);
			if (size > 0)
				cr_assert_lt(strnlen(err, sizeof(err)), size);
			if (size < sizeof(err))
				cr_assert_eq(err[size], 'x');
		}
	}
}

Test(json_limits, the_64th_level_is_read_and_written_and_the_65th_refused)
{
	char *text = nested(CT_JSON_DEPTH_MAX);

	expect(text, text);
	ct_mem_free(text);

	text = nested(CT_JSON_DEPTH_MAX + 1);
	expect_status(text, CT_RESOURCE_EXHAUSTED,
		      "line 1, column 521: more than 64 levels of objects and arrays");
	ct_mem_free(text);
}

Test(json_limits, a_deep_message_is_not_written)
{
	Ctest__V1__Everything__Inner inner[CT_JSON_DEPTH_MAX];
	Ctest__V1__Everything m = CTEST__V1__EVERYTHING__INIT;
	char *text = NULL;

	for (size_t i = 0; i < CT_JSON_DEPTH_MAX; i++) {
		ctest__v1__everything__inner__init(&inner[i]);
		if (i > 0)
			inner[i - 1].next = &inner[i];
	}
	m.message_field = inner;

	cr_assert_eq(ct_json_from_message(&m.base, NULL, &text), CT_RESOURCE_EXHAUSTED);
	inner[CT_JSON_DEPTH_MAX - 2].next = NULL;
	cr_assert_eq(ct_json_from_message(&m.base, NULL, &text), CT_OK);
	ct_mem_free(text);
}

Test(json_limits, eight_mebibytes_are_read_and_one_byte_more_is_not)
{
	char *text = repeated("{\"stringField\":\"", "a", CT_JSON_INPUT_BYTES_MAX - 18, "\"}");

	cr_assert_eq(strlen(text), CT_JSON_INPUT_BYTES_MAX);
	expect(text, text);
	ct_mem_free(text);

	text = repeated("{\"stringField\":\"", "a", CT_JSON_INPUT_BYTES_MAX - 17, "\"}");
	expect_status(text, CT_RESOURCE_EXHAUSTED,
		      "the text has 8388609 bytes, the limit is 8388608");
	ct_mem_free(text);
}

Test(json_limits, a_small_text_cannot_claim_much_memory)
{
	char *text = repeated("{\"messageList\":[{}", ",{}", CT_JSON_INPUT_CONTAINERS_MAX - 3,
			      "]}");
	Ctest__V1__Everything *m = read_everything(text);

	cr_assert_eq(m->n_message_list, CT_JSON_INPUT_CONTAINERS_MAX - 2);
	free_message(m);
	ct_mem_free(text);

	text = repeated("{\"messageList\":[{}", ",{}", CT_JSON_INPUT_CONTAINERS_MAX - 2, "]}");
	expect_status(text, CT_RESOURCE_EXHAUSTED,
		      "line 1, column 786443: more than 262144 objects and arrays");
	ct_mem_free(text);

	text = repeated("{\"int32List\":[1", ",1", CT_JSON_INPUT_VALUES_MAX, "]}");
	expect_status(text, CT_RESOURCE_EXHAUSTED,
		      "line 1, column 2097164: more than 1048576 values");
	ct_mem_free(text);
}

Test(json_limits, more_text_than_64_mebibytes_is_not_written)
{
	enum { N = 40, BYTES = 2 * 1024 * 1024 };
	Ctest__V1__Everything m = CTEST__V1__EVERYTHING__INIT;
	char *strings[N], *text = NULL;
	char *one = repeated("", "a", BYTES, "");

	for (size_t i = 0; i < N; i++)
		strings[i] = one;
	m.n_string_list = N;
	m.string_list = strings;

	cr_assert_eq(ct_json_from_message(&m.base, NULL, &text), CT_RESOURCE_EXHAUSTED);
	m.n_string_list = 30;
	cr_assert_eq(ct_json_from_message(&m.base, NULL, &text), CT_OK);
	ct_mem_free(text);
	ct_mem_free(one);
}

Test(json_limits, a_message_that_holds_no_text_or_is_broken_is_not_written)
{
	static const char *const bad[] = { "\xff",         "a\xc3",        "\xc0\x80",
					   "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
					   "\xf5",         "\x80" };
	Ctest__V1__Everything m = CTEST__V1__EVERYTHING__INIT;
	char *text = NULL;

	for (size_t i = 0; i < CT_ARRAY_N(bad); i++) {
		m.string_field = (char *)(uintptr_t)bad[i];
		cr_assert_eq(ct_json_from_message(&m.base, NULL, &text), CT_INVALID_ARGUMENT, "%zu",
			     i);
	}
	m.string_field = NULL; /* as good as empty */
	cr_assert_eq(ct_json_from_message(&m.base, NULL, &text), CT_OK);
	cr_assert_str_eq(text, "{}");
	ct_mem_free(text);

	m.choice_case = CTEST__V1__EVERYTHING__CHOICE_CHOICE_MESSAGE;
	cr_assert_eq(ct_json_from_message(&m.base, NULL, &text), CT_INVALID_ARGUMENT);
	m.choice_case = CTEST__V1__EVERYTHING__CHOICE__NOT_SET;
	m.n_message_list = 1;
	cr_assert_eq(ct_json_from_message(&m.base, NULL, &text), CT_INVALID_ARGUMENT);
}

static const char rich[] =
	"{\"stringField\":\"a\",\"bytesField\":\"AAAA\","
	"\"messageField\":{\"name\":\"n\",\"list\":[{}]},"
	"\"uint64List\":[18446744073709551615],\"stringList\":[\"x\",\"y\"],\"bytesList\":[\"AA\"],"
	"\"choiceText\":\"c\",\"textByText\":{\"k\":\"v\"},"
	"\"messageByInt\":{\"1\":{\"name\":\"m\"}}}";

Test(json_limits, whichever_allocation_fails_nothing_is_lost_and_the_status_says_so)
{
	unsigned failures = 0;

	for (uint64_t n = 1; n < 200; n++) {
		ProtobufCMessage *msg = NULL;
		char err[128] = "", *text = NULL;
		ct_status st;

		ct_mem_fail_nth(n);
		st = ct_json_to_message(ct_bytes_of_str(rich), &ctest__v1__everything__descriptor,
					NULL, &msg, err, sizeof(err));
		if (st == CT_OK)
			st = ct_json_from_message(msg, NULL, &text);
		ct_mem_fail_nth(0);
		if (msg != NULL)
			free_message(msg);
		ct_mem_free(text);
		if (st == CT_OK)
			break;
		cr_assert_eq(st, CT_RESOURCE_EXHAUSTED, "%s", err);
		failures++;
	}
	cr_assert_gt(failures, 15);
	cr_assert_lt(failures, 199);
}

static void *arena_alloc(void *arena, size_t size)
{
	return ct_arena_alloc(arena, size);
}

static void arena_free(void *arena, void *ptr)
{
	(void)arena;
	(void)ptr;
}

Test(json_limits, a_message_may_live_in_an_arena)
{
	struct ct_arena arena;
	ProtobufCAllocator in_arena = { .alloc = arena_alloc,
					.free = arena_free,
					.allocator_data = &arena };
	ProtobufCMessage *msg = NULL;
	char err[128] = "", *text = NULL;

	ct_arena_init(&arena, 512, 4096);
	cr_assert_eq(ct_json_to_message(ct_bytes_of_str(rich), &ctest__v1__everything__descriptor,
					&in_arena, &msg, err, sizeof(err)),
		     CT_OK, "%s", err);
	cr_assert_eq(ct_json_from_message(msg, NULL, &text), CT_OK);
	ct_mem_free(text);
	ct_arena_fini(&arena);

	ct_arena_init(&arena, 256, 600);
	cr_assert_eq(ct_json_to_message(ct_bytes_of_str(rich), &ctest__v1__everything__descriptor,
					&in_arena, &msg, err, sizeof(err)),
		     CT_RESOURCE_EXHAUSTED);
	ct_arena_fini(&arena);
}
