/* SPDX-License-Identifier: Apache-2.0 */
/* How a server ends: what it finishes, what it refuses, what it cuts short. */
#include "base/check.h"
#include "conc/thread.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/rpc/raw.h"

#include "ct/v1/health.ct.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(rpc_drain, .fini = leak_check, .timeout = 60);

typedef Ct__V1__HealthCheckResponse__ServingStatus serving_status;
#define SERVING CT__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
#define NOT_SERVING CT__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING

enum { PATIENT_MS = 20000, LONG_GRACE_MS = 60000, SHORT_MS = 100 };

struct scene {
	struct hall h;
	struct ct_runtime rt; /* the client's own: it outlives the hall */
	struct ct_client *c;
};

static void set_up(struct scene *s, uint32_t drain_ms)
{
	const struct hall_opts o = { .server = { .drain_ms = drain_ms },
				     .net = { .send_bytes_max = 64 << 20 }, /* for all answers */
				     .standard = true };
	const struct ct_runtime_opts ro = { .service = "test" };

	hall_start(&s->h, &o);
	cr_assert_eq(ct_runtime_init(&s->rt, &ro), CT_OK);
	s->c = client_of(&s->rt, hall_url(&s->h));
}

static void tear_down(struct scene *s)
{
	cr_assert(hall_stop(&s->h), "the accounting identity does not hold");
	cr_assert(client_adds_up(s->c));
	s->c = ct_client_free(s->c);
	ct_runtime_fini(&s->rt);
}

static bool joined_within(struct scene *s, uint32_t ms)
{
	return ct_server_join_until(s->h.server, ct_deadline_after_ms(ct_clock_system(), ms));
}

static void expect_all(struct ask *asks, unsigned n, ct_status st)
{
	unsigned counts[CT_STATUS_N];

	cr_assert(asks_wait(asks, n, counts));
	cr_assert_eq(counts[st], n, "%u of %u are %s", counts[st], n, ct_status_name(st));
}

Test(rpc_drain, running_and_queued_calls_finish_within_the_grace)
{
	enum { CALLS = 12 };
	struct ask *asks;
	struct scene s;

	set_up(&s, LONG_GRACE_MS);
	asks = asks_start(s.c, &hall_hold_method, CALLS, PATIENT_MS);
	cr_assert(hall_settled(&s.h, pick_queued, CALLS - 2));

	ct_server_drain(s.h.server);
	cr_assert_not(joined_within(&s, SHORT_MS));
	cr_assert_str_eq(hall_stats(&s.h).state, "draining");
	hall_let_go(&s.h, HALL_ALL);

	expect_all(asks, CALLS, CT_OK);
	cr_assert(joined_within(&s, PATIENCE_MS));
	cr_assert_str_eq(hall_stats(&s.h).state, "stopped");
	asks_free(asks, CALLS);
	tear_down(&s);
}

Test(rpc_drain, draining_server_refuses_calls_and_connections)
{
	struct ask held, refused;
	struct ct_client *late;
	char url[64];
	struct scene s;

	set_up(&s, LONG_GRACE_MS);
	ask_init(&held, PATIENT_MS);
	ask_start(&held, s.c, &hall_hold_method);
	cr_assert(hall_waited(&s.h, &s.h.entered, 1));
	(void)snprintf(url, sizeof(url), "%s", hall_url(&s.h));

	ct_server_drain(s.h.server);

	ask_init(&refused, PATIENT_MS);
	cr_assert_eq(ask_now(&refused, s.c, &hall_tell_method), CT_UNAVAILABLE);
	cr_assert(refused.reply.not_processed);
	cr_assert_eq(hall_stats(&s.h).refused_by[CT_REFUSAL_DRAINING], 1);
	ask_fini(&refused);
	late = client_with(&(struct ct_client_opts){
		.rt = &s.rt, .peer = "hall", .urls = (const char *[]){ url }, .urls_n = 1 });
	ask_init(&refused, PATIENT_MS);
	cr_assert_eq(ask_now(&refused, late, &hall_tell_method), CT_UNAVAILABLE);
	ask_fini(&refused);
	late = ct_client_free(late);
	hall_let_go(&s.h, HALL_ALL);
	cr_assert(ask_wait(&held));
	cr_assert_eq(held.reply.status, CT_OK);
	ask_fini(&held);
	tear_down(&s);
}

