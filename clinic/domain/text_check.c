/* SPDX-License-Identifier: Apache-2.0 */
#include "clinic/domain/text_check.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NOT_UTF8 UINT32_MAX

/* The character at *s and its bytes. NOT_UTF8 and 1 when it is none. A text
 * that ends early fails at its NUL, which is no continuation byte. */
static uint32_t take_char(const unsigned char *s, size_t *ret_len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 }; /* by length */
	uint32_t c = s[0];
	size_t len;

	*ret_len = 1;
	if (c < 0x80)
		return c;
	if ((c & 0xe0) == 0xc0)
		len = 2;
	else if ((c & 0xf0) == 0xe0)
		len = 3;
	else if ((c & 0xf8) == 0xf0)
		len = 4;
	else
		return NOT_UTF8;
	c &= 0x7fU >> len;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return NOT_UTF8;
		c = (c << 6) | (s[i] & 0x3fU);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return NOT_UTF8;
	*ret_len = len;
	return c;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029;
}

const char *clinic_text_fault(const char *text, size_t max_chars)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t chars = 0, len;

	for (; *s != '\0'; s += len) {
		const uint32_t c = take_char(s, &len);

		if (c == NOT_UTF8)
			return "is not UTF-8";
		if (is_control(c))
			return "has a control character";
		if (++chars > max_chars)
			return "is too long";
	}
	return NULL;
}

size_t clinic_text_show(char *dst, size_t size, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = 0, len;

	for (; *s != '\0'; s += len) {
		const uint32_t c = take_char(s, &len);
		const bool bad = c == NOT_UTF8 || is_control(c);
		const size_t out = bad ? 1 : len;

		if (n + out >= size)
			break;
		if (bad)
			dst[n] = '?';
		else
			memcpy(dst + n, s, len);
		n += out;
	}
	dst[n] = '\0';
	return n;
}
