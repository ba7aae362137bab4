/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/id.h"
#include "base/mem.h"
#include "conc/sm.h"
#include "net/address.h"
#include "net/conn_internal.h"
#include "net/nng_status.h"

#include <nng/nng.h>

#define DIALER_TAG 0x4469616cU /* "Dial" */

/*
 *              connected
 *   DIALING ---------------> UP          UP: from the socket's connect to the end
 *    ^    |                  |           of its connection, handshake included
 *    |    | failed           | lost
 *    |    v                  v
 *    +- RESTING <------------+           each of the three: freed --> ENDED
 *   timer
 */
enum dialer_state { DIALING, UP, RESTING, ENDED };

static const struct ct_sm_row dialer_rows[] = {
	[DIALING] = { "dialing", CT_SM_BIT(UP) | CT_SM_BIT(RESTING) | CT_SM_BIT(ENDED) },
	[UP] = { "up", CT_SM_BIT(RESTING) | CT_SM_BIT(ENDED) },
	[RESTING] = { "resting", CT_SM_BIT(DIALING) | CT_SM_BIT(ENDED) },
	[ENDED] = { "ended", 0 },
};

struct ct_dialer {
	unsigned tag;
	/* fixed after new */
	struct ct_net *net;
	nng_stream_dialer *nng;
	nng_aio *aio;
	const struct ct_conn_events *events;
	void (*failed)(void *arg, ct_status why, uint32_t next_ms);
	void *arg;
	bool ipc;
	char url[CT_ADDRESS_URL_SIZE];

	/* under net->lock */
	struct ct_list link;
	struct ct_sm sm;      /* of enum dialer_state */
	struct ct_conn *conn; /* borrowed, while UP */
	ct_instant dialed;    /* when, while DIALING */
	uint32_t backoff_ms;  /* before jitter */
	unsigned visits;      /* threads that are inside without the lock */
	struct ct_cond no_visit;

	struct ct_timer redial;
};

static bool dialer_invariant(const struct ct_sm *sm, int prev)
{
	const struct ct_dialer *d = CT_CONTAINER_OF(sm, const struct ct_dialer, sm);

	(void)prev;
	return (sm->state == UP) == (d->conn != NULL);
}

void ct_dialer__leave_locked(struct ct_net *n, struct ct_dialer *d)
{
	ct_lock_check_held(&n->lock);
	CT_CHECK(d->visits > 0);
	if (--d->visits == 0)
		ct_cond_broadcast(&d->no_visit);
}

/* Half of it fixed, half random, so that clients of a server that restarts do not
 * come back all at once. Doubles for the next time. */
static uint32_t next_delay_locked(struct ct_net *n, struct ct_dialer *d) CT_REQUIRES(&n->lock)
{
	const uint32_t fixed = d->backoff_ms / 2;
	const uint32_t jitter = (uint32_t)(ct_random_u64() % (d->backoff_ms - fixed + 1));
	const uint32_t max = n->opts.backoff_max_ms;

	d->backoff_ms = d->backoff_ms > max / 2 ? max : 2 * d->backoff_ms;
	return fixed + jitter;
}

static void arm_redial_locked(struct ct_net *n, struct ct_dialer *d, uint32_t delay_ms)
	CT_REQUIRES(&n->lock)
{
	CT_CHECK(d->sm.state == RESTING);
	ct_timers_arm(n->opts.timers, &d->redial, ct_deadline_after_ms(n->clk, delay_ms));
}

/* RESTING already, with the lock held; lets go of it to tell the user. */
static void tell_and_rest_locked(struct ct_net *n, struct ct_dialer *d, ct_status why)
	CT_REQUIRES(&n->lock)
{
	const uint32_t delay_ms = next_delay_locked(n, d);

	if (d->failed != NULL) {
		d->visits++;
		ct_lock_release(&n->lock);
		d->failed(d->arg, why, delay_ms);
		ct_lock_acquire(&n->lock);
	}
	if (d->sm.state == RESTING)
		arm_redial_locked(n, d, delay_ms);
	if (d->failed != NULL)
		ct_dialer__leave_locked(n, d);
}

