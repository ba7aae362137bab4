/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/ring.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/lock.h"

#include <string.h>

enum { RECORDS_MAX = 1048576, RECORD_BYTES_MAX = 65536 };

struct ct_ring {
	struct ct_ring_opts opts; /* fixed after new */

	struct ct_lock lock; /* rank METRICS; protects everything below */
	uint64_t total;      /* record i lies at i % records_max */
	unsigned char *slots;
};

ct_status ct_ring_new(const struct ct_ring_opts *opts, struct ct_ring **ret_ring)
{
	struct ct_ring *r;

	CT_CHECK(opts->records_max >= 1 && opts->records_max <= RECORDS_MAX);
	CT_CHECK(opts->record_bytes >= 1 && opts->record_bytes <= RECORD_BYTES_MAX);
	r = ct_mem_zalloc(1, sizeof(*r));
	if (r == NULL)
		return CT_RESOURCE_EXHAUSTED;
	r->slots = ct_mem_zalloc(opts->records_max, opts->record_bytes);
	if (r->slots == NULL) {
		ct_mem_free(r);
		return CT_RESOURCE_EXHAUSTED;
	}
	r->opts = *opts;
	ct_lock_init(&r->lock, CT_RANK_METRICS);
	*ret_ring = r;
	return CT_OK;
}

struct ct_ring *ct_ring_free(struct ct_ring *r)
{
	if (r == NULL)
		return NULL;
	ct_lock_fini(&r->lock);
	ct_mem_free(r->slots);
	ct_mem_free(r);
	return NULL;
}

static unsigned char *slot_of(struct ct_ring *r, uint64_t i)
{
	return r->slots + (size_t)(i % r->opts.records_max) * r->opts.record_bytes;
}

void ct_ring_put(struct ct_ring *r, const void *record)
{
	ct_lock_acquire(&r->lock);
	memcpy(slot_of(r, r->total), record, r->opts.record_bytes);
	r->total++;
	ct_lock_release(&r->lock);
}

size_t ct_ring_read(struct ct_ring *r, void *out, size_t max)
{
	const size_t size = r->opts.record_bytes;
	uint64_t n;

	ct_lock_acquire(&r->lock);
	n = r->total < r->opts.records_max ? r->total : r->opts.records_max;
	if (n > max)
		n = max;
	for (uint64_t i = 0; i < n; i++)
		memcpy((unsigned char *)out + i * size, slot_of(r, r->total - n + i), size);
	ct_lock_release(&r->lock);
	return (size_t)n;
}

uint64_t ct_ring_total(struct ct_ring *r)
{
	uint64_t total;

	ct_lock_acquire(&r->lock);
	total = r->total;
	ct_lock_release(&r->lock);
	return total;
}

uint32_t ct_ring_records_max(const struct ct_ring *r)
{
	return r->opts.records_max;
}
