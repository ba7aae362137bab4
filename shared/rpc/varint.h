/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_VARINT_H
#define CT_RPC_VARINT_H

#include "base/attrs.h"
#include "base/bytes.h"

#include <stdbool.h>

/*
 * Protobuf's variable-length numbers: seven bits a byte, the lowest first, the high
 * bit says that more follow. Pure; inline, because every field begins with one.
 */
enum { CT_VARINT_BYTES_MAX = 10, CT_VARINT_ONE_BYTE_MAX = 0x7f };

/* Consumes one of at most bytes_max bytes from the front, or leaves *in alone and
 * returns false. What does not fit in 64 bits is dropped. */
CT_MUST_USE static inline bool ct_varint_take(struct ct_bytes *in, unsigned bytes_max,
					      uint64_t *ret)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes_max && i < in->len; i++) {
		v |= (uint64_t)(in->ptr[i] & CT_VARINT_ONE_BYTE_MAX) << (7 * i);
		if (in->ptr[i] <= CT_VARINT_ONE_BYTE_MAX) {
			in->ptr += i + 1;
			in->len -= i + 1;
			*ret = v;
			return true;
		}
	}
	return false;
}

static inline size_t ct_varint_bytes(uint64_t v)
{
	const unsigned bits = 64 - (unsigned)__builtin_clzll(v | 1);

	return (bits + 6) / 7;
}

/* Returns where the next byte goes; the caller has made room. */
static inline uint8_t *ct_varint_put(uint8_t *at, uint64_t v)
{
	while (v > CT_VARINT_ONE_BYTE_MAX) {
		*at++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*at++ = (uint8_t)v;
	return at;
}

#endif
