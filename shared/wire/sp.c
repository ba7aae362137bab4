/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/sp.h"

#include "base/check.h"
#include "wire/cursor.h"

enum { WORD_BYTES = 4, LENGTH_BYTES = 8, IPC_MARK = 1 };

/* Set in the request id alone: it ends the route. */
#define LAST_WORD UINT32_C(0x80000000)

void ct_sp_hello(enum ct_sp_protocol self, uint8_t out[CT_SP_HELLO_BYTES])
{
	const uint8_t hello[CT_SP_HELLO_BYTES] = { 0, 'S', 'P', 0, 0, (uint8_t)self, 0, 0 };

	memcpy(out, hello, sizeof(hello));
}

ct_status ct_sp_check_hello(const uint8_t in[CT_SP_HELLO_BYTES], enum ct_sp_protocol want,
			    const char **ret_why)
{
	uint8_t expected[CT_SP_HELLO_BYTES];

	ct_sp_hello(want, expected);
	if (memcmp(in, expected, 4) != 0) {
		*ret_why = "the peer does not speak SP";
		return CT_UNAVAILABLE;
	}
	if (memcmp(in, expected, sizeof(expected)) != 0) {
		*ret_why = "the peer speaks another SP protocol";
		return CT_UNAVAILABLE;
	}
	return CT_OK;
}

/* Moves the route off the front of payload. NULL, or what is wrong with it. */
static const char *take_route(struct ct_bytes *payload, struct ct_sp_route *ret_route)
{
	for (uint8_t n = 0; n < CT_SP_ROUTE_WORDS_MAX; n++) {
		if (!ct_take_be32(payload, &ret_route->words[n]))
			return "a message without a request id";
		if ((ret_route->words[n] & LAST_WORD) != 0) {
			ret_route->n = (uint8_t)(n + 1);
			return NULL;
		}
	}
	return "a route of too many hops";
}

static enum ct_sp_step bad(struct ct_sp_parsed *ret, const char *why, bool too_big)
{
	ret->why = why;
	ret->too_big = too_big;
	return CT_SP_BAD;
}

enum ct_sp_step ct_sp_next(struct ct_bytes in, bool ipc, size_t msg_bytes_max,
			   struct ct_sp_parsed *ret)
{
	const size_t prefix = LENGTH_BYTES + (ipc ? 1U : 0U);
	struct ct_bytes rest = in, payload;
	const char *why;
	uint64_t len;
	uint8_t mark;

	if (ipc && ct_take_u8(&rest, &mark) && mark != IPC_MARK)
		return bad(ret, "not an ipc message", false);
	if (in.len < prefix || !ct_take_be64(&rest, &len)) {
		ret->need = prefix;
		return CT_SP_NEED;
	}
	if (len > msg_bytes_max || len > SIZE_MAX - CT_SP_PREFIX_BYTES_MAX) {
		ret->left = len;
		return bad(ret, "a message over the size limit", true);
	}
	if (!ct_take_bytes(&rest, (size_t)len, &payload)) {
		ret->need = prefix + (size_t)len;
		return CT_SP_NEED;
	}
	why = take_route(&payload, &ret->route);
	if (why != NULL)
		return bad(ret, why, false);
	ret->body = payload;
	ret->used = prefix + (size_t)len;
	return CT_SP_MSG;
}

enum ct_sp_step ct_sp_start(struct ct_bytes in, bool ipc, size_t body_max, struct ct_sp_parsed *ret)
{
	const size_t route_max = WORD_BYTES * CT_SP_ROUTE_WORDS_MAX;
	const size_t prefix = LENGTH_BYTES + (ipc ? 1U : 0U);
	struct ct_bytes rest = in;
	const char *why;
	uint64_t len;
	size_t body;
	uint8_t mark;

	if (ipc && ct_take_u8(&rest, &mark) && mark != IPC_MARK)
		return bad(ret, "not an ipc message", false);
	if (in.len < prefix || !ct_take_be64(&rest, &len)) {
		ret->need = prefix;
		return CT_SP_NEED;
	}
	ret->need = prefix + (size_t)(len < route_max + body_max ? len : route_max + body_max);
	if (rest.len > len)
		rest.len = (size_t)len;
	why = take_route(&rest, &ret->route);
	if (why != NULL)
		return in.len < ret->need ? CT_SP_NEED : bad(ret, why, false);
	len -= (uint64_t)WORD_BYTES * ret->route.n;
	body = len < body_max ? (size_t)len : body_max;
	if (rest.len < body)
		return CT_SP_NEED;
	ret->body = ct_bytes_of(rest.ptr, body);
	ret->used = prefix + (size_t)WORD_BYTES * ret->route.n + body;
	ret->left = len - body;
	return CT_SP_MSG;
}

size_t ct_sp_prefix(uint8_t out[CT_SP_PREFIX_BYTES_MAX + 4 * CT_SP_ROUTE_WORDS_MAX],
		    const struct ct_sp_route *route, size_t body_len, bool ipc)
{
	uint8_t *p = out;

	CT_CHECK(route->n >= 1 && route->n <= CT_SP_ROUTE_WORDS_MAX);
	CT_CHECK((route->words[route->n - 1] & LAST_WORD) != 0);
	if (ipc)
		ct_put_u8(&p, IPC_MARK);
	ct_put_be64(&p, (uint64_t)route->n * WORD_BYTES + body_len);
	for (uint8_t i = 0; i < route->n; i++)
		ct_put_be32(&p, route->words[i]);
	return (size_t)(p - out);
}
