/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that matter less are refused first, those that matter most last; no hop makes
 * a call matter more than its caller said. */
#include "base/check.h"
#include "rpc/services/probe.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/rpc/raw.h"

#include "ct/v1/probe.ct.h"

#include <criterion/criterion.h>

TestSuite(rpc_criticality, .fini = leak_check, .timeout = 60);

enum { PATIENT_MS = 20000, CALLS_MAX = 16 };

/* ---- the queue ----------------------------------------------------------------------- */

/* A hall whose one worker is busy, and calls that come to its queue. */
struct scene {
	struct hall h;
	struct ct_client *c;
	struct ask asks[CALLS_MAX];
	unsigned n;
};

static struct ask *start(struct scene *s, enum ct_criticality criticality,
			 const struct ct_method *m)
{
	struct ask *a = &s->asks[s->n++];

	CT_CHECK(s->n <= CALLS_MAX);
	ask_init(a, PATIENT_MS);
	a->opts.criticality = criticality;
	ask_start(a, s->c, m);
	return a;
}

static void set_up(struct scene *s, const struct ct_server_opts *opts)
{
	const struct hall_opts o = { .server = *opts };

	s->n = 0;
	hall_start(&s->h, &o);
	s->c = client_of(&s->h.rt, hall_url(&s->h));
	(void)start(s, CT_CRIT_DEFAULT, &hall_hold_method);
	cr_assert(hall_waited(&s->h, &s->h.entered, 1));
}

static void tear_down(struct scene *s)
{
	hall_let_go(&s->h, HALL_ALL);
	for (unsigned i = 0; i < s->n; i++) {
		cr_assert(ask_wait(&s->asks[i]));
		ask_fini(&s->asks[i]);
	}
	s->c = ct_client_free(s->c);
	cr_assert(hall_stop(&s->h), "the accounting identity does not hold");
}

static void expect_queued(struct scene *s, enum ct_criticality criticality)
{
	const uint64_t before = hall_stats(&s->h).queued;

	(void)start(s, criticality, &hall_hold_method);
	cr_assert(hall_settled(&s->h, pick_queued, before + 1));
}

static void expect_refused(struct scene *s, enum ct_criticality criticality, enum ct_refusal why)
{
	const uint64_t before = hall_stats(&s->h).refused_by[why];
	struct ask *a = start(s, criticality, &hall_hold_method);

	cr_assert(ask_wait(a));
	cr_assert_eq(a->reply.status, CT_RESOURCE_EXHAUSTED);
	cr_assert(a->reply.not_processed);
	cr_assert_gt(a->reply.retry_after_ms, 0);
	cr_assert_eq(hall_stats(&s->h).refused_by[why], before + 1, "%s", a->reply.message);
}

Test(rpc_criticality, sheddable_calls_have_their_share_of_the_queue_and_no_more)
{
	const struct ct_server_opts o = { .workers = 1, .queue_max = 5 }; /* 50 %, rounded up */
	struct scene s;

	set_up(&s, &o);

	for (unsigned i = 0; i < 3; i++)
		expect_queued(&s, CT_CRIT_SHEDDABLE);
	expect_refused(&s, CT_CRIT_SHEDDABLE, CT_REFUSAL_SHED);
	expect_queued(&s, CT_CRIT_DEFAULT);
	expect_queued(&s, CT_CRIT_CRITICAL);
	expect_refused(&s, CT_CRIT_DEFAULT, CT_REFUSAL_QUEUE_FULL);
	expect_refused(&s, CT_CRIT_CRITICAL, CT_REFUSAL_QUEUE_FULL);
	tear_down(&s);
}

Test(rpc_criticality, share_counts_all_that_wait_and_not_those_of_ones_kind)
{
	const struct ct_server_opts o = { .workers = 1, .queue_max = 4 };
	struct scene s;

	set_up(&s, &o);

	expect_queued(&s, CT_CRIT_DEFAULT);
	expect_queued(&s, CT_CRIT_DEFAULT);
	expect_refused(&s, CT_CRIT_SHEDDABLE, CT_REFUSAL_SHED);
	hall_let_go(&s.h, 1);
	cr_assert(hall_settled(&s.h, pick_queued, 1));
	expect_queued(&s, CT_CRIT_SHEDDABLE);
	tear_down(&s);
}