Test(rpc_drain, what_outlives_the_grace_is_cancelled_with_the_reason_drain)
{
	enum { CALLS = 6, WORKERS = 2 };
	struct ct_server_stats st;
	struct ask *asks;
	struct scene s;

	set_up(&s, SHORT_MS);
	asks = asks_start(s.c, &hall_hold_method, CALLS, PATIENT_MS);
	cr_assert(hall_settled(&s.h, pick_queued, CALLS - WORKERS));

	ct_server_drain(s.h.server);

	expect_all(asks, CALLS, CT_UNAVAILABLE);
	cr_assert(joined_within(&s, PATIENCE_MS));
	st = hall_stats(&s.h);
	cr_assert_eq(st.calls.cancelled_running, WORKERS);
	cr_assert_eq(st.calls.cancelled_queued, CALLS - WORKERS);
	cr_assert_eq(hall_get(&s.h, &s.h.entered), WORKERS, "a queued one was started in vain");
	cr_assert_eq(hall_get(&s.h, &s.h.reasons[CT_CANCEL_DRAIN]), WORKERS);
	for (unsigned i = 0; i < CALLS; i++)
		cr_assert_eq(ct_reply_meta(&asks[i].reply)->timing->handler_us == 0,
			     asks[i].reply.not_processed);
	asks_free(asks, CALLS);
	tear_down(&s);
}

/* ---- stop ------------------------------------------------------------------------------ */

Test(rpc_drain, stop_ends_calls_in_every_state_at_once)
{
	enum { WORKERS = 2, QUEUED = 5, KEPT = 3 };
	struct ask *kept, *held;
	struct scene s;

	set_up(&s, LONG_GRACE_MS);
	kept = asks_start(s.c, &hall_keep_method, KEPT, PATIENT_MS);
	cr_assert(hall_waited(&s.h, &s.h.entered, KEPT));
	held = asks_start(s.c, &hall_hold_method, WORKERS + QUEUED, PATIENT_MS);
	cr_assert(hall_settled(&s.h, pick_queued, QUEUED));

	ct_server_stop(s.h.server);

	expect_all(kept, KEPT, CT_UNAVAILABLE);
	expect_all(held, WORKERS + QUEUED, CT_UNAVAILABLE);
	cr_assert(joined_within(&s, PATIENCE_MS));
	cr_assert_eq(hall_get(&s.h, &s.h.reasons[CT_CANCEL_DRAIN]), KEPT + WORKERS);
	asks_free(kept, KEPT);
	asks_free(held, WORKERS + QUEUED);
	tear_down(&s);
}

Test(rpc_drain, second_stop_and_a_drain_behind_it_change_nothing)
{
	struct ask a;
	struct scene s;

	set_up(&s, LONG_GRACE_MS);
	ask_init(&a, PATIENT_MS);
	ask_start(&a, s.c, &hall_hold_method);
	cr_assert(hall_waited(&s.h, &s.h.entered, 1));

	ct_server_stop(s.h.server);
	ct_server_stop(s.h.server);
	ct_server_drain(s.h.server);
	cr_assert(joined_within(&s, PATIENCE_MS));
	ct_server_stop(s.h.server);
	cr_assert(joined_within(&s, PATIENCE_MS));

	cr_assert(ask_wait(&a));
	cr_assert_eq(a.reply.status, CT_UNAVAILABLE);
	cr_assert_eq(hall_stats(&s.h).calls.cancelled_running, 1);
	ask_fini(&a);
	tear_down(&s);
}

Test(rpc_drain, stop_overtakes_a_drain)
{
	struct ask a;
	struct scene s;

	set_up(&s, LONG_GRACE_MS);
	ask_init(&a, PATIENT_MS);
	ask_start(&a, s.c, &hall_hold_method);
	cr_assert(hall_waited(&s.h, &s.h.entered, 1));
	ct_server_drain(s.h.server);
	cr_assert_not(joined_within(&s, SHORT_MS));

	ct_server_stop(s.h.server);

	cr_assert(joined_within(&s, PATIENCE_MS));
	cr_assert(ask_wait(&a));
	cr_assert_eq(a.reply.status, CT_UNAVAILABLE);
	ask_fini(&a);
	tear_down(&s);
}

