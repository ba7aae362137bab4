/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_BASE_CLOCK_H
#define CT_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* An instant on the monotonic clock. A struct, so it cannot be added to a
 * wall-clock time or passed where a duration is wanted. */
typedef struct ct_instant {
	int64_t ns;
} ct_instant;

/* Where "now" comes from. Production: ct_clock_system(). Tests: a fake. */
struct ct_clock {
	ct_instant (*now)(const struct ct_clock *self);
};

const struct ct_clock *ct_clock_system(void);

/* A deadline is an absolute instant inside a process; only the time left
 * crosses the wire. CT_NEVER compares later than everything. */
#define CT_NEVER ((ct_instant){ .ns = INT64_MAX })

/* A budget of all ones on the wire and in the functions below: no deadline. */
#define CT_BUDGET_NONE UINT64_MAX

static inline ct_instant ct_now(const struct ct_clock *clk)
{
	return clk->now(clk);
}

/* t + us, CT_NEVER when either is "never" or the sum does not fit. */
ct_instant ct_instant_add_us(ct_instant t, uint64_t us);

/* Microseconds from a to b, rounded down; 0 when b is not after a. */
uint64_t ct_instant_us_between(ct_instant a, ct_instant b);

ct_instant ct_deadline_after_ms(const struct ct_clock *clk, uint32_t timeout_ms);
ct_instant ct_deadline_sooner(ct_instant a, ct_instant b);

/* now >= deadline; never for CT_NEVER. */
bool ct_deadline_passed(const struct ct_clock *clk, ct_instant deadline);

/* Time left in µs rounded up, so that whoever gets it never undershoots us:
 * 0 when passed, CT_BUDGET_NONE for CT_NEVER. */
uint64_t ct_deadline_left_us(ct_instant now, ct_instant deadline);

/* Wall time for log lines alone: µs since 1970, UTC. */
int64_t ct_wall_us(void);

/* CPU time that the calling thread has used, in µs. A system call. */
uint64_t ct_thread_cpu_us(void);

#endif
