/* SPDX-License-Identifier: Apache-2.0 */
/* N calls under one context: joined once, when all of them have ended. */
#include "base/check.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/tally.h"

#include "rpc/fanout.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(rpc_fanout, .fini = leak_check, .timeout = 60);

enum { LEGS_MAX = 16, PATIENT_MS = 20000, SHORT_MS = 100 };

struct leg {
	struct fan *fan;
	ct_status status;
	atomic_uint ends;
};

/* A fan-out and all that became of it. */
struct fan {
	struct ct_fanout *f;
	struct leg legs[LEGS_MAX];
	unsigned n;
	atomic_uint joins, ended_before_join;
	ct_status first_error;
	struct ct_latch joined;
};

static void leg_done(void *arg, struct ct_reply *reply)
{
	struct leg *leg = arg;

	CT_CHECK(atomic_fetch_add(&leg->ends, 1) == 0);
	CT_CHECK(atomic_load(&leg->fan->joins) == 0);
	leg->status = reply->status;
	atomic_fetch_add(&leg->fan->ended_before_join, 1);
}

static void join(struct ct_fanout *f, void *arg, ct_status first_error)
{
	struct fan *fan = arg;

	CT_CHECK(f == fan->f);
	CT_CHECK(atomic_fetch_add(&fan->joins, 1) == 0);
	fan->first_error = first_error;
	ct_latch_count_down(&fan->joined);
}

static void fan_init(struct fan *fan, struct ct_ctx *parent, enum ct_fanout_policy policy,
		     ct_instant deadline)
{
	const struct ct_fanout_opts o = { .parent = parent,
					  .deadline = deadline,
					  .policy = policy,
					  .legs_max = LEGS_MAX,
					  .join = join,
					  .arg = fan };

	memset(fan, 0, sizeof(*fan));
	ct_latch_init(&fan->joined, 1);
	CT_CHECK(ct_fanout_new(&o, &fan->f) == CT_OK);
}

/* code 0: as the method does; else the handler fails so. */
static void fan_add(struct fan *fan, struct ct_client *c, const struct ct_method *m, ct_status code)
{
	struct leg *leg = &fan->legs[fan->n++];
	Hall__V1__Ask req = HALL__V1__ASK__INIT;

	req.code = code;
	leg->fan = fan;
	ct_fanout_start(fan->f, c, m, &req.base, leg_done, leg);
}

static void expect_joined(struct fan *fan, ct_status first_error)
{
	cr_assert(ct_latch_wait_until(&fan->joined,
				      ct_deadline_after_ms(ct_clock_system(), PATIENCE_MS)));
	cr_assert_eq(atomic_load(&fan->joins), 1);
	cr_assert_eq(atomic_load(&fan->ended_before_join), fan->n);
	cr_assert_eq(fan->first_error, first_error, "%s", ct_status_name(fan->first_error));
	for (unsigned i = 0; i < fan->n; i++)
		cr_assert_eq(atomic_load(&fan->legs[i].ends), 1);
	fan->f = ct_fanout_free(fan->f);
	ct_latch_fini(&fan->joined);
}

struct scene {
	struct hall h;
	struct ct_client *c;
	struct ct_ctx *ctx;
	struct fan fan;
};

static void set_up(struct scene *s, enum ct_fanout_policy policy, uint32_t timeout_ms)
{
	const struct hall_opts o = { .server = { .workers = 4 } };

	hall_start(&s->h, &o);
	s->c = client_of(&s->h.rt, hall_url(&s->h));
	cr_assert_eq(ct_ctx_new_root(s->h.rt.timers, CT_NEVER, &s->ctx), CT_OK);
	fan_init(&s->fan, s->ctx, policy, ct_deadline_after_ms(ct_clock_system(), timeout_ms));
}

static void tear_down(struct scene *s)
{
	ct_ctx_unref(s->ctx);
	cr_assert(client_adds_up(s->c));
	s->c = ct_client_free(s->c);
	cr_assert(hall_stop(&s->h));
}

Test(rpc_fanout, all_legs_that_succeed_are_joined_without_an_error)
{
	struct scene s;

	set_up(&s, CT_FANOUT_FIRST_ERROR, PATIENT_MS);
	for (unsigned i = 0; i < LEGS_MAX; i++)
		fan_add(&s.fan, s.c, &hall_tell_method, CT_OK);
	ct_fanout_seal(s.fan.f);

	expect_joined(&s.fan, CT_OK);

	for (unsigned i = 0; i < LEGS_MAX; i++)
		cr_assert_eq(s.fan.legs[i].status, CT_OK);
	tear_down(&s);
}

