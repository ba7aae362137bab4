/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_MAX = 64 };

void ct_conf_report_add(struct ct_conf_report *r, const char *fmt, ...)
{
	const size_t room = sizeof(r->text) - r->len;
	va_list args;
	int len;

	r->errors_n++;
	va_start(args, fmt);
	len = vsnprintf(r->text + r->len, room, fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len + 2 > room) { /* a newline and the NUL */
		r->text[r->len] = '\0';
		return;
	}
	r->len += (size_t)len;
	r->text[r->len++] = '\n';
	r->text[r->len] = '\0';
}

const char *ct_conf__show(const char *text, char out[CT_CONF__SHOWN_SIZE])
{
	size_t len = strlen(text), shown = len;

	if (len > SHOWN_MAX) {
		shown = SHOWN_MAX;
		while (shown > 0 && ((unsigned char)text[shown] & 0xc0) == 0x80)
			shown--; /* not in the middle of a character */
	}
	for (size_t i = 0; i < shown; i++) {
		const unsigned char c = (unsigned char)text[i];

		out[i] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	memcpy(out + shown, shown < len ? "\xe2\x80\xa6" : "", shown < len ? 4 : 1);
	return out;
}
