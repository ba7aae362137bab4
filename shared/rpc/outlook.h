/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_OUTLOOK_H
#define CT_RPC_OUTLOOK_H

#include "base/attrs.h"
#include "base/clock.h"
#include "base/status.h"
#include "conc/pool.h"

#include <stdatomic.h>
#include <stdbool.h>

/*
 * How soon a call that comes now will have a worker. Known are the time that the calls in
 * line are likely to take, and when each worker is likely to be free. One that is busy for
 * longer than it should be is taken to stay so for as long again: a hung handler does not
 * count as a worker.
 *
 * For each call: join -> leave (it has a worker, or is out of the line); around the time
 * on a worker: begin -> end. Any thread; nothing blocks or allocates but init. All of it is
 * an estimate: what happens at the same moment may be missed.
 */
struct ct_outlook_worker;

struct ct_outlook {
	uint16_t workers_n, batch_workers;
	struct ct_outlook_worker *workers;
	struct {
		_Atomic uint64_t calls, ns; /* in line, and what they will take together */
	} lanes[CT_POOL_LANES];
};

/* batch_workers: how many of the workers lane BATCH may have. RESOURCE_EXHAUSTED: memory. */
CT_MUST_USE ct_status ct_outlook_init(struct ct_outlook *o, uint16_t workers,
				      uint16_t batch_workers);
void ct_outlook_fini(struct ct_outlook *o); /* of zeroed memory too */

/* A call that usually keeps its worker for so long (0: unknown) is in line; the same ns
 * when it leaves. */
void ct_outlook_join(struct ct_outlook *o, enum ct_lane lane, uint64_t ns);
void ct_outlook_leave(struct ct_outlook *o, enum ct_lane lane, uint64_t ns);

/* The worker is likely to be busy for so long; it is free. */
void ct_outlook_begin(struct ct_outlook *o, uint16_t worker, ct_instant now, uint64_t ns);
void ct_outlook_end(struct ct_outlook *o, uint16_t worker);

bool ct_outlook_line(const struct ct_outlook *o, enum ct_lane lane); /* is there one? */
/* Whether a call at the end of the line will have a worker within so long. */
bool ct_outlook_within(const struct ct_outlook *o, enum ct_lane lane, ct_instant now,
		       uint64_t within_ns);

#endif
