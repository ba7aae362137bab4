/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/outbox.h"

#include <stdatomic.h>

struct outbox {
	struct ct_conn *conn; /* a reference; NULL: nothing is held back */
	unsigned n;
	ct_instant since; /* the end of the first task that left something here */
	bool open;        /* a task runs */
	ct_instant begun; /* it has */
	struct ct_timers *timers;
	struct ct_timer late; /* armed while something is held back */
	atomic_bool is_late;
};

static _Thread_local struct outbox box;

/* On the timer thread. The box is not emptied while this runs: its owner waits for it. */
static void send_late(struct ct_timer *t)
{
	struct outbox *b = CT_CONTAINER_OF(t, struct outbox, late);

	atomic_store_explicit(&b->is_late, true, memory_order_relaxed);
	ct_conn_flush(b->conn);
}

static void hold_back(struct ct_conn *c)
{
	box.conn = ct_conn_ref(c);
	box.since = CT_NEVER;
	ct_timer_init(&box.late, send_late);
	ct_timers_arm(box.timers, &box.late, ct_instant_add_us(box.begun, CT_OUTBOX_LATE_US));
}

void ct_outbox__flush(void)
{
	struct ct_conn *c = box.conn;

	if (c == NULL)
		return;
	ct_timers_cancel_wait(box.timers, &box.late);
	atomic_store_explicit(&box.is_late, false, memory_order_relaxed);
	box.conn = NULL;
	box.n = 0;
	ct_conn_flush(c);
	ct_conn_unref(c);
}

void ct_outbox__begin(struct ct_timers *timers, uint64_t usual_ns, ct_instant now)
{
	box.open = usual_ns > 0 && usual_ns <= CT_OUTBOX_SHORT_NS;
	if (!box.open)
		ct_outbox__flush();
	box.timers = timers;
	box.begun = now;
}

bool ct_outbox__end(ct_instant now)
{
	box.open = false;
	if (box.conn == NULL)
		return false;
	box.since = ct_deadline_sooner(box.since, now);
	if (box.n < CT_OUTBOX_MSGS_MAX && ct_instant_us_between(box.since, now) < CT_OUTBOX_US_MAX)
		return false;
	ct_outbox__flush();
	return true;
}

ct_status ct_outbox__send(struct ct_conn *c, const struct ct_sp_route *route,
			  const struct ct_bytes parts[3])
{
	ct_status st;

	if (!box.open || atomic_load_explicit(&box.is_late, memory_order_relaxed))
		return ct_conn_send(c, route, parts);
	if (box.conn != c)
		ct_outbox__flush();
	st = ct_conn_queue(c, route, parts);
	if (st == CT_OK && box.conn == NULL)
		hold_back(c);
	box.n += st == CT_OK;
	return st;
}
