/* SPDX-License-Identifier: Apache-2.0 */
#include "clinic/domain/text_check.h"

#include "base/text.h"

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029;
}

const char *clinic_text_fault(const char *text, size_t max_chars)
{
	struct ct_bytes s = ct_bytes_of_str(text);
	size_t chars = 0;

	while (s.len > 0) {
		uint32_t c;
		const size_t len = ct_text_take(s, &c);

		if (c == CT_TEXT_NOT_UTF8)
			return "is not UTF-8";
		if (is_control(c))
			return "has a control character";
		if (++chars > max_chars)
			return "is too long";
		s = ct_bytes_of(s.ptr + len, s.len - len);
	}
	return NULL;
}
