/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { CHUNK_MIN = 256, CHUNK_MAX = 64 * 1024 };

struct ct_arena_chunk {
	struct ct_arena_chunk *next;
	size_t size; /* of data */
	alignas(CT_ARENA_ALIGN) uint8_t data[];
};

void ct_arena_init(struct ct_arena *a, size_t chunk_bytes, size_t max_bytes)
{
	CT_CHECK(chunk_bytes >= CHUNK_MIN);
	CT_CHECK(max_bytes >= chunk_bytes);
	*a = (struct ct_arena){ .chunk_bytes = chunk_bytes,
				.grow_bytes = chunk_bytes,
				.max_bytes = max_bytes };
}

static void free_chunks(struct ct_arena_chunk *c)
{
	while (c != NULL) {
		struct ct_arena_chunk *next = c->next;

		ct_mem_free(c);
		c = next;
	}
}

void ct_arena_fini(struct ct_arena *a)
{
	free_chunks(a->first);
	a->first = a->last = NULL;
	a->at = NULL;
	a->room = 0;
}

/* Doubled with each chunk, so that many small pieces take few chunks. */
static size_t next_chunk_bytes(const struct ct_arena *a)
{
	if (a->last == NULL)
		return a->chunk_bytes;
	if (a->grow_bytes >= CHUNK_MAX)
		return a->grow_bytes;
	return a->grow_bytes > CHUNK_MAX / 2 ? CHUNK_MAX : 2 * a->grow_bytes;
}

/* Pieces come from the last chunk now, up to the arena's limit. */
static void use_last(struct ct_arena *a)
{
	const size_t allowed = a->max_bytes - a->taken_bytes;

	a->at = a->last->data;
	a->room = a->last->size < allowed ? a->last->size : allowed;
}

static bool grow(struct ct_arena *a, size_t size)
{
	const size_t usual = next_chunk_bytes(a), room = size > usual ? size : usual;
	struct ct_arena_chunk *c;

	if (room > SIZE_MAX - sizeof(*c))
		return false;
	c = ct_mem_alloc(sizeof(*c) + room);
	if (c == NULL)
		return false;
	*c = (struct ct_arena_chunk){ .size = room };
	a->grow_bytes = usual;
	if (a->last == NULL)
		a->first = c;
	else
		a->last->next = c;
	a->last = c;
	use_last(a);
	return true;
}

/* The last piece of all may be rounded up over the limit. */
void *ct_arena__alloc_from_new(struct ct_arena *a, size_t size)
{
	const size_t allowed = a->max_bytes - a->taken_bytes;
	const size_t whole = ct_arena__whole(size);
	void *p;

	if (size > allowed || whole < size || !grow(a, whole))
		return NULL;
	p = a->at;
	a->at += whole;
	a->room -= whole < a->room ? whole : a->room;
	a->taken_bytes += whole < allowed ? whole : allowed;
	return p;
}

void *ct_arena_copy(struct ct_arena *a, struct ct_bytes b)
{
	void *p = ct_arena_alloc(a, b.len);

	if (p != NULL && b.len > 0)
		memcpy(p, b.ptr, b.len);
	return p;
}

char *ct_arena_strdup(struct ct_arena *a, const char *s)
{
	return ct_arena_copy(a, ct_bytes_of(s, strlen(s) + 1));
}

void ct_arena_reset(struct ct_arena *a)
{
	a->taken_bytes = 0;
	a->grow_bytes = a->chunk_bytes;
	if (a->first == NULL)
		return;
	if (a->first->size > a->chunk_bytes) { /* one huge first message must not stay for ever */
		ct_arena_fini(a);
		return;
	}
	free_chunks(a->first->next);
	a->first->next = NULL;
	a->last = a->first;
	use_last(a);
}
