/* SPDX-License-Identifier: Apache-2.0 */
/* What a thread starts between cork and uncork leaves together, and nothing of it is
 * left behind. */
#include "conc/thread.h"
#include "rpc/cork.h"
#include "tests/component/client_scene.h"

TestSuite(rpc_cork, .fini = leak_check, .timeout = 60);

enum { CALLS = 12, CONNECTIONS = 12, PROBES_MAX = 1000 };

static uint64_t sends(const struct ct_runtime *rt)
{
	struct ct_net_stats stats;

	ct_net_stats(rt->net, &stats);
	return stats.sends;
}

/* ---- to a peer that says nothing, while time stands still --------------------------------- */

struct silent {
	struct scene base;
	struct ask probes[PROBES_MAX], asks[CALLS];
	int probes_n;
	uint64_t before; /* sends */
};

static bool leaves_at_once(struct silent *s, struct ask *a)
{
	const uint64_t before = sends(&s->base.rt);

	fake_clock_step_ms(&s->base.clock, 1); /* not in a burst */
	ask_init(a, PATIENT_MS);
	ask_start(a, s->base.c, &hall_tell_method);
	return sends(&s->base.rt) > before;
}

/* Once what the peer's handshake brought is dealt with, a call leaves as it starts. */
static struct silent *set_up_silent(void)
{
	struct silent *s = calloc(1, sizeof(*s));

	cr_assert_not_null(s);
	set_up_joined_by(&s->base, true);
	do
		cr_assert_lt(s->probes_n, PROBES_MAX);
	while (!leaves_at_once(s, &s->probes[s->probes_n++]));
	for (int i = 0; i < CALLS; i++)
		ask_init(&s->asks[i], PATIENT_MS);
	fake_clock_step_ms(&s->base.clock, 1);
	s->before = sends(&s->base.rt);
	return s;
}

static void start_all(struct silent *s)
{
	for (int i = 0; i < CALLS; i++)
		ask_start(&s->asks[i], s->base.c, &hall_tell_method);
}

/* All of them expire. */
static void tear_down_silent(struct silent *s)
{
	pass_ms(&s->base, PATIENT_MS);
	for (int i = 0; i < s->probes_n; i++) {
		cr_assert(ask_wait(&s->probes[i]));
		ask_fini(&s->probes[i]);
	}
	for (int i = 0; i < CALLS; i++) {
		cr_assert(ask_wait(&s->asks[i]));
		ask_fini(&s->asks[i]);
	}
	tear_down(&s->base);
	free(s);
}

static void expect_calls_at_peer(struct silent *s, int n)
{
	struct raw_msg m;

	for (int i = 0; i < n; i++)
		cr_assert(raw_receive(&s->base.peer, &m), "call %d was left behind", i);
}

Test(rpc_cork, calls_that_were_started_together_leave_in_one_send)
{
	struct silent *s = set_up_silent();

	ct_cork_calls();
	start_all(s);
	cr_assert_eq(sends(&s->base.rt), s->before, "none may leave yet");
	ct_uncork_calls();

	expect_calls_at_peer(s, s->probes_n + CALLS);
	cr_assert_eq(sends(&s->base.rt), s->before + 1);
	tear_down_silent(s);
}

Test(rpc_cork, the_last_uncork_counts)
{
	struct silent *s = set_up_silent();

	ct_cork_calls();
	ct_cork_calls();
	start_all(s);
	ct_uncork_calls();
	cr_assert_eq(sends(&s->base.rt), s->before);
	ct_uncork_calls();

	expect_calls_at_peer(s, s->probes_n + CALLS);
	tear_down_silent(s);
}

