/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFORMANCE_RAWCALL_H
#define CONFORMANCE_RAWCALL_H

#include "base/status.h"
#include "tests/conformance/caller.h"

/*
 * Messages that our client would never send: a CANCEL in front of its CALL, a
 * budget that is gone on arrival. On a connection of their own, byte by byte as
 * docs/protocol.md has them.
 */
struct raw_call {
	const struct caller_call *call;
	uint64_t budget_us;
	bool cancel_first;
};
/* Sends, waits for the CALL's reply. False: none came. */
bool raw_call(const struct raw_call *rc, ct_status *ret_status, bool *ret_not_processed);

#endif
