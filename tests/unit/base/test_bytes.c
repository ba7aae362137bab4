/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

TestSuite(bytes, .fini = leak_check, .timeout = 60);

Test(bytes, a_string_is_its_characters_without_the_nul)
{
	const struct ct_bytes b = ct_bytes_of_str("visit");

	cr_assert_eq(b.len, 5);
	cr_assert_eq(memcmp(b.ptr, "visit", 5), 0);
	cr_assert_eq(ct_bytes_of_str("").len, 0);
	cr_assert_eq(CT_BYTES_NONE.len, 0);
}

Test(bytes, a_range_borrows_the_memory_it_is_given)
{
	const uint8_t mem[] = { 1, 0, 2 };
	const struct ct_bytes b = ct_bytes_of(mem, sizeof(mem));

	cr_assert_eq(b.ptr, mem);
	cr_assert_eq(b.len, 3);
}

Test(bytes, fnv1a_gives_the_published_values)
{
	cr_assert_eq(ct_fnv1a32(CT_BYTES_NONE), UINT32_C(0x811c9dc5));
	cr_assert_eq(ct_fnv1a32(ct_bytes_of_str("a")), UINT32_C(0xe40c292c));
	cr_assert_eq(ct_fnv1a32(ct_bytes_of_str("foobar")), UINT32_C(0xbf9cf968));
}

Test(bytes, fnv1a_takes_bytes_above_127_as_unsigned)
{
	const uint8_t high = 0xff;

	cr_assert_eq(ct_fnv1a32(ct_bytes_of(&high, 1)),
		     (UINT32_C(2166136261) ^ 0xff) * UINT32_C(16777619));
}
