/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static _Atomic uint64_t count;   /* relaxed: a statistic */
static _Atomic uint64_t fail_at; /* relaxed: set before the test starts; 0: off */

static bool must_fail(void)
{
	const uint64_t n = atomic_fetch_add_explicit(&count, 1, memory_order_relaxed) + 1;

	return n == atomic_load_explicit(&fail_at, memory_order_relaxed);
}

void *ct_mem_alloc(size_t size)
{
	return must_fail() ? NULL : malloc(size);
}

void *ct_mem_zalloc(size_t n, size_t size)
{
	return must_fail() ? NULL : calloc(n, size);
}

void *ct_mem_realloc(void *ptr, size_t size)
{
	return must_fail() ? NULL : realloc(ptr, size);
}

char *ct_mem_strdup(const char *s)
{
	const size_t size = strlen(s) + 1;
	char *copy = ct_mem_alloc(size);

	if (copy != NULL)
		memcpy(copy, s, size);
	return copy;
}

void ct_mem_free(void *ptr)
{
	free(ptr);
}

void ct_mem_trim(void)
{
	(void)malloc_trim(0); /* whether there was any does not matter */
}

uint64_t ct_mem_count(void)
{
	return atomic_load_explicit(&count, memory_order_relaxed);
}

void ct_mem_fail_nth(uint64_t n)
{
	const uint64_t now = atomic_load_explicit(&count, memory_order_relaxed);

	atomic_store_explicit(&fail_at, n == 0 ? 0 : now + n, memory_order_relaxed);
}
