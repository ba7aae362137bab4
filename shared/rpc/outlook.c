/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/outlook.h"

#include "base/check.h"
#include "base/mem.h"

enum { CACHE_LINE = 64 };

/* Written by one worker alone, so no other is on its cache line. */
struct ct_outlook_worker {
	_Atomic int64_t free_ns; /* when it should be; 0: it is */
	char apart[CACHE_LINE - sizeof(int64_t)];
};

static uint64_t get(const _Atomic uint64_t *n)
{
	return atomic_load_explicit(n, memory_order_relaxed);
}

ct_status ct_outlook_init(struct ct_outlook *o, uint16_t workers, uint16_t batch_workers)
{
	*o = (struct ct_outlook){ .workers_n = workers, .batch_workers = batch_workers };
	o->workers = ct_mem_zalloc(workers, sizeof(*o->workers));
	return o->workers != NULL ? CT_OK : CT_RESOURCE_EXHAUSTED;
}

void ct_outlook_fini(struct ct_outlook *o)
{
	ct_mem_free(o->workers);
	o->workers = NULL;
}

void ct_outlook_join(struct ct_outlook *o, enum ct_lane lane, uint64_t ns)
{
	atomic_fetch_add_explicit(&o->lanes[lane].calls, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&o->lanes[lane].ns, ns, memory_order_relaxed);
}

void ct_outlook_leave(struct ct_outlook *o, enum ct_lane lane, uint64_t ns)
{
	atomic_fetch_sub_explicit(&o->lanes[lane].calls, 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&o->lanes[lane].ns, ns, memory_order_relaxed);
}

void ct_outlook_begin(struct ct_outlook *o, uint16_t worker, ct_instant now, uint64_t ns)
{
	CT_CHECK(worker < o->workers_n);
	atomic_store_explicit(&o->workers[worker].free_ns, now.ns + (int64_t)ns,
			      memory_order_relaxed);
}

void ct_outlook_end(struct ct_outlook *o, uint16_t worker)
{
	atomic_store_explicit(&o->workers[worker].free_ns, 0, memory_order_relaxed);
}

bool ct_outlook_line(const struct ct_outlook *o, enum ct_lane lane)
{
	return get(&o->lanes[lane].calls) > 0;
}

/* How long a worker is likely to stay busy. */
static uint64_t busy_ns(const struct ct_outlook_worker *w, ct_instant now)
{
	const int64_t at = atomic_load_explicit(&w->free_ns, memory_order_relaxed);

	if (at == 0)
		return 0;
	return (uint64_t)(at > now.ns ? at - now.ns : now.ns - at);
}

/* Counts the calls that can have begun by then: each worker takes one when it is free and
 * one more whenever that is done. Those in line go first; is there one more? */
bool ct_outlook_within(const struct ct_outlook *o, enum ct_lane lane, ct_instant now,
		       uint64_t within_ns)
{
	const uint64_t ahead = get(&o->lanes[lane].calls), ns = get(&o->lanes[lane].ns);
	const uint64_t each_ns = ahead > 0 && ns > ahead ? ns / ahead : 1;
	const uint64_t need = lane == CT_LANE_BATCH ? ahead * o->workers_n / o->batch_workers
						    : ahead;
	uint64_t begun = 0;

	for (uint16_t i = 0; i < o->workers_n && begun <= need; i++) {
		const uint64_t busy = busy_ns(&o->workers[i], now);

		if (busy <= within_ns)
			begun += 1 + (within_ns - busy) / each_ns;
	}
	return begun > need;
}
