/* SPDX-License-Identifier: Apache-2.0 */
/* What a client does not even send to a service that refuses it. By a clock that the test
 * turns, so that nothing is forgotten by itself. */
#include "base/check.h"
#include "rpc/retry.h"
#include "rpc/throttle.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(rpc_throttle, .fini = leak_check, .timeout = 60);

enum {
	PATIENT_MS = 20000,
	WINDOW_MS = CT_THROTTLE_SLICES * CT_THROTTLE_SLICE_MS,
	CALLS = 500,
	/* Of CALLS that are all refused about LEAST + ln(CALLS / LEAST) go out. */
	MOST = 6 * CT_THROTTLE_LEAST,
	BUSY_MAX = 8,
	HALLS = 2,
};

/* Halls by a fake clock, and a client of theirs that throttles. */
struct scene {
	struct fake_clock clock;
	struct hall halls[HALLS];
	unsigned halls_n;
	struct ct_client *c, *other; /* the other one: of the first hall, it sends all */
	struct ask busy[BUSY_MAX];   /* calls that wait at the gate, or for a worker */
	unsigned busy_n;
};

static bool all_are_ready(void *arg)
{
	struct scene *s = arg;

	return client_stats(s->c).ready == s->halls_n;
}

static void set_up(struct scene *s, unsigned halls_n, const struct ct_server_opts *so,
		   struct ct_client_opts co)
{
	struct hall_opts ho = { .server = *so, .clock = &s->clock.clk };
	const char *urls[HALLS];

	fake_clock_init(&s->clock);
	s->halls_n = halls_n;
	s->busy_n = 0;
	for (unsigned i = 0; i < halls_n; i++) {
		hall_start(&s->halls[i], &ho);
		urls[i] = hall_url(&s->halls[i]);
	}
	co.rt = &s->halls[0].rt;
	co.peer = "hall";
	co.urls = urls;
	co.urls_n = halls_n;
	s->c = client_with(&co);
	s->other = client_of(co.rt, urls[0]);
	cr_assert(until(all_are_ready, s));
}

static void tear_down(struct scene *s)
{
	for (unsigned i = 0; i < s->halls_n; i++)
		hall_let_go(&s->halls[i], HALL_ALL);
	for (unsigned i = 0; i < s->busy_n; i++) {
		cr_assert(ask_wait(&s->busy[i]));
		ask_fini(&s->busy[i]);
	}
	cr_assert(client_adds_up(s->c));
	s->c = ct_client_free(s->c);
	s->other = ct_client_free(s->other);
	for (unsigned i = s->halls_n; i > 0; i--) /* the clients were on the first one's threads */
		cr_assert(hall_stop(&s->halls[i - 1]), "the accounting identity does not hold");
}

static const struct ct_client_opts throttling = { .throttle = true, .attempts_max = 1 };

/* n calls that the first hall holds, of which so many run and the others wait. */
static void occupy(struct scene *s, struct ct_client *c, unsigned n, unsigned running)
{
	for (unsigned i = 0; i < n; i++) {
		struct ask *a = &s->busy[s->busy_n++];

		CT_CHECK(s->busy_n <= BUSY_MAX);
		ask_init(a, PATIENT_MS);
		ask_start(a, c, &hall_hold_method);
	}
	cr_assert(hall_settled(&s->halls[0], pick_running, running));
	cr_assert(hall_settled(&s->halls[0], pick_queued, n - running));
}

static void step_ms(struct scene *s, int64_t ms)
{
	fake_clock_step_ms(&s->clock, ms);
	for (unsigned i = 0; i < s->halls_n; i++)
		ct_timers_poke(s->halls[i].rt.timers);
}

/* One worker and one place in its queue, both taken. */
static void set_up_full(struct scene *s, struct ct_client_opts co)
{
	const struct ct_server_opts so = { .workers = 1, .queue_max = 1 };

	set_up(s, 1, &so, co);
	occupy(s, s->other, 2, 1);
}

static uint64_t throttled(struct scene *s)
{
	return client_stats(s->c).throttled;
}

static bool is_held_back(const struct ask *a)
{
	return a->reply.attempts == 0 && strstr(a->reply.message, "held back") != NULL;
}

/* One after the other; how many were sent. What is held back ends when the clock is turned. */
static unsigned ask_some(struct scene *s, const struct ct_method *m, unsigned n,
			 enum ct_criticality criticality, ct_status st)
{
	struct ask *asks = calloc(n, sizeof(*asks));
	unsigned sent = 0;

