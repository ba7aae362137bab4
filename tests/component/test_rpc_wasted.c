/* SPDX-License-Identifier: Apache-2.0 */
/* Time that handlers spend after nobody wants their answer any more is counted, by
 * what stopped them. */
#include "base/check.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/rpc/raw.h"

#include "ct/v1/runtime.ct.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(rpc_wasted, .fini = leak_check, .timeout = 60);

enum { BUDGET_MS = 60000, CALL_ID = 1, CANCEL_ID = 2 };

/* A server whose time the test makes, and whose handlers do not listen. */
struct scene {
	struct fake_clock clock;
	struct hall h;
	struct raw r;
	struct ct_id id; /* of the call that runs */
};

static void set_up(struct scene *s)
{
	const struct hall_opts o = { .clock = &s->clock.clk, .standard = true };

	fake_clock_init(&s->clock);
	hall_start(&s->h, &o);
	s->r = raw_join(hall_url(&s->h));
}

static void tear_down(struct scene *s)
{
	raw_close(&s->r);
	cr_assert(hall_stop(&s->h), "the accounting identity does not hold");
}

static void start_deaf_call(struct scene *s)
{
	const struct ct_wire_header h = raw_call_header(hall_hold_method.hash,
							BUDGET_MS * UINT64_C(1000));
	const unsigned before = hall_get(&s->h, &s->h.entered);
	Hall__V1__Ask ask = HALL__V1__ASK__INIT;
	uint8_t packed[16];

	s->id = h.cancel_id;
	ask.deaf = true;
	cr_assert(raw_send(&s->r, CALL_ID, &h, CT_BYTES_NONE,
			   ct_bytes_of(packed, hall__v1__ask__pack(&ask, packed))));
	cr_assert(hall_waited(&s->h, &s->h.entered, before + 1));
}

/* The answer to it says that the call's context is tripped. */
static void cancel(struct scene *s, enum ct_cancel_reason why)
{
	const struct ct_wire_header h = { .kind = CT_WIRE_CANCEL,
					  .code = (uint8_t)why,
					  .cancel_id = s->id };
	struct raw_msg m;

	cr_assert(raw_send(&s->r, CANCEL_ID, &h, CT_BYTES_NONE, CT_BYTES_NONE));
	cr_assert(raw_receive(&s->r, &m));
	cr_assert_eq(m.h.code, CT_OK);
}

static void go_on_for_ms(struct scene *s, int64_t ms)
{
	fake_clock_step_ms(&s->clock, ms);
	hall_let_go(&s->h, 1);
	cr_assert(hall_settled(&s->h, pick_in_flight, 0));
}

Test(rpc_wasted, every_reason_has_its_time_and_the_sum_is_theirs)
{
	struct ct_server_stats st;
	uint64_t sum = 0;
	struct scene s;

	set_up(&s);
	for (int why = CT_CANCEL_CALLER; why <= CT_CANCEL_DRAIN; why++) {
		start_deaf_call(&s);
		cancel(&s, (enum ct_cancel_reason)why);
		go_on_for_ms(&s, why);
		raw_close(&s.r);
		s.r = raw_join(hall_url(&s.h));
	}
	start_deaf_call(&s);
	raw_close(&s.r);
	cr_assert(hall_settled(&s.h, pick_connections, 0)); /* its calls are tripped by then */
	go_on_for_ms(&s, CT_CANCEL_PEER_GONE);
	s.r = raw_join(hall_url(&s.h));

	st = hall_stats(&s.h);
	cr_assert_eq(st.wasted_us_by[CT_CANCEL_NONE], 0);
	for (unsigned why = CT_CANCEL_CALLER; why < CT_CANCEL_REASONS_N; why++) {
		cr_assert_eq(st.wasted_us_by[why], why * 1000, "%s: %llu us",
			     ct_cancel_reason_name((enum ct_cancel_reason)why),
			     (unsigned long long)st.wasted_us_by[why]);
		sum += why * 1000;
	}
	cr_assert_eq(st.wasted_us, sum);
	tear_down(&s);
}

Test(rpc_wasted, time_before_the_trip_is_not_wasted)
{
	struct scene s;

	set_up(&s);
	start_deaf_call(&s);
	fake_clock_step_ms(&s.clock, 100);
	cancel(&s, CT_CANCEL_CALLER);
	go_on_for_ms(&s, 3);
	start_deaf_call(&s); /* wanted to its end */
	go_on_for_ms(&s, 100);

	cr_assert_eq(hall_stats(&s.h).wasted_us, 3000);
	tear_down(&s);
}

Test(rpc_wasted, stats_tells_it_by_reason)
{
	Ct__V1__StatsRequest req = CT__V1__STATS_REQUEST__INIT;
	const Ct__V1__StatsResponse *resp = NULL;
	struct ct_client *c;
	struct ct_reply reply;
	struct scene s;

	set_up(&s);
	start_deaf_call(&s);
	cancel(&s, CT_CANCEL_SIBLING);
	go_on_for_ms(&s, 5);
	c = client_of(&s.h.rt, hall_url(&s.h));
	ct_reply_init(&reply);

	cr_assert_eq(runtime_stats(c, NULL, &req, &reply, &resp), CT_OK);

	cr_assert_eq(resp->n_wasted_by, CT_CANCEL_REASONS_N - 1);
	for (size_t i = 0; i < resp->n_wasted_by; i++) {
		const Ct__V1__Counter *w = resp->wasted_by[i];

		cr_assert_str_eq(w->name, ct_cancel_reason_name((enum ct_cancel_reason)(i + 1)));
		cr_assert_eq(w->value, strcmp(w->name, "sibling") == 0 ? 5000 : 0);
	}
	ct_reply_fini(&reply);
	c = ct_client_free(c);
	tear_down(&s);
}
