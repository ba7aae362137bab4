/* SPDX-License-Identifier: Apache-2.0 */
/* When a call is made again, where, after how long, and when that stops. */
#include "base/check.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(rpc_retry, .fini = leak_check, .timeout = 60);

enum { PATIENT_MS = 20000, HALLS_MAX = 3, SOON_US = 5000000 };

struct scene {
	struct hall halls[HALLS_MAX];
	unsigned halls_n;
	struct ct_runtime rt;
	struct ct_client *c;
};

/* One client of some halls, and of one address more where nobody is. */
static void set_up(struct scene *s, unsigned halls_n, const struct hall_opts *opts,
		   const char *dead, struct ct_client_opts co)
{
	const struct ct_runtime_opts ro = { .service = "test",
					    .net = { .backoff_min_ms = 5, .backoff_max_ms = 20 } };
	const char *urls[HALLS_MAX + 1];
	size_t n = 0;

	s->halls_n = halls_n;
	for (unsigned i = 0; i < halls_n; i++) {
		hall_start(&s->halls[i], opts);
		urls[n++] = hall_url(&s->halls[i]);
	}
	if (dead != NULL)
		urls[n++] = dead;
	cr_assert_eq(ct_runtime_init(&s->rt, &ro), CT_OK);
	co.rt = &s->rt;
	co.peer = "hall";
	co.urls = urls;
	co.urls_n = n;
	s->c = client_with(&co);
	client_wait_ready(s->c, &s->rt);
}

static bool all_are_ready(void *arg)
{
	struct scene *s = arg;

	return client_stats(s->c).ready == s->halls_n;
}

static void tear_down(struct scene *s)
{
	cr_assert(client_adds_up(s->c));
	s->c = ct_client_free(s->c);
	ct_runtime_fini(&s->rt);
	for (unsigned i = 0; i < s->halls_n; i++)
		cr_assert(hall_stop(&s->halls[i]), "the accounting identity does not hold");
}

/* ---- whether --------------------------------------------------------------------------------- */

/* A handler that fails so for the first calls; how often it was called in the end. */
static void expect_attempts(const struct ct_method *m, ct_status st, unsigned fail_first,
			    bool no_retry, unsigned attempts, ct_status end)
{
	struct scene s;
	struct ask a;

	set_up(&s, 1, NULL, NULL, (struct ct_client_opts){ .attempts_max = 3 });
	ask_init(&a, PATIENT_MS);
	a.req.code = st;
	a.req.fail_first = fail_first;
	a.req.no_retry = no_retry;

	cr_assert_eq(ask_now(&a, s.c, m), end, "%s", ct_status_name(a.reply.status));

	cr_assert_eq(a.reply.attempts, attempts);
	cr_assert_eq(hall_stats(&s.halls[0]).calls.received, attempts);
	cr_assert_eq(client_stats(s.c).attempts, attempts);
	cr_assert_eq(client_stats(s.c).retries, attempts - 1);
	ask_fini(&a);
	tear_down(&s);
}

Test(rpc_retry, idempotent_call_that_meets_unavailable_is_made_again)
{
	expect_attempts(&hall_tell_again_method, CT_UNAVAILABLE, 2, false, 3, CT_OK);
}

Test(rpc_retry, attempts_max_is_the_most)
{
	expect_attempts(&hall_tell_again_method, CT_UNAVAILABLE, 9, false, 3, CT_UNAVAILABLE);
}

Test(rpc_retry, call_that_may_have_had_an_effect_is_not_made_again)
{
	expect_attempts(&hall_tell_method, CT_UNAVAILABLE, 1, false, 1, CT_UNAVAILABLE);
}

Test(rpc_retry, server_that_asks_for_no_retry_gets_none)
{
	expect_attempts(&hall_tell_again_method, CT_UNAVAILABLE, 1, true, 1, CT_UNAVAILABLE);
}

Test(rpc_retry, no_other_error_of_a_handler_is_worth_a_retry)
{
	for (unsigned code = 1; code < CT_STATUS_N; code++)
		if (code != CT_UNAVAILABLE)
			expect_attempts(&hall_tell_again_method, (ct_status)code, 1, false, 1,
					(ct_status)code);
}

