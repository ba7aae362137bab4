/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_JSON_B64_H
#define CT_JSON_B64_H

#include "base/attrs.h"
#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Base64 (RFC 4648). Pure functions on caller's memory; any thread. */

/* Characters that encode n bytes, with padding, without a NUL. */
static inline size_t ct_b64_len(size_t n)
{
	return (n + 2) / 3 * 4;
}

/* Writes ct_b64_len(b.len) characters, in the standard alphabet with padding. */
void ct_b64_encode(struct ct_bytes b, char *out);

/* Most bytes that so many characters can hold. */
static inline size_t ct_b64_bytes_max(size_t len)
{
	return len / 4 * 3 + 2;
}

/* Reads the standard and the URL alphabet, padded or not. `out` has room for
 * ct_b64_bytes_max(text.len), or is text's own memory. False: another character, or a length that
 * nothing encodes to; out then holds garbage. */
CT_MUST_USE bool ct_b64_decode(struct ct_bytes text, uint8_t *out, size_t *ret_len);

#endif