static void attempt_failed(struct ct_dialer *d, ct_status why)
{
	struct ct_net *n = d->net;

	ct_lock_acquire(&n->lock);
	if (d->sm.state == DIALING) {
		ct_sm_move(&d->sm, RESTING);
		tell_and_rest_locked(n, d, why);
	}
	ct_lock_release(&n->lock);
}

static void connected(struct ct_dialer *d, nng_stream *stream)
{
	const struct ct_conn_params p = {
		.self = CT_SP_REQ, .ipc = d->ipc, .url = d->url, .events = d->events, .arg = d->arg
	};
	struct ct_conn *c = NULL;
	bool up;

	if (ct_conn__new(d->net, stream, &p, &c) != CT_OK) {
		nng_stream_close(stream);
		nng_stream_free(stream);
		attempt_failed(d, CT_RESOURCE_EXHAUSTED);
		return;
	}
	ct_lock_acquire(&d->net->lock);
	up = d->sm.state == DIALING;
	if (up) {
		c->dialer = d;
		d->conn = c;
		ct_sm_move(&d->sm, UP);
		ct_conn__add_locked(d->net, c);
	}
	ct_lock_release(&d->net->lock);
	if (up)
		ct_conn__start(c);
	else
		ct_conn__discard(c);
}

static void dial_cb(void *arg)
{
	struct ct_dialer *d = arg;
	const int rv = nng_aio_result(d->aio);
	ct_status st = ct_status_from_nng(rv);

	CT_TAG_CHECK(d, DIALER_TAG);
	if (rv == 0) {
		connected(d, nng_aio_get_output(d->aio, 0));
		return;
	}
	if (st == CT_DEADLINE_EXCEEDED || st == CT_CANCELLED) /* the kernel's patience, or ours */
		st = CT_UNAVAILABLE;
	attempt_failed(d, st);
}

static void redial(struct ct_timer *t)
{
	struct ct_dialer *d = CT_CONTAINER_OF(t, struct ct_dialer, redial);
	bool dial;

	CT_TAG_CHECK(d, DIALER_TAG);
	ct_lock_acquire(&d->net->lock);
	dial = d->sm.state == RESTING;
	if (dial) {
		ct_sm_move(&d->sm, DIALING);
		d->dialed = ct_now(d->net->clk);
	}
	ct_lock_release(&d->net->lock);
	if (dial)
		nng_stream_dialer_dial(d->nng, d->aio); /* free waits for this timer first */
}

/* ---- for the connection and the watchdog ---------------------------------------- */

void ct_dialer__enter_locked(struct ct_net *n, struct ct_dialer *d)
{
	ct_lock_check_held(&n->lock);
	d->visits++;
	d->backoff_ms = n->opts.backoff_min_ms; /* this attempt worked */
}

void ct_dialer__conn_gone(struct ct_conn *c)
{
	struct ct_net *n = c->net;
	struct ct_dialer *d;

	ct_lock_acquire(&n->lock);
	d = c->dialer;
	c->dialer = NULL;
	if (d != NULL) {
		CT_CHECK(d->conn == c);
		d->conn = NULL;
		ct_sm_move(&d->sm, RESTING);
		if (c->told_open)
			arm_redial_locked(n, d, next_delay_locked(n, d));
		else
			tell_and_rest_locked(n, d, c->why);
	}
	ct_lock_release(&n->lock);
}

size_t ct_dialer__overdue_locked(struct ct_net *n, ct_instant now, struct ct_dialer **ret_late,
				 size_t max)
{
	const uint64_t limit_us = (uint64_t)n->opts.handshake_ms * 1000;
	size_t late_n = 0;

	ct_lock_check_held(&n->lock);
	for (struct ct_list *l = n->dialers.next; l != &n->dialers && late_n < max; l = l->next) {
		struct ct_dialer *d = CT_CONTAINER_OF(l, struct ct_dialer, link);

		if (d->sm.state != DIALING || ct_instant_us_between(d->dialed, now) < limit_us)
			continue;
		d->visits++;
		ret_late[late_n++] = d;
	}
	return late_n;
}