Test(rpc_criticality, sheddable_calls_get_every_worker_that_is_free)
{
	const struct ct_server_opts o = { .workers = 3,
					  .queue_max = 1,
					  .sheddable_queue_percent = 1 };
	struct scene s;

	set_up(&s, &o);

	for (unsigned i = 0; i < 2; i++)
		(void)start(&s, CT_CRIT_SHEDDABLE, &hall_hold_method);
	cr_assert(hall_waited(&s.h, &s.h.entered, 3));
	cr_assert_eq(hall_stats(&s.h).calls.refused, 0);
	tear_down(&s);
}

Test(rpc_criticality, each_lane_has_its_own_pressure)
{
	const struct ct_server_opts o = { .workers = 1, .queue_max = 2 };
	struct scene s;

	set_up(&s, &o);

	expect_queued(&s, CT_CRIT_SHEDDABLE);
	expect_refused(&s, CT_CRIT_SHEDDABLE, CT_REFUSAL_SHED);
	(void)start(&s, CT_CRIT_SHEDDABLE, &hall_hold_batch_method);
	cr_assert(hall_settled(&s.h, pick_queued, 2));
	tear_down(&s);
}

Test(rpc_criticality, last_places_are_kept_for_critical_calls)
{
	const struct ct_server_opts o = { .workers = 1,
					  .queue_max = 4,
					  .sheddable_queue_percent = 100,
					  .critical_reserve_percent = 25 };
	struct scene s;

	set_up(&s, &o);

	expect_queued(&s, CT_CRIT_DEFAULT);
	expect_queued(&s, CT_CRIT_SHEDDABLE);
	expect_queued(&s, CT_CRIT_DEFAULT);
	expect_refused(&s, CT_CRIT_DEFAULT, CT_REFUSAL_QUEUE_FULL);
	expect_refused(&s, CT_CRIT_SHEDDABLE, CT_REFUSAL_QUEUE_FULL);
	expect_queued(&s, CT_CRIT_CRITICAL);
	expect_refused(&s, CT_CRIT_CRITICAL, CT_REFUSAL_QUEUE_FULL);
	tear_down(&s);
}

Test(rpc_criticality, shares_over_the_whole_are_refused)
{
	struct ct_server_opts o = { .sheddable_queue_percent = 101 };
	struct ct_server *server = NULL;
	struct ct_runtime rt;

	cr_assert_eq(ct_runtime_init(&rt, &(struct ct_runtime_opts){ .service = "test" }), CT_OK);
	o.rt = &rt;
	cr_assert_eq(ct_server_new(&o, &server), CT_INVALID_ARGUMENT);
	o.sheddable_queue_percent = 100;
	o.critical_reserve_percent = 91;
	cr_assert_eq(ct_server_new(&o, &server), CT_INVALID_ARGUMENT);
	cr_assert_null(server);
	ct_runtime_fini(&rt);
}

/* ---- from hop to hop ------------------------------------------------------------------- */

static enum ct_criticality seen_of(struct ct_client *c, struct ct_ctx *ctx,
				   enum ct_criticality asked)
{
	enum ct_criticality seen;
	struct ask a;

	ask_init(&a, PATIENT_MS);
	a.parent = ctx;
	a.opts.criticality = asked;
	cr_assert_eq(ask_now(&a, c, &hall_tell_method), CT_OK, "%s", a.reply.message);
	seen = (enum ct_criticality)ask_answer(&a)->seen->criticality;
	ask_fini(&a);
	return seen;
}

Test(rpc_criticality, handler_sees_what_its_caller_asked_for)
{
	struct ct_client *c;
	struct hall h;

	hall_start(&h, NULL);
	c = client_of(&h.rt, hall_url(&h));
	for (int i = 0; i < CT_CRITICALITIES_N; i++)
		cr_assert_eq(seen_of(c, NULL, (enum ct_criticality)i), (enum ct_criticality)i);
	c = ct_client_free(c);
	cr_assert(hall_stop(&h));
}

