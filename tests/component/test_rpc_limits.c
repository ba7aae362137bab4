/* SPDX-License-Identifier: Apache-2.0 */
/* What is full refuses exactly what does not fit, at once, and says so. */
#include "base/check.h"
#include "conc/thread.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/tally.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(rpc_limits, .fini = leak_check, .timeout = 60);

enum { PATIENT_MS = 20000, RETRY_AFTER_MS = 50 };

struct ended_n {
	struct ask *asks;
	unsigned n, want;
};

static unsigned count_ended(const struct ended_n *e)
{
	unsigned ended = 0;

	for (unsigned i = 0; i < e->n; i++)
		ended += ask_ended(&e->asks[i]) ? 1 : 0;
	return ended;
}

static bool so_many_ended(void *arg)
{
	const struct ended_n *e = arg;

	return count_ended(e) >= e->want;
}

/* Exactly `want` of them end although nobody is let go, each refused as full. */
static void expect_refused_now(struct ask *asks, unsigned n, unsigned want)
{
	struct ended_n e = { asks, n, want };

	cr_assert(until(so_many_ended, &e), "%u of %u were refused", count_ended(&e), want);
	cr_assert_eq(count_ended(&e), want);
	for (unsigned i = 0; i < n; i++) {
		const struct ct_reply *r = &asks[i].reply;

		if (!ask_ended(&asks[i]))
			continue;
		cr_assert_eq(r->status, CT_RESOURCE_EXHAUSTED);
		cr_assert(r->not_processed);
		cr_assert_not(r->no_retry);
		cr_assert_eq(r->retry_after_ms, RETRY_AFTER_MS);
	}
}

static void expect_ok_after(struct hall *h, struct ask *asks, unsigned n, unsigned ok)
{
	unsigned counts[CT_STATUS_N];

	hall_let_go(h, HALL_ALL);
	cr_assert(asks_wait(asks, n, counts));
	cr_assert_eq(counts[CT_OK], ok);
	cr_assert_eq(counts[CT_RESOURCE_EXHAUSTED], n - ok);
	cr_assert(hall_settled(h, pick_in_flight, 0));
	cr_assert(hall_settled(h, pick_running, 0));
	hall_shut(h);
}

Test(rpc_limits, full_queue_refuses_exactly_the_excess_at_once)
{
	enum { WORKERS = 3, QUEUE = 5, EXCESS = 7, N = WORKERS + QUEUE + EXCESS };
	const struct hall_opts o = { .server = { .workers = WORKERS, .queue_max = QUEUE } };
	struct ct_client *c;
	struct ask *asks;
	struct hall h;

	hall_start(&h, &o);
	c = client_of(&h.rt, hall_url(&h));

	for (unsigned round = 1; round <= 3; round++) { /* all of it is free again each time */
		asks = asks_start(c, &hall_hold_method, N, PATIENT_MS);
		expect_refused_now(asks, N, EXCESS);
		cr_assert(hall_settled(&h, pick_queued, QUEUE));
		cr_assert_eq(hall_stats(&h).refused_by[CT_REFUSAL_QUEUE_FULL], round * EXCESS);
		expect_ok_after(&h, asks, N, WORKERS + QUEUE);
		asks_free(asks, N);
	}

	c = ct_client_free(c);
	cr_assert(hall_stop(&h));
}

/* From where a caller stands: it has its answer, so the call takes no place. */
static void expect_places_after(const struct ct_method *m)
{
	enum { WORKERS = 1, QUEUE = 1, EXCESS = 2, N = WORKERS + QUEUE + EXCESS };
	const struct hall_opts o = { .server = { .workers = WORKERS, .queue_max = QUEUE } };
	struct ask *asks, first;
	struct ct_client *c;
	struct hall h;

	hall_start(&h, &o);
	c = client_of(&h.rt, hall_url(&h));
	ask_init(&first, PATIENT_MS);
	first.req.linger = true;
	ask_start(&first, c, m);
	cr_assert(hall_waited(&h, &h.entered, 1));
	hall_let_go(&h, 1); /* where it waits for that */
	cr_assert(ask_wait(&first));
	cr_assert_eq(first.reply.status, CT_OK);
	cr_assert_eq(hall_stats(&h).running, 1, "its handler has returned");
	hall_shut(&h);

	asks = asks_start(c, &hall_hold_method, N, PATIENT_MS);
	expect_refused_now(asks, N, EXCESS);

	expect_ok_after(&h, asks, N, WORKERS + QUEUE);
	ask_fini(&first);
	asks_free(asks, N);
	c = ct_client_free(c);
	cr_assert(hall_stop(&h));
}

Test(rpc_limits, caller_that_has_its_answer_finds_its_place_free)
{
	expect_places_after(&hall_tell_method);
	expect_places_after(&hall_keep_method);
}

