/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/header.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(header, .fini = leak_check, .timeout = 60);

enum { ROOM = CT_WIRE_HEADER_BYTES + CT_WIRE_META_BYTES_MAX + 16 };

static struct ct_wire_header a_call(void)
{
	return (struct ct_wire_header){
		.kind = CT_WIRE_CALL,
		.flags = CT_WIRE_IDEMPOTENT,
		.code = CT_CRIT_CRITICAL,
		.attempt = 1,
		.budget_us = 250000,
		.cancel_id = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } },
		.method = 0xa1b2c3d4,
	};
}

static struct ct_wire_header a_cancel(void)
{
	return (struct ct_wire_header){ .kind = CT_WIRE_CANCEL,
					.code = 1,
					.cancel_id = { { [15] = 9 } } };
}

static struct ct_wire_header a_reply(void)
{
	return (struct ct_wire_header){ .kind = CT_WIRE_REPLY };
}

/* Encodes h with `extra` zero bytes after it and decodes that. */
static ct_status through_the_wire(const struct ct_wire_header *h, size_t extra,
				  struct ct_wire_header *ret_h, const char **ret_why)
{
	static uint8_t msg[ROOM];
	struct ct_bytes meta, payload;

	memset(msg, 0, sizeof(msg));
	ct_wire_encode(h, msg);
	return ct_wire_decode(ct_bytes_of(msg, CT_WIRE_HEADER_BYTES + extra), ret_h, &meta,
			      &payload, ret_why);
}

static void expect_refused(struct ct_wire_header h, const char *want_why)
{
	struct ct_wire_header out = { .method = 77 };
	const char *why = NULL;

	cr_assert_eq(through_the_wire(&h, 0, &out, &why), CT_INVALID_ARGUMENT, "%s", want_why);
	cr_assert_str_eq(why, want_why);
	cr_assert_eq(out.method, 77, "a failed decode wrote its output");
}

static void expect_taken(struct ct_wire_header h)
{
	struct ct_wire_header out;
	const char *why = "";

	cr_assert_eq(through_the_wire(&h, h.meta_len, &out, &why), CT_OK, "%s", why);
	cr_assert_eq(out.kind, h.kind);
	cr_assert_eq(out.flags, h.flags);
	cr_assert_eq(out.code, h.code);
	cr_assert_eq(out.attempt, h.attempt);
	cr_assert_eq(out.budget_us, h.budget_us);
	cr_assert(ct_id_equal(&out.cancel_id, &h.cancel_id));
	cr_assert_eq(out.method, h.method);
	cr_assert_eq(out.meta_len, h.meta_len);
}

Test(header, bytes_on_the_wire_are_those_of_the_picture)
{
	static const uint8_t want[CT_WIRE_HEADER_BYTES] = {
		'C',  'T',  'R',  '1',  1,  1,    2,    1,    /* magic kind flags code attempt */
		0,    0,    0,    0,    0,  0x03, 0xd0, 0x90, /* 250000 us */
		1,    2,    3,    4,    5,  6,    7,    8,
		9,    10,   11,   12,   13, 14,   15,   16, /* cancel_id */
		0xa1, 0xb2, 0xc3, 0xd4, 0,  0,    0,    5,  /* method meta_len */
	};
	struct ct_wire_header h = a_call();
	uint8_t got[CT_WIRE_HEADER_BYTES];

	h.meta_len = 5;
	ct_wire_encode(&h, got);

	cr_assert_arr_eq(got, want, sizeof(want));
}

Test(header, meta_and_payload_point_into_the_message)
{
	uint8_t msg[CT_WIRE_HEADER_BYTES + 7];
	struct ct_wire_header h = a_call(), out;
	struct ct_bytes meta, payload;
	const char *why;

	h.meta_len = 3;
	ct_wire_encode(&h, msg);
	memcpy(msg + CT_WIRE_HEADER_BYTES, "metaload", 7);

	cr_assert_eq(ct_wire_decode(ct_bytes_of(msg, sizeof(msg)), &out, &meta, &payload, &why),
		     CT_OK);
	cr_assert_eq(meta.ptr, msg + CT_WIRE_HEADER_BYTES);
	cr_assert_eq(meta.len, 3);
	cr_assert_eq(payload.ptr, msg + CT_WIRE_HEADER_BYTES + 3);
	cr_assert_eq(payload.len, 4);
}

