/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/metadata.h"

#include "base/attrs.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

TestSuite(metadata, .fini = leak_check, .timeout = 60);

static bool may_go(const char *key, const char *value)
{
	return ct_metadata_why_not(key, ct_bytes_of_str(value)) == NULL;
}

Test(metadata, key_is_of_lower_case_letters_digits_and_three_signs)
{
	static const char *const good[] = {
		"a", "0", "site-id", "x_y.z", "-", "bin", "xct-y", "ct"
	};
	static const char *const bad[] = { "",    "Site", "a b", "a:b", "a\n", "\xc3\xa9",
					   "a/b", "a,b",  "a=b", "A",   "\x7f" };

	for (size_t i = 0; i < CT_ARRAY_N(good); i++)
		cr_assert(may_go(good[i], "v"), "'%s'", good[i]);
	for (size_t i = 0; i < CT_ARRAY_N(bad); i++)
		cr_assert_not(may_go(bad[i], "v"), "'%s'", bad[i]);
}

Test(metadata, value_is_printable_unless_its_key_says_that_it_is_binary)
{
	char one[2] = "";

	for (unsigned b = 1; b < 256; b++) {
		one[0] = (char)b;
		cr_assert_eq(may_go("key", one), b >= 0x20 && b <= 0x7e, "%u", b);
		cr_assert(may_go("key-bin", one), "%u", b);
	}
	cr_assert_not(may_go("key-binary", "\x01"));
	cr_assert_not(may_go("bin", "\x01"));
	cr_assert_null(ct_metadata_why_not("key-bin", ct_bytes_of("\0", 1)));
	cr_assert_not_null(ct_metadata_why_not("key", ct_bytes_of("\0", 1)));
	cr_assert(may_go("key", ""));
}

Test(metadata, keys_of_the_runtime_are_not_for_applications)
{
	cr_assert_not(may_go("ct-", "v"));
	cr_assert_not(may_go("ct-queue", "v"));
	cr_assert_not(may_go("ct-queue-bin", "v"));
}
