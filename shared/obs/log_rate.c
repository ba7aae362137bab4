/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/log_rate.h"

bool ct_log_rate_pass(struct ct_log_rate *r, ct_instant now, uint32_t every_ms,
		      uint64_t *ret_held_back)
{
	const int64_t next = ct_instant_add_us(now, (uint64_t)every_ms * 1000).ns;
	int64_t due = atomic_load_explicit(&r->next_ns, memory_order_relaxed);

	if (now.ns < due ||
	    !atomic_compare_exchange_strong_explicit(&r->next_ns, &due, next, memory_order_relaxed,
						     memory_order_relaxed)) {
		atomic_fetch_add_explicit(&r->held_back, 1, memory_order_relaxed);
		return false;
	}
	*ret_held_back = atomic_exchange_explicit(&r->held_back, 0, memory_order_relaxed);
	return true;
}
