/* SPDX-License-Identifier: Apache-2.0 */
/* What travels with a call and with its answer, and arrives as it was sent. */
#include "tests/component/ask_scene.h"

#include "base/check.h"
#include "obs/trace.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/raw.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(rpc_answers, .fini = leak_check, .timeout = 60);

enum { DETAILS_MAX = 8, DETAIL_BYTES_MAX = 4096, MESSAGE_MAX = 511 };

/* ---- handlers' mistakes ------------------------------------------------------------------ */

Test(rpc_answers, handler_that_returns_without_an_answer_is_answered_for)
{
	struct scene s;

	set_up(&s, NULL);
	s.a.req.mute = true;

	cr_assert_eq(tell(&s), CT_UNKNOWN);

	cr_assert_str_eq(s.a.reply.message, "the handler returned without an answer");
	cr_assert_not(s.a.reply.not_processed);
	cr_assert_eq(hall_stats(&s.h).calls.app_error, 1);
	tear_down(&s);
}

Test(rpc_answers, answer_larger_than_a_message_is_an_error_and_not_a_lost_connection)
{
	const struct hall_opts o = { .net = { .msg_bytes_max = 256 << 10 } };
	struct scene s;

	set_up(&s, &o);
	s.a.req.reply_bytes = 256 << 10;

	cr_assert_eq(tell(&s), CT_RESOURCE_EXHAUSTED);

	cr_assert(s.a.reply.no_retry);
	cr_assert_not(s.a.reply.not_processed);
	cr_assert_eq(hall_net_stats(&s.h).closed, 0);
	tear_down(&s);
}

Test(rpc_answers, answer_that_leaves_no_room_for_a_full_meta_and_a_long_route_is_too_large)
{
	enum { MSG = 256 << 10, META_AND_HEADER = 8192 + 40, ROUTE = 4 * 16, REST_MAX = 150 };
	const struct hall_opts o = { .net = { .msg_bytes_max = MSG } };
	struct scene s;

	set_up(&s, &o);
	s.a.req.reply_bytes = MSG - META_AND_HEADER - ROUTE - REST_MAX; /* of the rest of Answer */
	cr_assert_eq(tell(&s), CT_OK);
	ask_fini(&s.a);
	ask_init(&s.a, PATIENT_MS);
	s.a.req.reply_bytes = MSG - META_AND_HEADER - ROUTE;

	cr_assert_eq(tell(&s), CT_RESOURCE_EXHAUSTED);

	cr_assert(s.a.reply.no_retry);
	tear_down(&s);
}

Test(rpc_answers, request_larger_than_a_message_never_leaves)
{
	const struct hall_opts o = { .net = { .msg_bytes_max = 64 << 10 } };
	static uint8_t payload[64 << 10];
	struct scene s;

	set_up(&s, &o);
	s.a.req.payload = (ProtobufCBinaryData){ sizeof(payload), payload };

	cr_assert_eq(tell(&s), CT_RESOURCE_EXHAUSTED);

	cr_assert_eq(s.a.reply.attempts, 0);
	cr_assert_eq(hall_stats(&s.h).calls.received, 0);
	tear_down(&s);
}

Test(rpc_answers, largest_request_and_answer_make_the_round)
{
	enum { SIZE = (4 << 20) - 16384 };
	struct scene s;
	uint8_t *payload = calloc(1, SIZE);

	cr_assert_not_null(payload);
	set_up(&s, NULL);
	payload[0] = 1;
	payload[SIZE - 1] = 2;
	s.a.req.payload = (ProtobufCBinaryData){ SIZE, payload };

	cr_assert_eq(tell(&s), CT_OK, "%s", s.a.reply.message);

	cr_assert_eq(ask_answer(&s.a)->payload.len, SIZE);
	cr_assert_eq(memcmp(ask_answer(&s.a)->payload.data, payload, SIZE), 0);
	free(payload);
	tear_down(&s);
}

/* ---- errors ---------------------------------------------------------------------------------- */

