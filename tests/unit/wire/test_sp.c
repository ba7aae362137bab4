/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/sp.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(sp, .fini = leak_check, .timeout = 60);

enum { PREFIX_ROOM = CT_SP_PREFIX_BYTES_MAX + 4 * CT_SP_ROUTE_WORDS_MAX, MSG_MAX = 1000 };

static const struct ct_sp_route plain = { .words = { 0x80000007 }, .n = 1 };

/* One message at out; returns its length. */
static size_t message(uint8_t *out, const struct ct_sp_route *route, const char *body, bool ipc)
{
	const size_t n = ct_sp_prefix(out, route, strlen(body), ipc);

	memcpy(out + n, body, strlen(body));
	return n + strlen(body);
}

static struct ct_sp_route route_of(uint8_t words)
{
	struct ct_sp_route r = { .n = words };

	for (uint8_t i = 0; i < words; i++)
		r.words[i] = i + 1U;
	r.words[words - 1] |= 0x80000000;
	return r;
}

Test(sp, hello_is_the_eight_bytes_that_stock_sockets_send)
{
	uint8_t out[CT_SP_HELLO_BYTES];

	ct_sp_hello(CT_SP_REQ, out);
	cr_assert_arr_eq(out, "\0SP\0\0\x30\0\0", CT_SP_HELLO_BYTES);
	ct_sp_hello(CT_SP_REP, out);
	cr_assert_arr_eq(out, "\0SP\0\0\x31\0\0", CT_SP_HELLO_BYTES);
}

Test(sp, hello_of_the_wanted_protocol_alone_is_accepted)
{
	const char *why = NULL;
	uint8_t in[CT_SP_HELLO_BYTES];

	ct_sp_hello(CT_SP_REP, in);
	cr_assert_eq(ct_sp_check_hello(in, CT_SP_REP, &why), CT_OK);
	cr_assert_null(why);
	cr_assert_eq(ct_sp_check_hello(in, CT_SP_REQ, &why), CT_UNAVAILABLE);
	cr_assert_str_eq(why, "the peer speaks another SP protocol");
	cr_assert_eq(ct_sp_check_hello((const uint8_t *)"GET / HT", CT_SP_REQ, &why),
		     CT_UNAVAILABLE);
	cr_assert_str_eq(why, "the peer does not speak SP");
	for (size_t i = 0; i < CT_SP_HELLO_BYTES; i++) {
		ct_sp_hello(CT_SP_REP, in);
		in[i] ^= 0x40;
		cr_assert_eq(ct_sp_check_hello(in, CT_SP_REP, &why), CT_UNAVAILABLE, "byte %zu", i);
	}
}

Test(sp, message_comes_back_from_every_route_length_on_both_framings)
{
	uint8_t buf[PREFIX_ROOM + 8];
	struct ct_sp_parsed got;

	for (int ipc = 0; ipc <= 1; ipc++) {
		for (uint8_t words = 1; words <= CT_SP_ROUTE_WORDS_MAX; words++) {
			const struct ct_sp_route r = route_of(words);
			const size_t len = message(buf, &r, "body", ipc);

			cr_assert_eq(ct_sp_next(ct_bytes_of(buf, sizeof(buf)), ipc, MSG_MAX, &got),
				     CT_SP_MSG);
			cr_assert_eq(got.used, len);
			cr_assert_eq(got.route.n, words);
			cr_assert_arr_eq(got.route.words, r.words, words * sizeof(r.words[0]));
			cr_assert_eq(got.body.len, 4);
			cr_assert_arr_eq(got.body.ptr, "body", 4);
		}
	}
}

Test(sp, every_part_of_a_message_asks_for_the_rest)
{
	uint8_t buf[PREFIX_ROOM + 8];
	struct ct_sp_parsed got;

	for (int ipc = 0; ipc <= 1; ipc++) {
		const size_t prefix = ipc ? 9 : 8;
		const size_t len = message(buf, &plain, "body", ipc);

		for (size_t part = 0; part < len; part++) {
			cr_assert_eq(ct_sp_next(ct_bytes_of(buf, part), ipc, MSG_MAX, &got),
				     CT_SP_NEED);
			cr_assert_eq(got.need, part < prefix ? prefix : len);
		}
	}
}

Test(sp, body_may_be_empty)
{
	uint8_t buf[PREFIX_ROOM];
	struct ct_sp_parsed got;
	const size_t len = message(buf, &plain, "", false);

	cr_assert_eq(ct_sp_next(ct_bytes_of(buf, len), false, 4, &got), CT_SP_MSG);
	cr_assert_eq(got.body.len, 0);
	cr_assert_eq(got.used, len);
}

