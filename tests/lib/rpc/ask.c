/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/rpc/ask.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

static _Thread_local const struct ask *starting;

void ask_init(struct ask *a, uint32_t timeout_ms)
{
	memset(a, 0, sizeof(*a));
	hall__v1__ask__init(&a->req);
	a->opts.timeout_ms = timeout_ms;
	ct_reply_init(&a->reply);
	ct_latch_init(&a->ended, 1);
}

static void done(void *arg, struct ct_reply *reply)
{
	struct ask *a = arg;

	CT_CHECK(starting != a);
	CT_CHECK(atomic_fetch_add(&a->ends, 1) == 0);
	a->returned = ct_now(ct_clock_system());
	ct_reply_move(&a->reply, reply);
	atomic_store(&a->over, true);
	ct_latch_count_down(&a->ended);
}

void ask_start(struct ask *a, struct ct_client *c, const struct ct_method *m)
{
	const struct ask *outer = starting;

	starting = a;
	a->started = ct_now(ct_clock_system());
	ct_client_start(c, a->parent, m, &a->req.base, &a->opts, done, a);
	starting = outer;
}

bool ask_wait(struct ask *a)
{
	return ct_latch_wait_until(&a->ended, ct_deadline_after_ms(ct_clock_system(), PATIENCE_MS));
}

bool ask_ended(struct ask *a)
{
	return atomic_load(&a->over);
}

ct_status ask_now(struct ask *a, struct ct_client *c, const struct ct_method *m)
{
	ask_start(a, c, m);
	CT_CHECK(ask_wait(a));
	return a->reply.status;
}

void ask_fini(struct ask *a)
{
	ct_latch_fini(&a->ended);
	ct_reply_fini(&a->reply);
}

const Hall__V1__Answer *ask_answer(const struct ask *a)
{
	return (const Hall__V1__Answer *)ct_reply_message(&a->reply);
}

/* ---- many ------------------------------------------------------------------------------ */

struct ask *asks_start(struct ct_client *c, const struct ct_method *m, unsigned n,
		       uint32_t timeout_ms)
{
	struct ask *asks = calloc(n, sizeof(*asks));

	CT_CHECK(asks != NULL);
	for (unsigned i = 0; i < n; i++)
		ask_init(&asks[i], timeout_ms);
	for (unsigned i = 0; i < n; i++)
		ask_start(&asks[i], c, m);
	return asks;
}

bool asks_wait(struct ask *asks, unsigned n, unsigned counts[CT_STATUS_N])
{
	memset(counts, 0, CT_STATUS_N * sizeof(counts[0]));
	for (unsigned i = 0; i < n; i++) {
		if (!ask_wait(&asks[i]))
			return false;
		counts[asks[i].reply.status]++;
	}
	return true;
}

void asks_free(struct ask *asks, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		ask_fini(&asks[i]);
	free(asks);
}

/* ---- clients --------------------------------------------------------------------------- */

struct ct_client *client_with(const struct ct_client_opts *opts)
{
	struct ct_client *c = NULL;
	const char *why;

	CT_CHECK(ct_client_new(opts, &c, &why) == CT_OK);
	return c;
}

void client_wait_ready(struct ct_client *c, const struct ct_runtime *rt)
{
	struct ct_ctx *ctx = NULL;

	CT_CHECK(ct_ctx_new_root(rt->timers,
				 ct_deadline_after_ms(ct_timers_clock(rt->timers), PATIENCE_MS),
				 &ctx) == CT_OK);
	CT_CHECK(ct_client_wait_ready(c, ctx) == CT_OK);
	ct_ctx_unref(ctx);
}

struct ct_client *client_of(const struct ct_runtime *rt, const char *url)
{
	const struct ct_client_opts opts = {
		.rt = rt, .peer = "hall", .urls = &url, .urls_n = 1, .attempts_max = 1
	};
	struct ct_client *c = client_with(&opts);

	client_wait_ready(c, rt);
	return c;
}

struct ct_client_stats client_stats(struct ct_client *c)
{
	struct ct_client_stats s;

	ct_client_stats(c, &s);
	return s;
}

bool client_adds_up(struct ct_client *c)
{
	const struct ct_client_stats s = client_stats(c);

	return s.calls == s.ok + s.failed + s.cancelled + s.expired + s.in_flight;
}
