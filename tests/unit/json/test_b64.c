/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/leak_check.h"
#include "json/b64.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(b64, .fini = leak_check, .timeout = 60);

Test(b64, the_vectors_of_rfc_4648_hold_both_ways)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};

	for (size_t i = 0; i < CT_ARRAY_N(rows); i++) {
		char text[16] = "";
		uint8_t data[16];
		size_t len = 99;

		ct_b64_encode(ct_bytes_of_str(rows[i][0]), text);
		cr_assert_str_eq(text, rows[i][1]);
		cr_assert_eq(strlen(text), ct_b64_len(strlen(rows[i][0])));
		cr_assert(ct_b64_decode(ct_bytes_of_str(text), data, &len));
		cr_assert_eq(len, strlen(rows[i][0]));
		cr_assert(memcmp(data, rows[i][0], len) == 0);
	}
}

Test(b64, every_byte_at_every_place_survives)
{
	for (unsigned v = 0; v < 256; v++) {
		for (size_t n = 1; n <= 6; n++) {
			uint8_t in[6] = { 0 }, out[16];
			char text[16] = "";
			size_t len;

			in[n - 1] = (uint8_t)v;
			ct_b64_encode(ct_bytes_of(in, n), text);
			cr_assert(ct_b64_decode(ct_bytes_of(text, ct_b64_len(n)), out, &len));
			cr_assert_eq(len, n);
			cr_assert(memcmp(in, out, n) == 0);
		}
	}
}

Test(b64, decoding_never_writes_past_its_bound)
{
	static const char text[] = "____________";

	for (size_t n = 0; n < sizeof(text); n++) {
		uint8_t out[16];
		size_t len = 0;
		const bool ok = ct_b64_decode(ct_bytes_of(text, n), out, &len);

		cr_assert_eq(ok, n % 4 != 1);
		if (ok)
			cr_assert_leq(len, ct_b64_bytes_max(n));
	}
}

Test(b64, text_may_become_bytes_in_its_own_memory)
{
	char text[] = "AP8HAA=="; /* 00 ff 07 00 */
	size_t len;

	cr_assert(ct_b64_decode(ct_bytes_of_str(text), (uint8_t *)text, &len));

	cr_assert_eq(len, 4);
	cr_assert_arr_eq(text, "\x00\xff\x07\x00", 4);
}

Test(b64, padding_stands_at_the_end_of_a_group_or_nowhere)
{
	static const char *const bad[] = { "=",    "A=",    "A==",      "A===",  "AA=",
					   "====", "AAAA=", "AA==AAAA", "AAA=A", "AAAA====" };
	uint8_t out[16];
	size_t len;

	for (size_t i = 0; i < CT_ARRAY_N(bad); i++)
		cr_assert_not(ct_b64_decode(ct_bytes_of_str(bad[i]), out, &len), "%s", bad[i]);
}
