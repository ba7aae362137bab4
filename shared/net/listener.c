/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accepting. The loop is ours: an accept that fails is tried again, at once the
 * first time and then after a pause that doubles (no descriptors left, no memory);
 * only ct_listener_close() ends it. Handshakes run on the connections, so a silent
 * peer holds up nobody.
 */
#include "base/check.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/conn_internal.h"
#include "net/nng_status.h"

#include <nng/nng.h>

#define LISTENER_TAG 0x4c697374U /* "List" */

enum { CONNECTIONS_MAX_DEFAULT = 10000, PAUSE_MS_MIN = 10, PAUSE_MS_MAX = 1000 };

struct ct_listener {
	unsigned tag;
	/* fixed after new */
	struct ct_net *net;
	nng_stream_listener *nng;
	nng_aio *aio;
	const struct ct_conn_events *events;
	void *arg;
	uint32_t connections_max;
	bool ipc;
	char url[CT_ADDRESS_URL_SIZE];

	/* under net->lock */
	struct ct_list link;
	uint32_t connections;
	uint32_t pause_ms; /* before the next accept; 0: the last one worked */
	bool closing;
	unsigned opening; /* `opened` that run */
	struct ct_cond none_opening;

	struct ct_timer again;
};

static void refuse(nng_stream *stream)
{
	nng_stream_close(stream);
	nng_stream_free(stream);
}

/* A place among connections_max, counted. */
static bool take_place(struct ct_listener *l)
{
	bool free_place;

	ct_lock_acquire(&l->net->lock);
	l->pause_ms = 0;
	free_place = l->connections < l->connections_max;
	if (free_place)
		l->connections++;
	else
		l->net->past.refused_full++;
	ct_lock_release(&l->net->lock);
	return free_place;
}

static void give_place_back(struct ct_listener *l)
{
	ct_lock_acquire(&l->net->lock);
	l->connections--;
	ct_lock_release(&l->net->lock);
}

static void admit(struct ct_listener *l, nng_stream *stream)
{
	const struct ct_conn_params p = {
		.self = CT_SP_REP, .ipc = l->ipc, .url = l->url, .events = l->events, .arg = l->arg
	};
	struct ct_conn *c = NULL;

	if (!take_place(l)) {
		refuse(stream);
		return;
	}
	if (ct_conn__new(l->net, stream, &p, &c) != CT_OK) {
		give_place_back(l);
		refuse(stream);
		return;
	}
	ct_lock_acquire(&l->net->lock);
	c->listener = l;
	ct_conn__add_locked(l->net, c);
	ct_lock_release(&l->net->lock);
	ct_conn__start(c);
}

static void accept_again(struct ct_timer *t)
{
	struct ct_listener *l = CT_CONTAINER_OF(t, struct ct_listener, again);

	nng_stream_listener_accept(l->nng, l->aio);
}

/* True: at once. False: the timer will, or never. */
static bool may_accept_again(struct ct_listener *l)
{
	bool at_once = false;

	ct_lock_acquire(&l->net->lock);
	if (!l->closing) {
		at_once = l->pause_ms == 0;
		if (!at_once)
			ct_timers_arm(l->net->opts.timers, &l->again,
				      ct_deadline_after_ms(l->net->clk, l->pause_ms));
		l->pause_ms = at_once ? PAUSE_MS_MIN : 2 * l->pause_ms;
		if (l->pause_ms > PAUSE_MS_MAX)
			l->pause_ms = PAUSE_MS_MAX;
	}
	ct_lock_release(&l->net->lock);
	return at_once;
}

static void accept_cb(void *arg)
{
	struct ct_listener *l = arg;
	bool go_on = true;

	CT_TAG_CHECK(l, LISTENER_TAG);
	if (nng_aio_result(l->aio) == 0)
		admit(l, nng_aio_get_output(l->aio, 0));
	else
		go_on = may_accept_again(l);
	if (go_on)
		nng_stream_listener_accept(l->nng, l->aio); /* once closed it fails */
}

void ct_listener__enter_locked(struct ct_net *n, struct ct_listener *l)
{
	ct_lock_check_held(&n->lock);
	l->opening++;
}

void ct_listener__leave_locked(struct ct_net *n, struct ct_listener *l)
{
	ct_lock_check_held(&n->lock);
	CT_CHECK(l->opening > 0);
	if (--l->opening == 0)
		ct_cond_broadcast(&l->none_opening);
}

void ct_listener__conn_gone_locked(struct ct_net *n, struct ct_conn *c)
{
	ct_lock_check_held(&n->lock);
	if (c->listener != NULL)
		c->listener->connections--;
	c->listener = NULL;
}

/* Binds, and writes the URL with the port that we got. */
static ct_status bind_and_listen(struct ct_listener *l, struct ct_address *a)
{
	int rv, port;

	ct_address_url(a, l->url);
	rv = nng_stream_listener_alloc(&l->nng, l->url);
	if (rv != 0)
		goto out;
	if (!a->ipc) {
		rv = nng_stream_listener_set_bool(l->nng, NNG_OPT_TCP_NODELAY, true);
		if (rv == 0)
			rv = nng_stream_listener_set_bool(l->nng, NNG_OPT_TCP_KEEPALIVE, true);
		if (rv != 0)
			goto out;
	}
	rv = nng_stream_listener_listen(l->nng);
	if (rv != 0 || a->ipc)
		goto out;
	rv = nng_stream_listener_get_int(l->nng, NNG_OPT_TCP_BOUND_PORT, &port);
	if (rv == 0) {
		a->port = (uint16_t)port;
		ct_address_url(a, l->url);
	}
out:
	return ct_status_from_nng(rv);
}

