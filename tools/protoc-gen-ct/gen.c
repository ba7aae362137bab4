/* SPDX-License-Identifier: Apache-2.0 */
#include "gen.h"

#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 64 * 1024, ERRORS_SHOWN_MAX = 20 };
#define ARENA_BYTES_MAX ((size_t)256 * 1024 * 1024)

static _Noreturn void out_of_memory(void)
{
	(void)fputs("protoc-gen-ct: out of memory\n", stderr);
	exit(EXIT_FAILURE);
}

void gen_init(struct gen *g)
{
	*g = (struct gen){ .errors_n = 0 };
	ct_arena_init(&g->arena, CHUNK_BYTES, ARENA_BYTES_MAX);
}

void gen_fini(struct gen *g)
{
	ct_arena_fini(&g->arena);
	gen_text_fini(&g->errors);
}

void *gen_alloc(struct gen *g, size_t n, size_t size)
{
	void *p;

	if (size != 0 && n > ARENA_BYTES_MAX / size)
		out_of_memory();
	p = ct_arena_alloc(&g->arena, n * size);
	if (p == NULL)
		out_of_memory();
	memset(p, 0, n * size);
	return p;
}

static void add_va(struct gen_text *t, const char *fmt, va_list ap)
{
	char *line = NULL;
	const int len = vasprintf(&line, fmt, ap);

	if (len < 0)
		out_of_memory();
	gen_text_add(t, line, (size_t)len);
	free(line); /* vasprintf's own allocation */
}

char *gen_strf(struct gen *g, const char *fmt, ...)
{
	struct gen_text t = { .data = NULL };
	va_list ap;
	char *copy;

	va_start(ap, fmt);
	add_va(&t, fmt, ap);
	va_end(ap);
	copy = gen_alloc(g, t.len + 1, 1);
	memcpy(copy, t.data, t.len);
	gen_text_fini(&t);
	return copy;
}

void gen_error(struct gen *g, const char *where, const char *fmt, ...)
{
	va_list ap;

	g->errors_n++;
	if (g->errors_n > ERRORS_SHOWN_MAX)
		return;
	if (g->errors.len > 0)
		gen_text_add(&g->errors, "\n", 1);
	gen_text_addf(&g->errors, "%s: ", where);
	va_start(ap, fmt);
	add_va(&g->errors, fmt, ap);
	va_end(ap);
}

void gen_text_add(struct gen_text *t, const char *s, size_t len)
{
	if (len >= SIZE_MAX / 2 - t->len)
		out_of_memory();
	if (t->len + len + 1 > t->size) {
		const size_t size = (t->len + len + 1) * 2;
		char *data = ct_mem_realloc(t->data, size);

		if (data == NULL)
			out_of_memory();
		t->data = data;
		t->size = size;
	}
	memcpy(t->data + t->len, s, len);
	t->len += len;
	t->data[t->len] = '\0';
}

void gen_text_addf(struct gen_text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_va(t, fmt, ap);
	va_end(ap);
}

void gen_text_fini(struct gen_text *t)
{
	ct_mem_free(t->data);
	*t = (struct gen_text){ .data = NULL };
}
