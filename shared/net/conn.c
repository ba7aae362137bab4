/* SPDX-License-Identifier: Apache-2.0 */
/* How a connection is made, named and freed; close.c has its end, send.c and recv.c
 * what it says and hears. */
#include "net/conn_internal.h"

#include "base/check.h"
#include "base/mem.h"
#include "net/address.h"

#include <nng/nng.h>

#include <arpa/inet.h>
#include <string.h>

static const struct ct_sm_row conn_rows[] = {
	[CT_CONN_GREETING] = { "greeting", CT_SM_BIT(CT_CONN_OPEN) | CT_SM_BIT(CT_CONN_CLOSING) },
	[CT_CONN_OPEN] = { "open", CT_SM_BIT(CT_CONN_FLUSHING) | CT_SM_BIT(CT_CONN_CLOSING) },
	[CT_CONN_FLUSHING] = { "flushing", CT_SM_BIT(CT_CONN_CLOSING) },
	[CT_CONN_CLOSING] = { "closing", CT_SM_BIT(CT_CONN_CLOSED) },
	[CT_CONN_CLOSED] = { "closed", 0 },
};

static bool conn_invariant(const struct ct_sm *sm, int prev)
{
	const struct ct_conn *c = CT_CONTAINER_OF(sm, const struct ct_conn, sm);

	(void)prev;
	return CT_IMPLIES(sm->state == CT_CONN_OPEN, c->cause == CT_CAUSE_NONE) &&
	       CT_IMPLIES(sm->state == CT_CONN_CLOSING, c->cause != CT_CAUSE_NONE) &&
	       CT_IMPLIES(ct_sm_final(sm), c->ops == 0 && !c->tx_busy && !c->rx_busy);
}

/* ---- names of peers ----------------------------------------------------------- */

static char *peer_name(nng_stream *stream, const struct ct_conn_params *p)
{
	struct ct_address a = { 0 };
	char url[CT_ADDRESS_URL_SIZE];
	nng_sockaddr sa;

	if (p->ipc || nng_stream_get_addr(stream, NNG_OPT_REMADDR, &sa) != 0)
		return ct_mem_strdup(p->url);
	switch (sa.s_family) {
	case NNG_AF_INET:
		(void)inet_ntop(AF_INET, &sa.s_in.sa_addr, a.host, sizeof(a.host)); /* it fits */
		a.port = ntohs(sa.s_in.sa_port);
		break;
	case NNG_AF_INET6:
		(void)inet_ntop(AF_INET6, sa.s_in6.sa_addr, a.host, sizeof(a.host)); /* it fits */
		a.port = ntohs(sa.s_in6.sa_port);
		break;
	default:
		return ct_mem_strdup(p->url);
	}
	ct_address_url(&a, url);
	return ct_mem_strdup(url);
}

const char *ct_conn_peer(const struct ct_conn *c)
{
	return c->peer;
}

/* ---- made, counted, freed ------------------------------------------------------- */

void ct_conn__free_nng_parts(struct ct_conn *c)
{
	nng_aio_free(c->tx_aio); /* waits for the tail of a callback */
	nng_aio_free(c->rx_aio);
	nng_aio_free(c->tx_now_aio);
	nng_aio_free(c->rx_now_aio);
	if (c->stream != NULL)
		nng_stream_free(c->stream);
	c->tx_aio = c->rx_aio = c->tx_now_aio = c->rx_now_aio = NULL;
	c->stream = NULL;
}

static void free_struct(struct ct_conn *c)
{
	ct_conn__recv_fini(c);
	ct_mem_free(c->peer);
	ct_lock_fini(&c->lock);
	CT_TAG_CLEAR(c);
	ct_mem_free(c);
}

struct ct_conn *ct_conn_ref(struct ct_conn *c)
{
	CT_CHECK(atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed) > 0);
	return c;
}

struct ct_conn *ct_conn_unref(struct ct_conn *c)
{
	if (c == NULL)
		return NULL;
	if (atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1)
		free_struct(c);
	return NULL;
}

static void init_struct(struct ct_net *n, const struct ct_conn_params *p, struct ct_conn *c)
{
	c->tag = CT_CONN_TAG;
	atomic_init(&c->refs, 1);
	c->net = n;
	c->events = p->events;
	c->arg = p->arg;
	c->self = p->self;
	c->ipc = p->ipc;
	c->msg_bytes_max = n->opts.msg_bytes_max;
	ct_lock_init(&c->lock, CT_RANK_CONN);
	ct_sm_init(&c->sm, conn_rows, CT_CONN_GREETING, conn_invariant);
	c->ops = 1; /* until ct_conn__start() */
	c->born = c->rx_at = c->tx_at = ct_now(n->clk);
	ct_list_init(&c->link);
	ct_list_init(&c->shut_link);
	ct_conn__recv_init(c);
}

ct_status ct_conn__new(struct ct_net *n, nng_stream *stream, const struct ct_conn_params *p,
		       struct ct_conn **ret_conn)
{
	struct ct_conn *c = ct_mem_zalloc(1, sizeof(*c));

	if (c == NULL)
		return CT_RESOURCE_EXHAUSTED;
	init_struct(n, p, c);
	c->peer = peer_name(stream, p);
	if (c->peer == NULL || nng_aio_alloc(&c->tx_aio, ct_conn__send_cb, c) != 0 ||
	    nng_aio_alloc(&c->rx_aio, ct_conn__recv_cb, c) != 0 ||
	    nng_aio_alloc(&c->tx_now_aio, NULL, NULL) != 0 ||
	    nng_aio_alloc(&c->rx_now_aio, NULL, NULL) != 0) {
		ct_conn__free_nng_parts(c);
		free_struct(c);
		return CT_RESOURCE_EXHAUSTED;
	}
	nng_aio_set_timeout(c->tx_aio, NNG_DURATION_INFINITE);
	nng_aio_set_timeout(c->rx_aio, NNG_DURATION_INFINITE);
	nng_aio_set_timeout(c->tx_now_aio, NNG_DURATION_INFINITE);
	nng_aio_set_timeout(c->rx_now_aio, NNG_DURATION_INFINITE);
	c->stream = stream;
	*ret_conn = c;
	return CT_OK;
}

void ct_conn__discard(struct ct_conn *c)
{
	nng_stream_close(c->stream);
	ct_conn__free_nng_parts(c);
	free_struct(c);
}

void ct_conn__add_locked(struct ct_net *n, struct ct_conn *c)
{
	ct_lock_check_held(&n->lock);
	ct_list_push_back(&n->conns, &c->link);
	n->connections++;
	n->alive++;
	ct_watchdog__wake_locked(n);
}

void ct_conn__start(struct ct_conn *c)
{
	bool shut = false, send = false, receive = false;

	ct_lock_acquire(&c->lock);
	if (ct_conn__queue_hello_locked(c) != CT_OK)
		shut = ct_conn__fail_locked(c, CT_CAUSE_NO_MEMORY, CT_RESOURCE_EXHAUSTED);
	send = ct_conn__send_take_locked(c);
	receive = ct_conn__recv_take_locked(c);
	ct_lock_release(&c->lock);
	if (shut)
		ct_conn__shut(c);
	if (send)
		ct_conn__send_post(c);
	if (receive)
		ct_conn__recv_post(c);
	ct_conn__drop(c);
}