Test(rpc_retry, refused_call_is_made_again_though_it_is_not_idempotent)
{
	enum { BUSY = 2 };
	const struct hall_opts o = {
		.server = { .workers = 1, .queue_max = 1, .retry_after_ms = 500 }
	};
	struct ask *busy, a;
	unsigned counts[CT_STATUS_N];
	struct scene s;

	set_up(&s, 1, &o, NULL, (struct ct_client_opts){ .attempts_max = 10 });
	busy = asks_start(s.c, &hall_hold_method, BUSY, PATIENT_MS);
	cr_assert(hall_settled(&s.halls[0], pick_queued, 1));
	ask_init(&a, PATIENT_MS);
	ask_start(&a, s.c, &hall_tell_method);
	cr_assert(hall_reached(&s.halls[0], pick_received, BUSY + 2)); /* refused twice */

	hall_let_go(&s.halls[0], HALL_ALL);

	cr_assert(ask_wait(&a));
	cr_assert_eq(a.reply.status, CT_OK);
	cr_assert_geq(a.reply.attempts, 3);
	cr_assert(asks_wait(busy, BUSY, counts));
	ask_fini(&a);
	asks_free(busy, BUSY);
	tear_down(&s);
}

/* ---- when -------------------------------------------------------------------------------- */

Test(rpc_retry, backoff_is_at_least_the_servers_hint)
{
	struct scene s;
	struct ask a;

	set_up(&s, 1, NULL, NULL, (struct ct_client_opts){ .attempts_max = 2 });
	ask_init(&a, PATIENT_MS);
	a.req.code = CT_UNAVAILABLE;
	a.req.fail_first = 1;
	a.req.retry_after_ms = 250;

	cr_assert_eq(ask_now(&a, s.c, &hall_tell_again_method), CT_OK);

	cr_assert_geq(a.reply.elapsed_us, 250000);
	ask_fini(&a);
	tear_down(&s);
}

Test(rpc_retry, backoff_doubles)
{
	struct scene s;
	struct ask a;

	set_up(&s, 1, NULL, NULL,
	       (struct ct_client_opts){ .attempts_max = 4, .retry_backoff_ms = 40 });
	ask_init(&a, PATIENT_MS);
	a.req.code = CT_UNAVAILABLE;
	a.req.fail_first = 3;

	cr_assert_eq(ask_now(&a, s.c, &hall_tell_again_method), CT_OK);

	cr_assert_geq(a.reply.elapsed_us, (40 + 80 + 160) * 800); /* less 20 % */
	ask_fini(&a);
	tear_down(&s);
}

Test(rpc_retry, budget_stops_a_storm_of_retries)
{
	enum { CALLS = 400, TENTH = CALLS / 10, BURST = 10 };
	struct ct_client_stats st;
	unsigned counts[CT_STATUS_N];
	struct ask *asks;
	struct scene s;
	const struct hall_opts o = { .server = { .queue_max = 2 * CALLS } };

	set_up(&s, 1, &o, NULL,
	       (struct ct_client_opts){ .attempts_max = 3, .retry_backoff_ms = 1 });
	asks = calloc(CALLS, sizeof(*asks));
	cr_assert_not_null(asks);
	for (unsigned i = 0; i < CALLS; i++) {
		ask_init(&asks[i], PATIENT_MS);
		asks[i].req.code = CT_UNAVAILABLE;
		ask_start(&asks[i], s.c, &hall_tell_again_method);
	}

	cr_assert(asks_wait(asks, CALLS, counts));

	st = client_stats(s.c);
	cr_assert_eq(counts[CT_UNAVAILABLE], CALLS);
	cr_assert_eq(st.attempts, CALLS + st.retries);
	cr_assert_leq(st.retries, TENTH + BURST);
	cr_assert_gt(st.retries_refused, CALLS / 2);
	cr_assert_eq(hall_stats(&s.halls[0]).calls.received, st.attempts);
	asks_free(asks, CALLS);
	tear_down(&s);
}

