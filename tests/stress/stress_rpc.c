/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many callers against two small servers, one of which ends and comes back all the
 * time: random methods, deadlines, cancels and clients freed with calls outstanding,
 * beside a peer that sends calls by hand and cuts its connections. Checks that every
 * call ends once, that the callers' counts add up, and the servers' accounts too.
 */
#include "base/check.h"
#include "conc/thread.h"
#include "rpc/client.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/rpc/raw.h"
#include "tests/lib/tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CALLERS = 5,
	EPOCHS = 50, /* of a caller: each has a client of its own */
	CALLS = 150, /* of an epoch */
	WINDOW = 32,
	WORK_US_MAX = 300,
	PATIENT_MS = 20000,
};

static struct {
	struct hall steady, moody; /* moody is the restarter's */
	char urls[2][128];
	atomic_bool over;
	_Atomic uint64_t ended[CT_STATUS_N], started, freed_under_calls;
	atomic_uint lost, wrong_counts, wrong_accounts, restarts, cuts;
} all;

/* ---- callers ------------------------------------------------------------------------- */

struct caller {
	pthread_t thread;
	uint64_t seed;
	struct ct_runtime rt;
	struct ct_client *c;
	struct ask asks[WINDOW];
	struct ct_ctx *ctxs[WINDOW];
	bool used[WINDOW];
};

static const struct ct_method *any_method(uint64_t dice)
{
	static const struct ct_method *const methods[] = {
		&hall_tell_method,        &hall_tell_method,      &hall_tell_again_method,
		&hall_tell_inline_method, &hall_hold_method,      &hall_hold_batch_method,
		&hall_keep_method,        &hall_tell_small_method
	};

	return methods[dice % CT_ARRAY_N(methods)];
}

/* Until it ended; its place is free again. */
static void clear(struct caller *k, unsigned i)
{
	if (!k->used[i])
		return;
	if (!ask_wait(&k->asks[i])) {
		atomic_fetch_add(&all.lost, 1);
		return; /* its memory stays: somebody may still write to it */
	}
	atomic_fetch_add(&all.ended[k->asks[i].reply.status], 1);
	ask_fini(&k->asks[i]);
	k->ctxs[i] = ct_ctx_unref(k->ctxs[i]);
	k->used[i] = false;
}

static void start_one(struct caller *k, unsigned i)
{
	static uint8_t filler[200];
	const uint64_t dice = rnd(&k->seed);
	const struct ct_method *m = any_method(dice >> 50);
	struct ask *a = &k->asks[i];

	ask_init(a, dice % 3 == 0 ? PATIENT_MS : (uint32_t)(1 + (dice >> 8) % 20));
	CT_CHECK(ct_ctx_new_root(k->rt.timers, CT_NEVER, &k->ctxs[i]) == CT_OK);
	a->parent = k->ctxs[i];
	a->req.work_us = (uint32_t)((dice >> 16) % WORK_US_MAX);
	a->req.code = (dice >> 24) % 16 == 0 ? CT_UNAVAILABLE : CT_OK;
	a->req.mute = (dice >> 28) % 64 == 0 && m != &hall_keep_method; /* nobody answers for it */
	a->req.payload = (ProtobufCBinaryData){ (dice >> 34) % sizeof(filler), filler };
	if ((dice >> 42) % 32 == 0)
		(void)ct_ctx_cancel(a->parent, CT_CANCEL_CALLER); /* before it begins */
	k->used[i] = true;
	atomic_fetch_add(&all.started, 1);
	ask_start(a, k->c, m);
}

static void cancel_some(struct caller *k)
{
	const uint64_t dice = rnd(&k->seed);
	const unsigned i = (unsigned)(dice >> 8) % WINDOW;

	if (dice % 4 == 0 && k->used[i])
		(void)ct_ctx_cancel(k->ctxs[i], CT_CANCEL_CALLER);
}

