/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_BASE_BYTES_H
#define CT_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed range of memory, passed by value. len 0 may go with any ptr. */
struct ct_bytes {
	const uint8_t *ptr;
	size_t len;
};

#define CT_BYTES_NONE ((struct ct_bytes){ NULL, 0 })

static inline struct ct_bytes ct_bytes_of(const void *ptr, size_t len)
{
	return (struct ct_bytes){ (const uint8_t *)ptr, len };
}

static inline struct ct_bytes ct_bytes_of_str(const char *s)
{
	return (struct ct_bytes){ (const uint8_t *)s, strlen(s) };
}

/* FNV-1a, 32 bit: the method field of the header (docs/protocol.md). */
static inline uint32_t ct_fnv1a32(struct ct_bytes b)
{
	uint32_t h = UINT32_C(2166136261);

	for (size_t i = 0; i < b.len; i++)
		h = (h ^ b.ptr[i]) * UINT32_C(16777619);
	return h;
}

#endif
