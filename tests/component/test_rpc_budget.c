/* SPDX-License-Identifier: Apache-2.0 */
/* What a call's budget decides: whether it is let in, and when it is over. By a clock
 * that the test turns, so that no budget is spent on a busy machine. */
#include "tests/component/admission_scene.h"

TestSuite(rpc_budget, .fini = leak_check, .timeout = 60);

/* What was due by then has been done when it returns. */
static void pass_ms(struct scene *s, int64_t ms)
{
	fake_clock_step_ms(&s->clock, ms);
	ct_timers_poke(s->h.rt.timers);
}

static bool answered_as_time_goes_by(void *arg)
{
	struct scene *s = arg;

	pass_ms(s, 1);
	return raw_readable(&s->r, 0);
}

/* From here on the method is known to take 200 ms or a little more. */
static void teach_estimate(struct scene *s, const struct ct_method *m)
{
	const struct ct_wire_header h = raw_call_header(m->hash, PATIENT_US);
	Hall__V1__Ask slow = HALL__V1__ASK__INIT;

	slow.work_us = 200000;
	send_call(s, &h, &slow);
	cr_assert(until(answered_as_time_goes_by, s));
	expect_reply(s, CT_OK, false);
	cr_assert(hall_settled(&s->h, pick_running, 0));
}

Test(rpc_budget, call_that_cannot_be_in_time_behind_a_queue_is_refused_at_once)
{
	struct scene s;
	const struct hall_opts o = { .server = { .workers = 1 }, .clock = &s.clock.clk };

	set_up(&s, &o);
	teach_estimate(&s, &hall_tell_method);
	occupy(&s, 1);
	call_for(&s, &hall_tell_method, PATIENT_US); /* waits */
	cr_assert(hall_settled(&s.h, pick_queued, 1));

	call_for(&s, &hall_tell_method, 150000);

	expect_reply(&s, CT_RESOURCE_EXHAUSTED, true);
	cr_assert_eq(refused_by(&s, CT_REFUSAL_INFEASIBLE), 1);
	tear_down(&s);
}

Test(rpc_budget, without_a_queue_no_estimate_keeps_a_call_out)
{
	struct scene s;
	const struct hall_opts o = { .server = { .workers = 1 }, .clock = &s.clock.clk };

	set_up(&s, &o);
	teach_estimate(&s, &hall_tell_method);

	call_for(&s, &hall_tell_method, 150000);

	expect_reply(&s, CT_OK, false);
	tear_down(&s);
}

Test(rpc_budget, limits_come_before_feasibility_and_that_before_the_queue)
{
	struct scene s;
	const struct hall_opts o = {
		.server = { .workers = 1, .queue_max = 2, .method_calls_max = 2 },
		.clock = &s.clock.clk,
	};
	const uint64_t too_short_us = 150000;

	set_up(&s, &o);
	teach_estimate(&s, &hall_tell_method);
	teach_estimate(&s, &hall_tell_again_method);
	occupy(&s, 1);

	call_for(&s, &hall_tell_method, PATIENT_US); /* waits */
	cr_assert(hall_settled(&s.h, pick_queued, 1));
	call_for(&s, &hall_tell_method, too_short_us);
	expect_reply(&s, CT_RESOURCE_EXHAUSTED, true);
	cr_assert_eq(refused_by(&s, CT_REFUSAL_INFEASIBLE), 1);
	call_for(&s, &hall_tell_method, PATIENT_US); /* the limit of Tell, and of the queue */
	cr_assert(hall_settled(&s.h, pick_queued, 2));
	call_for(&s, &hall_tell_method, too_short_us);
	expect_reply(&s, CT_RESOURCE_EXHAUSTED, true);
	cr_assert_eq(refused_by(&s, CT_REFUSAL_METHOD_LIMIT), 1);
	call_for(&s, &hall_tell_again_method, too_short_us);
	expect_reply(&s, CT_RESOURCE_EXHAUSTED, true);
	cr_assert_eq(refused_by(&s, CT_REFUSAL_INFEASIBLE), 2);
	call_for(&s, &hall_tell_again_method, PATIENT_US);
	expect_reply(&s, CT_RESOURCE_EXHAUSTED, true);
	cr_assert_eq(refused_by(&s, CT_REFUSAL_QUEUE_FULL), 1);
	tear_down(&s);
}

Test(rpc_budget, longer_budget_than_the_servers_is_cut_to_it)
{
	const struct ct_wire_header h = raw_call_header(hall_hold_method.hash, PATIENT_US);
	struct scene s;
	const struct hall_opts o = { .server = { .max_deadline_ms = 150 }, .clock = &s.clock.clk };

	set_up(&s, &o);

	send_call(&s, &h, NULL);
	cr_assert(hall_waited(&s.h, &s.h.entered, 1));
	pass_ms(&s, 149);
	cr_assert_eq(hall_stats(&s.h).calls.in_flight, 1);
	pass_ms(&s, 1);

	expect_reply(&s, CT_DEADLINE_EXCEEDED, false);
	cr_assert_eq(hall_stats(&s.h).clamped, 1);
	cr_assert_eq(hall_stats(&s.h).calls.expired_running, 1);
	cr_assert_eq(hall_get(&s.h, &s.h.reasons[CT_CANCEL_DEADLINE]), 1);
	tear_down(&s);
}

Test(rpc_budget, call_that_expires_in_the_queue_is_answered_then_and_never_runs)
{
	struct scene s;
	const struct hall_opts o = { .clock = &s.clock.clk };

	set_up(&s, &o);
	occupy(&s, 2);

	call_for(&s, &hall_hold_method, 100000);
	cr_assert(hall_settled(&s.h, pick_queued, 1));
	pass_ms(&s, 100);

	expect_reply(&s, CT_DEADLINE_EXCEEDED, true);
	cr_assert_eq(hall_stats(&s.h).calls.expired_queued, 1);
	cr_assert_eq(hall_stats(&s.h).queued, 0);
	cr_assert_eq(hall_get(&s.h, &s.h.entered), 2);
	tear_down(&s);
}
