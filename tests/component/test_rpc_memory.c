/* SPDX-License-Identifier: Apache-2.0 */
/* The first, the second, the third … allocation fails, in whatever thread it falls:
 * everything still ends with a status, nothing is lost, and the next call works. */
#include "base/check.h"
#include "base/mem.h"
#include "rpc/fanout.h"
#include "rpc/services/probe.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/until.h"

#include "ct/v1/probe.ct.h"

#include "conc/latch.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(rpc_memory, .fini = leak_check, .timeout = 120);

enum { FAILURES_MAX = 400, CALL_MS = 15000, SILENCE_US_MAX = 12000000, LEGS = 4 };

/* A server of Probe that is its own peer "next", so that Chain makes a hop. */
struct scene {
	struct ct_runtime rt;
	struct ct_server *server;
	struct ct_client *next, *c;
	struct ct_probe probe;
};

static struct ct_client *find(void *arg, const char *peer)
{
	const struct scene *s = arg;

	return strcmp(peer, "next") == 0 ? s->next : NULL;
}

static ct_status start_server(struct scene *s)
{
	const struct ct_server_opts so = { .rt = &s->rt, .workers = 2 };
	const char *why;
	ct_status st;

	st = ct_server_new(&so, &s->server);
	if (st == CT_OK)
		st = ct_server_add_standard(s->server);
	s->probe = (struct ct_probe){ find, s };
	if (st == CT_OK)
		st = ct_probe_add(s->server, &s->probe);
	if (st == CT_OK)
		st = ct_server_listen(s->server, "tcp://127.0.0.1:0", &why);
	return st;
}

static ct_status start_client(struct scene *s, struct ct_client **ret_client)
{
	const char *url = ct_server_url(s->server, 0), *why;
	const struct ct_client_opts co = { .rt = &s->rt,
					   .peer = "next",
					   .urls = &url,
					   .urls_n = 1,
					   .attempts_max = 1,
					   .resolve_ms = 20,
					   .wait = CT_WAIT_READY };

	return ct_client_new(&co, ret_client, &why);
}

static ct_status set_up(struct scene *s)
{
	const struct ct_runtime_opts ro = { .service = "test",
					    .net = { .backoff_min_ms = 2, .backoff_max_ms = 10 } };
	ct_status st;

	memset(s, 0, sizeof(*s));
	st = ct_runtime_init(&s->rt, &ro);
	if (st == CT_OK)
		st = start_server(s);
	if (st == CT_OK)
		st = start_client(s, &s->next);
	if (st == CT_OK)
		st = start_client(s, &s->c);
	return st;
}

/* Of a half made one too; true: the server's accounts are right. */
static bool tear_down(struct scene *s)
{
	struct ct_server_stats st = { .identity_ok = true };

	s->c = ct_client_free(s->c);
	if (s->server != NULL) {
		ct_server_stop(s->server);
		ct_server_join(s->server);
	}
	s->next = ct_client_free(s->next);
	if (s->server != NULL)
		ct_server_stats(s->server, &st);
	s->server = ct_server_free(s->server);
	ct_runtime_fini(&s->rt);
	return st.identity_ok;
}

/* One hop, a payload, and metadata; its status and how long it took. */
static ct_status call(struct scene *s, uint64_t *ret_us)
{
	static uint8_t bytes[3000];
	const struct ct_metadata metadata = { "key-bin", { bytes, 64 } };
	const struct ct_call_opts opts = { .timeout_ms = CALL_MS,
					   .idempotency_key = "once",
					   .metadata = &metadata,
					   .metadata_n = 1 };
	char next[] = "next", *hops[] = { next };
	Ct__V1__EchoRequest last = CT__V1__ECHO_REQUEST__INIT;
	Ct__V1__ChainRequest req = CT__V1__CHAIN_REQUEST__INIT;
	struct ct_reply reply;
	ct_status st;

	last.payload = (ProtobufCBinaryData){ sizeof(bytes), bytes };
	req.last = &last;
	req.n_hops = 1;
	req.hops = hops;
	ct_reply_init(&reply);
	st = ct_client_call(s->c, NULL, &probe_chain_method, &req.base, &opts, &reply);
	*ret_us = reply.elapsed_us;
	cr_assert_eq(st == CT_OK, probe_chain_response(&reply) != NULL);
	cr_assert_not_null(reply.message);
	if (st == CT_OK)
		cr_assert_eq(probe_chain_response(&reply)->payload.len, sizeof(bytes));
	ct_reply_fini(&reply);
	return st;
}

static bool is_well(void *arg)
{
	uint64_t us;

	return call(arg, &us) == CT_OK;
}

/* The n-th allocation of what follows fails; true once there are not that many. */
static bool none_failed(uint64_t before, uint64_t n)
{
	const bool none = ct_mem_count() - before < n;

	ct_mem_fail_nth(0);
	return none;
}

/* What libraries keep open once they were used. */
static unsigned descriptors_of_nothing(void)
{
	struct scene s;

	cr_assert_eq(set_up(&s), CT_OK);
	cr_assert(until(is_well, &s));
	cr_assert(tear_down(&s));
	return open_descriptors();
}

static bool no_more_than(void *arg)
{
	const unsigned *n = arg;

	return open_descriptors() <= *n;
}

