/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that cannot go out: no caller waits for them in vain. */
#include "base/mem.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/rpc/raw.h"

#include <criterion/criterion.h>

TestSuite(rpc_lost, .fini = leak_check, .timeout = 60);

/* Allocations of a call that waits behind the gate fail one after the other, the one
 * for its place in the connection's send buffer among them. */
static bool answer_or_end(uint64_t failing, bool *ret_answered, uint64_t *ret_lost)
{
	const struct ct_wire_header head = raw_call_header(hall_hold_method.hash, 20000000);
	static uint8_t detail[4000];
	Hall__V1__Ask ask = HALL__V1__ASK__INIT;
	uint8_t packed[sizeof(detail) + 64];
	static struct raw_msg m;
	struct hall h;
	struct raw r;
	bool heard;

	ask.code = CT_INTERNAL;
	ask.message = (char *)(uintptr_t) "no";
	ask.details = 1;
	ask.payload = (ProtobufCBinaryData){ sizeof(detail), detail };
	hall_start(&h, NULL);
	r = raw_join(hall_url(&h));
	cr_assert(raw_send(&r, 1, &head, CT_BYTES_NONE,
			   ct_bytes_of(packed, hall__v1__ask__pack(&ask, packed))));
	cr_assert(hall_waited(&h, &h.entered, 1));

	ct_mem_fail_nth(failing);
	hall_let_go(&h, 1);
	heard = raw_readable(&r, 5000);
	ct_mem_fail_nth(0);

	*ret_answered = heard && raw_receive(&r, &m);
	cr_assert(hall_settled(&h, pick_in_flight, 0));
	*ret_lost = hall_stats(&h).replies_lost;
	raw_close(&r);
	cr_assert(hall_stop(&h));
	return heard;
}

Test(rpc_lost, answer_that_cannot_be_queued_ends_the_connection_and_not_in_silence)
{
	enum { ALLOCATIONS = 6 };
	uint64_t lost_all = 0, lost;
	bool answered;

	for (uint64_t i = 1; i <= ALLOCATIONS; i++) {
		cr_assert(answer_or_end(i, &answered, &lost), "allocation %u: nothing came",
			  (unsigned)i);
		cr_assert_eq(lost, answered ? 0 : 1);
		lost_all += lost;
	}
	cr_assert_gt(lost_all, 0, "no allocation was the one");
}

Test(rpc_lost, server_wants_room_for_a_header_and_a_meta_in_a_message)
{
	struct ct_runtime_opts ro = { .service = "test", .net = { .msg_bytes_max = 65535 } };
	struct ct_server_opts so = { .workers = 1 };
	struct ct_server *server = NULL;
	struct ct_runtime rt;

	cr_assert_eq(ct_runtime_init(&rt, &ro), CT_OK);
	so.rt = &rt;
	cr_assert_eq(ct_server_new(&so, &server), CT_INVALID_ARGUMENT);
	cr_assert_null(server);
	ct_runtime_fini(&rt);

	ro.net.msg_bytes_max++;
	cr_assert_eq(ct_runtime_init(&rt, &ro), CT_OK);
	cr_assert_eq(ct_server_new(&so, &server), CT_OK);
	server = ct_server_free(server);
	ct_runtime_fini(&rt);
}