Test(rpc_fanout, join_waits_for_the_seal_and_for_the_last_leg)
{
	struct scene s;

	set_up(&s, CT_FANOUT_PARTIAL, PATIENT_MS);
	fan_add(&s.fan, s.c, &hall_hold_method, CT_OK);
	fan_add(&s.fan, s.c, &hall_tell_method, CT_OK);
	cr_assert(hall_waited(&s.h, &s.h.entered, 2));
	ct_fanout_seal(s.fan.f);
	cr_assert_not(ct_latch_wait_until(&s.fan.joined,
					  ct_deadline_after_ms(ct_clock_system(), SHORT_MS)));

	hall_let_go(&s.h, HALL_ALL);

	expect_joined(&s.fan, CT_OK);
	tear_down(&s);
}

Test(rpc_fanout, join_of_no_legs_runs_in_the_seal)
{
	struct scene s;

	set_up(&s, CT_FANOUT_PARTIAL, PATIENT_MS);

	ct_fanout_seal(s.fan.f);

	cr_assert_eq(atomic_load(&s.fan.joins), 1);
	expect_joined(&s.fan, CT_OK);
	tear_down(&s);
}

Test(rpc_fanout, first_error_cancels_the_siblings_and_their_servers_see_why)
{
	enum { HELD = 3 };
	struct scene s;

	set_up(&s, CT_FANOUT_FIRST_ERROR, PATIENT_MS);
	for (unsigned i = 0; i < HELD; i++)
		fan_add(&s.fan, s.c, &hall_hold_method, CT_OK);
	cr_assert(hall_waited(&s.h, &s.h.entered, HELD));

	fan_add(&s.fan, s.c, &hall_tell_method, CT_NOT_FOUND);
	ct_fanout_seal(s.fan.f);

	expect_joined(&s.fan, CT_NOT_FOUND);
	for (unsigned i = 0; i < HELD; i++)
		cr_assert_eq(s.fan.legs[i].status, CT_CANCELLED);
	cr_assert_eq(s.fan.legs[HELD].status, CT_NOT_FOUND);
	cr_assert(hall_waited(&s.h, &s.h.reasons[CT_CANCEL_SIBLING], HELD));
	tear_down(&s);
}

Test(rpc_fanout, leg_started_behind_the_first_error_never_leaves)
{
	struct scene s;

	set_up(&s, CT_FANOUT_FIRST_ERROR, PATIENT_MS);
	fan_add(&s.fan, s.c, &hall_hold_method, CT_OK);
	cr_assert(hall_waited(&s.h, &s.h.entered, 1));
	fan_add(&s.fan, s.c, &hall_tell_method, CT_ABORTED);
	cr_assert(hall_waited(&s.h, &s.h.reasons[CT_CANCEL_SIBLING], 1));

	fan_add(&s.fan, s.c, &hall_tell_method, CT_OK);
	ct_fanout_seal(s.fan.f);

	expect_joined(&s.fan, CT_ABORTED);
	cr_assert_eq(s.fan.legs[2].status, CT_CANCELLED);
	cr_assert_eq(hall_stats(&s.h).calls.received, 2);
	tear_down(&s);
}

Test(rpc_fanout, partial_legs_do_not_touch_each_other)
{
	struct scene s;

	set_up(&s, CT_FANOUT_PARTIAL, PATIENT_MS);
	fan_add(&s.fan, s.c, &hall_hold_method, CT_OK);
	fan_add(&s.fan, s.c, &hall_tell_method, CT_NOT_FOUND);
	fan_add(&s.fan, s.c, &hall_tell_method, CT_ABORTED);
	ct_fanout_seal(s.fan.f);
	cr_assert(hall_waited(&s.h, &s.h.entered, 3));
	cr_assert_eq(atomic_load(&s.fan.joins), 0);

	hall_let_go(&s.h, HALL_ALL);

	cr_assert(ct_latch_wait_until(&s.fan.joined,
				      ct_deadline_after_ms(ct_clock_system(), PATIENCE_MS)));
	cr_assert(s.fan.first_error == CT_NOT_FOUND || s.fan.first_error == CT_ABORTED);
	expect_joined(&s.fan, s.fan.first_error);
	cr_assert_eq(s.fan.legs[0].status, CT_OK);
	cr_assert_eq(hall_get(&s.h, &s.h.reasons[CT_CANCEL_SIBLING]), 0);
	tear_down(&s);
}

Test(rpc_fanout, deadline_of_the_fanout_ends_its_legs)
{
	struct scene s;

	set_up(&s, CT_FANOUT_PARTIAL, SHORT_MS);
	fan_add(&s.fan, s.c, &hall_hold_method, CT_OK);
	fan_add(&s.fan, s.c, &hall_hold_method, CT_OK);
	ct_fanout_seal(s.fan.f);

	expect_joined(&s.fan, CT_DEADLINE_EXCEEDED);

	cr_assert(hall_settled(&s.h, pick_in_flight, 0));
	tear_down(&s);
}

