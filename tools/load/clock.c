/* SPDX-License-Identifier: Apache-2.0 */
#include "load/clock.h"

static int64_t now_ns(struct load_clock *clock)
{
	(void)clock;
	return ct_now(ct_clock_system()).ns;
}

static void wait_until_ns(struct load_clock *clock, int64_t ns)
{
	struct load_real_clock *c = CT_CONTAINER_OF(clock, struct load_real_clock, clock);

	ct_lock_acquire(&c->lock);
	/* a wake-up out of turn is an early return, which the caller expects */
	(void)ct_cond_wait_until(&c->never, &c->lock, (ct_instant){ .ns = ns });
	ct_lock_release(&c->lock);
}

void load_real_clock_init(struct load_real_clock *c)
{
	c->clock = (struct load_clock){ now_ns, wait_until_ns };
	ct_lock_init(&c->lock, CT_RANK_LATCH);
	ct_cond_init(&c->never);
}

void load_real_clock_fini(struct load_real_clock *c)
{
	ct_cond_fini(&c->never);
	ct_lock_fini(&c->lock);
}
