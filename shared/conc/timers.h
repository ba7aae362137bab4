/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_CONC_TIMERS_H
#define CT_CONC_TIMERS_H

#include "base/attrs.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/status.h"

#include <stdbool.h>

/*
 * A hierarchical timing wheel (slots of 1 ms) and the thread that turns it.
 * Slots only find the next timers quickly: a timer fires at its exact instant,
 * never before it. Timers whose instants have passed fire in the order of their
 * ms. Arm and cancel are O(1) and wake nobody unless the new timer is the
 * earliest.
 */
struct ct_timers;
struct ct_timer;

/* Runs on the timer thread with no lock held; must not block for long. May arm
 * its own timer again, or free the memory that holds it. */
typedef void(ct_timer_fn)(struct ct_timer *t);

/* Lives in the caller's memory. Fields are private to timers.c. */
struct ct_timer {
	struct ct_list link;
	ct_instant at;
	ct_timer_fn *fn;
	int slot; /* where it is linked, -1: nowhere */
};

/* clk NULL: ct_clock_system(). With any other clock the thread looks at it only
 * when a timer is armed and at a poke. RESOURCE_EXHAUSTED: no memory or thread. */
CT_MUST_USE ct_status ct_timers_new(const struct ct_clock *clk, struct ct_timers **ret_timers);

/* Stops the thread. Armed timers never fire, and are not to be cancelled any more.
 * Not from the timer thread. NULL ok; returns NULL. */
struct ct_timers *ct_timers_free(struct ct_timers *w);

const struct ct_clock *ct_timers_clock(const struct ct_timers *w);

void ct_timer_init(struct ct_timer *t, ct_timer_fn *fn);

/* The timer must not be armed. CT_NEVER arms nothing. Any thread. */
void ct_timers_arm(struct ct_timers *w, struct ct_timer *t, ct_instant at);

/* True: it was armed and will not fire. False: it was not armed, has fired, or
 * fires right now on the timer thread (this does not wait for it). Any thread. */
CT_MUST_USE bool ct_timers_cancel(struct ct_timers *w, struct ct_timer *t);

/* The same, and when it fires right now, waits until its fn has returned; so
 * the memory may be reused. From the timer thread itself it does not wait. */
void ct_timers_cancel_wait(struct ct_timers *w, struct ct_timer *t);

/* Tests with a fake clock: look at the clock again, and return when everything
 * that is due has fired. From the timer thread itself it does nothing. */
void ct_timers_poke(struct ct_timers *w);

#endif
