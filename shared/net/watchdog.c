/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One timer for a net, not one for each connection: it looks at all of them a few
 * times within the shortest limit. It cuts those that are over one, calls off
 * attempts to connect that take too long, gives idle buffers back, and what a crowd
 * that has left or fallen silent had of the heap to the system. Runs on the timer
 * thread.
 */
#include "base/check.h"
#include "base/mem.h"
#include "net/conn_internal.h"

#include <nng/nng.h>

enum {
	SWEEP_MS_MIN = 5,
	SWEEP_MS_MAX = 1000,
	SWEEPS_A_LIMIT = 4,
	TRIM_AFTER_MS = 2000,
	TRIMS_MAX = 1024, /* in one sweep; the others are found by the next */
	CALL_OFFS_MAX = 64,
	CROWD = 256,    /* so many connections or buffers of them are worth a look at the heap */
	HEAP_TRIMS = 8, /* sweeps with one: nng frees on a thread that may be far behind */
};

struct findings {
	ct_instant now;
	struct ct_list shut; /* by shut_link */
	struct ct_conn *trim[TRIMS_MAX];
	size_t trim_n;
	struct ct_dialer *late[CALL_OFFS_MAX];
	size_t late_n;
};

static bool over(ct_instant since, uint32_t limit_ms, ct_instant now)
{
	return ct_instant_us_between(since, now) >= (uint64_t)limit_ms * 1000;
}

/* The limit that a connection is over, CT_CAUSE_NONE if none. */
static enum ct_conn_cause broken_limit_locked(const struct ct_conn *c, ct_instant now)
	CT_REQUIRES(&c->lock)
{
	const struct ct_net_opts *o = &c->net->opts;

	if (c->sm.state == CT_CONN_GREETING && over(c->born, o->handshake_ms, now))
		return CT_CAUSE_HANDSHAKE;
	if (c->tx_busy && over(c->tx_at, o->stall_ms, now))
		return CT_CAUSE_STALLED;
	if (o->idle_ms != 0 && c->rx_busy && over(c->rx_at, o->idle_ms, now))
		return CT_CAUSE_IDLE;
	return CT_CAUSE_NONE;
}

static void trim_locked(struct ct_conn *c, struct findings *f) CT_REQUIRES(&c->lock)
{
	if (!c->tx_busy && c->gather.len == 0 && over(c->tx_at, TRIM_AFTER_MS, f->now))
		ct_conn__send_trim_locked(c, false);
	if (!c->rx_busy || !c->rx_large || !over(c->rx_at, TRIM_AFTER_MS, f->now) ||
	    f->trim_n == TRIMS_MAX)
		return;
	ct_conn__hold_locked(c, 1);
	f->trim[f->trim_n++] = c;
}

static void look_at(struct ct_conn *c, struct findings *f)
{
	enum ct_conn_cause cause;

	ct_lock_acquire(&c->lock);
	if (c->sm.state < CT_CONN_CLOSING) {
		cause = broken_limit_locked(c, f->now);
		if (cause == CT_CAUSE_NONE)
			trim_locked(c, f);
		else if (ct_conn__fail_locked(c, cause, CT_UNAVAILABLE))
			ct_list_push_back(&f->shut, &c->shut_link);
	}
	ct_lock_release(&c->lock);
}

static void act_on(struct findings *f)
{
	struct ct_list *link;

	while ((link = ct_list_pop_front(&f->shut)) != NULL)
		ct_conn__shut(CT_CONTAINER_OF(link, struct ct_conn, shut_link));
	for (size_t i = 0; i < f->trim_n; i++) {
		nng_aio_cancel(f->trim[i]->rx_aio);
		ct_conn__drop(f->trim[i]);
	}
	for (size_t i = 0; i < f->late_n; i++)
		ct_dialer__call_off(f->late[i]);
}

/* On the chores thread, behind the connections that have closed. */
static void trim_heap(struct ct_chore *chore)
{
	struct ct_net *n = CT_CONTAINER_OF(chore, struct ct_net, heap_trim);

	ct_mem_trim();
	ct_lock_acquire(&n->lock);
	n->trimming = false;
	ct_lock_release(&n->lock);
}

/* What was on its way to be freed in one sweep is free in the next, or in one of the
 * next ones. True: the heap is to be trimmed. */
static bool crowd_is_gone_locked(struct ct_net *n) CT_REQUIRES(&n->lock)
{
	const bool gone = n->freed_then >= CROWD;
	bool trim;

	n->heap_trims = gone ? HEAP_TRIMS : n->heap_trims;
	n->freed_then = gone ? n->freed : n->freed_then + n->freed;
	n->freed = 0;
	trim = n->heap_trims > 0 && !n->trimming;
	n->heap_trims -= trim;
	n->trimming = n->trimming || trim;
	return trim;
}

static void arm_locked(struct ct_net *n) CT_REQUIRES(&n->lock)
{
	ct_timers_arm(n->opts.timers, &n->sweep, ct_deadline_after_ms(n->clk, n->sweep_ms));
}

static void sweep(struct ct_timer *t)
{
	struct ct_net *n = CT_CONTAINER_OF(t, struct ct_net, sweep);
	struct findings f = { .now = ct_now(n->clk) };
	bool trim;

	ct_list_init(&f.shut);
	ct_lock_acquire(&n->lock);
	for (struct ct_list *l = n->conns.next; l != &n->conns; l = l->next)
		look_at(CT_CONTAINER_OF(l, struct ct_conn, link), &f);
	f.late_n = ct_dialer__overdue_locked(n, f.now, f.late, CALL_OFFS_MAX);
	n->freed += (uint32_t)f.trim_n;
	trim = crowd_is_gone_locked(n);
	n->sweeping = !ct_list_empty(&n->conns) || !ct_list_empty(&n->dialers) ||
		      n->freed_then >= CROWD || n->heap_trims > 0;
	if (n->sweeping)
		arm_locked(n);
	ct_lock_release(&n->lock);
	act_on(&f);
	if (trim)
		ct_chores_give(n->chores, &n->heap_trim, trim_heap);
}

void ct_watchdog__wake_locked(struct ct_net *n)
{
	ct_lock_check_held(&n->lock);
	if (n->sweeping)
		return;
	n->sweeping = true;
	arm_locked(n);
}

void ct_watchdog__init(struct ct_net *n)
{
	const struct ct_net_opts *o = &n->opts;
	uint32_t least = o->handshake_ms < o->stall_ms ? o->handshake_ms : o->stall_ms;

	if (o->idle_ms != 0 && o->idle_ms < least)
		least = o->idle_ms;
	n->sweep_ms = least / SWEEPS_A_LIMIT;
	if (n->sweep_ms < SWEEP_MS_MIN)
		n->sweep_ms = SWEEP_MS_MIN;
	if (n->sweep_ms > SWEEP_MS_MAX)
		n->sweep_ms = SWEEP_MS_MAX;
	ct_timer_init(&n->sweep, sweep);
}

void ct_watchdog__fini(struct ct_net *n)
{
	ct_timers_cancel_wait(n->opts.timers, &n->sweep);
}