ct_status ct_listener_new(struct ct_net *n, const struct ct_listener_opts *opts,
			  struct ct_listener **ret_listener, const char **ret_why)
{
	struct ct_listener *l = NULL;
	struct ct_address a;
	ct_status st;

	st = ct_address_parse(opts->url, &a, ret_why);
	if (st != CT_OK)
		return st;
	*ret_why = "no memory";
	l = ct_mem_zalloc(1, sizeof(*l));
	if (l == NULL)
		return CT_RESOURCE_EXHAUSTED;
	l->tag = LISTENER_TAG;
	l->net = n;
	l->events = opts->events;
	l->arg = opts->arg;
	l->connections_max = opts->connections_max != 0 ? opts->connections_max
							: CONNECTIONS_MAX_DEFAULT;
	l->ipc = a.ipc;
	ct_cond_init(&l->none_opening);
	ct_timer_init(&l->again, accept_again);
	st = CT_RESOURCE_EXHAUSTED;
	if (nng_aio_alloc(&l->aio, accept_cb, l) != 0)
		goto out;
	nng_aio_set_timeout(l->aio, NNG_DURATION_INFINITE);
	st = bind_and_listen(l, &a);
	if (st != CT_OK && st != CT_RESOURCE_EXHAUSTED) {
		*ret_why = "the address is in use, or not ours";
		st = CT_UNAVAILABLE;
	}
	if (st != CT_OK)
		goto out;
	ct_lock_acquire(&n->lock);
	ct_list_push_back(&n->listeners, &l->link);
	ct_lock_release(&n->lock);
	nng_stream_listener_accept(l->nng, l->aio);
	*ret_listener = l;
	l = NULL; /* handed over */
out:
	if (l != NULL) {
		nng_aio_free(l->aio);
		if (l->nng != NULL)
			nng_stream_listener_free(l->nng);
		ct_cond_fini(&l->none_opening);
		ct_mem_free(l);
	}
	return st;
}

const char *ct_listener_url(const struct ct_listener *l)
{
	return l->url;
}

void ct_listener_close(struct ct_listener *l)
{
	bool first;

	ct_lock_acquire(&l->net->lock);
	first = !l->closing;
	l->closing = true;
	ct_lock_release(&l->net->lock);
	if (!first)
		return;
	ct_timers_cancel_wait(l->net->opts.timers, &l->again);
	nng_stream_listener_close(l->nng);
}

/* Lets go of all connections; those that are not closing yet are put in *shut. */
static void leave_net(struct ct_listener *l, struct ct_list *shut)
{
	struct ct_net *n = l->net;

	ct_lock_acquire(&n->lock);
	for (struct ct_list *k = n->conns.next; k != &n->conns; k = k->next) {
		struct ct_conn *c = CT_CONTAINER_OF(k, struct ct_conn, link);

		if (c->listener != l)
			continue;
		c->listener = NULL;
		ct_lock_acquire(&c->lock);
		if (ct_conn__fail_locked(c, CT_CAUSE_ASKED, CT_CANCELLED))
			ct_list_push_back(shut, &c->shut_link);
		ct_lock_release(&c->lock);
	}
	ct_list_remove(&l->link);
	ct_lock_release(&n->lock);
}

void ct_listener_finish(struct ct_listener *l)
{
	struct ct_net *n = l->net;
	struct ct_list shut, *link;

	ct_list_init(&shut);
	ct_listener_close(l);
	ct_lock_acquire(&n->lock);
	for (struct ct_list *k = n->conns.next; k != &n->conns; k = k->next) {
		struct ct_conn *c = CT_CONTAINER_OF(k, struct ct_conn, link);

		ct_lock_acquire(&c->lock);
		if (c->listener == l && ct_conn__finish_locked(c))
			ct_list_push_back(&shut, &c->shut_link);
		ct_lock_release(&c->lock);
	}
	ct_lock_release(&n->lock);
	while ((link = ct_list_pop_front(&shut)) != NULL)
		ct_conn__shut(CT_CONTAINER_OF(link, struct ct_conn, shut_link));
}

struct ct_listener *ct_listener_free(struct ct_listener *l)
{
	struct ct_list shut, *link;

	if (l == NULL)
		return NULL;
	CT_TAG_CHECK(l, LISTENER_TAG);
	ct_listener_close(l);
	nng_aio_free(l->aio); /* waits for accept_cb, so no connection is added any more */
	ct_list_init(&shut);
	leave_net(l, &shut);
	while ((link = ct_list_pop_front(&shut)) != NULL)
		ct_conn__shut(CT_CONTAINER_OF(link, struct ct_conn, shut_link));
	ct_lock_acquire(&l->net->lock);
	while (l->opening > 0)
		ct_cond_wait(&l->none_opening, &l->net->lock);
	ct_lock_release(&l->net->lock);
	nng_stream_listener_free(l->nng);
	ct_cond_fini(&l->none_opening);
	CT_TAG_CLEAR(l);
	ct_mem_free(l);
	return NULL;
}
