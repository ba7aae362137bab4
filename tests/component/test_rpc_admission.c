/* SPDX-License-Identifier: Apache-2.0 */
/* Every reason to refuse a call, in the order in which they are looked at, and how
 * long an admitted one may take. */
#include "tests/component/admission_scene.h"
#include "tests/lib/rpc/ask.h"

#include "ct/v1/health.ct.h"
#include "ct/v1/runtime.ct.h"

#include <stdlib.h>
#include <string.h>

TestSuite(rpc_admission, .fini = leak_check, .timeout = 60);

/* ---- reasons ----------------------------------------------------------------------------- */

Test(rpc_admission, request_over_its_methods_size_is_refused_for_good)
{
	uint8_t payload[65] = { 0 };
	struct ct_client *c;
	struct scene s;
	struct ask a;

	set_up(&s, NULL);
	c = client_of(&s.h.rt, hall_url(&s.h));
	ask_init(&a, PATIENT_MS);
	a.req.payload = (ProtobufCBinaryData){ sizeof(payload), payload };

	cr_assert_eq(ask_now(&a, c, &hall_tell_small_method), CT_RESOURCE_EXHAUSTED);

	cr_assert(a.reply.not_processed);
	cr_assert(a.reply.no_retry);
	cr_assert_eq(a.reply.retry_after_ms, 0);
	cr_assert_eq(refused_by(&s, CT_REFUSAL_SIZE), 1);
	ask_fini(&a);
	c = ct_client_free(c);
	tear_down(&s);
}

Test(rpc_admission, unknown_method_is_unimplemented_and_the_connection_lives)
{
	const struct ct_wire_header h = raw_call_header(NO_SUCH_METHOD, PATIENT_US);
	const struct ct_wire_header tell = raw_call_header(hall_tell_method.hash, PATIENT_US);
	struct scene s;

	set_up(&s, NULL);

	send_call(&s, &h, NULL);
	expect_reply(&s, CT_UNIMPLEMENTED, true);
	send_call(&s, &tell, NULL);
	expect_reply(&s, CT_OK, false);

	cr_assert_eq(refused_by(&s, CT_REFUSAL_UNKNOWN_METHOD), 1);
	tear_down(&s);
}

Test(rpc_admission, cancel_that_comes_first_leaves_a_tombstone_for_one_call)
{
	const struct ct_wire_header h = raw_call_header(hall_tell_method.hash, PATIENT_US);
	struct scene s;

	set_up(&s, NULL);

	send_cancel(&s, &h.cancel_id);
	expect_reply(&s, CT_NOT_FOUND, false);
	send_call(&s, &h, NULL);
	expect_reply(&s, CT_CANCELLED, true);
	send_call(&s, &h, NULL); /* it was used up */
	expect_reply(&s, CT_OK, false);

	cr_assert_eq(refused_by(&s, CT_REFUSAL_TOMBSTONE), 1);
	cr_assert_eq(hall_stats(&s.h).tombstones_hit, 1);
	cr_assert_eq(hall_stats(&s.h).cancels_unknown, 1);
	tear_down(&s);
}

Test(rpc_admission, second_cancel_of_a_call_changes_nothing)
{
	const struct ct_wire_header h = raw_call_header(hall_hold_method.hash, PATIENT_US);
	const struct ct_wire_header other = raw_call_header(hall_tell_method.hash, PATIENT_US);
	struct raw_msg m;
	struct scene s;

	set_up(&s, NULL);
	send_call(&s, &h, NULL);
	cr_assert(hall_waited(&s.h, &s.h.entered, 1));

	send_cancel(&s, &h.cancel_id);
	expect_both(&s, CT_OK, CT_CANCELLED);
	cr_assert(hall_settled(&s.h, pick_in_flight, 0));
	send_cancel(&s, &h.cancel_id);
	cr_assert(raw_receive(&s.r, &m)); /* OK as long as the call leaves, then NOT_FOUND */
	send_call(&s, &other, NULL);
	expect_reply(&s, CT_OK, false);

	cr_assert_eq(hall_stats(&s.h).calls.cancelled_running, 1);
	cr_assert_eq(hall_get(&s.h, &s.h.reasons[CT_CANCEL_CALLER]), 1);
	tear_down(&s);
}