	cr_assert_not_null(asks);
	for (unsigned i = 0; i < n; i++) {
		const uint64_t held = throttled(s);

		ask_init(&asks[i], PATIENT_MS);
		asks[i].opts.criticality = criticality;
		ask_start(&asks[i], s->c, m);
		cr_assert(throttled(s) > held || ask_wait(&asks[i]));
	}
	step_ms(s, 1);
	for (unsigned i = 0; i < n; i++) {
		const struct ct_reply *r = &asks[i].reply;

		cr_assert(ask_wait(&asks[i]));
		cr_assert_eq(r->status, st, "%s: %s", ct_status_name(r->status), r->message);
		cr_assert(r->not_processed || st != CT_RESOURCE_EXHAUSTED);
		sent += !is_held_back(&asks[i]);
	}
	asks_free(asks, n);
	return sent;
}

static unsigned refused_tells(struct scene *s, unsigned n)
{
	return ask_some(s, &hall_tell_method, n, CT_CRIT_DEFAULT, CT_RESOURCE_EXHAUSTED);
}

/* ---- what is held back -------------------------------------------------------------------- */

Test(rpc_throttle, calls_that_would_be_refused_end_here_and_no_server_hears_of_them)
{
	struct ct_client_stats st;
	struct scene s;
	unsigned sent;

	set_up_full(&s, throttling);
	cr_assert_eq(refused_tells(&s, CT_THROTTLE_LEAST), CT_THROTTLE_LEAST);
	cr_assert_eq(throttled(&s), 0);

	sent = CT_THROTTLE_LEAST + refused_tells(&s, CALLS - CT_THROTTLE_LEAST);

	st = client_stats(s.c);
	cr_assert_lt(sent, MOST);
	cr_assert_eq(st.throttled, CALLS - sent);
	cr_assert_eq(st.failed, CALLS);
	cr_assert_eq(st.attempts, sent);
	cr_assert_eq(hall_stats(&s.halls[0]).calls.received, 2 + sent);
	tear_down(&s);
}

Test(rpc_throttle, client_that_does_not_throttle_sends_every_call)
{
	struct scene s;

	set_up_full(&s, (struct ct_client_opts){ .attempts_max = 1 });

	cr_assert_eq(refused_tells(&s, CALLS), CALLS);

	cr_assert_eq(throttled(&s), 0);
	tear_down(&s);
}

Test(rpc_throttle, caller_that_waits_has_its_answer_at_once_too)
{
	struct scene s;
	bool held = false;

	set_up_full(&s, throttling);
	for (unsigned i = 0; i < MOST && !held; i++) {
		Hall__V1__Ask req = HALL__V1__ASK__INIT;
		struct ct_reply r;

		ct_reply_init(&r);
		cr_assert_eq(ct_client_call(s.c, NULL, &hall_tell_method, &req.base, NULL, &r),
			     CT_RESOURCE_EXHAUSTED);
		cr_assert(r.not_processed);
		held = r.attempts == 0;
		ct_reply_fini(&r);
	}
	cr_assert(held);
	tear_down(&s);
}

Test(rpc_throttle, full_client_is_its_callers_doing)
{
	const struct ct_server_opts so = { .workers = 2 };
	unsigned counts[CT_STATUS_N];
	struct ask *asks;
	struct scene s;

	set_up(&s, 1, &so,
	       (struct ct_client_opts){
		       .throttle = true, .attempts_max = 1, .outstanding_max = 2 });
	occupy(&s, s.c, 2, 2);

	asks = asks_start(s.c, &hall_tell_method, CALLS, PATIENT_MS);
	step_ms(&s, 1);

	cr_assert(asks_wait(asks, CALLS, counts));
	cr_assert_eq(counts[CT_RESOURCE_EXHAUSTED], CALLS);
	for (unsigned i = 0; i < CALLS; i++)
		cr_assert_not(is_held_back(&asks[i]));
	cr_assert_eq(throttled(&s), 0);
	asks_free(asks, CALLS);
	tear_down(&s);
}

/* ---- how much ------------------------------------------------------------------------------- */

/* Two run and two wait: of each crowd these are taken in, seldom one more, and answered
 * before the next. */