Test(rpc_limits, batch_lane_has_its_share_of_workers_and_a_queue_of_its_own)
{
	enum { WORKERS = 4, BATCH = 2, QUEUE = 6, EXCESS = 3 };
	enum { BATCH_N = BATCH + QUEUE + EXCESS, REST_N = WORKERS - BATCH + QUEUE + EXCESS };
	const struct hall_opts o = {
		.server = { .workers = WORKERS, .batch_workers_max = BATCH, .queue_max = QUEUE }
	};
	struct ask *batch, *rest;
	struct ct_client *c;
	struct hall h;

	hall_start(&h, &o);
	c = client_of(&h.rt, hall_url(&h));

	batch = asks_start(c, &hall_hold_batch_method, BATCH_N, PATIENT_MS);
	expect_refused_now(batch, BATCH_N, EXCESS);
	cr_assert(hall_waited(&h, &h.entered, BATCH));
	rest = asks_start(c, &hall_hold_method, REST_N, PATIENT_MS);
	expect_refused_now(rest, REST_N, EXCESS);

	cr_assert(hall_waited(&h, &h.entered, WORKERS));
	cr_assert(hall_settled(&h, pick_queued, QUEUE + QUEUE));
	expect_ok_after(&h, batch, BATCH_N, BATCH + QUEUE);
	hall_let_go(&h, HALL_ALL);
	expect_ok_after(&h, rest, REST_N, WORKERS - BATCH + QUEUE);
	asks_free(batch, BATCH_N);
	asks_free(rest, REST_N);
	c = ct_client_free(c);
	cr_assert(hall_stop(&h));
}

/* ---- any numbers, from several connections --------------------------------------------- */

struct caller {
	struct ct_client *client;
	const struct ct_method *method;
	unsigned n;
	struct ask *asks;
	pthread_t thread;
};

static void *call_many(void *arg)
{
	struct caller *c = arg;

	c->asks = asks_start(c->client, c->method, c->n, PATIENT_MS);
	return NULL;
}

static unsigned ended_of(const struct caller *callers, unsigned callers_n)
{
	unsigned ended = 0;

	for (unsigned i = 0; i < callers_n; i++)
		ended += count_ended(&(struct ended_n){ callers[i].asks, callers[i].n, 0 });
	return ended;
}

struct all_of {
	const struct caller *callers;
	unsigned callers_n, want;
};

static bool all_ended(void *arg)
{
	const struct all_of *a = arg;

	return ended_of(a->callers, a->callers_n) >= a->want;
}

enum { CALLERS_MAX = 4 };

/* Everybody calls at once; `fits` are taken and the rest is refused. */
static void storm(struct hall *h, struct caller *callers, unsigned callers_n, unsigned fits)
{
	unsigned counts[CT_STATUS_N], all = 0, ok = 0, refused;
	struct all_of a = { callers, callers_n, 0 };

	for (unsigned i = 0; i < callers_n; i++)
		CT_CHECK(ct_thread_start(&callers[i].thread, "caller", call_many, &callers[i]) ==
			 CT_OK);
	for (unsigned i = 0; i < callers_n; i++) {
		ct_thread_join(callers[i].thread);
		all += callers[i].n;
	}
	refused = all > fits ? all - fits : 0;
	a.want = refused;
	cr_assert(until(all_ended, &a), "%u refused, not %u", ended_of(callers, callers_n),
		  refused);
	cr_assert(hall_reached(h, pick_received, all));
	cr_assert_eq(ended_of(callers, callers_n), refused);
	hall_let_go(h, HALL_ALL);
	for (unsigned i = 0; i < callers_n; i++) {
		cr_assert(asks_wait(callers[i].asks, callers[i].n, counts));
		ok += counts[CT_OK];
		cr_assert_eq(counts[CT_OK] + counts[CT_RESOURCE_EXHAUSTED], callers[i].n);
		asks_free(callers[i].asks, callers[i].n);
	}
	cr_assert_eq(ok, all - refused);
}

static void round_of(uint64_t *seed)
{
	const bool batch = rnd(seed) % 3 == 0;
	const uint16_t workers = (uint16_t)(1 + rnd(seed) % 5);
	const uint16_t batch_workers = (uint16_t)(1 + rnd(seed) % workers);
	const uint32_t queue = (uint32_t)(1 + rnd(seed) % 16);
	const unsigned callers_n = (unsigned)(1 + rnd(seed) % CALLERS_MAX);
	const struct hall_opts o = { .server = { .workers = workers,
						 .batch_workers_max = batch_workers,
						 .queue_max = queue } };
	struct caller callers[CALLERS_MAX];
	struct hall h;

	hall_start(&h, &o);
	for (unsigned i = 0; i < callers_n; i++)
		callers[i] = (struct caller){
			.client = client_of(&h.rt, hall_url(&h)),
			.method = batch ? &hall_hold_batch_method : &hall_hold_method,
			.n = (unsigned)(rnd(seed) % 24),
		};
	storm(&h, callers, callers_n, queue + (batch ? batch_workers : workers));
	for (unsigned i = 0; i < callers_n; i++)
		callers[i].client = ct_client_free(callers[i].client);
	cr_assert(hall_stop(&h));
}