Test(header, every_kind_survives_the_round_trip)
{
	struct ct_wire_header h = a_call();

	expect_taken(h);
	h.budget_us = UINT64_MAX; /* no deadline */
	h.attempt = UINT8_MAX;
	h.meta_len = CT_WIRE_META_BYTES_MAX;
	expect_taken(h);
	for (uint8_t reason = 1; reason <= 6; reason++) {
		h = a_cancel();
		h.code = reason;
		expect_taken(h);
	}
	for (uint8_t st = 0; st < UINT8_MAX; st++) { /* numbers to come too */
		h = a_reply();                       /* to a call that could not be read: id zero */
		h.code = st;
		h.flags = CT_WIRE_NOT_PROCESSED | CT_WIRE_NO_RETRY;
		h.budget_us = st;
		expect_taken(h);
	}
}

Test(header, call_that_breaks_a_rule_is_refused_with_the_reason)
{
	struct ct_wire_header h = a_call();

	h.flags = 0x02;
	expect_refused(h, "unknown flag");
	h = a_call();
	h.code = CT_CRIT_CRITICAL + 1;
	expect_refused(h, "code out of range");
	h = a_call();
	h.attempt = 0;
	expect_refused(h, "attempt 0");
	h = a_call();
	h.budget_us = 0;
	expect_refused(h, "budget 0");
	h = a_call();
	h.cancel_id = (struct ct_id){ { 0 } };
	expect_refused(h, "cancel id of zero");
}

Test(header, cancel_that_breaks_a_rule_is_refused_with_the_reason)
{
	struct ct_wire_header h = a_cancel(), out;
	const char *why;

	h.flags = 1;
	expect_refused(h, "unknown flag");
	h = a_cancel();
	h.code = 0;
	expect_refused(h, "code out of range");
	h.code = 7;
	expect_refused(h, "code out of range");
	h = a_cancel();
	h.attempt = 1;
	expect_refused(h, "attempt where none belongs");
	h = a_cancel();
	h.budget_us = 1;
	expect_refused(h, "budget where none belongs");
	h = a_cancel();
	h.cancel_id = (struct ct_id){ { 0 } };
	expect_refused(h, "cancel id of zero");
	h = a_cancel();
	h.method = 1;
	expect_refused(h, "method where none belongs");
	h = a_cancel();
	cr_assert_eq(through_the_wire(&h, 1, &out, &why), CT_INVALID_ARGUMENT);
	cr_assert_str_eq(why, "payload where none belongs");
}

Test(header, reply_that_breaks_a_rule_is_refused_with_the_reason)
{
	struct ct_wire_header h = a_reply();

	h.flags = 0x04;
	expect_refused(h, "unknown flag");
	h = a_reply();
	h.method = 1;
	expect_refused(h, "method where none belongs");
}

Test(header, lengths_that_do_not_fit_are_refused)
{
	uint8_t msg[ROOM] = { 0 };
	struct ct_wire_header h = a_call(), out;
	struct ct_bytes meta, payload;
	const char *why;

	h.meta_len = 1;
	expect_refused(h, "meta longer than the message");
	ct_wire_encode(&h, msg);
	msg[38] = 0x20; /* meta_len 8193, and the bytes are there */
	cr_assert_eq(ct_wire_decode(ct_bytes_of(msg, ROOM), &out, &meta, &payload, &why),
		     CT_INVALID_ARGUMENT);
	cr_assert_str_eq(why, "meta over its limit");
	for (size_t len = 0; len < CT_WIRE_HEADER_BYTES; len++) {
		cr_assert_eq(ct_wire_decode(ct_bytes_of(msg, len), &out, &meta, &payload, &why),
			     CT_INVALID_ARGUMENT);
		cr_assert_str_eq(why, len < 4 ? "no CTR1 magic" : "shorter than a header");
	}
}

Test(header, unknown_kind_and_magic_are_refused)
{
	struct ct_wire_header h = a_call(), out;
	uint8_t msg[CT_WIRE_HEADER_BYTES];
	struct ct_bytes meta, payload;
	const char *why;

	for (unsigned kind = 0; kind < 256; kind++) {
		ct_wire_encode(&h, msg);
		msg[4] = (uint8_t)kind;
		if (kind >= CT_WIRE_CALL && kind <= CT_WIRE_REPLY)
			continue;
		cr_assert_eq(
			ct_wire_decode(ct_bytes_of(msg, sizeof(msg)), &out, &meta, &payload, &why),
			CT_INVALID_ARGUMENT);
		cr_assert_str_eq(why, "unknown kind");
	}
	ct_wire_encode(&h, msg);
	msg[3] = '2';
	cr_assert_eq(ct_wire_decode(ct_bytes_of(msg, sizeof(msg)), &out, &meta, &payload, &why),
		     CT_INVALID_ARGUMENT);
	cr_assert_str_eq(why, "no CTR1 magic");
}
