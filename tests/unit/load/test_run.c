/* SPDX-License-Identifier: Apache-2.0 */
#include "load/load.h"

#include "base/mem.h"
#include "base/status.h"
#include "tests/lib/leak_check.h"
#include "tests/unit/load/world.h"

#include <criterion/criterion.h>

enum { OUTSTANDING = 8, SLOTS = 10, RATE = 1000 };

static struct world w;
static struct load_plan plan;
static struct load_result r;

static void set_up(void)
{
	world_init(&w);
	plan = world_plan(&w);
}

static void closed(void)
{
	set_up();
	plan.outstanding = OUTSTANDING;
}

static void open(void)
{
	set_up();
	plan.rate = RATE;
	plan.slots_max = SLOTS;
}

static int run(void)
{
	return load_run(&plan, world_start, &w, &r);
}

static uint64_t all_statuses(void)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < LOAD_STATUS_N; i++)
		n += r.by_status[i];
	return n;
}

/* ---- closed loop -------------------------------------------------------------------- */

TestSuite(load_closed, .init = closed, .fini = leak_check, .timeout = 60);

Test(load_closed, as_many_calls_as_asked_for_are_under_way_and_never_more)
{
	cr_assert_eq(run(), 0);

	cr_assert_eq(w.under_way_max, OUTSTANDING);
	cr_assert_eq(w.prepared, OUTSTANDING);
	cr_assert_eq(w.under_way, 0);
}

Test(load_closed, every_call_that_started_is_counted_once)
{
	cr_assert_eq(run(), 0);

	cr_assert_eq(w.started, OUTSTANDING * 1000);
	cr_assert_eq(r.calls, w.started);
	cr_assert_eq(r.ok, w.started);
	cr_assert_eq(all_statuses(), r.calls);
	cr_assert_eq(r.ok_ns.count, r.ok);
	cr_assert_eq(r.failed_ns.count, 0);
	cr_assert_eq(r.elapsed_ns, SECOND);
	cr_assert_eq(r.missed + r.delayed + r.lost, 0);
}

Test(load_closed, latency_is_what_the_target_took)
{
	w.service_ns = 3 * MS;

	cr_assert_eq(run(), 0);

	cr_assert_eq(r.ok_ns.max_ns, 3 * MS);
	cr_assert_eq(load_hist_mean_ns(&r.ok_ns), 3 * MS);
}

Test(load_closed, calls_of_the_warm_up_do_not_count)
{
	plan.warmup_ms = 500;

	cr_assert_eq(run(), 0);

	cr_assert_eq(w.started, OUTSTANDING * 1500);
	cr_assert_eq(r.calls, OUTSTANDING * 1000);
	cr_assert_eq(r.elapsed_ns, SECOND);
}

Test(load_closed, calls_that_fail_are_counted_by_their_status_and_timed_apart)
{
	w.status = CT_NOT_FOUND;

	cr_assert_eq(run(), 0);

	cr_assert_eq(r.by_status[CT_NOT_FOUND], r.calls);
	cr_assert_eq(r.ok, 0);
	cr_assert_eq(r.failed_ns.count, r.calls);
	cr_assert_eq(r.ok_ns.count, 0);
}

Test(load_closed, a_status_outside_the_table_counts_as_unknown)
{
	w.status = 99;

	cr_assert_eq(run(), 0);

	cr_assert_eq(r.by_status[CT_UNKNOWN], r.calls);
	cr_assert_gt(r.calls, 0);
}

Test(load_closed, a_call_that_ends_inside_its_start_does_not_start_the_next_one_there)
{
	w.inside = true;

	cr_assert_eq(run(), 0);

	cr_assert_eq(w.depth_max, 1);
	cr_assert_eq(r.calls, w.started);
	/* a slot rests after some of them, or time would not go on */
	cr_assert_leq(r.calls, OUTSTANDING * 16 * 100);
	cr_assert_geq(r.calls, OUTSTANDING * 100);
}

