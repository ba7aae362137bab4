/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/cursor.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

TestSuite(cursor, .fini = leak_check, .timeout = 60);

Test(cursor, what_is_put_is_taken_back)
{
	uint8_t buf[16], *p = buf;
	struct ct_bytes in, two;
	uint8_t b;
	uint32_t w;
	uint64_t q;

	ct_put_u8(&p, 0x7f);
	ct_put_be32(&p, 0x01020304);
	ct_put_be64(&p, UINT64_MAX - 1);
	ct_put_bytes(&p, "ab", 2);
	in = ct_bytes_of(buf, (size_t)(p - buf));

	cr_assert(ct_take_u8(&in, &b) && b == 0x7f);
	cr_assert(ct_take_be32(&in, &w) && w == 0x01020304);
	cr_assert(ct_take_be64(&in, &q) && q == UINT64_MAX - 1);
	cr_assert(ct_take_bytes(&in, 2, &two) && two.ptr[0] == 'a' && two.ptr[1] == 'b');
	cr_assert_eq(in.len, 0);
}

Test(cursor, take_that_does_not_fit_leaves_all_as_it_was)
{
	static const uint8_t buf[7] = { 1, 2, 3, 4, 5, 6, 7 };
	struct ct_bytes in = ct_bytes_of(buf, sizeof(buf)), out = CT_BYTES_NONE;
	uint64_t q = 5;
	uint32_t w = 6;

	cr_assert_not(ct_take_be64(&in, &q));
	cr_assert_not(ct_take_bytes(&in, 8, &out));
	cr_assert(ct_take_be32(&in, &w));
	cr_assert_not(ct_take_be32(&in, &w));

	cr_assert_eq(q, 5);
	cr_assert_eq(w, 0x01020304);
	cr_assert_null(out.ptr);
	cr_assert_eq(in.ptr, buf + 4);
	cr_assert_eq(in.len, 3);
}
