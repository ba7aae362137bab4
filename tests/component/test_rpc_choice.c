/* SPDX-License-Identifier: Apache-2.0 */
/* Which of two servers a call goes to after one of them has refused some. By a clock that
 * the test turns. */
#include "tests/lib/fake_clock.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"

#include <criterion/criterion.h>

TestSuite(rpc_choice, .fini = leak_check, .timeout = 60);

enum { PATIENT_MS = 20000, ASKS = 40 };

/* Two halls, of which the first is full. */
struct scene {
	struct fake_clock clock;
	struct hall full, idle;
	struct ct_client *c, *other; /* of both; of the full one alone */
	struct ask busy[2];          /* one runs, one waits */
};

static bool both_are_ready(void *arg)
{
	struct scene *s = arg;

	return client_stats(s->c).ready == 2;
}

static void set_up(struct scene *s)
{
	const struct hall_opts ho = { .server = { .workers = 1, .queue_max = 1 },
				      .clock = &s->clock.clk };

	fake_clock_init(&s->clock);
	hall_start(&s->full, &ho);
	hall_start(&s->idle, &ho);
	s->c = client_with(&(struct ct_client_opts){
		.rt = &s->full.rt,
		.peer = "hall",
		.urls = (const char *[]){ hall_url(&s->full), hall_url(&s->idle) },
		.urls_n = 2,
		.attempts_max = 1 });
	s->other = client_of(&s->full.rt, hall_url(&s->full));
	cr_assert(until(both_are_ready, s));
	for (unsigned i = 0; i < 2; i++) {
		ask_init(&s->busy[i], PATIENT_MS);
		ask_start(&s->busy[i], s->other, &hall_hold_method);
	}
	cr_assert(hall_settled(&s->full, pick_running, 1));
	cr_assert(hall_settled(&s->full, pick_queued, 1));
}

static void let_go(struct scene *s)
{
	hall_let_go(&s->full, HALL_ALL);
	for (unsigned i = 0; i < 2; i++)
		cr_assert(ask_wait(&s->busy[i]));
}

static void tear_down(struct scene *s)
{
	for (unsigned i = 0; i < 2; i++)
		ask_fini(&s->busy[i]);
	cr_assert(client_adds_up(s->c));
	s->c = ct_client_free(s->c);
	s->other = ct_client_free(s->other);
	cr_assert(hall_stop(&s->idle), "the accounting identity does not hold");
	cr_assert(hall_stop(&s->full), "the accounting identity does not hold"); /* its threads */
}

static ct_status tell(struct scene *s)
{
	struct ask a;
	ct_status st;

	ask_init(&a, PATIENT_MS);
	st = ask_now(&a, s->c, &hall_tell_method);
	ask_fini(&a);
	return st;
}

/* How many of ASKS calls, one after the other, come to the first hall. */
static uint64_t share_of_first(struct scene *s)
{
	const uint64_t before = hall_stats(&s->full).calls.received;

	for (unsigned i = 0; i < ASKS; i++)
		cr_assert_eq(tell(s), CT_OK);
	return hall_stats(&s->full).calls.received - before;
}

Test(rpc_choice, server_that_refused_is_spared_and_asked_again_after_a_while)
{
	unsigned asked = 0;
	struct scene s;

	set_up(&s);
	while (asked++ < ASKS && tell(&s) == CT_OK)
		;
	cr_assert_lt(asked, ASKS, "of two that do nothing either is asked");

	cr_assert_eq(share_of_first(&s), 0, "the other one does nothing");

	let_go(&s);
	fake_clock_step_ms(&s.clock, 1000);
	ct_timers_poke(s.full.rt.timers); /* also the clients' */
	ct_timers_poke(s.idle.rt.timers);
	cr_assert_gt(share_of_first(&s), 0, "although it gave no answer meanwhile");
	tear_down(&s);
}
