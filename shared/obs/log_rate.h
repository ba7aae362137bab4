/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_OBS_LOG_RATE_H
#define CT_OBS_LOG_RATE_H

#include "base/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Says when a message that repeats may be logged again: at most once in every_ms,
 * with the number of times it was held back. One for each place that logs.
 * Zeroed memory is ready. Any thread, never blocks.
 *
 *   if (ct_log_rate_pass(&c->refused_rate, ct_now(clk), 1000, &held_back))
 *           CT_LOG(log, CT_LOG_WARN, "calls refused", CT_UINT("held_back", held_back));
 */
struct ct_log_rate {
	_Atomic int64_t next_ns;    /* whoever moves it on logs; orders nothing else */
	_Atomic uint64_t held_back; /* relaxed: a count */
};

/* True: log it. *ret_held_back: since the last time it was true; written only then. */
bool ct_log_rate_pass(struct ct_log_rate *r, ct_instant now, uint32_t every_ms,
		      uint64_t *ret_held_back);

#endif