Test(rpc_answers, status_message_and_hints_arrive)
{
	struct scene s;

	set_up(&s, NULL);
	s.a.req.code = CT_FAILED_PRECONDITION;
	s.a.req.message = "协和医院: not yet";
	s.a.req.retry_after_ms = 1234;
	s.a.req.no_retry = true;

	cr_assert_eq(tell(&s), CT_FAILED_PRECONDITION);

	cr_assert_str_eq(s.a.reply.message, "协和医院: not yet");
	cr_assert_eq(s.a.reply.retry_after_ms, 1234);
	cr_assert(s.a.reply.no_retry);
	cr_assert_not(s.a.reply.not_processed);
	cr_assert_str_eq(s.a.reply.peer, hall_url(&s.h));
	tear_down(&s);
}

Test(rpc_answers, every_status_of_a_handler_arrives_as_it_is)
{
	struct scene s;

	set_up(&s, NULL);
	for (unsigned code = 1; code < CT_STATUS_N; code++) {
		struct ask a;

		ask_init(&a, PATIENT_MS);
		a.req.code = code;
		cr_assert_eq(ask_now(&a, s.c, &hall_tell_method), (ct_status)code);
		ask_fini(&a);
	}
	cr_assert_eq(hall_stats(&s.h).calls.app_error, CT_STATUS_N - 1);
	tear_down(&s);
}

Test(rpc_answers, long_message_is_cut_between_characters)
{
	static char message[900];
	struct scene s;

	set_up(&s, NULL);
	for (size_t i = 0; i + 3 < sizeof(message); i += 3)
		memcpy(message + i, "张", 3);
	s.a.req.code = CT_ABORTED;
	s.a.req.message = message;

	cr_assert_eq(tell(&s), CT_ABORTED);

	cr_assert_eq(strlen(s.a.reply.message), MESSAGE_MAX / 3 * 3);
	tear_down(&s);
}

Test(rpc_answers, details_arrive_typed_and_as_many_as_are_allowed)
{
	uint8_t bytes[] = { 1, 2, 3 };
	const Ct__V1__ReplyMeta *meta;
	Hall__V1__Answer *detail;
	struct scene s;

	set_up(&s, NULL);
	s.a.req.code = CT_ABORTED;
	s.a.req.details = DETAILS_MAX + 3;
	s.a.req.payload = (ProtobufCBinaryData){ sizeof(bytes), bytes };

	cr_assert_eq(tell(&s), CT_ABORTED);

	meta = ct_reply_meta(&s.a.reply);
	cr_assert_eq(meta->n_details, DETAILS_MAX);
	for (size_t i = 0; i < meta->n_details; i++) {
		cr_assert_str_eq(meta->details[i]->type, "hall.v1.Answer");
		detail = hall__v1__answer__unpack(NULL, meta->details[i]->value.len,
						  meta->details[i]->value.data);
		cr_assert_not_null(detail);
		cr_assert_eq(detail->payload.len, sizeof(bytes));
		hall__v1__answer__free_unpacked(detail, NULL);
	}
	tear_down(&s);
}

Test(rpc_answers, detail_that_does_not_fit_is_dropped_and_the_error_arrives)
{
	static uint8_t large[DETAIL_BYTES_MAX + 1];
	struct scene s;

	set_up(&s, NULL);
	s.a.req.code = CT_ABORTED;
	s.a.req.details = 1;
	s.a.req.payload = (ProtobufCBinaryData){ sizeof(large), large };

	cr_assert_eq(tell(&s), CT_ABORTED);

	cr_assert_eq(ct_reply_meta(&s.a.reply)->n_details, 0);
	tear_down(&s);
}

Test(rpc_answers, status_of_a_handler_that_is_none_is_unknown)
{
	struct scene s;

	set_up(&s, NULL);
	s.a.req.code = CT_STATUS_N;
	s.a.req.message = "sic";

	cr_assert_eq(tell(&s), CT_UNKNOWN);

	cr_assert_str_eq(s.a.reply.message, "sic");
	cr_assert_eq(client_stats(s.c).connections_lost, 0);
	tear_down(&s);
}

