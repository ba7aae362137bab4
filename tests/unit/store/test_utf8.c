/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db_internal.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

TestSuite(utf8, .fini = leak_check, .timeout = 60);

static bool clean(const char *s)
{
	return ct_utf8__clean(ct_bytes_of_str(s));
}

Test(utf8, the_first_and_last_of_every_length_are_clean)
{
	cr_assert(clean(""));
	cr_assert(clean("\x01\x7F"));
	cr_assert(clean("\xC2\x80\xDF\xBF"));
	cr_assert(clean("\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"));
	cr_assert(clean("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"));
	cr_assert(clean("血压 120/80"));
}

Test(utf8, what_no_encoder_makes_is_not)
{
	static const char *const bad[] = {
		"\x80",
		"\xBF",
		"\xC0\x80",
		"\xC1\xBF",
		"\xC2",
		"\xC2\x41",
		"\xE0\x9F\xBF",
		"\xED\xA0\x80",
		"\xED\xBF\xBF",
		"\xE4\xB8",
		"\xE4\xB8\x41",
		"\xF0\x8F\xBF\xBF",
		"\xF4\x90\x80\x80",
		"\xF0\x90\x80",
		"\xF5\x80\x80\x80",
		"\xFF",
		"ok\xFE",
	};

	for (size_t i = 0; i < CT_ARRAY_N(bad); i++)
		cr_assert_not(clean(bad[i]), "case %zu", i);
	cr_assert_not(ct_utf8__clean(ct_bytes_of("a\0b", 3)));
}