Test(rpc_memory, runtime_server_and_client_start_or_say_why_not)
{
	bool none = false;
	unsigned fds;

	fds = descriptors_of_nothing();
	for (uint64_t n = 1; n < FAILURES_MAX && !none; n++) {
		const uint64_t before = ct_mem_count();
		struct scene s;
		ct_status st;

		ct_mem_fail_nth(n);
		st = set_up(&s);
		none = none_failed(before, n);
		cr_assert(st == CT_OK || st == CT_RESOURCE_EXHAUSTED, "allocation %u: %s",
			  (unsigned)n, ct_status_name(st));
		if (st == CT_OK)
			cr_assert(until(is_well, &s), "allocation %u: it does not recover",
				  (unsigned)n);
		cr_assert(tear_down(&s), "allocation %u", (unsigned)n);
	}

	cr_assert(none, "more than %d allocations", FAILURES_MAX);
	cr_assert(until(no_more_than, &fds), "%u descriptors, not %u", open_descriptors(), fds);
}

Test(rpc_memory, first_call_of_new_parts_ends_with_a_status_and_the_next_works)
{
	bool none = false;

	for (uint64_t n = 1; n < FAILURES_MAX && !none; n++) {
		struct scene s;
		uint64_t before, us;
		ct_status st;

		cr_assert_eq(set_up(&s), CT_OK);
		before = ct_mem_count();
		ct_mem_fail_nth(n);
		st = call(&s, &us);
		none = none_failed(before, n);
		cr_assert(st == CT_OK || st == CT_RESOURCE_EXHAUSTED || st == CT_UNAVAILABLE,
			  "allocation %u: %s", (unsigned)n, ct_status_name(st));
		cr_assert_lt(us, SILENCE_US_MAX, "allocation %u: nobody said anything",
			     (unsigned)n);
		cr_assert(until(is_well, &s), "allocation %u: it does not recover", (unsigned)n);
		cr_assert(tear_down(&s), "allocation %u", (unsigned)n);
	}

	cr_assert(none, "more than %d allocations", FAILURES_MAX);
}

Test(rpc_memory, calls_of_a_warm_pair_end_with_a_status)
{
	bool none = false;
	struct scene s;

	cr_assert_eq(set_up(&s), CT_OK);
	cr_assert(until(is_well, &s));

	for (uint64_t n = 1; n < FAILURES_MAX && !none; n++) {
		const uint64_t before = ct_mem_count();
		uint64_t us;

		ct_mem_fail_nth(n);
		(void)call(&s, &us);
		none = none_failed(before, n);
		cr_assert_lt(us, SILENCE_US_MAX, "allocation %u: nobody said anything",
			     (unsigned)n);
		cr_assert(until(is_well, &s), "allocation %u: it does not recover", (unsigned)n);
	}

	cr_assert(none);
	cr_assert(tear_down(&s));
}

/* ---- fan-out ----------------------------------------------------------------------------- */

struct fan {
	struct ct_latch joined;
	atomic_uint ended, joins;
};

static void leg_done(void *arg, struct ct_reply *reply)
{
	struct fan *f = arg;

	CT_CHECK(reply->message != NULL);
	atomic_fetch_add(&f->ended, 1);
}

static void join(struct ct_fanout *fanout, void *arg, ct_status first_error)
{
	struct fan *f = arg;

	(void)fanout;
	(void)first_error;
	atomic_fetch_add(&f->joins, 1);
	ct_latch_count_down(&f->joined);
}

static void one_fanout(struct scene *s, struct ct_ctx *ctx)
{
	struct fan f = { .ended = 0 };
	const struct ct_fanout_opts o = { .parent = ctx,
					  .deadline = ct_deadline_after_ms(ct_clock_system(),
									   CALL_MS),
					  .policy = CT_FANOUT_FIRST_ERROR,
					  .legs_max = LEGS,
					  .join = join,
					  .arg = &f };
	Ct__V1__EchoRequest req = CT__V1__ECHO_REQUEST__INIT;
	struct ct_fanout *fanout;
	const ct_status st = ct_fanout_new(&o, &fanout);

	cr_assert(st == CT_OK || st == CT_RESOURCE_EXHAUSTED);
	if (st != CT_OK)
		return;
	ct_latch_init(&f.joined, 1);
	for (unsigned i = 0; i < LEGS; i++)
		ct_fanout_start(fanout, s->c, &probe_echo_method, &req.base, leg_done, &f);
	ct_fanout_seal(fanout);
	cr_assert(ct_latch_wait_until(&f.joined,
				      ct_deadline_after_ms(ct_clock_system(), PATIENCE_MS)));
	cr_assert_eq(atomic_load(&f.ended), LEGS);
	cr_assert_eq(atomic_load(&f.joins), 1);
	fanout = ct_fanout_free(fanout);
	ct_latch_fini(&f.joined);
}

Test(rpc_memory, fanout_is_joined_once_or_was_never_begun)
{
	struct ct_ctx *ctx = NULL;
	bool none = false;
	struct scene s;

	cr_assert_eq(set_up(&s), CT_OK);
	cr_assert(until(is_well, &s));
	cr_assert_eq(ct_ctx_new_root(s.rt.timers, CT_NEVER, &ctx), CT_OK);

	for (uint64_t n = 1; n < FAILURES_MAX && !none; n++) {
		const uint64_t before = ct_mem_count();

		ct_mem_fail_nth(n);
		one_fanout(&s, ctx);
		none = none_failed(before, n);
		cr_assert(until(is_well, &s), "allocation %u: it does not recover", (unsigned)n);
	}

	cr_assert(none);
	ct_ctx_unref(ctx);
	cr_assert(tear_down(&s));
}
