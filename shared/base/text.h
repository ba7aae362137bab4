/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_BASE_TEXT_H
#define CT_BASE_TEXT_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Text of strangers: what of it is UTF-8, and what of that people may be shown.
 * Pure functions, any thread.
 */

#define CT_TEXT_NOT_UTF8 UINT32_MAX

/* Takes one character of s, which is not empty. Returns the bytes it took; 1 and
 * CT_TEXT_NOT_UTF8 where they are no UTF-8 (overlong forms and surrogates included). */
size_t ct_text_take(struct ct_bytes s, uint32_t *ret_char);

/* Is all of it UTF-8? A NUL is a character as any. */
bool ct_text_is_utf8(struct ct_bytes s);

/* Could this character end a line, drive a terminal or turn the reading order? */
bool ct_text_unsafe(uint32_t c);

/* Copies text into dst so that it may be shown: what is not UTF-8 or is unsafe
 * becomes '?', and it is cut at a character when it does not fit. size at least
 * 1; always ends in a NUL. Returns the length. */
size_t ct_text_show(char *dst, size_t size, const char *text);

#endif
