/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_OBS_RING_H
#define CT_OBS_RING_H

#include "base/attrs.h"
#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The last things that happened: a fixed number of records of one size, the
 * oldest overwritten first. Records are plain memory, copied in and out, so
 * they hold no pointers to what may go away.
 *
 * Any thread. A put or read holds a lock (rank METRICS) for its copy and nothing
 * else; all memory is taken at new.
 */
struct ct_ring;

struct ct_ring_opts {
	uint32_t records_max;  /* kept; 1..1048576 */
	uint32_t record_bytes; /* 1..65536 */
};

/* RESOURCE_EXHAUSTED: no memory. */
CT_MUST_USE ct_status ct_ring_new(const struct ct_ring_opts *opts, struct ct_ring **ret_ring);
struct ct_ring *ct_ring_free(struct ct_ring *r); /* NULL ok; returns NULL */

/* Copies record_bytes from record. */
void ct_ring_put(struct ct_ring *r, const void *record);

/* Copies the newest `max` records, or as many as there are, into out (max *
 * record_bytes), the newest last, all as of one instant. Returns how many. */
size_t ct_ring_read(struct ct_ring *r, void *out, size_t max);

uint64_t ct_ring_total(struct ct_ring *r); /* put since new, overwritten ones included */
uint32_t ct_ring_records_max(const struct ct_ring *r);

#endif
