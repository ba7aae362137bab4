/* SPDX-License-Identifier: Apache-2.0 */
/* One of two servers drains: its callers must hardly notice. */
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"

#include <criterion/criterion.h>

TestSuite(rpc_draining, .fini = leak_check, .timeout = 60);

enum { PATIENT_MS = 20000, CALLS = 500, DRAIN_MS = 60000 };

struct scene {
	struct hall leaving, staying;
	struct ct_runtime rt;
	struct ct_client *c;
	struct ask held; /* keeps the drain from ending */
};

static bool both_are_ready(void *arg)
{
	const struct scene *s = arg;

	return client_stats(s->c).ready == 2;
}

static bool leaving_has_it(void *arg)
{
	struct scene *s = arg;

	return hall_get(&s->leaving, &s->leaving.entered) == 1;
}

/* A call is held by `leaving`, which then drains. */
static void set_up(struct scene *s)
{
	const struct ct_runtime_opts ro = { .service = "test" };
	const struct hall_opts ho = { .server = { .drain_ms = DRAIN_MS } };
	struct ct_client *direct;

	hall_start(&s->leaving, &ho);
	hall_start(&s->staying, &ho);
	cr_assert_eq(ct_runtime_init(&s->rt, &ro), CT_OK);
	{
		const char *urls[] = { hall_url(&s->leaving), hall_url(&s->staying) };
		const struct ct_client_opts co = {
			.rt = &s->rt, .peer = "hall", .urls = urls, .urls_n = 2
		};

		s->c = client_with(&co);
	}
	cr_assert(until(both_are_ready, s));
	direct = client_of(&s->rt, hall_url(&s->leaving));
	ask_init(&s->held, PATIENT_MS);
	ask_start(&s->held, direct, &hall_hold_method);
	cr_assert(until(leaving_has_it, s));
	ct_server_drain(s->leaving.server);
	hall_let_go(&s->staying, HALL_ALL);

	/* everything below happens while it is held */
	for (int i = 0; i < CALLS; i++) {
		struct ask a;

		ask_init(&a, PATIENT_MS);
		cr_assert_eq(ask_now(&a, s->c, &hall_tell_method), CT_OK, "call %d: %s", i,
			     a.reply.message);
		ask_fini(&a);
	}

	hall_let_go(&s->leaving, HALL_ALL);
	cr_assert(ask_wait(&s->held));
	cr_assert_eq(s->held.reply.status, CT_OK, "a drain lets running calls end");
	ask_fini(&s->held);
	direct = ct_client_free(direct);
}

Test(rpc_draining, no_call_fails_and_the_draining_server_is_asked_once)
{
	struct scene s;
	struct ct_server_stats st;

	set_up(&s);

	st = hall_stats(&s.leaving);
	cr_assert_leq(st.refused_by[CT_REFUSAL_DRAINING], 1, "%lu",
		      (unsigned long)st.refused_by[CT_REFUSAL_DRAINING]);
	cr_assert_eq(client_stats(s.c).retries_refused, 0, "moving on costs no budget");
	cr_assert(client_adds_up(s.c));

	s.c = ct_client_free(s.c);
	ct_runtime_fini(&s.rt);
	cr_assert(hall_stop(&s.leaving));
	cr_assert(hall_stop(&s.staying));
}
