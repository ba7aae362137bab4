/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_CONC_LATCH_H
#define CT_CONC_LATCH_H

#include "base/clock.h"
#include "conc/lock.h"

/* Opens once, when `count` things have happened. Any thread. */
struct ct_latch {
	struct ct_lock lock; /* rank LATCH; protects count */
	struct ct_cond open;
	unsigned count;
};

void ct_latch_init(struct ct_latch *l, unsigned count);
/* The memory may be freed once a wait returned true: count_down has let go. */
void ct_latch_fini(struct ct_latch *l);
void ct_latch_count_down(struct ct_latch *l);
void ct_latch_wait(struct ct_latch *l);
/* False: the instant (system clock) passed first. */
CT_MUST_USE bool ct_latch_wait_until(struct ct_latch *l, ct_instant until);

#endif
