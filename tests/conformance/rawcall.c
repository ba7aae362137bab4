/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/rawcall.h"

#include "base/check.h"
#include "tests/lib/rpc/raw.h"

#include "conform/v1/conform.ct.h"

enum { PAYLOAD_MAX = 2048, CANCEL_ID = 1, CALL_ID = 2 };

bool raw_call(const struct raw_call *rc, ct_status *ret_status, bool *ret_not_processed)
{
	struct ct_wire_header h = { .kind = CT_WIRE_CANCEL,
				    .code = CT_CANCEL_CALLER,
				    .cancel_id = ct_id_new() };
	const struct ct_id cancel_id = h.cancel_id;
	Conform__V1__WorkRequest req = CONFORM__V1__WORK_REQUEST__INIT;
	struct raw r = raw_join(rc->call->url);
	uint8_t payload[PAYLOAD_MAX];
	struct raw_msg m;
	size_t len;
	bool got;

	if (rc->cancel_first) {
		CT_CHECK(raw_send(&r, CANCEL_ID, &h, CT_BYTES_NONE, CT_BYTES_NONE));
		CT_CHECK(raw_receive(&r, &m) && m.id == CANCEL_ID);
	}
	req.key = (char *)(uintptr_t)rc->call->key;
	req.n_hops = rc->call->hops_n;
	req.hops = (char **)(uintptr_t)rc->call->hops;
	CT_CHECK(conform__v1__work_request__get_packed_size(&req) <= sizeof(payload));
	len = conform__v1__work_request__pack(&req, payload);
	h = raw_call_header(conform_work_method.hash, rc->budget_us);
	h.cancel_id = cancel_id;
	CT_CHECK(raw_send(&r, CALL_ID, &h, CT_BYTES_NONE, ct_bytes_of(payload, len)));
	got = raw_receive(&r, &m) && m.id == CALL_ID;
	if (got) {
		*ret_status = ct_status_from_wire(m.h.code);
		*ret_not_processed = (m.h.flags & CT_WIRE_NOT_PROCESSED) != 0;
	}
	raw_close(&r);
	return got;
}
