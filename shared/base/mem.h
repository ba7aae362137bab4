/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_BASE_MEM_H
#define CT_BASE_MEM_H

#include "base/attrs.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The runtime's one way to the heap, so that a test can make allocation 1, 2,
 * 3 … fail and a benchmark can count them. Any thread. Free with ct_mem_free().
 */
CT_MUST_USE void *ct_mem_alloc(size_t size);            /* NULL: out of memory */
CT_MUST_USE void *ct_mem_zalloc(size_t n, size_t size); /* zeroed; NULL also on n * size overflow */
CT_MUST_USE void *ct_mem_realloc(void *ptr, size_t size); /* NULL: ptr is unchanged */
CT_MUST_USE char *ct_mem_strdup(const char *s);
void ct_mem_free(void *ptr); /* NULL ok */

/* What was freed goes back to the system, as far as whole pages are free; the heap
 * keeps it for itself otherwise. Takes milliseconds, in which other threads may wait
 * for the heap: for after a crowd has left. */
void ct_mem_trim(void);

/* Allocations since the process began. */
uint64_t ct_mem_count(void);

/* Tests: the n-th allocation from now fails, and only that one; 0: none will. */
void ct_mem_fail_nth(uint64_t n);

#endif