static void come_all(struct scene *s, unsigned crowds)
{
	enum { CROWD = 40, EVERY_MS = 10 };

	for (unsigned i = 0; i < crowds; i++) {
		unsigned counts[CT_STATUS_N];
		struct ask *asks = asks_start(s->c, &hall_hold_method, CROWD, PATIENT_MS);

		cr_assert(hall_reached(&s->halls[0], pick_received, client_stats(s->c).attempts));
		hall_let_go(&s->halls[0], HALL_ALL);
		step_ms(s, EVERY_MS);
		cr_assert(asks_wait(asks, CROWD, counts));
		hall_shut(&s->halls[0]);
		cr_assert_eq(counts[CT_OK] + counts[CT_RESOURCE_EXHAUSTED], CROWD);
		cr_assert(hall_settled(&s->halls[0], pick_running, 0));
		asks_free(asks, CROWD);
	}
}

Test(rpc_throttle, overloaded_server_meets_twice_what_it_takes_in)
{
	const struct ct_server_opts so = { .workers = 2, .queue_max = 2 };
	struct ct_client_stats before, after;
	struct scene s;
	uint64_t taken, sent;

	set_up(&s, 1, &so, throttling);
	come_all(&s, 50);
	before = client_stats(s.c);

	come_all(&s, 100);

	after = client_stats(s.c);
	taken = after.ok - before.ok;
	sent = after.attempts - before.attempts;
	cr_assert_gt(taken, 100U * 4 * 9 / 10, "%u", (unsigned)taken);
	cr_assert_gt(sent, taken * 3 / 2, "%u, %u", (unsigned)sent, (unsigned)taken);
	cr_assert_lt(sent, taken * 5 / 2, "%u, %u", (unsigned)sent, (unsigned)taken);
	tear_down(&s);
}

Test(rpc_throttle, all_is_sent_again_once_the_window_is_over)
{
	struct scene s;
	uint64_t held;

	set_up_full(&s, throttling);
	(void)refused_tells(&s, CALLS);
	hall_let_go(&s.halls[0], HALL_ALL);
	cr_assert(hall_settled(&s.halls[0], pick_in_flight, 0));
	held = throttled(&s);
	cr_assert_gt(held, 0);

	step_ms(&s, WINDOW_MS);

	cr_assert_eq(ask_some(&s, &hall_tell_method, CALLS, CT_CRIT_DEFAULT, CT_OK), CALLS);
	cr_assert_eq(throttled(&s), held);
	tear_down(&s);
}

Test(rpc_throttle, nothing_is_held_back_while_another_server_takes_calls)
{
	const struct ct_server_opts so = { .workers = 1, .queue_max = 1 };
	unsigned ok = 0;
	struct scene s;

	set_up(&s, 2, &so, throttling);
	occupy(&s, s.other, 2, 1);

	for (unsigned i = 0; i < CALLS; i++) {
		struct ask a;

		ask_init(&a, PATIENT_MS);
		ok += ask_now(&a, s.c, &hall_tell_method) == CT_OK;
		ask_fini(&a);
	}

	cr_assert_eq(throttled(&s), 0);
	cr_assert_gt(ok, CALLS * 9 / 10);
	tear_down(&s);
}

/* ---- what counts ------------------------------------------------------------------ */

static void expect_all_sent(const struct ct_method *m, const Hall__V1__Ask *req)
{
	const struct ct_server_opts so = { .workers = 1 };
	struct scene s;

	set_up(&s, 1, &so, throttling);
	for (unsigned i = 0; i < CALLS; i++) {
		struct ask a;

		ask_init(&a, PATIENT_MS);
		a.req = *req;
		cr_assert_eq(ask_now(&a, s.c, m), CT_RESOURCE_EXHAUSTED);
		cr_assert_eq(a.reply.attempts, 1, "%s", a.reply.message);
		ask_fini(&a);
	}
	cr_assert_eq(throttled(&s), 0);
	tear_down(&s);
}

Test(rpc_throttle, handlers_own_refusals_do_not_count)
{
	Hall__V1__Ask req = HALL__V1__ASK__INIT;

	req.code = CT_RESOURCE_EXHAUSTED;
	expect_all_sent(&hall_tell_method, &req);
}

Test(rpc_throttle, requests_that_no_server_would_take_do_not_count)
{
	Hall__V1__Ask req = HALL__V1__ASK__INIT;
	uint8_t large[100] = { 0 };

	req.payload.data = large;
	req.payload.len = sizeof(large);
	expect_all_sent(&hall_tell_small_method, &req);
}