Test(rpc_cork, what_has_waited_goes_with_the_next_call)
{
	struct silent *s = set_up_silent();

	ct_cork_calls();
	start_all(s);
	cr_assert_eq(sends(&s->base.rt), s->before);
	fake_clock_step_ms(&s->base.clock, 1);
	ask_start(&s->base.a, s->base.c, &hall_tell_method);

	expect_calls_at_peer(s, s->probes_n + CALLS + 1); /* still corked */
	ct_uncork_calls();
	pass_ms(&s->base, PATIENT_MS);
	cr_assert(ask_wait(&s->base.a));
	tear_down_silent(s);
}

/* ---- to a hall that answers ----------------------------------------------------------------- */

struct corked {
	struct hall h;
	struct ct_runtime rt;
	struct ct_client *c;
	struct ask asks[CALLS];
};

static void set_up_corked(struct corked *s, uint16_t connections)
{
	const struct hall_opts o = { .listen = NULL };
	const char *urls[1];

	s->rt = (struct ct_runtime){ .service = "test" };
	cr_assert_eq(ct_timers_new(NULL, &s->rt.timers), CT_OK);
	cr_assert_eq(ct_net_new(&(struct ct_net_opts){ .timers = s->rt.timers }, &s->rt.net),
		     CT_OK);
	hall_start(&s->h, &o);
	urls[0] = hall_url(&s->h);
	s->c = client_with(&(struct ct_client_opts){ .rt = &s->rt,
						     .peer = "peer",
						     .urls = urls,
						     .urls_n = 1,
						     .attempts_max = 1,
						     .connections = connections });
	while (client_stats(s->c).ready < connections)
		client_wait_ready(s->c, &s->rt);
	for (int i = 0; i < CALLS; i++)
		ask_init(&s->asks[i], PATIENT_MS);
}

static void start(struct corked *s, int from, int to)
{
	for (int i = from; i < to; i++)
		ask_start(&s->asks[i], s->c, &hall_tell_method);
}

static void expect_answers(struct corked *s, int from, int to)
{
	for (int i = from; i < to; i++) {
		cr_assert(ask_wait(&s->asks[i]), "call %d was left behind", i);
		cr_assert_eq(s->asks[i].reply.status, CT_OK, "%s", s->asks[i].reply.message);
	}
}

static void tear_down_corked(struct corked *s)
{
	s->c = ct_client_free(s->c);
	for (int i = 0; i < CALLS; i++)
		ask_fini(&s->asks[i]);
	cr_assert(hall_stop(&s->h));
	ct_runtime_fini(&s->rt);
}

Test(rpc_cork, more_connections_than_a_thread_holds_back_lose_nothing)
{
	struct corked s;

	set_up_corked(&s, CONNECTIONS);

	ct_cork_calls();
	start(&s, 0, CALLS);
	ct_uncork_calls();

	expect_answers(&s, 0, CALLS);
	tear_down_corked(&s);
}

Test(rpc_cork, a_stub_that_waits_uncorks_first)
{
	struct corked s;
	Hall__V1__Ask req = HALL__V1__ASK__INIT;
	struct ct_reply reply;

	set_up_corked(&s, 1);
	ct_reply_init(&reply);

	ct_cork_calls();
	start(&s, 0, 2);
	cr_assert_eq(ct_client_call(s.c, NULL, &hall_tell_method, &req.base,
				    &(struct ct_call_opts){ .timeout_ms = PATIENT_MS }, &reply),
		     CT_OK, "%s", reply.message);
	expect_answers(&s, 0, 2);
	ct_uncork_calls();

	ct_reply_fini(&reply);
	tear_down_corked(&s);
}

static void *start_two(void *scene)
{
	start(scene, 0, 2);
	return NULL;
}

Test(rpc_cork, calls_of_other_threads_are_not_held_back)
{
	struct corked s;
	pthread_t t;

	set_up_corked(&s, 1);

	ct_cork_calls();
	cr_assert_eq(ct_thread_start(&t, "starter", start_two, &s), CT_OK);
	ct_thread_join(t);
	expect_answers(&s, 0, 2);
	ct_uncork_calls();

	tear_down_corked(&s);
}