Test(rpc_fanout, cancel_of_the_parent_ends_its_legs)
{
	struct scene s;

	set_up(&s, CT_FANOUT_PARTIAL, PATIENT_MS);
	fan_add(&s.fan, s.c, &hall_hold_method, CT_OK);
	fan_add(&s.fan, s.c, &hall_keep_method, CT_OK);
	ct_fanout_seal(s.fan.f);
	cr_assert(hall_waited(&s.h, &s.h.entered, 2));

	cr_assert(ct_ctx_cancel(s.ctx, CT_CANCEL_CALLER));

	expect_joined(&s.fan, CT_CANCELLED);
	cr_assert(hall_waited(&s.h, &s.h.reasons[CT_CANCEL_PARENT], 2));
	tear_down(&s);
}

/* ---- from inside ------------------------------------------------------------------------- */

static void join_and_free(struct ct_fanout *f, void *arg, ct_status first_error)
{
	(void)first_error;
	CT_CHECK(ct_fanout_free(f) == NULL);
	ct_latch_count_down(arg);
}

static void nothing(void *arg, struct ct_reply *reply)
{
	(void)arg;
	(void)reply;
}

Test(rpc_fanout, join_may_free_the_fanout)
{
	Hall__V1__Ask req = HALL__V1__ASK__INIT;
	struct ct_latch joined;
	struct ct_fanout *f;
	struct scene s;

	set_up(&s, CT_FANOUT_PARTIAL, PATIENT_MS);
	ct_latch_init(&joined, 1);
	cr_assert_eq(ct_fanout_new(&(struct ct_fanout_opts){ .parent = s.ctx,
							     .deadline = CT_NEVER,
							     .legs_max = 2,
							     .join = join_and_free,
							     .arg = &joined },
				   &f),
		     CT_OK);

	ct_fanout_start(f, s.c, &hall_tell_method, &req.base, nothing, NULL);
	ct_fanout_start(f, s.c, &hall_tell_method, &req.base, nothing, NULL);
	ct_fanout_seal(f);

	cr_assert(
		ct_latch_wait_until(&joined, ct_deadline_after_ms(ct_clock_system(), PATIENCE_MS)));
	ct_latch_fini(&joined);
	s.fan.f = ct_fanout_free(s.fan.f); /* never started */
	ct_latch_fini(&s.fan.joined);
	tear_down(&s);
}

/* ---- many ------------------------------------------------------------------------------------ */

static void random_fan(struct scene *s, struct fan *fan, uint64_t *seed)
{
	static const struct ct_method *const methods[] = { &hall_tell_method, &hall_hold_method,
							   &hall_keep_method,
							   &hall_tell_inline_method };
	static const ct_status codes[] = { CT_OK, CT_OK, CT_OK, CT_NOT_FOUND };
	const unsigned legs = (unsigned)(rnd(seed) % LEGS_MAX);
	const bool sheds = rnd(seed) % 2 == 0;
	const ct_instant deadline = ct_instant_add_us(ct_now(ct_clock_system()),
						      200 + rnd(seed) % 20000);

	fan_init(fan, s->ctx, sheds ? CT_FANOUT_FIRST_ERROR : CT_FANOUT_PARTIAL, deadline);
	for (unsigned i = 0; i < legs; i++) {
		const uint64_t dice = rnd(seed);

		fan_add(fan, s->c, methods[dice % CT_ARRAY_N(methods)],
			codes[(dice >> 8) % CT_ARRAY_N(codes)]);
	}
	if (rnd(seed) % 4 == 0)
		hall_let_go(&s->h, (unsigned)(rnd(seed) % 8));
	ct_fanout_seal(fan->f);
}

Test(rpc_fanout, two_thousand_random_ones_are_each_joined_once)
{
	enum { FANS = 2000, AT_ONCE = 8 };
	uint64_t seed = 701101501;
	struct fan fans[AT_ONCE];
	struct scene s;

	set_up(&s, CT_FANOUT_PARTIAL, PATIENT_MS);
	s.fan.f = ct_fanout_free(s.fan.f);
	ct_latch_fini(&s.fan.joined);
	for (unsigned i = 0; i < FANS; i += AT_ONCE) {
		for (unsigned k = 0; k < AT_ONCE; k++)
			random_fan(&s, &fans[k], &seed);
		for (unsigned k = 0; k < AT_ONCE; k++) {
			cr_assert(ct_latch_wait_until(
				&fans[k].joined,
				ct_deadline_after_ms(ct_clock_system(), PATIENCE_MS)));
			expect_joined(&fans[k], fans[k].first_error);
		}
	}
	cr_assert(hall_settled(&s.h, pick_in_flight, 0));
	tear_down(&s);
}