Test(rpc_criticality, call_under_another_matters_as_much_or_less_and_never_more)
{
	static const struct {
		enum ct_criticality above, asked, want;
	} rows[] = {
		{ CT_CRIT_SHEDDABLE, CT_CRIT_DEFAULT, CT_CRIT_SHEDDABLE },
		{ CT_CRIT_SHEDDABLE, CT_CRIT_SHEDDABLE, CT_CRIT_SHEDDABLE },
		{ CT_CRIT_SHEDDABLE, CT_CRIT_CRITICAL, CT_CRIT_SHEDDABLE },
		{ CT_CRIT_DEFAULT, CT_CRIT_DEFAULT, CT_CRIT_DEFAULT },
		{ CT_CRIT_DEFAULT, CT_CRIT_SHEDDABLE, CT_CRIT_SHEDDABLE },
		{ CT_CRIT_DEFAULT, CT_CRIT_CRITICAL, CT_CRIT_DEFAULT },
		{ CT_CRIT_CRITICAL, CT_CRIT_DEFAULT, CT_CRIT_CRITICAL },
		{ CT_CRIT_CRITICAL, CT_CRIT_SHEDDABLE, CT_CRIT_SHEDDABLE },
		{ CT_CRIT_CRITICAL, CT_CRIT_CRITICAL, CT_CRIT_CRITICAL },
	};
	struct ct_client *c;
	struct hall h;

	hall_start(&h, NULL);
	c = client_of(&h.rt, hall_url(&h));
	for (size_t i = 0; i < CT_ARRAY_N(rows); i++) {
		struct ct_ctx *call = NULL, *below = NULL;

		cr_assert_eq(ct_ctx_new_root(h.rt.timers, CT_NEVER, &call), CT_OK);
		ct_ctx_set_criticality(call, rows[i].above);
		cr_assert_eq(ct_ctx_with_timeout_ms(call, PATIENT_MS, &below), CT_OK);

		cr_assert_eq(seen_of(c, call, rows[i].asked), rows[i].want, "row %zu", i);
		cr_assert_eq(seen_of(c, below, rows[i].asked), rows[i].want, "row %zu", i);
		ct_ctx_unref(below);
		ct_ctx_unref(call);
	}
	c = ct_client_free(c);
	cr_assert(hall_stop(&h));
}

/* A server of Probe in front of a peer that the test plays. */
struct front {
	struct ct_runtime rt;
	struct ct_server *server;
	struct ct_client *to_peer;
	struct ct_probe probe;
	struct raw listener, peer;
	char url[64];
};

static struct ct_client *find(void *arg, const char *peer)
{
	struct front *f = arg;

	(void)peer;
	return f->to_peer;
}

static void front_start(struct front *f)
{
	const struct ct_server_opts so = { .rt = &f->rt };
	const char *why;

	cr_assert_eq(ct_runtime_init(&f->rt, &(struct ct_runtime_opts){ .service = "front" }),
		     CT_OK);
	f->listener = raw_listen(f->url);
	f->to_peer = client_with(&(struct ct_client_opts){
		.rt = &f->rt, .peer = "peer", .urls = (const char *[]){ f->url }, .urls_n = 1 });
	f->peer = raw_accept(&f->listener);
	client_wait_ready(f->to_peer, &f->rt);
	f->probe = (struct ct_probe){ .find = find, .arg = f };
	cr_assert_eq(ct_server_new(&so, &f->server), CT_OK);
	cr_assert_eq(ct_probe_add(f->server, &f->probe), CT_OK);
	cr_assert_eq(ct_server_listen(f->server, "tcp://127.0.0.1:0", &why), CT_OK);
}

static void front_stop(struct front *f)
{
	f->server = ct_server_free(f->server);
	f->to_peer = ct_client_free(f->to_peer);
	raw_close(&f->peer);
	raw_close(&f->listener);
	ct_runtime_fini(&f->rt);
}

Test(rpc_criticality, hop_hands_on_what_it_got)
{
	Ct__V1__ChainRequest chain = CT__V1__CHAIN_REQUEST__INIT;
	char name[] = "peer", *hops[] = { name };
	struct ct_wire_header h;
	uint8_t packed[64];
	struct ct_bytes payload;
	struct front f;
	struct raw r;

	front_start(&f);
	r = raw_join(ct_server_url(f.server, 0));
	chain.hops = hops;
	chain.n_hops = 1;
	payload = ct_bytes_of(packed, ct__v1__chain_request__pack(&chain, packed));
	for (int i = 0; i < CT_CRITICALITIES_N; i++) {
		struct raw_msg at_peer, answer;

		h = raw_call_header(probe_chain_method.hash, PATIENT_MS * UINT64_C(1000));
		h.code = (uint8_t)i;
		cr_assert(raw_send(&r, (uint32_t)i, &h, CT_BYTES_NONE, payload));

		cr_assert(raw_receive(&f.peer, &at_peer));
		cr_assert_eq(at_peer.h.code, i);
		h = raw_reply_header(&at_peer.h, CT_OK);
		cr_assert(raw_send(&f.peer, at_peer.id, &h, CT_BYTES_NONE, CT_BYTES_NONE));
		cr_assert(raw_receive(&r, &answer));
		cr_assert_eq(answer.h.code, CT_OK);
	}
	raw_close(&r);
	front_stop(&f);
}