static void end_epoch(struct caller *k)
{
	const bool wait_first = rnd(&k->seed) % 2 == 0;

	if (wait_first) {
		for (unsigned i = 0; i < WINDOW; i++) {
			if (k->used[i] && rnd(&k->seed) % 2 == 0)
				(void)ct_ctx_cancel(k->ctxs[i], CT_CANCEL_CALLER);
			clear(k, i);
		}
		if (!client_adds_up(k->c) || client_stats(k->c).in_flight != 0)
			atomic_fetch_add(&all.wrong_counts, 1);
	}
	k->c = ct_client_free(k->c);
	for (unsigned i = 0; i < WINDOW; i++) {
		if (!k->used[i])
			continue;
		atomic_fetch_add(&all.freed_under_calls, 1);
		if (!ask_ended(&k->asks[i]))
			atomic_fetch_add(&all.lost, 1); /* free had to end it */
		clear(k, i);
	}
}

static void *caller_main(void *arg)
{
	struct caller *k = arg;
	const struct ct_runtime_opts ro = { .service = "stress",
					    .net = { .backoff_min_ms = 1, .backoff_max_ms = 8 } };
	const struct ct_client_opts co = { .rt = &k->rt,
					   .peer = "hall",
					   .urls = (const char *[]){ all.urls[0], all.urls[1] },
					   .urls_n = 2,
					   .connections = 2,
					   .outstanding_max = WINDOW - 4,
					   .retry_backoff_ms = 1 };

	CT_CHECK(ct_runtime_init(&k->rt, &ro) == CT_OK);
	for (unsigned e = 0; e < EPOCHS; e++) {
		k->c = client_with(&co);
		for (unsigned n = 0; n < CALLS; n++) {
			clear(k, n % WINDOW);
			start_one(k, n % WINDOW);
			cancel_some(k);
		}
		end_epoch(k);
	}
	ct_runtime_fini(&k->rt);
	return NULL;
}

/* ---- those who make it hard ------------------------------------------------------------- */

/* A bounded wait that nobody ends: lets the others do something. */
static void a_while(uint32_t ms)
{
	struct ct_latch never;

	ct_latch_init(&never, 1);
	(void)!ct_latch_wait_until(&never, ct_deadline_after_ms(ct_clock_system(), ms));
	ct_latch_fini(&never);
}

static void *gate_main(void *arg)
{
	(void)arg;
	while (!atomic_load(&all.over)) {
		hall_let_go(&all.steady, 4);
		a_while(1);
	}
	return NULL;
}

static void *restarter_main(void *arg)
{
	const struct hall_opts o = { .listen = all.urls[1],
				     .server = { .queue_max = 16, .drain_ms = 5 } };
	uint64_t seed = 4;

	(void)arg;
	while (!atomic_load(&all.over)) {
		hall_start(&all.moody, &o);
		hall_let_go(&all.moody, HALL_ALL);
		a_while((uint32_t)(rnd(&seed) % 20));
		if (rnd(&seed) % 2 == 0)
			ct_server_drain(all.moody.server);
		if (!hall_stop(&all.moody))
			atomic_fetch_add(&all.wrong_accounts, 1);
		atomic_fetch_add(&all.restarts, 1);
	}
	return NULL;
}

static void send_some(struct raw *r, uint64_t *seed)
{
	static const uint8_t garbage[60] = { [7] = 52, [8] = 0x80 };

	for (unsigned n = (unsigned)(rnd(seed) % 12); n > 0; n--) {
		const uint64_t dice = rnd(seed);
		struct ct_wire_header h = raw_call_header(any_method(dice)->hash,
							  1 + (dice >> 8) % 20000);

		if (dice >> 60 == 0) {
			h = (struct ct_wire_header){ .kind = CT_WIRE_CANCEL,
						     .code = CT_CANCEL_CALLER,
						     .cancel_id = ct_id_new() };
		} else if (dice >> 60 == 1) {
			(void)raw_write(r, garbage, sizeof(garbage));
			continue;
		}
		(void)raw_send(r, n, &h, CT_BYTES_NONE, CT_BYTES_NONE);
	}
}

