/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a server ends. The order, each step bounded by drain_ms as a whole:
 * NOT_SERVING and refuse new calls -> let running calls end -> cancel the rest
 * -> wait for their handlers (always) -> close the connections behind the last
 * replies -> STOPPED.
 */
#include "rpc/server_internal.h"

#include "base/check.h"

enum { SWEEP_N = 64 };

struct sweep {
	const struct ct_conn *conn; /* NULL: all */
};

/* A drain does not cut short an answer of the receiving thread; only what that
 * has left to wait for something. */
static bool is_exempt(const struct ct_call *c)
{
	return ct_srv__is_inline(c->route) && !atomic_load(&c->kept);
}

static bool want_live(const struct ct_registry_entry *e, const void *arg)
{
	const struct ct_call *c = CT_CONTAINER_OF((uintptr_t)e, struct ct_call, reg);
	const struct sweep *w = arg;

	if (w->conn == NULL ? is_exempt(c) : c->conn != w->conn)
		return false;
	return !ct_ctx_done(&c->ctx);
}

static bool want_unswept(const struct ct_registry_entry *e, const void *arg)
{
	const struct ct_call *c = CT_CONTAINER_OF((uintptr_t)e, struct ct_call, reg);

	return want_live(e, arg) && !atomic_load_explicit(&c->swept, memory_order_relaxed);
}

static void ref_call(struct ct_registry_entry *e)
{
	ct_ctx_ref(&CT_CONTAINER_OF(e, struct ct_call, reg)->ctx);
}

static void trip(struct ct_call *c, enum ct_cancel_reason why)
{
	(void)ct_ctx_cancel(&c->ctx, why);
}

static void trip_if_queued(struct ct_call *c, enum ct_cancel_reason why)
{
	atomic_store_explicit(&c->swept, true, memory_order_relaxed);
	if (!ct_pool_remove(c->server->pool, &c->task))
		return;
	(void)ct_ctx_cancel(&c->ctx, why);
	ct_call__end_queued(c);
}

/* fn makes want say no, so that each round finds others, or nothing. */
static void sweep(struct ct_server *s, const struct sweep *w, ct_registry_want_fn *want,
		  void (*fn)(struct ct_call *c, enum ct_cancel_reason why),
		  enum ct_cancel_reason why)
{
	struct ct_registry_entry *found[SWEEP_N];
	size_t n;

	do {
		n = ct_registry_collect(s->registry, want, w, ref_call, found, SWEEP_N);
		for (size_t i = 0; i < n; i++) {
			struct ct_call *c = CT_CONTAINER_OF(found[i], struct ct_call, reg);

			fn(c, why);
			ct_ctx_unref(&c->ctx);
		}
	} while (n > 0);
}

/* What waits goes before what runs: else a worker that is set free would start
 * a call only to see it cancelled. */
void ct_srv__cancel_calls(struct ct_server *s, const struct ct_conn *conn,
			  enum ct_cancel_reason why)
{
	const struct sweep w = { .conn = conn };

	sweep(s, &w, want_unswept, trip_if_queued, why);
	sweep(s, &w, want_live, trip, why);
}

/* ---- the state machine -------------------------------------------------------- */

static void close_doors(struct ct_server *s)
{
	for (size_t i = 0; i < s->listeners_n; i++)
		ct_listener_close(s->listeners[i]);
	ct_srv__serving_changed(s);
}

static void log_state(struct ct_server *s, const char *msg)
{
	CT_LOG(s->log, CT_LOG_INFO, msg, CT_UINT("in_flight", ct_srv__in_flight(s)),
	       CT_UINT("received", ct_srv__get(&s->received)));
}

static void cancel_rest(struct ct_server *s)
{
	bool moved = false;

	ct_lock_acquire(&s->lock);
	if (s->sm.state == CT_SRV_DRAINING) {
		ct_sm_move(&s->sm, CT_SRV_CANCELLING);
		moved = true;
	}
	ct_lock_release(&s->lock);
	if (!moved)
		return;
	log_state(s, "cancelling what is left");
	atomic_store(&s->cancelling, true);
	ct_srv__cancel_calls(s, NULL, CT_CANCEL_DRAIN);
}

static void grace_over(struct ct_timer *t)
{
	cancel_rest(CT_CONTAINER_OF(t, struct ct_server, grace));
}

void ct_srv__init_grace(struct ct_server *s)
{
	ct_timer_init(&s->grace, grace_over);
}

void ct_server_drain(struct ct_server *s)
{
	bool first;

	ct_lock_acquire(&s->lock);
	first = s->sm.state == CT_SRV_SERVING;
	if (first) {
		ct_sm_move(&s->sm, CT_SRV_DRAINING);
		atomic_store(&s->refusing, true);
		ct_timers_arm(s->timers, &s->grace,
			      ct_instant_add_us(ct_now(s->clk), s->opts.drain_ms * UINT64_C(1000)));
	}
	ct_cond_broadcast(&s->moved);
	ct_lock_release(&s->lock);
	if (!first)
		return;
	log_state(s, "draining");
	close_doors(s);
}

void ct_server_stop(struct ct_server *s)
{
	ct_server_drain(s);
	cancel_rest(s);
}

/* Answers of receiving threads may come and go all the time: who waits for a moment
 * without any may wait for ever. */
static bool all_but_brief_ended(struct ct_server *s, ct_instant until)
{
	bool in_time = true, ended;

	ct_lock_acquire(&s->free_lock);
	while (s->alive > s->brief && in_time)
		in_time = ct_cond_wait_until(&s->idle, &s->free_lock, until);
	ended = s->alive == s->brief;
	ct_lock_release(&s->free_lock);
	return ended;
}

bool ct_server_join_until(struct ct_server *s, ct_instant until)
{
	bool in_time = true, ending;

	ct_lock_acquire(&s->lock);
	while (s->sm.state == CT_SRV_SERVING && in_time)
		in_time = ct_cond_wait_until(&s->moved, &s->lock, until);
	ending = s->sm.state != CT_SRV_SERVING;
	ct_lock_release(&s->lock);
	if (!ending || !all_but_brief_ended(s, until))
		return false;
	ct_lock_acquire(&s->lock);
	if (s->sm.state != CT_SRV_STOPPED)
		ct_sm_move(&s->sm, CT_SRV_STOPPED);
	ct_lock_release(&s->lock);
	return true;
}

void ct_server_join(struct ct_server *s)
{
	(void)!ct_server_join_until(s, CT_NEVER); /* cannot time out */
}

void ct_srv__wait_closed(struct ct_server *s, ct_instant until)
{
	bool in_time = true;

	ct_lock_acquire(&s->lock);
	while (s->connections > 0 && in_time)
		in_time = ct_cond_wait_until(&s->moved, &s->lock, until);
	ct_lock_release(&s->lock);
}

void ct_srv__end_all(struct ct_server *s)
{
	atomic_store(&s->cancelling, true);
	ct_srv__cancel_calls(s, NULL, CT_CANCEL_DRAIN);
	ct_lock_acquire(&s->free_lock);
	while (s->alive > 0)
		ct_cond_wait(&s->idle, &s->free_lock);
	ct_lock_release(&s->free_lock);
}
