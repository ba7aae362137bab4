/* SPDX-License-Identifier: Apache-2.0 */
/* Where the time of a call went: every part is there, and they add up to what the
 * caller waited. */
#include "base/check.h"
#include "tests/component/rig.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"

#include "ct/v1/probe.ct.h"

#include <criterion/criterion.h>
#include <stdatomic.h>

TestSuite(rpc_ledger, .fini = leak_check, .timeout = 60);

enum { PATIENT_MS = 20000, TRIES = 50, TICK_US = 10, GAP_US_MAX = 1000, GAP_PARTS = 20 };

static uint64_t on_server_us(const Ct__V1__Timing *t)
{
	return t->admit_us + t->queue_us + t->handler_us + t->serialize_us;
}

/* The machine may be busy at any one try: the later ones work longer, so that 5 % is more. */
static uint32_t longer(uint32_t us, unsigned try)
{
	enum { TRIES_A_STEP = 8, STEPS_MAX = 5 };
	const unsigned steps = try / TRIES_A_STEP;

	return us << (steps < STEPS_MAX ? steps : STEPS_MAX);
}

/* On a loopback nothing is to speak of beside the ledger: 1 ms, or 5 %. */
static uint64_t most_unexplained(uint64_t elapsed_us)
{
	const uint64_t part = elapsed_us / GAP_PARTS;

	return part > GAP_US_MAX ? part : GAP_US_MAX;
}

static bool explained(uint64_t elapsed_us, const Ct__V1__Timing *t)
{
	cr_assert_leq(on_server_us(t), elapsed_us, "more than the caller waited");
	return elapsed_us - on_server_us(t) <= most_unexplained(elapsed_us);
}

/* ---- one server ---------------------------------------------------------------------- */

/* A call that waits for a worker, and works. */
static bool queued_call_is_explained(struct hall *h, struct ct_client *c, unsigned try)
{
	const unsigned before = hall_get(h, &h->entered);
	const Ct__V1__Timing *t;
	struct ask blocker, a;
	bool all;

	ask_init(&blocker, PATIENT_MS);
	ask_init(&a, PATIENT_MS);
	blocker.req.work_us = longer(3000, try);
	a.req.work_us = longer(2000, try);
	ask_start(&blocker, c, &hall_hold_method);
	cr_assert(hall_waited(h, &h->entered, before + 1));
	ask_start(&a, c, &hall_tell_method);
	cr_assert(hall_settled(h, pick_queued, 1));
	hall_let_go(h, 1);
	cr_assert(ask_wait(&a));
	cr_assert(ask_wait(&blocker));

	t = ct_reply_meta(&a.reply)->timing;
	cr_assert_geq(t->queue_us, blocker.req.work_us);
	cr_assert_geq(t->handler_us, a.req.work_us);
	cr_assert_eq(t->downstream_us, 0);
	all = explained(a.reply.elapsed_us, t);
	ask_fini(&blocker);
	ask_fini(&a);
	return all;
}

Test(rpc_ledger, parts_and_network_add_up_to_what_the_caller_waited)
{
	const struct hall_opts o = { .server = { .workers = 1 } };
	struct ct_client *c;
	bool all = false;
	struct hall h;

	hall_start(&h, &o);
	c = client_of(&h.rt, hall_url(&h));
	for (unsigned i = 0; i < TRIES && !all; i++)
		all = queued_call_is_explained(&h, c, i);

	cr_assert(all, "more than 1 ms and 5 %% are nobody's, %u times", TRIES);
	c = ct_client_free(c);
	cr_assert(hall_stop(&h), "the accounting identity does not hold");
}

/* Each look at it is a tick later than the one before. */
struct ticking_clock {
	struct ct_clock clk;
	_Atomic int64_t ns;
};

static ct_instant tick(const struct ct_clock *self)
{
	struct ticking_clock *t = CT_CONTAINER_OF(self, struct ticking_clock, clk);

	return (ct_instant){ .ns = atomic_fetch_add(&t->ns, TICK_US * INT64_C(1000)) };
}

