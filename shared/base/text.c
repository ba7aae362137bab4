/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

/* How many bytes a sequence has that begins with b; 0: none does. */
static size_t sequence_len(uint8_t b)
{
	if (b < 0x80)
		return 1;
	if (b >= 0xc2 && b <= 0xdf)
		return 2;
	if (b >= 0xe0 && b <= 0xef)
		return 3;
	if (b >= 0xf0 && b <= 0xf4)
		return 4;
	return 0;
}

size_t ct_text_take(struct ct_bytes s, uint32_t *ret_char)
{
	static const uint32_t first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const size_t len = sequence_len(s.ptr[0]);
	uint32_t c;

	*ret_char = CT_TEXT_NOT_UTF8;
	if (len == 0 || len > s.len)
		return 1;
	c = s.ptr[0] & first_bits[len];
	for (size_t i = 1; i < len; i++) {
		if ((s.ptr[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | (s.ptr[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 1;
	*ret_char = c;
	return len;
}

bool ct_text_is_utf8(struct ct_bytes s)
{
	for (size_t i = 0; i < s.len;) {
		uint32_t c = s.ptr[i];

		i += c < 0x80 ? 1 : ct_text_take(ct_bytes_of(s.ptr + i, s.len - i), &c);
		if (c == CT_TEXT_NOT_UTF8)
			return false;
	}
	return true;
}

bool ct_text_unsafe(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
		return true;
	if (c == 0x061c || c == 0x200e || c == 0x200f || c == 0x2028 || c == 0x2029)
		return true;
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

size_t ct_text_show(char *dst, size_t size, const char *text)
{
	struct ct_bytes s = ct_bytes_of_str(text);
	size_t n = 0;

	while (s.len > 0) {
		uint32_t c;
		const size_t len = ct_text_take(s, &c);
		const bool bad = c == CT_TEXT_NOT_UTF8 || ct_text_unsafe(c);
		const size_t out = bad ? 1 : len;

		if (n + out >= size)
			break;
		if (bad)
			dst[n] = '?';
		else
			memcpy(dst + n, s.ptr, len);
		n += out;
		s = ct_bytes_of(s.ptr + len, s.len - len);
	}
	dst[n] = '\0';
	return n;
}
