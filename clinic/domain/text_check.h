/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLINIC_DOMAIN_TEXT_CHECK_H
#define CLINIC_DOMAIN_TEXT_CHECK_H

#include <stddef.h>

/*
 * What may stand in a text of the record: well-formed UTF-8 without control
 * characters, of a bounded length. Names in any script pass. Pure functions,
 * any thread.
 */

/* NULL: the text is fine. Else why not, half a sentence (static): not UTF-8
 * (overlong forms and surrogates included), a control character (C0, DEL, C1,
 * line and paragraph separators), or more than max_chars characters (code
 * points, not bytes). The text itself is never part of the reason. */
const char *clinic_text_fault(const char *text, size_t max_chars);

#endif