void ct_dialer__call_off(struct ct_dialer *d)
{
	struct ct_net *n = d->net;

	nng_aio_cancel(d->aio);
	ct_lock_acquire(&n->lock);
	ct_dialer__leave_locked(n, d);
	ct_lock_release(&n->lock);
}

/* ---- for the user ------------------------------------------------------------------- */

static int make_nng_dialer(struct ct_dialer *d)
{
	int rv = nng_aio_alloc(&d->aio, dial_cb, d);

	if (rv != 0)
		return rv;
	nng_aio_set_timeout(d->aio, NNG_DURATION_INFINITE);
	rv = nng_stream_dialer_alloc(&d->nng, d->url);
	if (rv == 0 && !d->ipc)
		rv = nng_stream_dialer_set_bool(d->nng, NNG_OPT_TCP_NODELAY, true);
	if (rv == 0 && !d->ipc)
		rv = nng_stream_dialer_set_bool(d->nng, NNG_OPT_TCP_KEEPALIVE, true);
	return rv;
}

static void release(struct ct_dialer *d)
{
	nng_aio_free(d->aio); /* waits for dial_cb */
	if (d->nng != NULL)
		nng_stream_dialer_free(d->nng);
	ct_cond_fini(&d->no_visit);
	CT_TAG_CLEAR(d);
	ct_mem_free(d);
}

static void init_struct(struct ct_net *n, const struct ct_dialer_opts *opts,
			const struct ct_address *a, struct ct_dialer *d)
{
	d->tag = DIALER_TAG;
	d->net = n;
	d->events = opts->events;
	d->failed = opts->failed;
	d->arg = opts->arg;
	d->ipc = a->ipc;
	ct_address_url(a, d->url);
	ct_sm_init(&d->sm, dialer_rows, DIALING, dialer_invariant);
	d->dialed = ct_now(n->clk);
	d->backoff_ms = n->opts.backoff_min_ms;
	ct_cond_init(&d->no_visit);
	ct_timer_init(&d->redial, redial);
}

ct_status ct_dialer_new(struct ct_net *n, const struct ct_dialer_opts *opts,
			struct ct_dialer **ret_dialer, const char **ret_why)
{
	struct ct_address a;
	struct ct_dialer *d;
	int rv;

	if (ct_address_parse(opts->url, &a, ret_why) != CT_OK ||
	    ct_address_check_dial(&a, ret_why) != CT_OK)
		return CT_INVALID_ARGUMENT;
	*ret_why = "no memory";
	d = ct_mem_zalloc(1, sizeof(*d));
	if (d == NULL)
		return CT_RESOURCE_EXHAUSTED;
	init_struct(n, opts, &a, d);
	rv = make_nng_dialer(d);
	if (rv != 0) {
		release(d);
		return CT_RESOURCE_EXHAUSTED;
	}
	ct_lock_acquire(&n->lock);
	ct_list_push_back(&n->dialers, &d->link);
	ct_watchdog__wake_locked(n);
	ct_lock_release(&n->lock);
	*ret_dialer = d;
	nng_stream_dialer_dial(d->nng, d->aio);
	return CT_OK;
}

struct ct_dialer *ct_dialer_free(struct ct_dialer *d)
{
	struct ct_conn *c = NULL;

	if (d == NULL)
		return NULL;
	CT_TAG_CHECK(d, DIALER_TAG);
	ct_lock_acquire(&d->net->lock);
	if (d->conn != NULL) {
		c = ct_conn_ref(d->conn);
		c->dialer = NULL;
		d->conn = NULL;
	}
	ct_sm_move(&d->sm, ENDED);
	ct_list_remove(&d->link);
	ct_lock_release(&d->net->lock);

	if (c != NULL)
		ct_conn_close(c, CT_CANCELLED);
	ct_conn_unref(c);
	ct_timers_cancel_wait(d->net->opts.timers, &d->redial);
	nng_stream_dialer_close(d->nng);
	ct_lock_acquire(&d->net->lock);
	while (d->visits > 0)
		ct_cond_wait(&d->no_visit, &d->net->lock);
	ct_lock_release(&d->net->lock);
	release(d);
	return NULL;
}