Test(rpc_admission, second_call_of_a_living_id_is_refused_and_the_first_goes_on)
{
	const struct ct_wire_header h = raw_call_header(hall_hold_method.hash, PATIENT_US);
	struct scene s;

	set_up(&s, NULL);
	send_call(&s, &h, NULL);
	cr_assert(hall_waited(&s.h, &s.h.entered, 1));

	send_call(&s, &h, NULL);
	expect_reply(&s, CT_INVALID_ARGUMENT, true);

	hall_let_go(&s.h, HALL_ALL);
	expect_reply(&s, CT_OK, false);
	cr_assert_eq(refused_by(&s, CT_REFUSAL_DUPLICATE), 1);
	cr_assert_eq(hall_get(&s.h, &s.h.entered), 1);
	tear_down(&s);
}

/* So many calls in one receive that at least the last finds its microsecond gone. */
static size_t expired_batch(struct scene *s, uint32_t method, uint8_t *out, size_t size, unsigned n)
{
	size_t len = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct ct_wire_header h = raw_call_header(method, 1);

		len += raw_frame(&s->r, s->next_id++, &h, CT_BYTES_NONE, CT_BYTES_NONE, out + len,
				 size - len);
	}
	return len;
}

Test(rpc_admission, call_whose_time_is_over_on_arrival_never_runs)
{
	enum { CALLS = 100 };
	uint8_t frames[CALLS * 64];
	struct ct_server_stats st;
	struct scene s;

	set_up(&s, NULL);
	occupy(&s, 2); /* so that none can start */

	cr_assert(
		raw_write(&s.r, frames,
			  expired_batch(&s, hall_tell_method.hash, frames, sizeof(frames), CALLS)));
	for (unsigned i = 0; i < CALLS; i++)
		expect_reply(&s, CT_DEADLINE_EXCEEDED, true);

	st = hall_stats(&s.h);
	cr_assert_gt(st.refused_by[CT_REFUSAL_EXPIRED], 0);
	cr_assert_eq(st.refused_by[CT_REFUSAL_EXPIRED] + st.calls.expired_queued, CALLS);
	cr_assert_eq(hall_get(&s.h, &s.h.entered), 2);
	tear_down(&s);
}

/* ---- order --------------------------------------------------------------------------------- */

Test(rpc_admission, size_comes_before_draining_and_draining_before_tombstones)
{
	const struct ct_wire_header small = raw_call_header(hall_tell_small_method.hash,
							    PATIENT_US);
	const struct ct_wire_header tell = raw_call_header(hall_tell_method.hash, PATIENT_US);
	char message[100] = { 0 };
	Hall__V1__Ask big = HALL__V1__ASK__INIT;
	struct scene s;

	set_up(&s, NULL);
	memset(message, 'm', sizeof(message) - 1);
	big.message = message;
	occupy(&s, 1); /* so that the drain does not end */
	send_cancel(&s, &tell.cancel_id);
	expect_reply(&s, CT_NOT_FOUND, false);
	ct_server_drain(s.h.server);

	send_call(&s, &small, &big);
	expect_reply(&s, CT_RESOURCE_EXHAUSTED, true);
	send_call(&s, &tell, NULL);
	expect_reply(&s, CT_UNAVAILABLE, true);

	cr_assert_eq(refused_by(&s, CT_REFUSAL_SIZE), 1);
	cr_assert_eq(refused_by(&s, CT_REFUSAL_DRAINING), 1);
	cr_assert_eq(refused_by(&s, CT_REFUSAL_TOMBSTONE), 0);
	tear_down(&s);
}

Test(rpc_admission, tombstones_come_before_unknown_methods)
{
	const struct ct_wire_header h = raw_call_header(NO_SUCH_METHOD, PATIENT_US);
	struct scene s;

	set_up(&s, NULL);
	send_cancel(&s, &h.cancel_id);
	expect_reply(&s, CT_NOT_FOUND, false);

	send_call(&s, &h, NULL);

	expect_reply(&s, CT_CANCELLED, true);
	tear_down(&s);
}

