/* SPDX-License-Identifier: Apache-2.0 */
#include "conc/latch.h"

#include "base/check.h"

void ct_latch_init(struct ct_latch *l, unsigned count)
{
	ct_lock_init(&l->lock, CT_RANK_LATCH);
	ct_cond_init(&l->open);
	l->count = count;
}

void ct_latch_fini(struct ct_latch *l)
{
	ct_cond_fini(&l->open);
	ct_lock_fini(&l->lock);
}

void ct_latch_count_down(struct ct_latch *l)
{
	ct_lock_acquire(&l->lock);
	CT_CHECK(l->count > 0);
	if (--l->count == 0)
		ct_cond_broadcast(&l->open); /* under the lock: a woken owner may free it */
	ct_lock_release(&l->lock);
}

void ct_latch_wait(struct ct_latch *l)
{
	(void)!ct_latch_wait_until(l, CT_NEVER); /* cannot time out */
}

bool ct_latch_wait_until(struct ct_latch *l, ct_instant until)
{
	bool in_time = true;
	bool open;

	ct_lock_acquire(&l->lock);
	while (l->count > 0 && in_time)
		in_time = ct_cond_wait_until(&l->open, &l->lock, until);
	open = l->count == 0;
	ct_lock_release(&l->lock);
	return open;
}