Test(load_closed, a_stopped_run_starts_nothing_more_and_says_for_how_long_it_ran)
{
	w.stop_after = OUTSTANDING * 100;

	cr_assert_eq(run(), 0);

	cr_assert(r.stopped);
	cr_assert_eq(w.under_way, 0);
	cr_assert_eq(r.calls, w.started);
	cr_assert_lt(w.started, OUTSTANDING * 102);
	cr_assert_geq(r.elapsed_ns, 99 * MS);
	cr_assert_leq(r.elapsed_ns, 110 * MS);
}

Test(load_closed, the_window_opens_and_closes_once_and_progress_is_told)
{
	plan.warmup_ms = 200;
	plan.progress_ms = 100;

	cr_assert_eq(run(), 0);

	cr_assert_eq(w.opened, 1);
	cr_assert_eq(w.closed, 1);
	cr_assert_geq(w.told, 10);
	cr_assert_leq(w.told, 12);
	cr_assert_gt(w.told_ns, 0);
}

/* ---- open loop ------------------------------------------------------------------------ */

TestSuite(load_open, .init = open, .fini = leak_check, .timeout = 60);

Test(load_open, calls_start_when_they_are_due_whatever_the_target_does)
{
	w.service_ns = 5 * MS;

	cr_assert_eq(run(), 0);

	cr_assert_eq(r.calls, RATE);
	cr_assert_eq(w.under_way_max, 5);
	cr_assert_eq(r.late_ns.count, RATE);
	cr_assert_eq(r.late_ns.max_ns, 0);
	cr_assert_eq(r.ok_ns.max_ns, 5 * MS);
	cr_assert_eq(r.delayed + r.missed, 0);
}

/* A call a millisecond. */
Test(load_open, calls_that_are_due_together_start_together_and_count_from_when_they_were_due)
{
	plan.together_us = 4000;
	w.service_ns = 1;

	cr_assert_eq(run(), 0);

	cr_assert_eq(r.calls, RATE);
	cr_assert_eq(w.under_way_max, 5);
	cr_assert_eq(r.late_ns.max_ns, 4 * MS);
	cr_assert_eq(load_hist_between(&r.ok_ns, 4 * MS - MS / 2, SECOND), RATE / 5);
	cr_assert_eq(r.delayed + r.missed, 0);
}

static unsigned rounds, rounds_of_five;
static uint64_t started_before;

static void count_rounds(void *arg, bool begin)
{
	const struct world *at = arg;

	if (begin)
		started_before = at->started;
	rounds += begin;
	rounds_of_five += !begin && at->started == started_before + 5;
}

Test(load_open, starts_that_are_due_at_once_are_announced_and_closed)
{
	rounds = rounds_of_five = 0;
	plan.together_us = 4000;
	plan.together = count_rounds;
	plan.arg = &w;

	cr_assert_eq(run(), 0);

	cr_assert_eq(r.calls, RATE);
	cr_assert_geq(rounds, RATE / 5);
	cr_assert_eq(rounds_of_five, RATE / 5 - 1); /* the first call is alone, the last are four */
}

/* A call a millisecond; nothing ends for 50 ms. The calls due meanwhile, and those that
 * found no slot at first, took up to 50 ms from when they were due. */
Test(load_open, latency_counts_from_when_a_call_was_due_when_the_target_stalls)
{
	w.service_ns = 1;
	w.stall_from_ns = w.zero_ns + 500 * MS;
	w.stall_to_ns = w.zero_ns + 550 * MS;

	cr_assert_eq(run(), 0);

	cr_assert_eq(r.calls, RATE);
	cr_assert_eq(w.under_way_max, SLOTS);
	cr_assert_eq(r.delayed, 50 - SLOTS + 1); /* and one behind those */
	cr_assert_eq(load_hist_between(&r.ok_ns, MS / 2, SECOND), 50);
	cr_assert_eq(load_hist_between(&r.ok_ns, 25 * MS + MS / 2, SECOND), 25);
	cr_assert_eq(r.ok_ns.max_ns, 50 * MS);
	cr_assert_eq(r.missed, 0);
}

