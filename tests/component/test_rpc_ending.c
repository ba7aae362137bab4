/* SPDX-License-Identifier: Apache-2.0 */
/* How a server ends while the receiving threads answer, and its last answers. */
#include "base/check.h"
#include "conc/thread.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/rpc/raw.h"

#include <criterion/criterion.h>

TestSuite(rpc_ending, .fini = leak_check, .timeout = 60);

enum { PATIENT_MS = 20000, LONG_GRACE_MS = 60000, SHORT_MS = 100 };

struct scene {
	struct hall h;
	struct ct_runtime rt; /* the client's own: it outlives the hall */
	struct ct_client *c;
};

static void set_up(struct scene *s, uint32_t drain_ms)
{
	const struct hall_opts o = { .server = { .drain_ms = drain_ms }, .standard = true };
	const struct ct_runtime_opts ro = { .service = "test" };

	hall_start(&s->h, &o);
	cr_assert_eq(ct_runtime_init(&s->rt, &ro), CT_OK);
	s->c = client_of(&s->rt, hall_url(&s->h));
}

static void tear_down(struct scene *s)
{
	cr_assert(hall_stop(&s->h), "the accounting identity does not hold");
	cr_assert(client_adds_up(s->c));
	s->c = ct_client_free(s->c);
	ct_runtime_fini(&s->rt);
}

static bool joined_within(struct scene *s, uint32_t ms)
{
	return ct_server_join_until(s->h.server, ct_deadline_after_ms(ct_clock_system(), ms));
}

static void expect_all(struct ask *asks, unsigned n, ct_status st)
{
	unsigned counts[CT_STATUS_N];

	cr_assert(asks_wait(asks, n, counts));
	cr_assert_eq(counts[st], n, "%u of %u are %s", counts[st], n, ct_status_name(st));
}

/* ---- lane INLINE --------------------------------------------------------------------------- */

Test(rpc_ending, inline_call_that_runs_is_not_cut_short)
{
	enum { WORK_US = 300000 };
	struct ask a;
	struct scene s;

	set_up(&s, LONG_GRACE_MS);
	ask_init(&a, PATIENT_MS);
	a.req.work_us = WORK_US;
	ask_start(&a, s.c, &hall_tell_inline_method);
	cr_assert(hall_waited(&s.h, &s.h.entered, 1));

	ct_server_stop(s.h.server);

	cr_assert(ask_wait(&a));
	cr_assert_eq(a.reply.status, CT_OK, "%s", ct_status_name(a.reply.status));
	cr_assert_geq(a.reply.elapsed_us, WORK_US);
	cr_assert_eq(hall_stats(&s.h).calls.cancelled_running, 0);
	ask_fini(&a);
	tear_down(&s);
}

Test(rpc_ending, inline_call_that_is_kept_is_cancelled_with_the_rest)
{
	enum { KEPT = 3 };
	struct ask *asks;
	struct scene s;

	set_up(&s, SHORT_MS);
	asks = asks_start(s.c, &hall_keep_inline_method, KEPT, PATIENT_MS);
	cr_assert(hall_waited(&s.h, &s.h.entered, KEPT));

	ct_server_drain(s.h.server);

	expect_all(asks, KEPT, CT_UNAVAILABLE);
	cr_assert(joined_within(&s, PATIENCE_MS));
	cr_assert_eq(hall_get(&s.h, &s.h.reasons[CT_CANCEL_DRAIN]), KEPT);
	asks_free(asks, KEPT);
	tear_down(&s);
}

struct freeing {
	struct hall *h;
	struct ct_latch done;
	pthread_t thread;
};

static void *free_server(void *arg)
{
	struct freeing *f = arg;

	f->h->server = ct_server_free(f->h->server);
	ct_latch_count_down(&f->done);
	return NULL;
}

static void start_freeing(struct freeing *f, struct hall *h)
{
	f->h = h;
	ct_latch_init(&f->done, 1);
	cr_assert_eq(ct_thread_start(&f->thread, "free", free_server, f), CT_OK);
}

static void end_freeing(struct freeing *f)
{
	ct_thread_join(f->thread);
	ct_latch_fini(&f->done);
	ct_runtime_fini(&f->h->rt);
	ct_cond_fini(&f->h->changed);
	ct_lock_fini(&f->h->lock);
}

