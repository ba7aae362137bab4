/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/outbox.h"

static _Thread_local struct {
	struct ct_conn *conn; /* a reference; NULL: nothing is held back */
	unsigned n;
	ct_instant since; /* the end of the first task that left something here */
	bool open;        /* a task runs */
} box;

void ct_outbox__flush(void)
{
	struct ct_conn *c = box.conn;

	if (c == NULL)
		return;
	box.conn = NULL;
	box.n = 0;
	ct_conn_flush(c);
	ct_conn_unref(c);
}

void ct_outbox__begin(uint64_t usual_ns)
{
	box.open = usual_ns > 0 && usual_ns <= CT_OUTBOX_SHORT_NS;
	if (!box.open)
		ct_outbox__flush();
}

void ct_outbox__end(ct_instant now)
{
	box.open = false;
	if (box.conn == NULL)
		return;
	box.since = ct_deadline_sooner(box.since, now);
	if (box.n >= CT_OUTBOX_MSGS_MAX ||
	    ct_instant_us_between(box.since, now) >= CT_OUTBOX_US_MAX)
		ct_outbox__flush();
}

ct_status ct_outbox__send(struct ct_conn *c, const struct ct_sp_route *route,
			  const struct ct_bytes parts[3])
{
	ct_status st;

	if (!box.open)
		return ct_conn_send(c, route, parts);
	if (box.conn != c)
		ct_outbox__flush();
	st = ct_conn_queue(c, route, parts);
	if (st == CT_OK && box.conn == NULL) {
		box.conn = ct_conn_ref(c);
		box.since = CT_NEVER;
	}
	box.n += st == CT_OK;
	return st;
}