Test(rpc_retry, budget_is_earned_again_by_successes)
{
	enum { FAILURES = 30, SUCCESSES = 120 };
	unsigned last = 0;
	struct scene s;
	struct ask a;

	set_up(&s, 1, NULL, NULL,
	       (struct ct_client_opts){ .attempts_max = 2, .retry_backoff_ms = 1 });
	for (unsigned i = 0; i < FAILURES; i++) {
		ask_init(&a, PATIENT_MS);
		a.req.code = CT_UNAVAILABLE;
		cr_assert_eq(ask_now(&a, s.c, &hall_tell_again_method), CT_UNAVAILABLE);
		last = a.reply.attempts;
		ask_fini(&a);
	}
	cr_assert_eq(last, 1, "it was not used up");
	for (unsigned i = 0; i < SUCCESSES; i++) {
		ask_init(&a, PATIENT_MS);
		cr_assert_eq(ask_now(&a, s.c, &hall_tell_method), CT_OK);
		ask_fini(&a);
	}

	ask_init(&a, PATIENT_MS);
	a.req.code = CT_UNAVAILABLE;
	cr_assert_eq(ask_now(&a, s.c, &hall_tell_again_method), CT_UNAVAILABLE);

	cr_assert_eq(a.reply.attempts, 2);
	ask_fini(&a);
	tear_down(&s);
}

/* ---- where ------------------------------------------------------------------------------- */

Test(rpc_retry, call_that_a_draining_server_refuses_goes_to_another_at_once)
{
	enum { CALLS = 200 /* it is chosen among these, but for a chance of 2^-200 */ };
	unsigned again = 0;
	struct scene s;
	struct ask a;

	set_up(&s, 2, NULL, NULL, (struct ct_client_opts){ .attempts_max = 2 });
	cr_assert(until(all_are_ready, &s));
	ct_server_drain(s.halls[0].server); /* refuses from now on, but stays connected */

	for (int i = 0; i < CALLS; i++) {
		ask_init(&a, PATIENT_MS);
		cr_assert_eq(ask_now(&a, s.c, &hall_tell_method), CT_OK, "%s", a.reply.message);
		cr_assert_str_eq(a.reply.peer, hall_url(&s.halls[1]));
		again += a.reply.attempts - 1U;
		ask_fini(&a);
	}

	cr_assert_eq(again, 1, "and is left alone then");
	cr_assert_eq(hall_stats(&s.halls[0]).refused_by[CT_REFUSAL_DRAINING], 1);
	tear_down(&s);
}

Test(rpc_retry, dead_endpoint_among_living_ones_costs_no_call)
{
	enum { CALLS = 100 };
	char dir[] = "/tmp/ct-retry-XXXXXX", dead[64];
	unsigned counts[CT_STATUS_N];
	struct ask *asks;
	struct scene s;

	cr_assert_not_null(mkdtemp(dir));
	(void)snprintf(dead, sizeof(dead), "ipc://%s/nobody", dir);
	set_up(&s, 2, &(struct hall_opts){ .server = { .queue_max = CALLS } }, dead,
	       (struct ct_client_opts){ .attempts_max = 1 });
	cr_assert(until(all_are_ready, &s));

	asks = asks_start(s.c, &hall_tell_method, CALLS, PATIENT_MS);

	cr_assert(asks_wait(asks, CALLS, counts));
	cr_assert_eq(counts[CT_OK], CALLS);
	cr_assert_gt(hall_stats(&s.halls[0]).calls.ok, 0);
	cr_assert_gt(hall_stats(&s.halls[1]).calls.ok, 0);
	asks_free(asks, CALLS);
	tear_down(&s);
	cr_assert_eq(rmdir(dir), 0);
}

