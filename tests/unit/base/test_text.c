/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include "base/attrs.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

TestSuite(text, .fini = leak_check, .timeout = 60);

Test(text, characters_are_taken_whole)
{
	uint32_t c = 0;

	cr_assert_eq(ct_text_take(ct_bytes_of_str("a"), &c), 1);
	cr_assert_eq(c, 'a');
	cr_assert_eq(ct_text_take(ct_bytes_of_str("é"), &c), 2);
	cr_assert_eq(c, 0xe9);
	cr_assert_eq(ct_text_take(ct_bytes_of_str("张"), &c), 3);
	cr_assert_eq(c, 0x5f20);
	cr_assert_eq(ct_text_take(ct_bytes_of_str("\U00020BB7"), &c), 4);
	cr_assert_eq(c, 0x20bb7);
	cr_assert_eq(ct_text_take(ct_bytes_of_str("\uFFFD"), &c), 3);
	cr_assert_eq(c, 0xfffd, "which is a character as any");
}

Test(text, what_is_not_utf8_is_taken_byte_by_byte)
{
	static const char *const bad[] = {
		"\x80",             /* a continuation without a start */
		"\xc3",             /* ends early */
		"\xe5\xbc",         /* a character cut in two */
		"\xc0\xaf",         /* overlong '/' */
		"\xe0\x80\xaf",     /* overlong, three bytes */
		"\xed\xa0\x80",     /* a surrogate */
		"\xf4\x90\x80\x80", /* past U+10FFFF */
		"\xff",
	};

	for (size_t i = 0; i < CT_ARRAY_N(bad); i++) {
		uint32_t c = 0;

		cr_assert_eq(ct_text_take(ct_bytes_of_str(bad[i]), &c), 1, "%zu", i);
		cr_assert_eq(c, CT_TEXT_NOT_UTF8, "%zu", i);
	}
}

Test(text, showing_replaces_what_is_bad_and_cuts_between_characters)
{
	char out[8];

	cr_assert_eq(ct_text_show(out, sizeof(out), "a\nb\xff\x1b"), 5);
	cr_assert_str_eq(out, "a?b??");
	cr_assert_eq(ct_text_show(out, sizeof(out), "张三李"), 6);
	cr_assert_str_eq(out, "张三");
	cr_assert_eq(ct_text_show(out, 1, "abc"), 0);
	cr_assert_str_eq(out, "");
}

Test(text, what_drives_a_terminal_or_turns_the_reading_order_is_not_shown)
{
	static const char *const bad[] = { "\x01",   "\x7f",   "\xc2\x80", "\xc2\x9b", "\xc2\x9f",
					   "\u061c", "\u200e", "\u2028",   "\u202e",   "\u2066" };

	for (size_t i = 0; i < CT_ARRAY_N(bad); i++) {
		char out[8];

		cr_assert_eq(ct_text_show(out, sizeof(out), bad[i]), 1, "%zu", i);
		cr_assert_str_eq(out, "?", "%zu", i);
	}
}
