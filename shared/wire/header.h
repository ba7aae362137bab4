/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_WIRE_HEADER_H
#define CT_WIRE_HEADER_H

#include "base/attrs.h"
#include "base/bytes.h"
#include "base/criticality.h"
#include "base/id.h"
#include "base/status.h"

#include <stdbool.h>

/*
 * The 40 bytes in front of every message, then meta, then payload. Big-endian,
 * no padding. docs/protocol.md is the normative text.
 *
 *   0       4      5       6      7         8           16          32       36
 *   +-------+------+-------+------+---------+-----------+-----------+--------+----------+
 *   | magic | kind | flags | code | attempt | budget_us | cancel_id | method | meta_len |
 *   +-------+------+-------+------+---------+-----------+-----------+--------+----------+
 *   40
 *   +----------------+---------+
 *   | meta           | payload |
 *   +----------------+---------+
 *
 * Pure functions on caller's memory: no allocation, no locks, any thread.
 */
#define CT_WIRE_MAGIC UINT32_C(0x43545231) /* "CTR1" */

enum { CT_WIRE_HEADER_BYTES = 40, CT_WIRE_META_BYTES_MAX = 8192 };

enum ct_wire_kind { CT_WIRE_CALL = 1, CT_WIRE_CANCEL = 2, CT_WIRE_REPLY = 3 };

enum {
	CT_WIRE_IDEMPOTENT = 1 << 0,    /* CALL */
	CT_WIRE_NOT_PROCESSED = 1 << 0, /* REPLY: no part of the handler ran */
	CT_WIRE_NO_RETRY = 1 << 1,      /* REPLY: the server asks not to be asked again */
};

struct ct_wire_header {
	enum ct_wire_kind kind;
	uint8_t flags;
	uint8_t code; /* CALL: ct_criticality; CANCEL: ct_cancel_reason 1..6; REPLY: status 0..16 */
	uint8_t attempt; /* CALL: from 1; REPLY: attempts seen; CANCEL: 0 */
	/* CALL: time left, all ones: none, never 0; REPLY: retry after, 0: no hint */
	uint64_t budget_us;
	struct ct_id cancel_id; /* never zero, but in the REPLY to a CALL that could not be read */
	uint32_t method;        /* CALL: FNV-1a 32 of "package.Service/Method"; else 0 */
	uint32_t meta_len;      /* at most CT_WIRE_META_BYTES_MAX */
};

void ct_wire_encode(const struct ct_wire_header *h, uint8_t out[CT_WIRE_HEADER_BYTES]);

/* Reads a whole message: fills *ret_h and points *ret_meta and *ret_payload
 * into msg (borrowed, valid as long as msg is). INVALID_ARGUMENT: bad magic,
 * kind, a flag, code, attempt, budget, id or method that the kind does not
 * allow, or lengths that do not fit; *ret_why then says which (static string). */
CT_MUST_USE ct_status ct_wire_decode(struct ct_bytes msg, struct ct_wire_header *ret_h,
				     struct ct_bytes *ret_meta, struct ct_bytes *ret_payload,
				     const char **ret_why);
/* The header alone, of a message whose rest is not there. INVALID_ARGUMENT as above,
 * but for lengths. */
CT_MUST_USE ct_status ct_wire_decode_header(struct ct_bytes msg, struct ct_wire_header *ret_h,
					    const char **ret_why);

#endif