Test(rpc_answers, unknown_number_of_a_status_is_unknown)
{
	struct ct_wire_header h;
	struct ct_client *c;
	struct raw listener, r;
	struct raw_msg m;
	struct scene s;
	char url[64];

	set_up(&s, NULL);
	listener = raw_listen(url);
	c = client_with(&(struct ct_client_opts){
		.rt = &s.h.rt, .peer = "raw", .urls = (const char *[]){ url }, .urls_n = 1 });
	r = raw_accept(&listener);
	ask_start(&s.a, c, &hall_tell_method);
	cr_assert(raw_receive(&r, &m));

	h = raw_reply_header(&m.h, CT_OK);
	h.code = 99;
	cr_assert(raw_send(&r, m.id, &h, CT_BYTES_NONE, CT_BYTES_NONE));

	cr_assert(ask_wait(&s.a));
	cr_assert_eq(s.a.reply.status, CT_UNKNOWN);
	cr_assert_eq(client_stats(c).connections_lost, 0);
	c = ct_client_free(c);
	raw_close(&r);
	raw_close(&listener);
	tear_down(&s);
}

/* ---- what goes with a call --------------------------------------------------------------- */

Test(rpc_answers, metadata_idempotency_key_and_caller_arrive)
{
	static const uint8_t binary[] = { 0, 255, 7 };
	const struct ct_metadata metadata[] = {
		{ "site", { (const uint8_t *)"701", 3 } },
		{ "proof-bin", { binary, sizeof(binary) } },
		{ "empty", CT_BYTES_NONE },
	};
	const Hall__V1__Seen *seen;
	struct scene s;

	set_up(&s, NULL);
	s.a.opts.metadata = metadata;
	s.a.opts.metadata_n = CT_ARRAY_N(metadata);
	s.a.opts.idempotency_key = "upload-17";

	cr_assert_eq(tell(&s), CT_OK);

	seen = ask_answer(&s.a)->seen;
	cr_assert_str_eq(seen->idempotency_key, "upload-17");
	cr_assert_str_eq(seen->caller, "hall");
	cr_assert_eq(seen->n_metadata, CT_ARRAY_N(metadata));
	for (size_t i = 0; i < CT_ARRAY_N(metadata); i++) {
		cr_assert_str_eq(seen->metadata[i]->key, metadata[i].key);
		cr_assert_eq(seen->metadata[i]->value.len, metadata[i].value.len);
		cr_assert(metadata[i].value.len == 0 ||
			  memcmp(seen->metadata[i]->value.data, metadata[i].value.ptr,
				 metadata[i].value.len) == 0);
	}
	tear_down(&s);
}

Test(rpc_answers, metadata_over_8_kib_never_leaves)
{
	static uint8_t value[CT_WIRE_META_BYTES_MAX];
	const struct ct_metadata metadata[] = { { "large-bin", { value, sizeof(value) } } };
	struct scene s;

	set_up(&s, NULL);
	s.a.opts.metadata = metadata;
	s.a.opts.metadata_n = 1;

	cr_assert_eq(tell(&s), CT_RESOURCE_EXHAUSTED);

	cr_assert_eq(s.a.reply.attempts, 0);
	cr_assert_eq(hall_stats(&s.h).calls.received, 0);
	tear_down(&s);
}

Test(rpc_answers, trace_of_the_callers_context_goes_on_in_the_handlers)
{
	const struct ct_trace trace = { .trace_id = ct_id_new(), .span_id = 42 };
	struct ct_trace arrived;
	char hex[CT_ID_HEX_SIZE];
	const Hall__V1__Seen *seen;
	struct ct_ctx *ctx = NULL;
	struct scene s;

	set_up(&s, NULL);
	cr_assert_eq(ct_ctx_new_root(s.h.rt.timers, CT_NEVER, &ctx), CT_OK);
	ct_ctx_set_trace(ctx, trace);
	s.a.parent = ctx;

	cr_assert_eq(tell(&s), CT_OK);

	seen = ask_answer(&s.a)->seen;
	ct_id_to_hex(&trace.trace_id, hex);
	cr_assert_str_eq(seen->trace_id, hex);
	cr_assert(ct_trace_parse(ct_bytes_of_str(seen->traceparent), &arrived));
	cr_assert(ct_id_equal(&arrived.trace_id, &trace.trace_id));
	cr_assert_neq(arrived.span_id, trace.span_id, "a call is a span of its own");
	ct_ctx_unref(ctx);
	tear_down(&s);
}

