/* SPDX-License-Identifier: Apache-2.0 */
/* What a server that has more calls than it can do begins, and what not. By a clock that
 * the test turns: Hold takes what passes between its entry and the opened gate. */
#include "tests/lib/fake_clock.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/rpc/raw.h"

#include <criterion/criterion.h>

TestSuite(rpc_overload, .fini = leak_check, .timeout = 60);

#define PATIENT_US UINT64_C(20000000)

enum { USUAL_MS = 200 };

struct scene {
	struct fake_clock clock;
	struct hall h;
	struct raw r;
	uint32_t next_id;
};

static void call(struct scene *s, uint64_t budget_us)
{
	const struct ct_wire_header h = raw_call_header(hall_hold_method.hash, budget_us);

	cr_assert(raw_send(&s->r, s->next_id++, &h, CT_BYTES_NONE, CT_BYTES_NONE));
}

/* A call that has begun. */
static void begin(struct scene *s)
{
	const unsigned before = hall_get(&s->h, &s->h.entered);

	call(s, PATIENT_US);
	cr_assert(hall_waited(&s->h, &s->h.entered, before + 1));
}

static void expect(struct scene *s, ct_status st, bool not_processed)
{
	struct raw_msg m;

	cr_assert(raw_receive(&s->r, &m));
	cr_assert_eq(m.h.code, st, "%s, not %s", ct_status_name(ct_status_from_wire(m.h.code)),
		     ct_status_name(st));
	cr_assert_eq((m.h.flags & CT_WIRE_NOT_PROCESSED) != 0, not_processed);
}

/* The one that runs ends, after so long. */
static void end(struct scene *s, int64_t ms)
{
	fake_clock_step_ms(&s->clock, ms);
	hall_let_go(&s->h, 1);
	expect(s, CT_OK, false);
}

/* One worker, and Hold is known to take 200 ms. */
static void set_up(struct scene *s)
{
	struct hall_opts o = { .server = { .workers = 1 } };

	fake_clock_init(&s->clock);
	o.clock = &s->clock.clk;
	hall_start(&s->h, &o);
	s->r = raw_join(hall_url(&s->h));
	s->next_id = 1;
	begin(s);
	end(s, USUAL_MS);
	cr_assert(hall_settled(&s->h, pick_running, 0));
}

static void tear_down(struct scene *s)
{
	raw_close(&s->r);
	cr_assert(hall_stop(&s->h), "the accounting identity does not hold");
}

static uint64_t refused_by(struct scene *s, enum ct_refusal why)
{
	return hall_stats(&s->h).refused_by[why];
}

Test(rpc_overload, call_with_too_little_time_left_at_its_turn_makes_room_for_the_next)
{
	struct scene s;

	set_up(&s);
	begin(&s);
	call(&s, 500000);
	call(&s, PATIENT_US);
	cr_assert(hall_settled(&s.h, pick_queued, 2));

	end(&s, 350);

	expect(&s, CT_RESOURCE_EXHAUSTED, true);
	cr_assert(hall_waited(&s.h, &s.h.entered, 3));
	end(&s, USUAL_MS);
	cr_assert_eq(refused_by(&s, CT_REFUSAL_HOPELESS), 1);
	cr_assert_eq(hall_get(&s.h, &s.h.entered), 3);
	tear_down(&s);
}

Test(rpc_overload, call_with_too_little_time_left_begins_when_nobody_waits_behind_it)
{
	struct scene s;

	set_up(&s);
	begin(&s);
	call(&s, 500000);
	cr_assert(hall_settled(&s.h, pick_queued, 1));

	end(&s, 350);

	cr_assert(hall_waited(&s.h, &s.h.entered, 3));
	end(&s, 10);
	cr_assert_eq(refused_by(&s, CT_REFUSAL_HOPELESS), 0);
	tear_down(&s);
}

/* One that runs has 150 ms to go, one is in line: the next must have more than so much. */
static void expect_border(struct scene *s, uint64_t too_little_us, uint64_t enough_us)
{
	begin(s);
	fake_clock_step_ms(&s->clock, 50);
	call(s, PATIENT_US);
	cr_assert(hall_settled(&s->h, pick_queued, 1));

	call(s, too_little_us);
	expect(s, CT_RESOURCE_EXHAUSTED, true);
	call(s, enough_us);
	cr_assert(hall_settled(&s->h, pick_queued, 2));

	cr_assert_eq(refused_by(s, CT_REFUSAL_INFEASIBLE), 1);
	end(s, 150);
	end(s, USUAL_MS);
	end(s, USUAL_MS);
}

