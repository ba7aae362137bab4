/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/cork.h"

#include "base/check.h"

enum { CONNS_MAX = 8 }; /* with more of them, all that is held back goes out */

static _Thread_local struct {
	unsigned depth;                   /* corks without their uncork */
	struct ct_conn *conns[CONNS_MAX]; /* have something that was held back; references */
	unsigned conns_n;
	ct_instant since; /* of the first of it */
} cork;

void ct_cork__flush(void)
{
	for (unsigned i = 0; i < cork.conns_n; i++) {
		ct_conn_flush_soon(cork.conns[i]);
		ct_conn_unref(cork.conns[i]);
	}
	cork.conns_n = 0;
}

void ct_cork_calls(void)
{
	cork.depth++;
}

void ct_uncork_calls(void)
{
	CT_CHECK(cork.depth > 0);
	if (--cork.depth == 0)
		ct_cork__flush();
}

static bool held_back(const struct ct_conn *c)
{
	for (unsigned i = 0; i < cork.conns_n; i++)
		if (cork.conns[i] == c)
			return true;
	return false;
}

static void hold_back(struct ct_conn *c, ct_instant now)
{
	if (cork.conns_n == CONNS_MAX)
		ct_cork__flush();
	if (cork.conns_n == 0)
		cork.since = now;
	cork.conns[cork.conns_n++] = ct_conn_ref(c);
}

ct_status ct_cork__send(struct ct_conn *c, const struct ct_sp_route *route,
			const struct ct_bytes parts[3], ct_instant now)
{
	ct_status st;

	if (cork.depth == 0)
		return ct_conn_send(c, route, parts);
	st = ct_conn_queue(c, route, parts);
	if (st == CT_OK && !held_back(c))
		hold_back(c, now);
	if (cork.conns_n > 0 && ct_instant_us_between(cork.since, now) >= CT_CORK_US_MAX)
		ct_cork__flush();
	return st;
}