Test(rpc_retry, calls_go_to_the_less_loaded_of_two)
{
	enum { CALLS = 40, HELD = 20 };
	unsigned counts[CT_STATUS_N];
	struct ask *asks;
	uint64_t a, b;
	struct scene s;

	set_up(&s, 2, NULL, NULL, (struct ct_client_opts){ .attempts_max = 1 });
	cr_assert(until(all_are_ready, &s));

	asks = asks_start(s.c, &hall_hold_method, CALLS, PATIENT_MS);
	cr_assert(hall_reached(&s.halls[0], pick_received, HELD));
	cr_assert(hall_reached(&s.halls[1], pick_received, HELD));

	a = hall_stats(&s.halls[0]).calls.received;
	b = hall_stats(&s.halls[1]).calls.received;
	cr_assert_eq(a + b, CALLS);
	cr_assert_eq(a, b, "two ready ones, so both are always looked at");
	hall_let_go(&s.halls[0], HALL_ALL);
	hall_let_go(&s.halls[1], HALL_ALL);
	cr_assert(asks_wait(asks, CALLS, counts));
	cr_assert_eq(counts[CT_OK], CALLS);
	asks_free(asks, CALLS);
	tear_down(&s);
}

Test(rpc_retry, name_stands_for_all_its_addresses)
{
	const struct hall_opts o = { .listen = "tcp://127.0.0.1:0" };
	struct ct_client *c;
	struct hall h;
	char url[64];
	struct ask a;

	hall_start(&h, &o);
	(void)snprintf(url, sizeof(url), "tcp://localhost%s", strrchr(hall_url(&h), ':'));
	c = client_with(&(struct ct_client_opts){ .rt = &h.rt,
						  .peer = "hall",
						  .urls = (const char *[]){ url },
						  .urls_n = 1,
						  .attempts_max = 1 });

	for (unsigned i = 0; i < 20; i++) { /* whatever else the name has, is passed over */
		ask_init(&a, PATIENT_MS);
		cr_assert_eq(ask_now(&a, c, &hall_tell_method), CT_OK);
		ask_fini(&a);
	}

	cr_assert_eq(client_stats(c).ready, 1);
	c = ct_client_free(c);
	cr_assert(hall_stop(&h));
}

Test(rpc_retry, several_connections_to_one_address_share_the_calls)
{
	enum { CONNECTIONS = 4, CALLS = 40 };
	unsigned counts[CT_STATUS_N];
	struct ask *asks;
	struct scene s;

	set_up(&s, 1, NULL, NULL, (struct ct_client_opts){ .connections = CONNECTIONS });
	cr_assert(hall_settled(&s.halls[0], pick_connections, CONNECTIONS));

	asks = asks_start(s.c, &hall_tell_method, CALLS, PATIENT_MS);

	cr_assert(asks_wait(asks, CALLS, counts));
	cr_assert_eq(counts[CT_OK], CALLS);
	asks_free(asks, CALLS);
	tear_down(&s);
}

Test(rpc_retry, server_that_comes_back_at_its_address_is_found_again)
{
	enum { ROUNDS = 10 };
	char dir[] = "/tmp/ct-retry-XXXXXX", url[64];
	struct ct_runtime_opts ro = { .service = "test",
				      .net = { .backoff_min_ms = 5, .backoff_max_ms = 20 } };
	struct hall_opts o = { .listen = url };
	struct ct_client *c = NULL;
	struct ct_runtime rt;
	struct hall h;
	struct ask a;

	cr_assert_not_null(mkdtemp(dir));
	(void)snprintf(url, sizeof(url), "ipc://%s/s", dir);
	cr_assert_eq(ct_runtime_init(&rt, &ro), CT_OK);
	c = client_with(&(struct ct_client_opts){ .rt = &rt,
						  .peer = "hall",
						  .urls = (const char *[]){ url },
						  .urls_n = 1,
						  .wait = CT_WAIT_READY });
	for (unsigned i = 0; i < ROUNDS; i++) {
		hall_start(&h, &o);
		ask_init(&a, PATIENT_MS);
		cr_assert_eq(ask_now(&a, c, &hall_tell_again_method), CT_OK, "%s", a.reply.message);
		ask_fini(&a);
		cr_assert(hall_stop(&h));
	}
	c = ct_client_free(c);
	ct_runtime_fini(&rt);
	cr_assert_eq(rmdir(dir), 0);
}