/* The one that runs has 150 ms to go, the one in line takes 200 and so does this: 550. */
Test(rpc_overload, arrival_counts_what_runs_as_well_as_what_waits)
{
	struct scene s;

	set_up(&s);
	expect_border(&s, 549000, 551000);
	tear_down(&s);
}

/* It should have ended long ago: for as long again nobody counts on its worker. */
Test(rpc_overload, hung_call_is_not_counted_on)
{
	struct scene s;

	set_up(&s);
	begin(&s);
	call(&s, PATIENT_US);
	cr_assert(hall_settled(&s.h, pick_queued, 1));
	fake_clock_step_ms(&s.clock, 5000);

	call(&s, 1000000);

	expect(&s, CT_RESOURCE_EXHAUSTED, true);
	cr_assert_eq(refused_by(&s, CT_REFUSAL_INFEASIBLE), 1);
	end(&s, 0);
	end(&s, USUAL_MS);
	tear_down(&s);
}

static void cancel_late(struct scene *s)
{
	struct ct_wire_header h = raw_call_header(0, PATIENT_US); /* for its id */

	h = (struct ct_wire_header){ .kind = CT_WIRE_CANCEL,
				     .code = CT_CANCEL_DEADLINE,
				     .cancel_id = h.cancel_id };
	cr_assert(raw_send(&s->r, s->next_id++, &h, CT_BYTES_NONE, CT_BYTES_NONE));
	expect(s, CT_NOT_FOUND, false);
}

/* 550 ms are enough as long as nobody complains: 150 for the one that runs, 200 for the one
 * that waits, 200 for this one. */
Test(rpc_overload, cancels_behind_answers_that_were_late_make_the_next_calls_hurry)
{
	enum { LATE = 100 };
	struct scene s;

	set_up(&s);
	for (unsigned i = 0; i < LATE; i++)
		cancel_late(&s);
	expect_border(&s, 590000, 660000);
	tear_down(&s);
}

/* ---- regret ------------------------------------------------------------------------------ */

static void expect_regret(struct scene *s, uint64_t looked, uint64_t in_time, uint64_t unused)
{
	const struct ct_server_stats st = hall_stats(&s->h);

	cr_assert_eq(st.infeasible_looked_at, looked);
	cr_assert_eq(st.infeasible_in_time, in_time);
	cr_assert_eq(st.infeasible_unused, unused);
}

/* One runs, one waits, and one that would have to begin 150 ms from now is refused. */
static void refuse_one(struct scene *s)
{
	set_up(s);
	begin(s);
	call(s, PATIENT_US);
	cr_assert(hall_settled(&s->h, pick_queued, 1));
	call(s, 350000);
	expect(s, CT_RESOURCE_EXHAUSTED, true);
	expect_regret(s, 0, 0, 0);
	fake_clock_step_ms(&s->clock, 1);
}

Test(rpc_overload, refusal_is_right_when_the_line_moves_as_it_was_expected)
{
	struct scene s;

	refuse_one(&s);
	call(&s, PATIENT_US); /* behind it */
	cr_assert(hall_settled(&s.h, pick_queued, 2));

	end(&s, USUAL_MS);
	cr_assert(hall_waited(&s.h, &s.h.entered, 3));
	expect_regret(&s, 0, 0, 0);
	end(&s, USUAL_MS);
	cr_assert(hall_waited(&s.h, &s.h.entered, 4));

	expect_regret(&s, 1, 0, 0);
	end(&s, USUAL_MS);
	tear_down(&s);
}

Test(rpc_overload, line_that_moves_faster_shows_a_refused_call_that_had_time)
{
	struct scene s;

	refuse_one(&s);
	call(&s, PATIENT_US);
	cr_assert(hall_settled(&s.h, pick_queued, 2));

	end(&s, 10);
	cr_assert(hall_waited(&s.h, &s.h.entered, 3));
	end(&s, 10);
	cr_assert(hall_waited(&s.h, &s.h.entered, 4));

	expect_regret(&s, 1, 1, 0);
	end(&s, USUAL_MS);
	tear_down(&s);
}

Test(rpc_overload, turn_of_a_refused_call_that_nobody_has_is_counted_as_unused)
{
	struct scene s;

	refuse_one(&s);

	end(&s, 10);
	cr_assert(hall_waited(&s.h, &s.h.entered, 3));

	expect_regret(&s, 1, 1, 1);
	end(&s, USUAL_MS);
	tear_down(&s);
}
