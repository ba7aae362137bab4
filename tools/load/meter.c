/* SPDX-License-Identifier: Apache-2.0 */
#include "load/meter.h"

#include "base/mem.h"
#include "base/status.h"

#include <stdatomic.h>
#include <string.h>

enum { SHARDS = 16, CACHE_LINE = 64 };

_Static_assert((int)LOAD_STATUS_N == (int)CT_STATUS_N, "statuses are the runtime's, and gRPC's");

/* All relaxed, but the bucket: what a read counts is in sum and max too. */
struct times {
	_Atomic uint64_t bucket[LOAD_HIST_BUCKETS];
	_Atomic uint64_t sum_ns, max_ns;
};

struct shard {
	_Alignas(CACHE_LINE) _Atomic uint64_t by_status[LOAD_STATUS_N];
	struct times ok, failed;
};

struct load_meter {
	void *memory; /* what to free: the shards are aligned inside */
	struct shard *shards;
};

static _Atomic unsigned threads_n; /* relaxed: who came when does not matter */
static _Thread_local unsigned my_number;

static struct shard *my_shard(struct load_meter *m)
{
	if (my_number == 0)
		my_number = atomic_fetch_add_explicit(&threads_n, 1, memory_order_relaxed) + 1;
	return &m->shards[my_number % SHARDS];
}

struct load_meter *load_meter_new(void)
{
	struct load_meter *m = ct_mem_zalloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->memory = ct_mem_zalloc(1, SHARDS * sizeof(struct shard) + CACHE_LINE);
	if (m->memory == NULL)
		return load_meter_free(m);
	m->shards = (struct shard *)(((uintptr_t)m->memory + CACHE_LINE - 1) &
				     ~(uintptr_t)(CACHE_LINE - 1));
	return m;
}

struct load_meter *load_meter_free(struct load_meter *m)
{
	if (m == NULL)
		return NULL;
	ct_mem_free(m->memory);
	ct_mem_free(m);
	return NULL;
}

static void add(_Atomic uint64_t *n, uint64_t by)
{
	atomic_fetch_add_explicit(n, by, memory_order_relaxed);
}

void load_meter_record(struct load_meter *m, int status, uint64_t ns)
{
	struct shard *s = my_shard(m);
	struct times *t = status == CT_OK ? &s->ok : &s->failed;
	uint64_t max = atomic_load_explicit(&t->max_ns, memory_order_relaxed);

	while (ns > max &&
	       !atomic_compare_exchange_weak_explicit(&t->max_ns, &max, ns, memory_order_relaxed,
						      memory_order_relaxed))
		;
	add(&t->sum_ns, ns);
	add(&s->by_status[status >= 0 && status < LOAD_STATUS_N ? status : CT_UNKNOWN], 1);
	atomic_fetch_add_explicit(&t->bucket[load_hist_bucket(ns)], 1, memory_order_release);
}

static void read_times(const struct times *t, struct load_hist *into)
{
	uint64_t max;

	for (unsigned i = 0; i < LOAD_HIST_BUCKETS; i++) {
		const uint64_t n = atomic_load_explicit(&t->bucket[i], memory_order_acquire);

		into->bucket[i] += n;
		into->count += n;
	}
	into->sum_ns += atomic_load_explicit(&t->sum_ns, memory_order_relaxed);
	max = atomic_load_explicit(&t->max_ns, memory_order_relaxed);
	if (max > into->max_ns)
		into->max_ns = max;
}

void load_meter_read(const struct load_meter *m, struct load_result *ret)
{
	memset(&ret->ok_ns, 0, sizeof(ret->ok_ns));
	memset(&ret->failed_ns, 0, sizeof(ret->failed_ns));
	memset(ret->by_status, 0, sizeof(ret->by_status));
	ret->calls = 0;
	for (unsigned i = 0; i < SHARDS; i++) {
		const struct shard *s = &m->shards[i];

		read_times(&s->ok, &ret->ok_ns);
		read_times(&s->failed, &ret->failed_ns);
		for (unsigned st = 0; st < LOAD_STATUS_N; st++) {
			const uint64_t n = atomic_load_explicit(&s->by_status[st],
								memory_order_relaxed);

			ret->by_status[st] += n;
			ret->calls += n;
		}
	}
	ret->ok = ret->by_status[CT_OK];
}