/* A call of TellInline on r. False: no answer came. */
static bool ask_inline(struct raw *r, uint32_t id, struct raw_msg *ret_msg)
{
	const struct ct_wire_header h = raw_call_header(hall_tell_inline_method.hash,
							PATIENT_MS * UINT64_C(1000));

	return raw_send(r, id, &h, CT_BYTES_NONE, CT_BYTES_NONE) && raw_receive(r, ret_msg);
}

Test(rpc_ending, server_that_is_being_freed_answers_no_inline_call_either)
{
	struct freeing f;
	struct raw_msg m;
	uint32_t id = 0;
	struct ask a;
	struct raw r;
	struct scene s;

	set_up(&s, LONG_GRACE_MS);
	r = raw_join(hall_url(&s.h));
	ct_server_drain(s.h.server);
	cr_assert(joined_within(&s, PATIENCE_MS));
	cr_assert(ask_inline(&r, id++, &m));
	cr_assert_eq(m.h.code, CT_OK, "a stopped one still does");
	ask_init(&a, PATIENT_MS);
	a.req.linger = true; /* an earlier one, which free waits for */
	ask_start(&a, s.c, &hall_tell_inline_method);
	cr_assert(hall_waited(&s.h, &s.h.entered, 2));

	start_freeing(&f, &s.h);

	do
		cr_assert(ask_inline(&r, id++, &m), "it answered to the end");
	while (m.h.code == CT_OK);
	cr_assert_eq(m.h.code, CT_UNAVAILABLE);
	cr_assert(m.h.flags & CT_WIRE_NOT_PROCESSED);
	hall_let_go(&s.h, HALL_ALL);
	cr_assert(ask_wait(&a));
	cr_assert_eq(a.reply.status, CT_OK);
	ask_fini(&a);
	raw_close(&r);
	s.c = ct_client_free(s.c);
	end_freeing(&f);
	ct_runtime_fini(&s.rt);
}

Test(rpc_ending, free_ends_what_was_kept_after_the_end)
{
	const struct ct_wire_header h = raw_call_header(hall_keep_inline_method.hash,
							PATIENT_MS * UINT64_C(1000));
	struct freeing f;
	struct raw_msg m;
	struct scene s;
	struct raw r;

	set_up(&s, LONG_GRACE_MS);
	r = raw_join(hall_url(&s.h));
	ct_server_drain(s.h.server);
	cr_assert(joined_within(&s, PATIENCE_MS));
	cr_assert(raw_send(&r, 1, &h, CT_BYTES_NONE, CT_BYTES_NONE));
	cr_assert(hall_waited(&s.h, &s.h.entered, 1));

	start_freeing(&f, &s.h);

	cr_assert(raw_receive(&r, &m));
	cr_assert_eq(m.h.code, CT_UNAVAILABLE);
	raw_close(&r);
	s.c = ct_client_free(s.c);
	end_freeing(&f);
	cr_assert_eq(s.h.reasons[CT_CANCEL_DRAIN], 1);
	ct_runtime_fini(&s.rt);
}

/* Many at once, of which at every moment some are being answered. */
static void flood(struct raw *r, unsigned calls, uint32_t work_us)
{
	const struct ct_wire_header h = raw_call_header(hall_tell_inline_method.hash,
							PATIENT_MS * UINT64_C(1000));
	Hall__V1__Ask ask = HALL__V1__ASK__INIT;
	uint8_t packed[64];
	size_t len;

	ask.work_us = work_us;
	len = hall__v1__ask__pack(&ask, packed);
	for (unsigned i = 0; i < calls; i++) {
		struct ct_wire_header mine = h;

		mine.cancel_id = ct_id_new();
		cr_assert(raw_send(r, i, &mine, CT_BYTES_NONE, ct_bytes_of(packed, len)));
	}
}

/* So many call objects wait to be used again. */
static void warm_up(struct scene *s)
{
	enum { TOGETHER = 60 };
	struct ask *asks = asks_start(s->c, &hall_hold_method, TOGETHER, PATIENT_MS);

	cr_assert(hall_reached(&s->h, pick_in_flight, TOGETHER));
	hall_let_go(&s->h, HALL_ALL);
	expect_all(asks, TOGETHER, CT_OK);
	asks_free(asks, TOGETHER);
}

