/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include "load/hist.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes load and measures it; what a call is, the driver says. Plain C, for C++ too.
 *
 * Closed loop: `outstanding` calls are always under way; where one ends, on the thread
 * that ends it, the next one starts.
 *
 * Open loop: calls start at a rate, whatever becomes of those before. Latency counts
 * from when a call was due, not from when it could be started: a target that stalls
 * cannot hide what it does to the calls behind. A call that is due while every slot is
 * taken waits for one, and is counted as delayed; when it has waited for timeout_ms it
 * is never started, and is counted as missed.
 *
 * After a warm-up comes the window. What is due in the window counts, all of it is
 * awaited, and no call starts after it:
 *
 *   started in the window = the sum of by_status + lost
 *   due in the window     = started in the window + missed        (open loop)
 */

/* A call in flight: a slot that is used again and again, by one call at a time. */
struct load_call {
	void *user;          /* the driver's own, set in prepare; else NULL */
	uint32_t index;      /* of the slot, 0.. */
	uint32_t connection; /* for it: index modulo the plan's connections */
	int64_t due_ns;      /* when it was meant to start, by the plan's clock */
};

/*
 * Starts one call and does not wait for it. Runs on the thread in load_run() and, in
 * closed loop, on any thread that called load_call_ended(); never for a slot whose start
 * has not returned. Each start is followed by exactly one load_call_ended() for its call,
 * at the latest when the call's deadline has passed, and by none for another one inside it.
 */
typedef void load_start_fn(void *target, struct load_call *call);

/* Status as gRPC numbers them, 0 = OK .. 16; any other counts as UNKNOWN (2). Any thread,
 * inside start too (but in closed loop a slot whose calls do that many times in a row
 * rests for some milliseconds). Hold no lock that start takes. */
void load_call_ended(struct load_call *call, int status);

enum { LOAD_STATUS_N = 17, LOAD_SLOTS_MAX = 65536 };

/* What was measured in the window, at its end or so far. */
struct load_result {
	uint64_t calls;                    /* that have ended */
	uint64_t ok;                       /* of them */
	uint64_t by_status[LOAD_STATUS_N]; /* their sum is calls */
	uint64_t delayed, missed;          /* open loop, as above; delayed ones are in calls too */
	uint64_t lost;              /* not ended long past the timeout: a defect of the driver */
	int64_t elapsed_ns;         /* of the window; calls are per this */
	int64_t cpu_ns;             /* user and system time of this process in it */
	struct load_hist ok_ns;     /* from due to ended, the OK ones */
	struct load_hist failed_ns; /* the others */
	struct load_hist late_ns;   /* open loop: from due to started, all of them */
	bool stopped;               /* before the window was over */
};

/* Where time comes from; for tests. NULL in a plan: the monotonic clock. */
struct load_clock {
	int64_t (*now_ns)(struct load_clock *clock); /* any thread */
	/* Waits until about then; may return early. On the thread in load_run(). */
	void (*wait_until_ns)(struct load_clock *clock, int64_t ns);
};

struct load_plan {
	uint32_t outstanding; /* closed loop, 1..LOAD_SLOTS_MAX; 0: open loop */
	double rate;          /* open loop: calls a second, over 0, at most 10 million */
	uint32_t slots_max;   /* open loop: most calls under way; 0: 4096 */
	/* Open loop: calls that are due within so long start together, when the last of them
	 * is due; at most a second. Else waking for each may cost more than the call. */
	uint32_t together_us;
	uint32_t connections; /* what load_call.connection counts to; 0: 1 */
	uint32_t warmup_ms;   /* before the window; 0: none */
	uint32_t duration_ms; /* of the window; at least 1 */
	uint32_t timeout_ms;  /* of a call, as the driver sets it; at least 1 */

	void *arg; /* of the callbacks below; all of them are optional */
	/* Once for each slot, before the first start. False: no memory, the run is given up. */
	bool (*prepare)(void *arg, struct load_call *call);
	/* True: no further start. Asked before each, on any thread, so one load at most. */
	bool (*stopped)(void *arg);
	/* Open loop, on the thread in load_run(): starts follow that are all due now (true),
	 * and that was the last of them. There may have been one or none. */
	void (*together)(void *arg, bool begin);
	/* On the thread in load_run(): the window opens (true) or closes, and how far it is,
	 * every progress_ms (0: never). */
	void (*window)(void *arg, bool open);
	void (*progress)(void *arg, const struct load_result *so_far);
	uint32_t progress_ms;

	struct load_clock *clock; /* NULL: the monotonic clock */
};

/* Runs the plan and returns when every call has ended, but for those lost. 0: *ret is
 * set. -1: a number of the plan is out of its range, or there is no memory; nothing was
 * started. One run at a time on a thread. */
int load_run(const struct load_plan *plan, load_start_fn *start, void *target,
	     struct load_result *ret);

#ifdef __cplusplus
}
#endif

#endif
