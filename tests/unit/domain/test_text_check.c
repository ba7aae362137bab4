/* SPDX-License-Identifier: Apache-2.0 */
#include "clinic/domain/text_check.h"

#include "base/attrs.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(text_check, .fini = leak_check, .timeout = 60);

Test(text_check, names_in_any_script_pass_and_are_counted_in_characters)
{
	cr_assert_null(clinic_text_fault("张三", 2));
	cr_assert_null(clinic_text_fault("北京协和医院", 6));
	cr_assert_null(clinic_text_fault("Zoë Ångström-O'Neil", 19));
	cr_assert_null(clinic_text_fault("\U00020BB7野", 2)); /* beyond the basic plane */
	cr_assert_null(clinic_text_fault("", 0));
}

Test(text_check, one_character_too_many_is_refused)
{
	cr_assert_str_eq(clinic_text_fault("张三", 1), "is too long");
	cr_assert_null(clinic_text_fault("abc", 3));
	cr_assert_str_eq(clinic_text_fault("abcd", 3), "is too long");
}

Test(text_check, what_is_not_utf8_is_refused)
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
		"\xc4\xe3", /* GBK */
	};

	for (size_t i = 0; i < CT_ARRAY_N(bad); i++)
		cr_assert_str_eq(clinic_text_fault(bad[i], 10), "is not UTF-8", "%zu", i);
}

Test(text_check, control_characters_are_refused)
{
	static const char *const bad[] = { "a\nb", "\t", "\x1b[31m", "\x7f", "\xc2\x85", "\u2028" };

	for (size_t i = 0; i < CT_ARRAY_N(bad); i++)
		cr_assert_str_eq(clinic_text_fault(bad[i], 10), "has a control character", "%zu",
				 i);
}