static void *stop_it(void *arg)
{
	ct_server_stop(arg);
	return NULL;
}

Test(rpc_drain, stop_from_several_threads_is_one_stop)
{
	enum { THREADS = 4, CALLS = 10 };
	pthread_t threads[THREADS];
	struct ask *asks;
	struct scene s;

	set_up(&s, LONG_GRACE_MS);
	asks = asks_start(s.c, &hall_hold_method, CALLS, PATIENT_MS);
	cr_assert(hall_waited(&s.h, &s.h.entered, 2));

	for (unsigned i = 0; i < THREADS; i++)
		cr_assert_eq(ct_thread_start(&threads[i], "stop", stop_it, s.h.server), CT_OK);
	for (unsigned i = 0; i < THREADS; i++)
		ct_thread_join(threads[i]);

	cr_assert(joined_within(&s, PATIENCE_MS));
	expect_all(asks, CALLS, CT_UNAVAILABLE);
	asks_free(asks, CALLS);
	tear_down(&s);
}

Test(rpc_drain, join_until_says_whether_it_is_over)
{
	struct scene s;

	set_up(&s, LONG_GRACE_MS);

	cr_assert_not(joined_within(&s, 20), "it still serves");
	ct_server_drain(s.h.server);

	cr_assert(joined_within(&s, PATIENCE_MS));
	tear_down(&s);
}

Test(rpc_drain, large_answers_are_out_before_the_connection_closes)
{
	enum { CALLS = 8, REPLY = 2 << 20 };
	struct ask asks[CALLS];
	struct scene s;

	set_up(&s, LONG_GRACE_MS);
	for (unsigned i = 0; i < CALLS; i++) {
		ask_init(&asks[i], PATIENT_MS);
		asks[i].req.reply_bytes = REPLY;
		ask_start(&asks[i], s.c, &hall_hold_method);
	}
	cr_assert(hall_settled(&s.h, pick_in_flight, CALLS));

	ct_server_drain(s.h.server);
	cr_assert(hall_stop(&s.h)); /* which lets them go first */

	for (unsigned i = 0; i < CALLS; i++) {
		cr_assert(ask_wait(&asks[i]));
		if (asks[i].reply.status == CT_OK)
			cr_assert_eq(ask_answer(&asks[i])->payload.len, REPLY);
		else
			cr_assert_eq(asks[i].reply.status, CT_UNAVAILABLE);
		ask_fini(&asks[i]);
	}
	s.c = ct_client_free(s.c);
	ct_runtime_fini(&s.rt);
}

/* ---- health ------------------------------------------------------------------------------- */

struct watching {
	struct ct_latch ended;
	ct_status status;
	serving_status seen;
};

static void watched(void *arg, struct ct_reply *reply)
{
	struct watching *w = arg;
	const Ct__V1__HealthCheckResponse *r = health_watch_response(reply);

	w->status = reply->status;
	w->seen = r != NULL ? r->status : CT__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__UNKNOWN;
	ct_latch_count_down(&w->ended);
}

static void watch(struct watching *w, struct ct_client *c, const char *service,
		  serving_status known)
{
	Ct__V1__HealthWatchRequest req = CT__V1__HEALTH_WATCH_REQUEST__INIT;

	req.service = (char *)(uintptr_t)service;
	req.known = known;
	ct_latch_init(&w->ended, 1);
	health_watch_async(c, NULL, &req, watched, w);
}

static void expect_watched(struct watching *w, ct_status st, serving_status seen)
{
	cr_assert(ct_latch_wait_until(&w->ended,
				      ct_deadline_after_ms(ct_clock_system(), PATIENCE_MS)));
	cr_assert_eq(w->status, st, "%s", ct_status_name(w->status));
	if (st == CT_OK)
		cr_assert_eq(w->seen, seen);
	ct_latch_fini(&w->ended);
}