Test(rpc_limits, admission_is_exact_for_any_workers_queue_and_callers)
{
	uint64_t seed = 20240229;

	for (unsigned i = 0; i < 60; i++)
		round_of(&seed);
}

/* Kept calls take neither worker nor queue, so the limits alone decide. */
static void expect_exact_limit(const struct hall_opts *o, enum ct_refusal why, unsigned limit)
{
	enum { EACH = 40 };
	struct caller callers[CALLERS_MAX];
	struct hall h;

	hall_start(&h, o);
	for (unsigned i = 0; i < CALLERS_MAX; i++)
		callers[i] = (struct caller){ .client = client_of(&h.rt, hall_url(&h)),
					      .method = &hall_keep_method,
					      .n = EACH };
	for (unsigned round = 1; round <= 40; round++) {
		storm(&h, callers, CALLERS_MAX, limit);
		cr_assert(hall_settled(&h, pick_in_flight, 0));
		cr_assert(hall_settled(&h, pick_running, 0));
		cr_assert_eq(hall_stats(&h).refused_by[why], round * (CALLERS_MAX * EACH - limit));
		hall_shut(&h);
	}
	cr_assert_eq(h.most_inside, limit);
	for (unsigned i = 0; i < CALLERS_MAX; i++)
		callers[i].client = ct_client_free(callers[i].client);
	cr_assert(hall_stop(&h));
}

Test(rpc_limits, method_limit_is_exact_with_callers_on_several_connections)
{
	const struct hall_opts o = { .server = { .method_calls_max = 20, .queue_max = 500 } };

	expect_exact_limit(&o, CT_REFUSAL_METHOD_LIMIT, 20);
}

Test(rpc_limits, call_limit_is_exact_with_callers_on_several_connections)
{
	const struct hall_opts o = { .server = { .calls_max = 30, .queue_max = 500 } };

	expect_exact_limit(&o, CT_REFUSAL_METHOD_LIMIT, 30); /* no limit of its own: the same */
}

Test(rpc_limits, connection_at_its_limit_leaves_the_others_alone)
{
	enum { LIMIT = 4, EXCESS = 2 };
	const struct hall_opts o = { .server = { .connection_calls_max = LIMIT } };
	struct ct_client *greedy, *other;
	struct ask *asks, *others, a;
	struct hall h;

	hall_start(&h, &o);
	greedy = client_of(&h.rt, hall_url(&h));
	other = client_of(&h.rt, hall_url(&h));

	for (unsigned round = 1; round <= 3; round++) {
		asks = asks_start(greedy, &hall_keep_method, LIMIT + EXCESS, PATIENT_MS);
		expect_refused_now(asks, LIMIT + EXCESS, EXCESS);
		ask_init(&a, PATIENT_MS);
		cr_assert_eq(ask_now(&a, greedy, &hall_tell_inline_method), CT_RESOURCE_EXHAUSTED);
		ask_fini(&a);
		others = asks_start(other, &hall_keep_method, LIMIT, PATIENT_MS);
		cr_assert(hall_settled(&h, pick_in_flight, LIMIT + LIMIT));
		cr_assert_eq(hall_stats(&h).refused_by[CT_REFUSAL_CALL_LIMIT],
			     round * (EXCESS + 1));
		expect_ok_after(&h, asks, LIMIT + EXCESS, LIMIT);
		hall_let_go(&h, HALL_ALL);
		expect_ok_after(&h, others, LIMIT, LIMIT);
		asks_free(asks, LIMIT + EXCESS);
		asks_free(others, LIMIT);
	}

	greedy = ct_client_free(greedy);
	other = ct_client_free(other);
	cr_assert(hall_stop(&h));
}

