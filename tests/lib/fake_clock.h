/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_FAKE_CLOCK_H
#define CT_TESTS_FAKE_CLOCK_H

#include "base/attrs.h"
#include "base/clock.h"

#include <stdatomic.h>
#include <stddef.h>

/* A clock that moves only when the test says so. Safe from any thread. */
struct fake_clock {
	struct ct_clock clk;
	_Atomic int64_t ns;
	_Atomic uint64_t reads; /* how often somebody looked */
};

static inline ct_instant fake_clock_now(const struct ct_clock *self)
{
	struct fake_clock *f = CT_CONTAINER_OF(self, struct fake_clock, clk);

	atomic_fetch_add(&f->reads, 1);
	return (ct_instant){ .ns = atomic_load(&f->ns) };
}

/* Starts at one second. */
static inline void fake_clock_init(struct fake_clock *f)
{
	f->clk.now = fake_clock_now;
	atomic_init(&f->ns, INT64_C(1000000000));
	atomic_init(&f->reads, 0);
}

static inline void fake_clock_step_ns(struct fake_clock *f, int64_t ns)
{
	atomic_fetch_add(&f->ns, ns);
}

static inline void fake_clock_step_ms(struct fake_clock *f, int64_t ms)
{
	fake_clock_step_ns(f, ms * INT64_C(1000000));
}

#endif
