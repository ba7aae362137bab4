/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db_internal.h"

/* The length of the sequence that starts at p, 0 when it is malformed. The
 * bounds of the second byte rule out overlong forms, surrogates and what lies
 * above U+10FFFF (Unicode 15, table 3-7). */
static size_t sequence_len(const uint8_t *p, size_t left)
{
	uint8_t low = 0x80, high = 0xBF;
	size_t len;

	if (p[0] < 0x80)
		return p[0] != 0;
	if (p[0] < 0xC2 || p[0] > 0xF4)
		return 0;
	len = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
	if (left < len)
		return 0;
	if (p[0] == 0xE0)
		low = 0xA0;
	else if (p[0] == 0xED)
		high = 0x9F;
	else if (p[0] == 0xF0)
		low = 0x90;
	else if (p[0] == 0xF4)
		high = 0x8F;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	}
	return len;
}

bool ct_utf8__clean(struct ct_bytes b)
{
	for (size_t i = 0; i < b.len;) {
		const size_t len = sequence_len(b.ptr + i, b.len - i);

		if (len == 0)
			return false;
		i += len;
	}
	return true;
}
