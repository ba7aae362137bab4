/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_COMPONENT_CLIENT_SCENE_H
#define TESTS_COMPONENT_CLIENT_SCENE_H

/* What the tests of how a call of ours ends share: a client, one call, and a
 * server that the test plays by hand. */
#include "base/check.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/rpc/raw.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATIENT_MS = 20000, SHORT_MS = 100, SOON_US = 10000000, LATE_US_MAX = 10000000 };

/* A client of somebody the test plays, or of nobody. */
struct scene {
	struct fake_clock clock; /* of those whose time the test makes */
	struct ct_runtime rt;
	struct ct_client_opts opts;
	struct ct_client *c;
	struct ct_ctx *ctx; /* of the calls */
	struct raw listener, peer;
	char url[128], dir[32];
	const char *urls[1];
	struct ask a;
};

/* With a clock of ours, or NULL: the system's. */
static inline void make_runtime(struct scene *s, const struct ct_clock *clk)
{
	struct ct_net_opts no = { .backoff_min_ms = 5, .backoff_max_ms = 20 };

	s->rt = (struct ct_runtime){ .service = "test" };
	cr_assert_eq(ct_timers_new(clk, &s->rt.timers), CT_OK);
	no.timers = s->rt.timers;
	cr_assert_eq(ct_net_new(&no, &s->rt.net), CT_OK);
}

static inline void set_up_by(struct scene *s, bool own_time)
{
	*s = (struct scene){ .dir = "/tmp/ct-client-XXXXXX",
			     .listener = { .fd = -1 },
			     .peer = { .fd = -1 } };
	fake_clock_init(&s->clock);
	make_runtime(s, own_time ? &s->clock.clk : NULL);
	cr_assert_eq(ct_ctx_new_root(s->rt.timers, CT_NEVER, &s->ctx), CT_OK);
	cr_assert_not_null(mkdtemp(s->dir));
	s->urls[0] = s->url;
	s->opts = (struct ct_client_opts){
		.rt = &s->rt, .peer = "peer", .urls = s->urls, .urls_n = 1, .attempts_max = 1
	};
	ask_init(&s->a, PATIENT_MS);
	s->a.parent = s->ctx;
}

static inline void set_up_bare(struct scene *s)
{
	set_up_by(s, false);
}

/* Nobody listens there. */
static inline void set_up_alone_by(struct scene *s, bool own_time)
{
	set_up_by(s, own_time);
	(void)snprintf(s->url, sizeof(s->url), "ipc://%s/s", s->dir);
}

static inline void set_up_alone(struct scene *s)
{
	set_up_alone_by(s, false);
}

/* The test listens there and has the connection. */
static inline void set_up_joined_by(struct scene *s, bool own_time)
{
	set_up_by(s, own_time);
	s->listener = raw_listen(s->url);
	s->c = client_with(&s->opts);
	s->peer = raw_accept(&s->listener);
	client_wait_ready(s->c, &s->rt);
}

static inline void set_up(struct scene *s)
{
	set_up_joined_by(s, false);
}

static inline void tear_down(struct scene *s)
{
	cr_assert(s->c == NULL || client_adds_up(s->c));
	s->c = ct_client_free(s->c);
	ask_fini(&s->a);
	raw_close(&s->peer);
	raw_close(&s->listener);
	ct_ctx_unref(s->ctx);
	ct_runtime_fini(&s->rt);
	cr_assert_eq(rmdir(s->dir), 0);
}

static inline uint64_t took_us(const struct ask *a)
{
	return ct_instant_us_between(a->started, a->returned);
}

static inline void pass_ms(struct scene *s, int64_t ms)
{
	fake_clock_step_ms(&s->clock, ms);
	ct_timers_poke(s->rt.timers);
}

/* Over at its deadline by the test's time, never before. */
static inline void expect_expired(struct scene *s, uint32_t ms)
{
	pass_ms(s, ms - 1);
	cr_assert_not(ask_ended(&s->a), "early");
	pass_ms(s, 1);
	cr_assert(ask_wait(&s->a));
	cr_assert_eq(s->a.reply.status, CT_DEADLINE_EXCEEDED, "%s", s->a.reply.message);
	cr_assert_eq(s->a.reply.elapsed_us, ms * UINT64_C(1000));
	cr_assert_eq(client_stats(s->c).expired, 1);
}

static inline void expect_cancelled_now(struct scene *s)
{
	const ct_instant then = ct_now(ct_clock_system());

	cr_assert(ct_ctx_cancel(s->ctx, CT_CANCEL_CALLER));
	cr_assert(ask_wait(&s->a));
	cr_assert_eq(s->a.reply.status, CT_CANCELLED);
	cr_assert_lt(ct_instant_us_between(then, s->a.returned), LATE_US_MAX);
	cr_assert_eq(client_stats(s->c).cancelled, 1);
}

#endif