static void expect_end_in_a_flood(struct scene *s)
{
	enum { PEERS = 6, CALLS = 500, WORK_US = 20000, WITHIN_MS = CALLS * WORK_US / 2000 };
	const unsigned before = hall_get(&s->h, &s->h.left);
	struct raw peers[PEERS];

	for (unsigned i = 0; i < PEERS; i++)
		peers[i] = raw_join(hall_url(&s->h));
	for (unsigned i = 0; i < PEERS; i++)
		flood(&peers[i], CALLS, WORK_US);
	cr_assert(hall_waited(&s->h, &s->h.entered, before + PEERS));

	ct_server_drain(s->h.server);

	cr_assert(joined_within(s, WITHIN_MS));
	cr_assert_lt(hall_get(&s->h, &s->h.left), before + PEERS * CALLS, "the flood was over");
	for (unsigned i = 0; i < PEERS; i++)
		raw_close(&peers[i]);
}

Test(rpc_ending, flood_of_inline_calls_does_not_hold_up_the_end)
{
	struct scene s;

	set_up(&s, LONG_GRACE_MS);
	expect_end_in_a_flood(&s);
	tear_down(&s);
}

/* What was reserved for a whole receive once looked like calls that are alive. */
Test(rpc_ending, flood_of_inline_calls_does_not_hold_up_the_end_of_a_busy_server)
{
	struct scene s;

	set_up(&s, LONG_GRACE_MS);
	warm_up(&s);
	expect_end_in_a_flood(&s);
	tear_down(&s);
}

/* ---- what a handler leaves behind ------------------------------------------------------ */

Test(rpc_ending, work_under_a_call_ends_with_its_answer)
{
	struct scene s;
	struct ask a;

	set_up(&s, LONG_GRACE_MS);
	ask_init(&a, PATIENT_MS);
	a.req.orphan = true;

	cr_assert_eq(ask_now(&a, s.c, &hall_tell_method), CT_OK);

	cr_assert(hall_waited(&s.h, &s.h.orphans_ended, 1));
	cr_assert_eq(hall_stats(&s.h).calls.ok, 1);
	ask_fini(&a);
	tear_down(&s);
}

/* ---- the last answers ------------------------------------------------------------------------ */

static bool send_for(struct raw *r, uint32_t id, uint32_t reply_bytes)
{
	const struct ct_wire_header h = raw_call_header(hall_tell_method.hash,
							PATIENT_MS * UINT64_C(1000));
	Hall__V1__Ask ask = HALL__V1__ASK__INIT;
	uint8_t packed[64];

	ask.reply_bytes = reply_bytes;
	return raw_send(r, id, &h, CT_BYTES_NONE,
			ct_bytes_of(packed, hall__v1__ask__pack(&ask, packed)));
}

struct sent {
	struct hall *h;
	uint64_t n;
};

static bool so_many_are_sent(void *arg)
{
	const struct sent *sent = arg;

	return hall_net_stats(sent->h).msgs_out >= sent->n;
}

/* Its clock stands still at one second, where the system's is far beyond. */
Test(rpc_ending, free_gives_slow_readers_their_time_by_whatever_clock)
{
	enum { CALLS = 8, REPLY = 3 << 20, WHILE_MS = 150 }; /* more than the kernel takes */
	struct fake_clock clock;
	const struct hall_opts o = { .server = { .workers = CALLS },
				     .net = { .send_bytes_max = 64 << 20 },
				     .clock = &clock.clk };
	struct freeing f;
	struct hall h;
	struct raw r;

	fake_clock_init(&clock);
	hall_start(&h, &o);
	r = raw_join(hall_url(&h));
	for (uint32_t i = 0; i < CALLS; i++)
		cr_assert(send_for(&r, i, REPLY));
	cr_assert(until(so_many_are_sent, &(struct sent){ &h, CALLS }));

	start_freeing(&f, &h);

	cr_assert_not(
		ct_latch_wait_until(&f.done, ct_deadline_after_ms(ct_clock_system(), WHILE_MS)),
		"it cut the answers off");
	raw_close(&r);
	end_freeing(&f);
}
