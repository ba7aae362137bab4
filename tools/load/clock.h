/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOAD_CLOCK_H
#define LOAD_CLOCK_H

#include "conc/lock.h"
#include "load/load.h"

/* The monotonic clock, and a wait nobody ends early. */
struct load_real_clock {
	struct load_clock clock;
	struct ct_lock lock; /* rank LATCH; of the wait alone */
	struct ct_cond never;
};

void load_real_clock_init(struct load_real_clock *c);
void load_real_clock_fini(struct load_real_clock *c);

#endif