Test(rpc_drain, watch_is_answered_by_the_drain_itself)
{
	struct watching w;
	struct ask held;
	struct scene s;

	set_up(&s, LONG_GRACE_MS);
	ask_init(&held, PATIENT_MS);
	ask_start(&held, s.c, &hall_hold_method);
	watch(&w, s.c, "", SERVING);
	cr_assert(hall_settled(&s.h, pick_in_flight, 2));

	ct_server_drain(s.h.server);

	expect_watched(&w, CT_OK, NOT_SERVING);
	cr_assert_not(ask_ended(&held));
	hall_let_go(&s.h, HALL_ALL);
	cr_assert(ask_wait(&held));
	ask_fini(&held);
	tear_down(&s);
}

Test(rpc_drain, watch_that_comes_during_a_drain_does_not_hold_it_up)
{
	struct watching w;
	struct ask held;
	struct scene s;

	set_up(&s, LONG_GRACE_MS);
	ask_init(&held, PATIENT_MS);
	ask_start(&held, s.c, &hall_hold_method);
	cr_assert(hall_waited(&s.h, &s.h.entered, 1));
	ct_server_drain(s.h.server);

	watch(&w, s.c, "", NOT_SERVING);
	expect_watched(&w, CT_UNAVAILABLE, NOT_SERVING);
	hall_let_go(&s.h, HALL_ALL);

	cr_assert(joined_within(&s, PATIENCE_MS));
	cr_assert(ask_wait(&held));
	ask_fini(&held);
	tear_down(&s);
}

Test(rpc_drain, service_taken_out_wakes_its_watch_and_no_other)
{
	struct watching mine, other;
	struct scene s;

	set_up(&s, LONG_GRACE_MS);
	watch(&mine, s.c, "hall.v1.Hall", SERVING);
	watch(&other, s.c, "ct.v1.Runtime", SERVING);
	cr_assert(hall_settled(&s.h, pick_in_flight, 2));

	ct_server_set_serving(s.h.server, "hall.v1.Hall", false);
	expect_watched(&mine, CT_OK, NOT_SERVING);
	ct_server_set_serving(s.h.server, "hall.v1.Hall", true);
	cr_assert_eq(hall_stats(&s.h).calls.in_flight, 1, "the other one was answered");

	ct_server_set_serving(s.h.server, "ct.v1.Runtime", false);
	expect_watched(&other, CT_OK, NOT_SERVING);
	watch(&mine, s.c, "", SERVING); /* the whole is out while a part is */
	expect_watched(&mine, CT_OK, NOT_SERVING);
	tear_down(&s);
}

Test(rpc_drain, watch_is_answered_after_its_time_without_a_change)
{
	Ct__V1__HealthWatchRequest req = CT__V1__HEALTH_WATCH_REQUEST__INIT;
	const Ct__V1__HealthCheckResponse *resp;
	struct ct_reply reply;
	struct scene s;

	set_up(&s, LONG_GRACE_MS);
	ct_reply_init(&reply);
	req.known = SERVING;
	req.wait_ms = 50;

	cr_assert_eq(health_watch(s.c, NULL, &req, &reply, &resp), CT_OK);

	cr_assert_eq(resp->status, SERVING);
	cr_assert_geq(reply.elapsed_us, 50000);
	ct_reply_fini(&reply);
	tear_down(&s);
}

Test(rpc_drain, cancelled_watch_leaves_nothing_behind)
{
	struct ct_ctx *ctx = NULL;
	Ct__V1__HealthWatchRequest req = CT__V1__HEALTH_WATCH_REQUEST__INIT;
	struct watching w;
	struct scene s;

	set_up(&s, LONG_GRACE_MS);
	cr_assert_eq(ct_ctx_new_root(s.rt.timers, CT_NEVER, &ctx), CT_OK);
	req.known = SERVING;
	ct_latch_init(&w.ended, 1);
	health_watch_async(s.c, ctx, &req, watched, &w);
	cr_assert(hall_settled(&s.h, pick_in_flight, 1));

	cr_assert(ct_ctx_cancel(ctx, CT_CANCEL_CALLER));

	expect_watched(&w, CT_CANCELLED, SERVING);
	cr_assert(hall_settled(&s.h, pick_in_flight, 0));
	cr_assert_eq(hall_stats(&s.h).calls.cancelled_running, 1);
	ct_ctx_unref(ctx);
	tear_down(&s);
}