static void expect_key(const struct raw_msg *m, const char *key)
{
	Ct__V1__CallMeta *meta = ct__v1__call_meta__unpack(NULL, m->meta.len, m->meta.ptr);

	cr_assert_not_null(meta);
	cr_assert_str_eq(meta->idempotency_key, key);
	ct__v1__call_meta__free_unpacked(meta, NULL);
}

Test(rpc_answers, criticality_attempt_and_idempotence_are_in_the_header)
{
	struct ct_client *c;
	struct raw listener, r;
	struct ct_wire_header h;
	struct raw_msg m;
	struct scene s;
	char url[64];

	set_up(&s, NULL);
	listener = raw_listen(url);
	c = client_with(&(struct ct_client_opts){
		.rt = &s.h.rt, .peer = "raw", .urls = (const char *[]){ url }, .urls_n = 1 });
	r = raw_accept(&listener);
	s.a.opts.criticality = CT_CRIT_SHEDDABLE;
	s.a.opts.idempotency_key = "upload-17";
	ask_start(&s.a, c, &hall_tell_again_method);

	cr_assert(raw_receive(&r, &m));
	cr_assert_eq(m.h.code, CT_CRIT_SHEDDABLE);
	cr_assert_eq(m.h.attempt, 1);
	cr_assert_eq(m.h.flags, CT_WIRE_IDEMPOTENT);
	cr_assert_leq(m.h.budget_us, PATIENT_MS * UINT64_C(1000));
	expect_key(&m, "upload-17");
	h = raw_reply_header(&m.h, CT_UNAVAILABLE);
	cr_assert(raw_send(&r, m.id, &h, CT_BYTES_NONE, CT_BYTES_NONE));
	cr_assert(raw_receive(&r, &m));
	cr_assert_eq(m.h.code, CT_CRIT_SHEDDABLE);
	cr_assert_eq(m.h.attempt, 2);
	cr_assert_not(ct_id_equal(&m.h.cancel_id, &h.cancel_id), "each attempt has its own id");
	expect_key(&m, "upload-17");
	h = raw_reply_header(&m.h, CT_OK);
	cr_assert(raw_send(&r, m.id, &h, CT_BYTES_NONE, CT_BYTES_NONE));

	cr_assert(ask_wait(&s.a));
	cr_assert_eq(s.a.reply.status, CT_OK);
	cr_assert_eq(s.a.reply.attempts, 2);
	c = ct_client_free(c);
	raw_close(&r);
	raw_close(&listener);
	tear_down(&s);
}

/* ---- time -------------------------------------------------------------------------------- */

Test(rpc_answers, server_with_a_clock_of_its_own_measures_budgets_all_the_same)
{
	const struct ct_runtime_opts ro = { .service = "test" };
	struct fake_clock clock;
	const struct hall_opts o = { .clock = &clock.clk };
	struct ct_runtime rt;
	struct ct_client *c;
	struct hall h;
	struct ask a;

	fake_clock_init(&clock); /* one second after its beginning, and standing still */
	hall_start(&h, &o);
	cr_assert_eq(ct_runtime_init(&rt, &ro), CT_OK);
	c = client_of(&rt, hall_url(&h));

	ask_init(&a, PATIENT_MS);
	cr_assert_eq(ask_now(&a, c, &hall_tell_method), CT_OK);
	cr_assert_leq(ask_answer(&a)->seen->budget_us, PATIENT_MS * UINT64_C(1000));
	ask_fini(&a);
	ask_init(&a, PATIENT_MS);
	ask_start(&a, c, &hall_hold_method);
	cr_assert(hall_waited(&h, &h.entered, 2));
	fake_clock_step_ms(&clock, PATIENT_MS + 1); /* the server's time runs ahead */
	ct_timers_poke(h.rt.timers);

	cr_assert(ask_wait(&a));
	cr_assert_eq(a.reply.status, CT_DEADLINE_EXCEEDED);
	cr_assert_lt(a.reply.elapsed_us, PATIENT_MS * UINT64_C(1000));
	ask_fini(&a);
	c = ct_client_free(c);
	ct_runtime_fini(&rt);
	cr_assert(hall_stop(&h));
}