static void *cutter_main(void *arg)
{
	uint64_t seed = 5;

	(void)arg;
	while (!atomic_load(&all.over)) {
		struct raw r = raw_join(all.urls[0]);

		send_some(&r, &seed);
		if (rnd(&seed) % 2 == 0)
			raw_reset(&r);
		else
			raw_close(&r);
		atomic_fetch_add(&all.cuts, 1);
		a_while(1);
	}
	return NULL;
}

/* ---- all ------------------------------------------------------------------------------------ */

static void report(void)
{
	const struct ct_server_stats st = hall_stats(&all.steady);
	uint64_t ended = 0;

	for (unsigned i = 0; i < CT_STATUS_N; i++) {
		const uint64_t n = atomic_load(&all.ended[i]);

		ended += n;
		if (n > 0)
			printf("%-20s %" PRIu64 "\n", ct_status_name((ct_status)i), n);
	}
	printf("%u restarts, %u cuts, %" PRIu64 " calls when their client was freed\n",
	       atomic_load(&all.restarts), atomic_load(&all.cuts),
	       atomic_load(&all.freed_under_calls));
	printf("steady server: received %" PRIu64 ", ok %" PRIu64 ", error %" PRIu64
	       ", refused %" PRIu64 ", expired %" PRIu64 "+%" PRIu64 ", cancelled %" PRIu64
	       "+%" PRIu64 ", peer gone %" PRIu64 "\n",
	       st.calls.received, st.calls.ok, st.calls.app_error, st.calls.refused,
	       st.calls.expired_queued, st.calls.expired_running, st.calls.cancelled_queued,
	       st.calls.cancelled_running, st.calls.peer_gone);
	expect(ended == atomic_load(&all.started), "every call that was started has ended, once");
	expect(atomic_load(&all.lost) == 0, "in time, and with its client at the latest");
	expect(atomic_load(&all.wrong_counts) == 0, "each client's counts add up");
	expect(atomic_load(&all.ended[CT_OK]) > 0 && atomic_load(&all.ended[CT_CANCELLED]) > 0 &&
		       atomic_load(&all.ended[CT_DEADLINE_EXCEEDED]) > 0 &&
		       atomic_load(&all.ended[CT_UNAVAILABLE]) > 0,
	       "all kinds of endings were seen");
}

static void *(*const others[])(void *) = { gate_main, restarter_main, cutter_main };

int main(void)
{
	const struct hall_opts o = {
		.server = { .workers = 3, .queue_max = 32, .calls_max = 200, .drain_ms = 50 }
	};
	static struct caller callers[CALLERS];
	pthread_t threads[CT_ARRAY_N(others)];
	char dir[] = "/tmp/ct-stress-XXXXXX";

	CT_CHECK(setvbuf(stdout, NULL, _IOLBF, 0) == 0);
	CT_CHECK(mkdtemp(dir) != NULL);
	hall_start(&all.steady, &o);
	(void)snprintf(all.urls[0], sizeof(all.urls[0]), "%s", hall_url(&all.steady));
	(void)snprintf(all.urls[1], sizeof(all.urls[1]), "ipc://%s/moody", dir);
	for (size_t i = 0; i < CT_ARRAY_N(others); i++)
		CT_CHECK(ct_thread_start(&threads[i], "other", others[i], NULL) == CT_OK);
	for (unsigned i = 0; i < CALLERS; i++) {
		callers[i].seed = 1000003 * (i + 1);
		CT_CHECK(ct_thread_start(&callers[i].thread, "caller", caller_main, &callers[i]) ==
			 CT_OK);
	}
	for (unsigned i = 0; i < CALLERS; i++)
		ct_thread_join(callers[i].thread);
	atomic_store(&all.over, true);
	for (size_t i = 0; i < CT_ARRAY_N(others); i++)
		ct_thread_join(threads[i]);
	expect(hall_settled(&all.steady, pick_in_flight, 0), "nothing is left in flight");
	report();
	expect(atomic_load(&all.wrong_accounts) == 0, "the moody server's accounts were right");
	expect(hall_stop(&all.steady), "and the steady one's");
	CT_CHECK(rmdir(dir) == 0);
	return tally_end();
}
