/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include "base/check.h"

#include <time.h>

#define NS_PER_US INT64_C(1000)
#define US_PER_MS UINT64_C(1000)
#define NS_PER_S INT64_C(1000000000)
#define US_PER_S INT64_C(1000000)

static ct_instant system_now(const struct ct_clock *self)
{
	struct timespec ts;

	(void)self;
	CT_CHECK(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
	return (ct_instant){ .ns = (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec };
}

const struct ct_clock *ct_clock_system(void)
{
	static const struct ct_clock clk = { .now = system_now };

	return &clk;
}

ct_instant ct_instant_add_us(ct_instant t, uint64_t us)
{
	if (t.ns == INT64_MAX || us >= (uint64_t)(INT64_MAX / NS_PER_US))
		return CT_NEVER;
	if (t.ns > INT64_MAX - (int64_t)us * NS_PER_US)
		return CT_NEVER;
	return (ct_instant){ .ns = t.ns + (int64_t)us * NS_PER_US };
}

uint64_t ct_instant_us_between(ct_instant a, ct_instant b)
{
	return b.ns > a.ns ? (uint64_t)(b.ns - a.ns) / NS_PER_US : 0;
}

ct_instant ct_deadline_after_ms(const struct ct_clock *clk, uint32_t timeout_ms)
{
	return ct_instant_add_us(ct_now(clk), (uint64_t)timeout_ms * US_PER_MS);
}

ct_instant ct_deadline_sooner(ct_instant a, ct_instant b)
{
	return a.ns < b.ns ? a : b;
}

bool ct_deadline_passed(const struct ct_clock *clk, ct_instant deadline)
{
	return deadline.ns != INT64_MAX && ct_now(clk).ns >= deadline.ns;
}

uint64_t ct_deadline_left_us(ct_instant now, ct_instant deadline)
{
	if (deadline.ns == INT64_MAX)
		return CT_BUDGET_NONE;
	if (deadline.ns <= now.ns)
		return 0;
	return ((uint64_t)(deadline.ns - now.ns) + NS_PER_US - 1) / NS_PER_US;
}

int64_t ct_wall_us(void)
{
	struct timespec ts;

	CT_CHECK(clock_gettime(CLOCK_REALTIME, &ts) == 0);
	return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / NS_PER_US;
}

uint64_t ct_thread_cpu_us(void)
{
	struct timespec ts;

	CT_CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts) == 0);
	return (uint64_t)ts.tv_sec * US_PER_S + (uint64_t)ts.tv_nsec / NS_PER_US;
}