Test(rpc_throttle, another_method_is_not_held_back)
{
	const struct ct_server_opts so = { .workers = 2, .method_calls_max = 1 };
	struct scene s;

	set_up(&s, 1, &so, throttling);
	occupy(&s, s.other, 1, 1);
	cr_assert_lt(ask_some(&s, &hall_hold_method, CALLS, CT_CRIT_DEFAULT, CT_RESOURCE_EXHAUSTED),
		     MOST);

	cr_assert_eq(ask_some(&s, &hall_tell_method, CALLS, CT_CRIT_DEFAULT, CT_OK), CALLS);
	tear_down(&s);
}

Test(rpc_throttle, calls_that_matter_more_are_not_held_back_for_those_that_are_shed)
{
	const struct ct_server_opts so = { .workers = 1, .queue_max = 8 };
	struct scene s;
	uint64_t held;

	set_up(&s, 1, &so, throttling);
	occupy(&s, s.other, 5, 1); /* half of the queue is taken */
	cr_assert_lt(
		ask_some(&s, &hall_tell_method, CALLS, CT_CRIT_SHEDDABLE, CT_RESOURCE_EXHAUSTED),
		MOST);
	held = throttled(&s);

	for (unsigned i = 0; i < 2; i++) {
		struct ask *a = &s.busy[s.busy_n++];

		ask_init(a, PATIENT_MS);
		a->opts.criticality = i == 0 ? CT_CRIT_DEFAULT : CT_CRIT_CRITICAL;
		ask_start(a, s.c, &hall_tell_method);
		cr_assert(hall_settled(&s.halls[0], pick_queued, 5 + i));
	}

	cr_assert_eq(throttled(&s), held);
	tear_down(&s);
}

/* Half of the tokens: a refused call that has one rests until the clock is turned. */
enum { RETRIES = CT_RETRY_TOKENS / 2 };

static bool only_resting_are_left(void *arg)
{
	struct scene *s = arg;

	return client_stats(s->c).in_flight == RETRIES;
}

Test(rpc_throttle, call_that_is_held_back_is_not_tried_again_and_costs_no_retry)
{
	struct ct_client_stats st;
	unsigned counts[CT_STATUS_N];
	struct ask *asks;
	struct scene s;

	set_up_full(&s, (struct ct_client_opts){ .throttle = true, .attempts_max = 2 });
	asks = calloc(CALLS, sizeof(*asks));
	cr_assert_not_null(asks);
	for (unsigned i = 0; i < CALLS; i++) {
		ask_init(&asks[i], PATIENT_MS);
		ask_start(&asks[i], s.c, &hall_tell_method);
		if (i < 2 * CT_THROTTLE_LEAST) /* that their refusals are known */
			cr_assert(hall_settled(&s.halls[0], pick_received,
					       s.busy_n + client_stats(s.c).attempts));
	}
	step_ms(&s, 1);
	cr_assert(until(only_resting_are_left, &s));
	st = client_stats(s.c);
	cr_assert_gt(st.throttled, 0);
	cr_assert_eq(st.attempts, RETRIES + st.retries_refused);

	step_ms(&s, PATIENT_MS / 2);

	cr_assert(asks_wait(asks, CALLS, counts));
	cr_assert_eq(counts[CT_RESOURCE_EXHAUSTED], CALLS);
	cr_assert_eq(client_stats(s.c).retries, RETRIES);
	cr_assert_eq(throttled(&s), st.throttled);
	asks_free(asks, CALLS);
	tear_down(&s);
}

/* Six calls are refused; five of them rest and are refused again. */
Test(rpc_throttle, attempts_count_and_not_calls)
{
	enum { FIRST = RETRIES + 1, ATTEMPTS = FIRST + RETRIES, MORE = CT_THROTTLE_LEAST - FIRST };
	unsigned counts[CT_STATUS_N];
	struct ask *asks;
	struct scene s;

	cr_assert_geq(ATTEMPTS, CT_THROTTLE_LEAST);
	set_up_full(&s, (struct ct_client_opts){ .throttle = true, .attempts_max = 2 });
	asks = asks_start(s.c, &hall_tell_method, FIRST, PATIENT_MS);
	cr_assert(until(only_resting_are_left, &s));

	step_ms(&s, WINDOW_MS / 2);

	cr_assert(asks_wait(asks, FIRST, counts));
	cr_assert_eq(client_stats(s.c).attempts, ATTEMPTS);
	cr_assert_lt(refused_tells(&s, MORE), MORE, "all pass: 1 in 30,000");
	asks_free(asks, FIRST);
	tear_down(&s);
}
