/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers that stop under fire and clients that are freed while they connect, so
 * often that each step of one meets each step of the other. A plain program, for the
 * thread sanitizer. Calls have long deadlines: one that is left behind is seen.
 */
#include "base/check.h"
#include "conc/thread.h"
#include "rpc/client.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/tally.h"

#include "ct/v1/health.ct.h"

#include <stdio.h>
#include <string.h>

enum {
	CALLERS = 3,
	BURST = 16, /* calls of one caller at once */
	BURSTS_MAX = 400,
	STOPS = 300,
	FREES = 400,
	PATIENT_MS = 120000,
	JOIN_MS = 20000,
};

static struct {
	struct hall h;
	char url[128];
	atomic_uint slow_joins, wrong_accounts, unended, calls;
} all;

/* ---- a server stops under fire ------------------------------------------------------------ */

struct caller {
	pthread_t thread;
	uint64_t seed;
};

static const struct ct_method *any_method(uint64_t dice)
{
	static const struct ct_method *const methods[] = { &hall_hold_method, &hall_keep_method,
							   &hall_tell_method,
							   &hall_tell_inline_method };

	return methods[dice % CT_ARRAY_N(methods)];
}

static void ended(void *arg, struct ct_reply *reply)
{
	(void)reply;
	ct_latch_count_down(arg);
}

static void watch_once(struct ct_client *c, struct ct_latch *watched, bool *watching)
{
	Ct__V1__HealthWatchRequest req = CT__V1__HEALTH_WATCH_REQUEST__INIT;

	if (*watching)
		return;
	*watching = true;
	req.known = CT__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
	health_watch_async(c, NULL, &req, ended, watched);
}

/* False: the server is gone. */
static bool call_some(struct ct_client *c, uint64_t *seed)
{
	struct ask asks[BURST];
	bool there = true;

	for (unsigned i = 0; i < BURST; i++) {
		ask_init(&asks[i], PATIENT_MS);
		ask_start(&asks[i], c, any_method(rnd(seed)));
	}
	for (unsigned i = 0; i < BURST; i++) {
		/* beyond its bound nothing that follows can be trusted */
		CT_CHECK(ct_latch_wait_until(&asks[i].ended,
					     ct_deadline_after_ms(ct_clock_system(), JOIN_MS)));
		there = there && asks[i].reply.status != CT_UNAVAILABLE;
		ask_fini(&asks[i]);
	}
	atomic_fetch_add(&all.calls, BURST);
	return there;
}

static void *caller_main(void *arg)
{
	struct caller *k = arg;
	const struct ct_runtime_opts ro = { .service = "test" };
	struct ct_latch watched;
	bool watching = false;
	struct ct_runtime rt;
	struct ct_client *c;

	CT_CHECK(ct_runtime_init(&rt, &ro) == CT_OK);
	c = client_with(&(struct ct_client_opts){ .rt = &rt,
						  .peer = "hall",
						  .urls = (const char *[]){ all.url },
						  .urls_n = 1,
						  .attempts_max = 1 });
	ct_latch_init(&watched, 1);
	for (unsigned i = 0; i < BURSTS_MAX && call_some(c, &k->seed); i++)
		if (rnd(&k->seed) % 4 == 0)
			watch_once(c, &watched, &watching);
	c = ct_client_free(c);
	if (watching)
		ct_latch_wait(&watched); /* free has ended it at the latest */
	ct_latch_fini(&watched);
	ct_runtime_fini(&rt);
	return NULL;
}

static void stop_under_fire(uint64_t *seed)
{
	const struct hall_opts o = { .standard = true, .server = { .drain_ms = PATIENT_MS } };
	struct caller callers[CALLERS];

	hall_start(&all.h, &o);
	hall_let_go(&all.h, HALL_ALL);
	(void)snprintf(all.url, sizeof(all.url), "%s", hall_url(&all.h));
	for (unsigned i = 0; i < CALLERS; i++) {
		callers[i].seed = rnd(seed);
		CT_CHECK(ct_thread_start(&callers[i].thread, "caller", caller_main, &callers[i]) ==
			 CT_OK);
	}
	CT_CHECK(hall_reached(&all.h, pick_received, 1 + rnd(seed) % 500));
	hall_shut(&all.h);
	if (rnd(seed) % 2 == 0)
		ct_server_drain(all.h.server);
	ct_server_stop(all.h.server);
	if (!ct_server_join_until(all.h.server, ct_deadline_after_ms(ct_clock_system(), JOIN_MS)))
		atomic_fetch_add(&all.slow_joins, 1);
	if (!hall_stop(&all.h))
		atomic_fetch_add(&all.wrong_accounts, 1);
	for (unsigned i = 0; i < CALLERS; i++)
		ct_thread_join(callers[i].thread);
}

/* ---- a client is freed at any moment -------------------- */

static void free_at_once(const struct ct_runtime *rt, const char *url, uint64_t *seed)
{
	const struct ct_client_opts co = { .rt = rt,
					   .peer = "hall",
					   .urls = (const char *[]){ url },
					   .urls_n = 1,
					   .connections = 2,
					   .wait = CT_WAIT_READY };
	const uint64_t dice = rnd(seed);
	struct ct_client *c = client_with(&co);
	volatile uint64_t turns = 0;
	struct ask a;

	ask_init(&a, PATIENT_MS);
	ask_start(&a, c, any_method(dice));
	while (turns < (dice >> 8) % 60000) /* some µs: connecting, greeting, open, answered */
		turns = turns + 1;
	c = ct_client_free(c);
	if (!ask_ended(&a))
		atomic_fetch_add(&all.unended, 1);
	CT_CHECK(ask_wait(&a));
	ask_fini(&a);
}

static void clients_freed(uint64_t *seed)
{
	const struct ct_runtime_opts ro = { .service = "test" };
	struct ct_runtime rt;

	hall_start(&all.h, NULL);
	CT_CHECK(ct_runtime_init(&rt, &ro) == CT_OK);
	for (unsigned i = 0; i < FREES; i++)
		free_at_once(&rt, hall_url(&all.h), seed);
	ct_runtime_fini(&rt);
	expect(atomic_load(&all.unended) == 0, "free of a client ends its calls");
	expect(hall_settled(&all.h, pick_connections, 0), "their connections are gone");
	expect(hall_settled(&all.h, pick_in_flight, 0), "and what they had asked for");
	expect(hall_stop(&all.h), "the server's accounts are right");
}

int main(void)
{
	uint64_t seed = 20240229;

	CT_CHECK(setvbuf(stdout, NULL, _IOLBF, 0) == 0);
	for (unsigned i = 0; i < STOPS; i++)
		stop_under_fire(&seed);
	printf("%d servers stopped under %u calls\n", STOPS, atomic_load(&all.calls));
	expect(atomic_load(&all.slow_joins) == 0, "no call outlived the stop of its server");
	expect(atomic_load(&all.wrong_accounts) == 0, "the accounts of each were right");
	clients_freed(&seed);
	return tally_end();
}