Test(sp, length_over_the_limit_is_bad_before_its_bytes_arrive)
{
	static const uint8_t two_63[] = { 0x80, 0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t all_ones[] = { 255, 255, 255, 255, 255, 255, 255, 255 };
	uint8_t buf[PREFIX_ROOM];
	struct ct_sp_parsed got;

	cr_assert_eq(ct_sp_next(ct_bytes_of(two_63, 8), false, MSG_MAX, &got), CT_SP_BAD);
	cr_assert(got.too_big);
	cr_assert_eq(ct_sp_next(ct_bytes_of(all_ones, 8), false, SIZE_MAX, &got), CT_SP_BAD);
	(void)ct_sp_prefix(buf, &plain, MSG_MAX - 4, true);
	cr_assert_eq(ct_sp_next(ct_bytes_of(buf, 9), true, MSG_MAX, &got), CT_SP_NEED);
	(void)ct_sp_prefix(buf, &plain, MSG_MAX - 3, true);
	cr_assert_eq(ct_sp_next(ct_bytes_of(buf, 9), true, MSG_MAX, &got), CT_SP_BAD);
	cr_assert_str_eq(got.why, "a message over the size limit");
}

Test(sp, route_that_never_ends_is_bad)
{
	uint8_t hops[8 + 4 * (CT_SP_ROUTE_WORDS_MAX + 1)] = { [7] = 4 *
								    (CT_SP_ROUTE_WORDS_MAX + 1) };
	static const uint8_t no_id[] = { 0, 0, 0, 0, 0, 0, 0, 4, 0x7f, 0, 0, 1 };
	static const uint8_t stub[] = { 0, 0, 0, 0, 0, 0, 0, 3, 0x80, 0, 0 };
	static const uint8_t empty[] = { 0, 0, 0, 0, 0, 0, 0, 0 };
	struct ct_sp_parsed got;

	cr_assert_eq(ct_sp_next(ct_bytes_of(hops, sizeof(hops)), false, MSG_MAX, &got), CT_SP_BAD);
	cr_assert_str_eq(got.why, "a route of too many hops");
	cr_assert_not(got.too_big);
	cr_assert_eq(ct_sp_next(ct_bytes_of(no_id, sizeof(no_id)), false, MSG_MAX, &got),
		     CT_SP_BAD);
	cr_assert_str_eq(got.why, "a message without a request id");
	cr_assert_eq(ct_sp_next(ct_bytes_of(stub, sizeof(stub)), false, MSG_MAX, &got), CT_SP_BAD);
	cr_assert_eq(ct_sp_next(ct_bytes_of(empty, sizeof(empty)), false, MSG_MAX, &got),
		     CT_SP_BAD);
}

Test(sp, ipc_message_begins_with_its_mark)
{
	static const uint8_t tcp_like[] = { 0 };
	struct ct_sp_parsed got;

	cr_assert_eq(ct_sp_next(ct_bytes_of(tcp_like, 1), true, MSG_MAX, &got), CT_SP_BAD);
	cr_assert_str_eq(got.why, "not an ipc message");
}

Test(sp, messages_in_one_buffer_are_read_one_after_another)
{
	uint8_t buf[3 * (PREFIX_ROOM + 8)];
	struct ct_sp_parsed got;
	struct ct_bytes in;
	size_t len = 0;
	unsigned n = 0;

	len += message(buf + len, &plain, "one", false);
	len += message(buf + len, &plain, "", false);
	len += message(buf + len, &plain, "three", false);
	in = ct_bytes_of(buf, len);

	for (; ct_sp_next(in, false, MSG_MAX, &got) == CT_SP_MSG; n++)
		in = ct_bytes_of(in.ptr + got.used, in.len - got.used);

	cr_assert_eq(n, 3);
	cr_assert_eq(in.len, 0);
}

Test(sp, start_of_a_message_too_big_is_read_as_soon_as_it_is_there)
{
	enum { KEEP = 6 };
	static const uint8_t no_id[8 + 4 * CT_SP_ROUTE_WORDS_MAX + KEEP] = { [6] = 1 };
	uint8_t buf[PREFIX_ROOM + KEEP];
	struct ct_sp_parsed got;
	size_t prefix;

	for (int ipc = 0; ipc < 2; ipc++) {
		prefix = ct_sp_prefix(buf, &plain, (size_t)1 << 40, ipc != 0);
		memcpy(buf + prefix, "abcdef", KEEP);
		for (size_t n = 0; n < prefix + KEEP; n++) {
			cr_assert_eq(ct_sp_start(ct_bytes_of(buf, n), ipc != 0, KEEP, &got),
				     CT_SP_NEED, "%zu", n);
			cr_assert_gt(got.need, n);
		}
		cr_assert_eq(ct_sp_start(ct_bytes_of(buf, prefix + KEEP), ipc != 0, KEEP, &got),
			     CT_SP_MSG);
		cr_assert_eq(got.route.words[0], plain.words[0]);
		cr_assert_eq(got.used, prefix + KEEP);
		cr_assert_eq(got.body.len, KEEP);
		cr_assert_arr_eq(got.body.ptr, "abcdef", KEEP);
		cr_assert_eq(got.left, ((uint64_t)1 << 40) - KEEP);
	}
	cr_assert_eq(ct_sp_start(ct_bytes_of(no_id, sizeof(no_id)), false, KEEP, &got), CT_SP_BAD);
	cr_assert_not(got.too_big);
}
