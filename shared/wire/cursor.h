/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_WIRE_CURSOR_H
#define CT_WIRE_CURSOR_H

#include "base/attrs.h"
#include "base/bytes.h"

#include <endian.h>
#include <stdbool.h>

/*
 * Big-endian numbers at the front of borrowed bytes. Pure; inline, because the
 * framing runs them for every message.
 */

/* Each take consumes from the front, or leaves *c alone and returns false. */
CT_MUST_USE static inline bool ct_take_bytes(struct ct_bytes *c, size_t n, struct ct_bytes *ret_b)
{
	if (c->len < n)
		return false;
	*ret_b = ct_bytes_of(c->ptr, n);
	if (n > 0)
		c->ptr += n;
	c->len -= n;
	return true;
}

CT_MUST_USE static inline bool ct_take_u8(struct ct_bytes *c, uint8_t *ret_v)
{
	struct ct_bytes b;

	if (!ct_take_bytes(c, sizeof(*ret_v), &b))
		return false;
	*ret_v = b.ptr[0];
	return true;
}

CT_MUST_USE static inline bool ct_take_be32(struct ct_bytes *c, uint32_t *ret_v)
{
	struct ct_bytes b;
	uint32_t be;

	if (!ct_take_bytes(c, sizeof(be), &b))
		return false;
	memcpy(&be, b.ptr, sizeof(be));
	*ret_v = be32toh(be);
	return true;
}

CT_MUST_USE static inline bool ct_take_be64(struct ct_bytes *c, uint64_t *ret_v)
{
	struct ct_bytes b;
	uint64_t be;

	if (!ct_take_bytes(c, sizeof(be), &b))
		return false;
	memcpy(&be, b.ptr, sizeof(be));
	*ret_v = be64toh(be);
	return true;
}

/* Each put writes at *out and moves it on; the caller has made room. */
static inline void ct_put_bytes(uint8_t **out, const void *ptr, size_t n)
{
	if (n > 0)
		memcpy(*out, ptr, n);
	*out += n;
}

static inline void ct_put_u8(uint8_t **out, uint8_t v)
{
	*(*out)++ = v;
}

static inline void ct_put_be32(uint8_t **out, uint32_t v)
{
	const uint32_t be = htobe32(v);

	ct_put_bytes(out, &be, sizeof(be));
}

static inline void ct_put_be64(uint8_t **out, uint64_t v)
{
	const uint64_t be = htobe64(v);

	ct_put_bytes(out, &be, sizeof(be));
}

#endif