Test(load_open, a_call_that_waits_longer_than_its_timeout_is_missed_and_counted)
{
	w.service_ns = 1;
	w.stall_from_ns = w.zero_ns + 500 * MS;
	w.stall_to_ns = w.zero_ns + 800 * MS;

	cr_assert_eq(run(), 0);

	cr_assert_eq(r.calls + r.missed, RATE);
	cr_assert_geq(r.missed, 300 - SLOTS - plan.timeout_ms - 1);
	cr_assert_leq(r.missed, 300 - SLOTS - plan.timeout_ms + 1);
	cr_assert_eq(all_statuses(), r.calls);
}

/* Twice what the slots can carry: whatever is due has ended or is missed. */
Test(load_open, too_high_a_rate_loses_no_call_from_the_count)
{
	w.service_ns = 20 * MS;

	cr_assert_eq(run(), 0);

	cr_assert_eq(r.calls + r.missed, RATE);
	cr_assert_gt(r.missed, 0);
	cr_assert_gt(r.delayed, 0);
	cr_assert_eq(w.under_way_max, SLOTS);
	cr_assert_eq(w.started, r.calls);
}

Test(load_open, calls_of_the_warm_up_do_not_count)
{
	plan.warmup_ms = 300;

	cr_assert_eq(run(), 0);

	cr_assert_eq(w.started, RATE + 300);
	cr_assert_eq(r.calls, RATE);
}

Test(load_open, a_stopped_run_counts_what_was_due_until_then)
{
	w.service_ns = 20 * MS; /* so that some wait for a slot */
	w.stop_after = 100;

	cr_assert_eq(run(), 0);

	cr_assert(r.stopped);
	cr_assert_eq(r.calls, w.started);
	cr_assert_eq(r.calls + r.missed, (uint64_t)((r.elapsed_ns + MS - 1) / MS));
}

Test(load_open, calls_may_end_inside_their_start)
{
	w.inside = true;

	cr_assert_eq(run(), 0);

	cr_assert_eq(r.calls, RATE);
	cr_assert_eq(w.depth_max, 1);
}

/* ---- plans and drivers that are not in order ---------------------------------------------- */

TestSuite(load_plan, .init = closed, .fini = leak_check, .timeout = 60);

Test(load_plan, a_number_out_of_range_starts_nothing)
{
	const struct load_plan good = plan;

	plan.duration_ms = 0;
	cr_assert_eq(run(), -1);
	plan = good;
	plan.timeout_ms = 0;
	cr_assert_eq(run(), -1);
	plan = good;
	plan.outstanding = LOAD_SLOTS_MAX + 1;
	cr_assert_eq(run(), -1);
	plan = good;
	plan.outstanding = 0;
	cr_assert_eq(run(), -1);
	plan.rate = 1e9;
	cr_assert_eq(run(), -1);
	plan = good;
	plan.together_us = 1000001;
	cr_assert_eq(run(), -1);

	cr_assert_eq(w.started, 0);
}

Test(load_plan, no_memory_starts_nothing)
{
	for (uint64_t nth = 1; nth <= 4; nth++) {
		ct_mem_fail_nth(nth);
		cr_assert_eq(run(), -1, "allocation %lu", nth);
	}
	ct_mem_fail_nth(0);

	cr_assert_eq(w.started, 0);
}

static bool refuse(void *arg, struct load_call *call)
{
	(void)arg;
	return call->index < OUTSTANDING - 1;
}

Test(load_plan, a_driver_that_cannot_prepare_a_slot_starts_nothing)
{
	plan.prepare = refuse;

	cr_assert_eq(run(), -1);

	cr_assert_eq(w.started, 0);
}

Test(load_plan, calls_that_never_end_are_told_and_may_still_come)
{
	w.never = true;

	cr_assert_eq(run(), 0);

	cr_assert_eq(r.lost, OUTSTANDING);
	cr_assert_eq(r.calls, 0);
	for (unsigned i = 0; i < w.under_way; i++)
		load_call_ended(w.pending[i], CT_OK);
}

Test(load_plan, slots_share_the_connections_evenly)
{
	unsigned by_connection[4] = { 0 };

	plan.connections = 4;
	w.never = true;
	cr_assert_eq(run(), 0);

	for (unsigned i = 0; i < w.under_way; i++)
		by_connection[w.pending[i]->connection]++;
	for (unsigned i = 0; i < 4; i++)
		cr_assert_eq(by_connection[i], OUTSTANDING / 4);
}
