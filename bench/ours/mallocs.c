/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/ours/mallocs.h"

#include "base/attrs.h"

#include <inttypes.h>
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS = 16, CACHE_LINE = 64 };

/* libc's own, under the names it keeps for the likes of this file. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *ptr, size_t size);
extern void __libc_free(void *ptr);

/* One a thread, as far as they go, so that counting does not slow down what it counts. */
static struct shard {
	_Alignas(CACHE_LINE) _Atomic uint64_t allocs[MALLOCS_ORIGINS]; /* relaxed, as frees */
	_Atomic uint64_t frees[MALLOCS_ORIGINS];
} shards[SHARDS];
static _Atomic unsigned threads_n;
static _Thread_local unsigned my_number;

/* Where code of a known origin lies; written before the first thread. */
static struct range {
	uintptr_t from, to;
} ranges[MALLOCS_REST];

static const struct origin {
	const char *key, *library; /* NULL: the program */
} origins[MALLOCS_ORIGINS] = {
	[MALLOCS_OURS] = { "ours", NULL },
	[MALLOCS_NNG] = { "nng", "/libnng.so" },
	[MALLOCS_PROTOBUF_C] = { "protobuf_c", "/libprotobuf-c.so" },
	[MALLOCS_REST] = { "rest", NULL },
};

static struct shard *my_shard(void)
{
	if (my_number == 0)
		my_number = atomic_fetch_add_explicit(&threads_n, 1, memory_order_relaxed) + 1;
	return &shards[my_number % SHARDS];
}

static unsigned origin_of(const void *caller)
{
	unsigned i = 0;

	while (i < MALLOCS_REST &&
	       ((uintptr_t)caller < ranges[i].from || (uintptr_t)caller >= ranges[i].to))
		i++;
	return i;
}

static void count(_Atomic uint64_t counts[MALLOCS_ORIGINS], const void *caller)
{
	atomic_fetch_add_explicit(&counts[origin_of(caller)], 1, memory_order_relaxed);
}

#define CALLER __builtin_extract_return_addr(__builtin_return_address(0))

void *malloc(size_t size)
{
	count(my_shard()->allocs, CALLER);
	return __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
	count(my_shard()->allocs, CALLER);
	return __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
	count(my_shard()->allocs, CALLER);
	return __libc_realloc(ptr, size);
}

void free(void *ptr)
{
	if (ptr != NULL)
		count(my_shard()->frees, CALLER);
	__libc_free(ptr);
}

/* The program comes first, with an empty name. */
static int learn(struct dl_phdr_info *info, size_t size, void *arg)
{
	unsigned i = MALLOCS_OURS;

	(void)size;
	(void)arg;
	if (info->dlpi_name[0] != '\0')
		for (i = MALLOCS_NNG; i < MALLOCS_REST; i++)
			if (strstr(info->dlpi_name, origins[i].library) != NULL)
				break;
	for (unsigned p = 0; i < MALLOCS_REST && p < info->dlpi_phnum; p++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[p];

		if (ph->p_type == PT_LOAD && (ph->p_flags & PF_X) != 0)
			ranges[i] = (struct range){
				info->dlpi_addr + ph->p_vaddr,
				info->dlpi_addr + ph->p_vaddr + ph->p_memsz,
			};
	}
	return 0;
}

void mallocs_init(void)
{
	(void)dl_iterate_phdr(learn, NULL);
}

void mallocs_read(struct mallocs *ret)
{
	*ret = (struct mallocs){ .allocs = { 0 } };
	for (unsigned s = 0; s < SHARDS; s++) {
		for (unsigned i = 0; i < MALLOCS_ORIGINS; i++) {
			ret->allocs[i] += atomic_load_explicit(&shards[s].allocs[i],
							       memory_order_relaxed);
			ret->frees[i] += atomic_load_explicit(&shards[s].frees[i],
							      memory_order_relaxed);
		}
	}
}

void mallocs_json(const struct mallocs *from, const struct mallocs *to, uint64_t calls, FILE *out)
{
	uint64_t all = 0;

	(void)fputc('{', out);
	for (unsigned i = 0; i < MALLOCS_ORIGINS; i++) {
		const uint64_t allocs = to->allocs[i] - from->allocs[i];

		all += allocs;
		(void)fprintf(out,
			      "\"%s\": {\"allocs\": %" PRIu64 ", \"frees\": %" PRIu64
			      ", \"allocs_per_call\": %.4f}, ",
			      origins[i].key, allocs, to->frees[i] - from->frees[i],
			      calls > 0 ? (double)allocs / (double)calls : 0);
	}
	(void)fprintf(out, "\"allocs_per_call\": %.4f}",
		      calls > 0 ? (double)all / (double)calls : 0);
}
