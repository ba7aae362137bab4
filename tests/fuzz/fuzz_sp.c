/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte picks the framing, the rest is a stream. Reading it always
 * gets on or stops, stays inside the bytes, never asks for more than the limit
 * allows, and each message read is written back as the same bytes.
 */
#include "base/check.h"
#include "wire/sp.h"

#include <string.h>

enum { MSG_MAX = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(struct ct_bytes in, const struct ct_sp_parsed *m, bool ipc)
{
	uint8_t prefix[CT_SP_PREFIX_BYTES_MAX + 4 * CT_SP_ROUTE_WORDS_MAX];
	const size_t n = ct_sp_prefix(prefix, &m->route, m->body.len, ipc);

	CT_CHECK(m->used <= in.len);
	CT_CHECK(n + m->body.len == m->used);
	CT_CHECK(memcmp(prefix, in.ptr, n) == 0);
	CT_CHECK(m->body.ptr == in.ptr + n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ct_sp_parsed m = { 0 };
	struct ct_bytes in;
	bool ipc;

	if (size == 0)
		return 0;
	ipc = (data[0] & 1) != 0;
	in = ct_bytes_of(data + 1, size - 1);
	for (;;) {
		switch (ct_sp_next(in, ipc, MSG_MAX, &m)) {
		case CT_SP_MSG:
			check_message(in, &m, ipc);
			in = ct_bytes_of(in.ptr + m.used, in.len - m.used);
			continue;
		case CT_SP_NEED:
			CT_CHECK(m.need > in.len);
			CT_CHECK(m.need <= MSG_MAX + CT_SP_PREFIX_BYTES_MAX);
			return 0;
		case CT_SP_BAD:
			CT_CHECK(m.why != NULL);
			return 0;
		}
	}
}
