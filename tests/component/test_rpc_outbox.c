/* SPDX-License-Identifier: Apache-2.0 */
/* When a worker's replies leave: together while short calls wait, and before
 * anything that may take long. Time stands still, so that short is a fact. */
#include "tests/lib/fake_clock.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/rpc/raw.h"

#include <criterion/criterion.h>

TestSuite(rpc_outbox, .fini = leak_check, .timeout = 60);

enum { WAITING = 20, LATE_MS = 3 };
#define BUDGET_US UINT64_C(20000000)

struct scene {
	struct fake_clock clock;
	struct hall h;
	struct raw r;
	uint32_t next_id;
};

/* One worker, and Tell is known to be short. */
static void set_up_with(struct scene *s, const struct ct_net_opts *net)
{
	struct hall_opts o = { .server = { .workers = 1 }, .net = *net, .clock = &s->clock.clk };
	struct raw_msg m;

	fake_clock_init(&s->clock);
	hall_start(&s->h, &o);
	s->r = raw_join(hall_url(&s->h));
	s->next_id = 1;
	for (int i = 0; i < 2; i++) {
		const struct ct_wire_header h = raw_call_header(hall_tell_method.hash, BUDGET_US);

		cr_assert(raw_send(&s->r, s->next_id++, &h, CT_BYTES_NONE, CT_BYTES_NONE));
		cr_assert(raw_receive(&s->r, &m));
	}
}

static void set_up(struct scene *s)
{
	set_up_with(s, &(struct ct_net_opts){ .msg_bytes_max = 0 });
}

static void tear_down(struct scene *s)
{
	raw_close(&s->r);
	cr_assert(hall_stop(&s->h), "the accounting identity does not hold");
}

static void call(struct scene *s, const struct ct_method *m)
{
	const struct ct_wire_header h = raw_call_header(m->hash, BUDGET_US);

	cr_assert(raw_send(&s->r, s->next_id++, &h, CT_BYTES_NONE, CT_BYTES_NONE));
}

/* The worker is behind the gate, and it takes a second there. */
static void occupy(struct scene *s)
{
	call(s, &hall_hold_method);
	cr_assert(hall_waited(&s->h, &s->h.inside, 1));
	fake_clock_step_ms(&s->clock, 1000);
}

Test(rpc_outbox, short_calls_that_wait_together_are_answered_together)
{
	struct raw_msg m;
	struct scene s;
	uint64_t sends;

	set_up(&s);
	occupy(&s);
	for (int i = 0; i < WAITING; i++)
		call(&s, &hall_tell_method);
	cr_assert(hall_reached(&s.h, pick_queued, WAITING));
	sends = hall_net_stats(&s.h).sends;

	hall_let_go(&s.h, HALL_ALL);
	for (int i = 0; i < WAITING + 1; i++)
		cr_assert(raw_receive(&s.r, &m));

	cr_assert_eq(hall_net_stats(&s.h).sends, sends + 2, "Hold's, and all the others");
	tear_down(&s);
}

Test(rpc_outbox, no_reply_waits_behind_a_call_that_takes_long)
{
	struct raw_msg m;
	struct scene s;

	set_up(&s);
	occupy(&s); /* so Hold is known to be long */
	call(&s, &hall_tell_method);
	call(&s, &hall_hold_method);
	cr_assert(hall_reached(&s.h, pick_queued, 2));

	hall_let_go(&s.h, 1);
	cr_assert(hall_waited(&s.h, &s.h.entered, 5)); /* two in set_up, three here */

	cr_assert(raw_receive(&s.r, &m));
	cr_assert(raw_receive(&s.r, &m), "held back while the worker waits at the gate");
	cr_assert_eq(hall_get(&s.h, &s.h.inside), 1);
	hall_let_go(&s.h, HALL_ALL);
	cr_assert(raw_receive(&s.r, &m));
	tear_down(&s);
}

Test(rpc_outbox, no_reply_waits_behind_a_call_of_unknown_length)
{
	struct raw_msg m;
	struct scene s;

	set_up(&s);
	occupy(&s);
	call(&s, &hall_tell_method);
	call(&s, &hall_keep_method); /* its first */
	call(&s, &hall_hold_method);
	cr_assert(hall_reached(&s.h, pick_queued, 3));

	hall_let_go(&s.h, 1);
	cr_assert(raw_receive(&s.r, &m));
	cr_assert(raw_receive(&s.r, &m));
	hall_let_go(&s.h, HALL_ALL);
	cr_assert(raw_receive(&s.r, &m));
	cr_assert(raw_receive(&s.r, &m));
	tear_down(&s);
}

/* It is short by its median, and then it goes on after its answer. */
Test(rpc_outbox, no_reply_waits_for_long_behind_one_that_turns_out_to_be_long)
{
	const struct ct_wire_header h = raw_call_header(hall_tell_method.hash, BUDGET_US);
	Hall__V1__Ask ask = HALL__V1__ASK__INIT;
	uint8_t packed[64];
	struct raw_msg m;
	struct scene s;

	set_up(&s);
	ask.linger = true;
	cr_assert(raw_send(&s.r, s.next_id++, &h, CT_BYTES_NONE,
			   ct_bytes_of(packed, hall__v1__ask__pack(&ask, packed))));
	cr_assert(hall_waited(&s.h, &s.h.entered, 3)); /* two in set_up */

	fake_clock_step_ms(&s.clock, LATE_MS);
	ct_timers_poke(s.h.rt.timers);

	cr_assert(raw_receive(&s.r, &m), "held back while its handler waits at the gate");
	cr_assert(hall_settled(&s.h, pick_running, 1));
	hall_let_go(&s.h, HALL_ALL);
	tear_down(&s);
}

/* What is held back counts as waiting for a slow reader, which this one is not. */
Test(rpc_outbox, large_replies_leave_before_they_fill_the_queue)
{
	enum { MSG_MAX = 64 << 10, REPLY = 30 << 10 };
	const struct ct_net_opts net = { .msg_bytes_max = MSG_MAX, .send_bytes_max = MSG_MAX };
	const struct ct_wire_header h = raw_call_header(hall_tell_method.hash, BUDGET_US);
	Hall__V1__Ask ask = HALL__V1__ASK__INIT;
	uint8_t packed[64];
	struct raw_msg m;
	struct scene s;
	size_t len;

	ask.reply_bytes = REPLY;
	len = hall__v1__ask__pack(&ask, packed);
	set_up_with(&s, &net);
	occupy(&s);
	for (int i = 0; i < WAITING; i++) {
		struct ct_wire_header mine = h;

		mine.cancel_id = ct_id_new();
		cr_assert(raw_send(&s.r, s.next_id++, &mine, CT_BYTES_NONE,
				   ct_bytes_of(packed, len)));
	}
	cr_assert(hall_reached(&s.h, pick_queued, WAITING));

	hall_let_go(&s.h, HALL_ALL);

	for (int i = 0; i < WAITING + 1; i++) {
		cr_assert(raw_receive(&s.r, &m));
		cr_assert_eq(m.h.code, CT_OK, "reply %d: %s", i,
			     ct_status_name((ct_status)m.h.code));
	}
	cr_assert_eq(hall_stats(&s.h).replies_cut, 0);
	tear_down(&s);
}