Test(rpc_admission, expired_comes_before_unknown_methods_and_limits)
{
	enum { CALLS = 100 };
	const struct hall_opts o = { .server = { .method_calls_max = 2 } };
	uint8_t frames[CALLS * 64];
	struct ct_server_stats st;
	struct scene s;

	set_up(&s, &o);
	occupy(&s, 2); /* Hold is at its limit */

	cr_assert(raw_write(&s.r, frames,
			    expired_batch(&s, NO_SUCH_METHOD, frames, sizeof(frames), CALLS)));
	cr_assert(
		raw_write(&s.r, frames,
			  expired_batch(&s, hall_hold_method.hash, frames, sizeof(frames), CALLS)));
	cr_assert(hall_reached(&s.h, pick_received, 2 + 2 * CALLS));

	st = hall_stats(&s.h);
	cr_assert_gt(st.refused_by[CT_REFUSAL_EXPIRED], CALLS);
	cr_assert_eq(st.refused_by[CT_REFUSAL_EXPIRED] + st.refused_by[CT_REFUSAL_UNKNOWN_METHOD] +
			     st.refused_by[CT_REFUSAL_METHOD_LIMIT],
		     2 * CALLS);
	tear_down(&s);
}

/* ---- time ------------------------------------------------------------------------------------ */

Test(rpc_admission, call_without_a_budget_gets_the_servers)
{
	const struct hall_opts o = { .server = { .max_deadline_ms = 5000 } };
	const struct ct_wire_header h = raw_call_header(hall_tell_method.hash, CT_BUDGET_NONE);
	struct raw_msg m;
	struct scene s;
	Hall__V1__Answer *answer;

	set_up(&s, &o);

	send_call(&s, &h, NULL);

	cr_assert(raw_receive(&s.r, &m));
	answer = hall__v1__answer__unpack(NULL, m.payload.len, m.payload.ptr);
	cr_assert_not_null(answer);
	cr_assert_leq(answer->seen->budget_us, 5000000);
	cr_assert_gt(answer->seen->budget_us, 0);
	cr_assert_eq(hall_stats(&s.h).clamped, 1);
	hall__v1__answer__free_unpacked(answer, NULL);
	tear_down(&s);
}

Test(rpc_admission, call_cancelled_in_the_queue_is_answered_then_and_never_runs)
{
	const struct ct_wire_header h = raw_call_header(hall_hold_method.hash, PATIENT_US);
	struct scene s;

	set_up(&s, NULL);
	occupy(&s, 2);
	send_call(&s, &h, NULL);
	cr_assert(hall_settled(&s.h, pick_queued, 1));

	send_cancel(&s, &h.cancel_id);

	expect_both(&s, CT_OK, CT_CANCELLED);
	cr_assert_eq(hall_stats(&s.h).calls.cancelled_queued, 1);
	cr_assert_eq(hall_get(&s.h, &s.h.entered), 2);
	tear_down(&s);
}

/* ---- inline ------------------------------------------------------------------------------ */

Test(rpc_admission, inline_methods_answer_while_every_worker_is_busy_and_the_queue_is_full)
{
	const struct hall_opts o = { .server = { .workers = 1, .queue_max = 1 }, .standard = true };
	const struct ct_wire_header hold = raw_call_header(hall_hold_method.hash, PATIENT_US);
	const struct ct_wire_header inline_ = raw_call_header(hall_tell_inline_method.hash,
							      PATIENT_US);
	const struct ct_wire_header health = raw_call_header(health_check_method.hash, PATIENT_US);
	const struct ct_wire_header stats = raw_call_header(runtime_stats_method.hash, PATIENT_US);
	struct scene s;

	set_up(&s, &o);
	occupy(&s, 1);
	send_call(&s, &hold, NULL);
	cr_assert(hall_settled(&s.h, pick_queued, 1));

	send_call(&s, &inline_, NULL);
	expect_reply(&s, CT_OK, false);
	send_call(&s, &health, NULL);
	expect_reply(&s, CT_OK, false);
	send_call(&s, &stats, NULL);
	expect_reply(&s, CT_OK, false);
	tear_down(&s);
}