Test(rpc_ledger, every_part_is_measured)
{
	struct ticking_clock clock = { .clk.now = tick, .ns = 1000000000 };
	const struct hall_opts o = { .clock = &clock.clk };
	const Ct__V1__Timing *t;
	struct ct_runtime rt;
	struct ct_client *c;
	struct hall h;
	struct ask a;

	hall_start(&h, &o);
	cr_assert_eq(ct_runtime_init(&rt, &(struct ct_runtime_opts){ .service = "test" }), CT_OK);
	c = client_of(&rt, hall_url(&h));

	ask_init(&a, PATIENT_MS);
	a.req.reply_bytes = 4096; /* a small one is not worth a look at the clock */
	cr_assert_eq(ask_now(&a, c, &hall_tell_method), CT_OK, "%s", a.reply.message);
	t = ct_reply_meta(&a.reply)->timing;
	cr_assert_geq(t->admit_us, TICK_US);
	cr_assert_geq(t->queue_us, TICK_US);
	cr_assert_geq(t->handler_us, TICK_US);
	cr_assert_geq(t->serialize_us, TICK_US);
	ask_fini(&a);

	ask_init(&a, PATIENT_MS);
	a.req.reply_bytes = 4096; /* a small one is not worth a look at the clock */
	cr_assert_eq(ask_now(&a, c, &hall_tell_inline_method), CT_OK, "%s", a.reply.message);
	t = ct_reply_meta(&a.reply)->timing;
	cr_assert_geq(t->admit_us, TICK_US);
	cr_assert_eq(t->queue_us, 0, "nothing waits in lane INLINE");
	cr_assert_geq(t->handler_us, TICK_US);
	cr_assert_geq(t->serialize_us, TICK_US);
	ask_fini(&a);
	c = ct_client_free(c);
	ct_runtime_fini(&rt);
	cr_assert(hall_stop(&h), "the accounting identity does not hold");
}

/* ---- two servers --------------------------------------------------------------------- */

static struct rig rig;

static bool chain_is_explained(unsigned try)
{
	Ct__V1__EchoRequest last = CT__V1__ECHO_REQUEST__INIT;
	Ct__V1__ChainRequest req = CT__V1__CHAIN_REQUEST__INIT;
	const Ct__V1__EchoReply *resp = NULL;
	const Ct__V1__Timing *first;
	const Ct__V1__Hop *hop;
	char *hops[] = { "report" };

	last.sleep_us = longer(5000, try);
	req.last = &last;
	req.hops = hops;
	req.n_hops = 1;
	cr_assert_eq(probe_chain(rig.to_patient, NULL, &req, &rig.reply, &resp), CT_OK);

	first = ct_reply_meta(&rig.reply)->timing;
	cr_assert_eq(first->n_hops, 1);
	hop = first->hops[0];
	cr_assert_geq(hop->timing->handler_us, last.sleep_us);
	cr_assert_leq(hop->elapsed_us, first->handler_us);
	cr_assert_leq(first->downstream_us, first->handler_us);
	/* all that the first server does is to wait for the second */
	return explained(rig.reply.elapsed_us, first) && explained(hop->elapsed_us, hop->timing) &&
	       first->handler_us - first->downstream_us <= most_unexplained(first->handler_us);
}

Test(rpc_ledger, every_hop_of_a_chain_adds_up)
{
	static const char *const on[] = { "probe.enabled=true", NULL };
	static const struct rig_opts probed = { .patient_settings = on, .report_settings = on };
	bool all = false;

	rig_start(&rig, &probed);
	for (unsigned i = 0; i < TRIES && !all; i++)
		all = chain_is_explained(i);

	cr_assert(all, "more than 1 ms and 5 %% are nobody's, %u times", TRIES);
	rig_stop(&rig);
}
