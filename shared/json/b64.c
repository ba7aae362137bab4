/* SPDX-License-Identifier: Apache-2.0 */
#include "json/b64.h"

void ct_b64_encode(struct ct_bytes b, char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < b.len; i += 3) {
		const size_t left = b.len - i;
		uint32_t v = (uint32_t)b.ptr[i] << 16;

		if (left > 1)
			v |= (uint32_t)b.ptr[i + 1] << 8;
		if (left > 2)
			v |= b.ptr[i + 2];
		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = left > 1 ? digits[v >> 6 & 63] : '=';
		*out++ = left > 2 ? digits[v & 63] : '=';
	}
}

/* 0..63, or -1. */
static int digit_of(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return -1;
}

bool ct_b64_decode(struct ct_bytes text, uint8_t *out, size_t *ret_len)
{
	size_t len = text.len, n = 0;
	uint32_t v = 0;

	if (len % 4 == 0) { /* padding only ever fills up a group of four */
		while (len > 0 && text.len - len < 2 && text.ptr[len - 1] == '=')
			len--;
	}
	if (len % 4 == 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		const int digit = digit_of(text.ptr[i]);

		if (digit < 0)
			return false;
		v = v << 6 | (uint32_t)digit;
		if (i % 4 == 0) /* 6 bits: not a byte yet */
			continue;
		out[n++] = (uint8_t)(v >> (6 - 2 * (i % 4)));
	}
	*ret_len = n;
	return true;
}