Test(rpc_limits, kept_inline_calls_have_places_of_their_own)
{
	enum { LIMIT = 256, INLINE = LIMIT / 8, EXCESS = 5, REST = 200 };
	const struct hall_opts o = { .server = { .calls_max = LIMIT, .queue_max = LIMIT } };
	struct ask *kept, *rest, a;
	struct ct_client *c;
	struct hall h;

	hall_start(&h, &o);
	c = client_of(&h.rt, hall_url(&h));

	kept = asks_start(c, &hall_keep_inline_method, INLINE + EXCESS, PATIENT_MS);
	expect_refused_now(kept, INLINE + EXCESS, EXCESS);
	cr_assert_eq(hall_stats(&h).refused_by[CT_REFUSAL_CALL_LIMIT], EXCESS);
	rest = asks_start(c, &hall_keep_method, REST, PATIENT_MS);
	cr_assert(hall_settled(&h, pick_in_flight, INLINE + REST));
	ask_init(&a, PATIENT_MS);
	cr_assert_eq(ask_now(&a, c, &hall_tell_method), CT_OK);

	cr_assert_eq(hall_stats(&h).refused_by[CT_REFUSAL_CALL_LIMIT], EXCESS);
	ask_fini(&a);
	expect_ok_after(&h, kept, INLINE + EXCESS, INLINE);
	hall_let_go(&h, HALL_ALL);
	expect_ok_after(&h, rest, REST, REST);
	asks_free(kept, INLINE + EXCESS);
	asks_free(rest, REST);
	c = ct_client_free(c);
	cr_assert(hall_stop(&h));
}

Test(rpc_limits, few_calls_at_once_leave_sixteen_places_for_inline_ones)
{
	enum { LIMIT = 2, INLINE = 16, EXCESS = 3 };
	const struct hall_opts o = { .server = { .calls_max = LIMIT, .method_calls_max = 100 } };
	struct ask *kept, *rest;
	struct ct_client *c;
	struct hall h;

	hall_start(&h, &o);
	c = client_of(&h.rt, hall_url(&h));

	kept = asks_start(c, &hall_keep_inline_method, INLINE + EXCESS, PATIENT_MS);
	expect_refused_now(kept, INLINE + EXCESS, EXCESS);
	rest = asks_start(c, &hall_keep_method, LIMIT + EXCESS, PATIENT_MS);
	expect_refused_now(rest, LIMIT + EXCESS, EXCESS);

	expect_ok_after(&h, kept, INLINE + EXCESS, INLINE);
	hall_let_go(&h, HALL_ALL);
	expect_ok_after(&h, rest, LIMIT + EXCESS, LIMIT);
	asks_free(kept, INLINE + EXCESS);
	asks_free(rest, LIMIT + EXCESS);
	c = ct_client_free(c);
	cr_assert(hall_stop(&h));
}

Test(rpc_limits, method_at_its_limit_leaves_the_others_alone)
{
	enum { LIMIT = 4 };
	const struct hall_opts o = { .server = { .method_calls_max = LIMIT } };
	struct ct_client *c;
	struct ask *asks, a;
	struct hall h;

	hall_start(&h, &o);
	c = client_of(&h.rt, hall_url(&h));
	asks = asks_start(c, &hall_keep_method, LIMIT + 1, PATIENT_MS);
	expect_refused_now(asks, LIMIT + 1, 1);

	ask_init(&a, PATIENT_MS);
	cr_assert_eq(ask_now(&a, c, &hall_tell_method), CT_OK);

	cr_assert_eq(hall_stats(&h).refused_by[CT_REFUSAL_METHOD_LIMIT], 1);
	ask_fini(&a);
	expect_ok_after(&h, asks, LIMIT + 1, LIMIT);
	asks_free(asks, LIMIT + 1);
	c = ct_client_free(c);
	cr_assert(hall_stop(&h));
}

Test(rpc_limits, server_at_its_call_limit_refuses_any_method)
{
	enum { LIMIT = 6, METHOD = 4 };
	const struct hall_opts o = { .server = { .calls_max = LIMIT, .method_calls_max = METHOD } };
	struct ask *kept, *held, a;
	struct ct_client *c;
	struct hall h;

	hall_start(&h, &o);
	c = client_of(&h.rt, hall_url(&h));
	kept = asks_start(c, &hall_keep_method, METHOD, PATIENT_MS);
	held = asks_start(c, &hall_hold_method, LIMIT - METHOD, PATIENT_MS);
	cr_assert(hall_settled(&h, pick_in_flight, LIMIT));

	ask_init(&a, PATIENT_MS);
	cr_assert_eq(ask_now(&a, c, &hall_tell_method), CT_RESOURCE_EXHAUSTED);

	cr_assert(a.reply.not_processed);
	cr_assert_eq(hall_stats(&h).refused_by[CT_REFUSAL_CALL_LIMIT], 1);
	ask_fini(&a);
	expect_ok_after(&h, kept, METHOD, METHOD);
	hall_let_go(&h, HALL_ALL);
	expect_ok_after(&h, held, LIMIT - METHOD, LIMIT - METHOD);
	asks_free(kept, METHOD);
	asks_free(held, LIMIT - METHOD);
	c = ct_client_free(c);
	cr_assert(hall_stop(&h));
}
