/* SPDX-License-Identifier: Apache-2.0 */
#include "net/net.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/thread.h"
#include "net/conn_internal.h"

#include <nng/nng.h>

#define NET_TAG 0x4e657420U /* "Net " */

enum {
	MSG_BYTES_DEFAULT = 4 * 1024 * 1024,
	MSG_BYTES_MIN = 128,
	SEND_BYTES_EXTRA = 1024 * 1024,
	HANDSHAKE_MS = 10000,
	STALL_MS = 30000,
	SLOW_READER_MS = 1000,
	BACKOFF_MIN_MS = 50,
	BACKOFF_MAX_MS = 2000,
};

static size_t or_default(size_t given, size_t otherwise)
{
	return given != 0 ? given : otherwise;
}

static uint32_t ms_or_default(uint32_t given, uint32_t otherwise)
{
	return given != 0 ? given : otherwise;
}

static struct ct_net_opts with_defaults(const struct ct_net_opts *given)
{
	struct ct_net_opts o = *given;
	size_t one_message;

	o.msg_bytes_max = or_default(o.msg_bytes_max, MSG_BYTES_DEFAULT);
	if (o.msg_bytes_max < MSG_BYTES_MIN)
		o.msg_bytes_max = MSG_BYTES_MIN;
	o.send_bytes_max = or_default(o.send_bytes_max, 2 * o.msg_bytes_max + SEND_BYTES_EXTRA);
	one_message = o.msg_bytes_max + CT_SP_PREFIX_BYTES_MAX + CT_SP_HELLO_BYTES;
	if (o.send_bytes_max < one_message)
		o.send_bytes_max = one_message;
	o.handshake_ms = ms_or_default(o.handshake_ms, HANDSHAKE_MS);
	o.stall_ms = ms_or_default(o.stall_ms, STALL_MS);
	o.slow_reader_ms = ms_or_default(o.slow_reader_ms, SLOW_READER_MS);
	if (o.slow_reader_ms > o.stall_ms)
		o.slow_reader_ms = o.stall_ms;
	o.backoff_min_ms = ms_or_default(o.backoff_min_ms, BACKOFF_MIN_MS);
	o.backoff_max_ms = ms_or_default(o.backoff_max_ms, BACKOFF_MAX_MS);
	if (o.backoff_max_ms < o.backoff_min_ms)
		o.backoff_max_ms = o.backoff_min_ms;
	return o;
}

/* nng makes its threads when it is first used, and they become what this one is: a
 * signal is for others, and a call or a CANCEL that came does not wait until a handler
 * has computed. */
static void *use_nng(void *ret_rv)
{
	nng_aio *aio = NULL;

	ct_thread_prompt();
	*(int *)ret_rv = nng_aio_alloc(&aio, NULL, NULL);
	nng_aio_free(aio);
	return NULL;
}

static ct_status start_nng(void)
{
	pthread_t thread;
	ct_status st;
	int rv;

	st = ct_thread_start(&thread, "ct-nng", use_nng, &rv);
	if (st != CT_OK)
		return st;
	ct_thread_join(thread);
	return rv == 0 ? CT_OK : CT_RESOURCE_EXHAUSTED;
}

ct_status ct_net_new(const struct ct_net_opts *opts, struct ct_net **ret_net)
{
	struct ct_net *n = ct_mem_zalloc(1, sizeof(*n));
	ct_status st = CT_RESOURCE_EXHAUSTED;

	CT_CHECK(opts->timers != NULL);
	if (n == NULL)
		return CT_RESOURCE_EXHAUSTED;
	n->tag = NET_TAG;
	n->opts = with_defaults(opts);
	n->clk = ct_timers_clock(opts->timers);
	ct_lock_init(&n->lock, CT_RANK_NET);
	ct_cond_init(&n->gone);
	ct_list_init(&n->conns);
	ct_list_init(&n->listeners);
	ct_list_init(&n->dialers);
	ct_watchdog__init(n);
	st = start_nng();
	if (st != CT_OK)
		goto out;
	st = ct_names_new(&n->names);
	if (st != CT_OK)
		goto out;
	st = ct_chores_new(&n->chores);
	if (st != CT_OK)
		goto out;
	*ret_net = n;
	n = NULL; /* handed over */
out:
	n = ct_net_free(n);
	return st;
}

struct ct_net *ct_net_free(struct ct_net *n)
{
	if (n == NULL)
		return NULL;
	CT_TAG_CHECK(n, NET_TAG);
	ct_lock_acquire(&n->lock);
	CT_CHECK(ct_list_empty(&n->listeners));
	CT_CHECK(ct_list_empty(&n->dialers));
	while (n->alive > 0)
		ct_cond_wait(&n->gone, &n->lock);
	ct_lock_release(&n->lock);

	n->names = ct_names_free(n->names);
	ct_watchdog__fini(n); /* it gives chores */
	n->chores = ct_chores_free(n->chores);
	ct_cond_fini(&n->gone);
	ct_lock_fini(&n->lock);
	CT_TAG_CLEAR(n);
	ct_mem_free(n);
	return NULL;
}

void ct_net_stats(struct ct_net *n, struct ct_net_stats *ret_stats)
{
	struct ct_net_stats s;

	ct_lock_acquire(&n->lock);
	s = n->past;
	s.connections = n->connections;
	for (struct ct_list *l = n->conns.next; l != &n->conns; l = l->next) {
		struct ct_conn *c = CT_CONTAINER_OF(l, struct ct_conn, link);

		ct_lock_acquire(&c->lock);
		ct_conn__count_locked(c, &s);
		ct_lock_release(&c->lock);
	}
	ct_lock_release(&n->lock);
	*ret_stats = s;
}

ct_status ct_net_resolve(struct ct_net *n, const char *url, ct_resolve_fn *fn, void *arg)
{
	struct ct_address a;
	const char *why;

	if (ct_address_parse(url, &a, &why) != CT_OK || ct_address_check_dial(&a, &why) != CT_OK)
		return CT_INVALID_ARGUMENT;
	return ct_names_resolve(n->names, &a, fn, arg);
}

void ct_net_resolve_call_off(struct ct_net *n, const void *arg)
{
	ct_names_call_off(n->names, arg);
}

size_t ct_net_msg_bytes_max(const struct ct_net *n)
{
	return n->opts.msg_bytes_max;
}
