/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream as a connection reads it: perhaps a hello, then messages, of which those
 * over the limit keep their start and lose the rest. The first byte picks the
 * framing. Each step gets on or stops, stays inside the bytes, asks for no more than
 * it keeps, and needs none behind what it used; route, start and rest make up the
 * message that was announced.
 */
#include "base/check.h"
#include "wire/sp.h"

#include <string.h>

enum { MSG_MAX = 64, KEEP = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Behind the hello, if there is one. */
static struct ct_bytes take_hello(struct ct_bytes in)
{
	static const enum ct_sp_protocol both[] = { CT_SP_REQ, CT_SP_REP };
	uint8_t hello[CT_SP_HELLO_BYTES];
	const char *why = NULL;
	bool is = false;

	if (in.len < sizeof(hello))
		return in;
	for (size_t i = 0; i < CT_ARRAY_N(both); i++) {
		const bool ok = ct_sp_check_hello(in.ptr, both[i], &why) == CT_OK;

		ct_sp_hello(both[i], hello);
		CT_CHECK(ok == (memcmp(in.ptr, hello, sizeof(hello)) == 0));
		CT_CHECK(ok || why != NULL);
		is = is || ok;
	}
	return is ? ct_bytes_of(in.ptr + sizeof(hello), in.len - sizeof(hello)) : in;
}

static void check_start(struct ct_bytes in, const struct ct_sp_parsed *m, bool ipc)
{
	const uint64_t body = m->body.len + m->left;
	uint8_t prefix[CT_SP_PREFIX_BYTES_MAX + 4 * CT_SP_ROUTE_WORDS_MAX];
	const size_t n = ct_sp_prefix(prefix, &m->route, (size_t)body, ipc);
	struct ct_sp_parsed again = { .used = 0 };

	CT_CHECK(m->used <= in.len);
	CT_CHECK(memcmp(prefix, in.ptr, n) == 0);
	CT_CHECK(m->body.ptr == in.ptr + n);
	CT_CHECK(m->used == n + m->body.len);
	CT_CHECK(m->body.len == (body < KEEP ? body : KEEP));
	CT_CHECK(ct_sp_start(ct_bytes_of(in.ptr, m->used), ipc, KEEP, &again) == CT_SP_MSG);
	CT_CHECK(again.used == m->used && again.left == m->left);
	CT_CHECK(ct_sp_start(ct_bytes_of(in.ptr, m->used - 1), ipc, KEEP, &again) == CT_SP_NEED);
	CT_CHECK(again.need >= m->used);
}

/* What follows the message, as far as it is there. */
static struct ct_bytes behind(struct ct_bytes in, size_t used, uint64_t left)
{
	const size_t there = in.len - used;
	const size_t skipped = left < there ? (size_t)left : there;

	return ct_bytes_of(in.ptr + used + skipped, there - skipped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t need_max = CT_SP_PREFIX_BYTES_MAX + 4 * CT_SP_ROUTE_WORDS_MAX + KEEP;
	struct ct_sp_parsed m = { 0 };
	enum ct_sp_step step;
	struct ct_bytes in;
	bool ipc, big;

	if (size == 0)
		return 0;
	ipc = (data[0] & 1) != 0;
	in = take_hello(ct_bytes_of(data + 1, size - 1));
	do {
		step = ct_sp_next(in, ipc, MSG_MAX, &m);
		big = step == CT_SP_BAD && m.too_big;
		if (big)
			step = ct_sp_start(in, ipc, KEEP, &m);
		switch (step) {
		case CT_SP_MSG:
			if (big)
				check_start(in, &m, ipc);
			in = behind(in, m.used, big ? m.left : 0);
			break;
		case CT_SP_NEED:
			CT_CHECK(m.need > in.len);
			CT_CHECK(m.need <= need_max);
			break;
		case CT_SP_BAD:
			CT_CHECK(m.why != NULL && !m.too_big);
			break;
		}
	} while (step == CT_SP_MSG);
	return 0;
}
