/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_BASE_ARENA_H
#define CT_BASE_ARENA_H

#include "base/attrs.h"
#include "base/bytes.h"

#include <stddef.h>

/*
 * Memory for one call: taken piece by piece, given back all at once. The first
 * chunk survives a reset, so a call in steady state allocates nothing.
 * One thread at a time.
 */
struct ct_arena_chunk;

struct ct_arena {
	uint8_t *at;                  /* in the last chunk: the next piece */
	size_t room;                  /* bytes behind it that may be taken */
	struct ct_arena_chunk *first; /* kept by reset; NULL until first used */
	struct ct_arena_chunk *last;
	size_t chunk_bytes; /* of the first chunk */
	size_t grow_bytes;  /* of the last, unless one piece made it larger */
	size_t taken_bytes; /* since the last reset */
	size_t max_bytes;   /* most that may be taken between resets */
};

/* Allocates nothing yet. chunk_bytes at least 256; each further chunk is twice as
 * large, up to 64 KiB. */
void ct_arena_init(struct ct_arena *a, size_t chunk_bytes, size_t max_bytes);
void ct_arena_fini(struct ct_arena *a);

/* 16-byte aligned, uninitialised. NULL: over max_bytes, or out of memory. Inline, but for
 * the piece that needs a new chunk: a call takes a dozen. */
CT_MUST_USE static inline void *ct_arena_alloc(struct ct_arena *a, size_t size);

/* A copy of b, and of a string with its NUL. */
CT_MUST_USE void *ct_arena_copy(struct ct_arena *a, struct ct_bytes b);
CT_MUST_USE char *ct_arena_strdup(struct ct_arena *a, const char *s);

/* Everything taken is gone; frees all chunks but the first. */
void ct_arena_reset(struct ct_arena *a);

/* ---- the inside ------------------------------------------------------------------ */

enum { CT_ARENA_ALIGN = 16 };

CT_MUST_USE void *ct_arena__alloc_from_new(struct ct_arena *a, size_t size);

/* What a piece takes; less than size where that overflows. */
static inline size_t ct_arena__whole(size_t size)
{
	return (size + CT_ARENA_ALIGN - 1) & ~(size_t)(CT_ARENA_ALIGN - 1);
}

static inline void *ct_arena_alloc(struct ct_arena *a, size_t size)
{
	const size_t whole = ct_arena__whole(size);
	uint8_t *const p = a->at;

	if (whole > a->room || whole < size || p == NULL)
		return ct_arena__alloc_from_new(a, size);
	a->at += whole;
	a->room -= whole;
	a->taken_bytes += whole;
	return p;
}

#endif
