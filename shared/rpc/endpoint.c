/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's endpoints: each name is looked up, each address gets its links, an
 * address that is gone loses them, and the names are looked up again from time
 * to time. Runs on the chores thread and the timer thread.
 */
#include "rpc/client_internal.h"

#include "base/check.h"
#include "base/mem.h"

#include <string.h>

#define US_PER_MS UINT64_C(1000)

bool ct_endpoint__connecting_locked(struct ct_client *c)
{
	for (size_t i = 0; i < c->endpoints_n; i++)
		if (!c->endpoints[i].resolved_once)
			return true;
	for (struct ct_list *i = c->links.next; i != &c->links; i = i->next)
		if (CT_CONTAINER_OF(i, struct ct_link, of_client)->state == CT_LINK_CONNECTING)
			return true;
	return false;
}

/* ---- links ----------------------------------------------------------------------- */

static void destroy_link(struct ct_link *l)
{
	ct_mem_free(l->slots);
	ct_mem_free(l->url);
	ct_mem_free(l);
}

static struct ct_link *make_link(struct ct_endpoint *e, const char *url)
{
	struct ct_link *l = ct_mem_zalloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	*l = (struct ct_link){
		.client = e->client,
		.endpoint = e,
		.url = ct_mem_strdup(url),
		.state = CT_LINK_CONNECTING,
		.free_head = (uint32_t)-1,
		.free_tail = (uint32_t)-1,
	};
	ct_list_init(&l->of_client);
	if (l->url == NULL) {
		destroy_link(l);
		return NULL;
	}
	return l;
}

/* One more link to an address, dialling. False: a limit or no memory; the next
 * look-up tries again. */
static bool add_link(struct ct_endpoint *e, const char *url)
{
	struct ct_client *c = e->client;
	struct ct_dialer_opts opts = {
		.url = url,
		.events = &ct_link__conn_events,
		.failed = ct_link__dial_failed,
	};
	struct ct_link *l = make_link(e, url);
	const char *why;
	bool in;

	if (l == NULL)
		return false;
	opts.arg = l;
	ct_lock_acquire(&c->lock);
	in = c->links_n < CT_CLIENT_LINKS_MAX && !c->closing;
	if (in) {
		ct_list_push_back(&c->links, &l->of_client);
		c->links_n++;
	}
	ct_lock_release(&c->lock);
	if (in && ct_dialer_new(c->net, &opts, &l->dialer, &why) == CT_OK)
		return true;
	ct_lock_acquire(&c->lock);
	ct_list_remove(&l->of_client);
	c->links_n -= in;
	ct_lock_release(&c->lock);
	destroy_link(l);
	return false;
}

/* Frees a link that is in no list. Its calls fail as on any loss. */
static void remove_link(struct ct_link *l)
{
	struct ct_client *c = l->client;

	l->dialer = ct_dialer_free(l->dialer);
	ct_lock_acquire(&c->lock);
	while (l->in_use)
		ct_cond_wait(&c->changed, &c->lock);
	c->links_n--;
	ct_lock_release(&c->lock);
	destroy_link(l);
}

/* ---- what a look-up found ----------------------------------------------------------- */

static bool among(const char *url, const char *const *urls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(url, urls[i]) == 0)
			return true;
	return false;
}

static size_t count_links_locked(const struct ct_endpoint *e, const char *url)
{
	const struct ct_list *head = &e->client->links;
	size_t n = 0;

	for (struct ct_list *i = head->next; i != head; i = i->next) {
		const struct ct_link *l = CT_CONTAINER_OF(i, struct ct_link, of_client);

		n += l->endpoint == e && strcmp(l->url, url) == 0;
	}
	return n;
}

static void add_missing(struct ct_endpoint *e, const char *const *urls, size_t n)
{
	struct ct_client *c = e->client;

	for (size_t i = 0; i < n; i++) {
		size_t have;

		ct_lock_acquire(&c->lock);
		have = count_links_locked(e, urls[i]);
		ct_lock_release(&c->lock);
		while (have < c->opts.connections && add_link(e, urls[i]))
			have++;
	}
}

/* The links of e whose address is not in urls any more leave the client's list. */
static void take_gone_locked(struct ct_endpoint *e, const char *const *urls, size_t n,
			     struct ct_list *gone)
{
	struct ct_client *c = e->client;

	for (struct ct_list *i = c->links.next, *next; i != &c->links; i = next) {
		struct ct_link *l = CT_CONTAINER_OF(i, struct ct_link, of_client);

		next = i->next;
		/* one that works is kept: a name server's hiccup must not cut calls off */
		if (l->endpoint != e || l->state == CT_LINK_READY || among(l->url, urls, n))
			continue;
		ct_list_remove(&l->of_client); /* links_n counts it until it is gone for good */
		ct_list_push_back(gone, &l->of_client);
	}
}

static void resolved(void *arg, ct_status st, const char *const *urls, size_t n)
{
	struct ct_endpoint *e = arg;
	struct ct_client *c = e->client;
	struct ct_list gone, *item;
	bool hopeless;

	ct_list_init(&gone);
	if (st == CT_OK) {
		ct_lock_acquire(&c->lock);
		if (!c->closing)
			take_gone_locked(e, urls, n, &gone);
		ct_lock_release(&c->lock);
		add_missing(e, urls, n);
		while ((item = ct_list_pop_front(&gone)) != NULL)
			remove_link(CT_CONTAINER_OF(item, struct ct_link, of_client));
	} else {
		CT_LOG(c->log, CT_LOG_WARN, "cannot resolve", CT_STR("service", c->peer),
		       CT_STR("url", e->url), CT_STATUS("status", st));
	}
	ct_lock_acquire(&c->lock);
	e->resolved_once = true;
	e->resolving = false;
	hopeless = c->ready_n == 0 && !ct_endpoint__connecting_locked(c);
	ct_lock_release(&c->lock);
	if (hopeless)
		ct_out__fail_waiting(c);
	ct_lock_acquire(&c->lock);
	c->resolving--;
	ct_cond_broadcast(&c->changed);
	ct_lock_release(&c->lock); /* the last touch of c */
}

/* ---- when ------------------------------------------------------------------------------ */

void ct_endpoint__resolve(struct ct_client *c)
{
	const ct_instant now = ct_now(c->clk);

	for (size_t i = 0; i < c->endpoints_n; i++) {
		struct ct_endpoint *e = &c->endpoints[i];
		bool due;

		ct_lock_acquire(&c->lock);
		due = !c->closing && !e->resolving && now.ns >= e->next_resolve.ns;
		if (due) {
			e->resolving = true;
			c->resolving++;
			e->next_resolve = ct_instant_add_us(now, c->opts.resolve_ms * US_PER_MS);
		}
		ct_lock_release(&c->lock);
		if (due && ct_net_resolve(c->net, e->url, resolved, e) != CT_OK)
			resolved(e, CT_RESOURCE_EXHAUSTED, NULL, 0);
	}
}

void ct_endpoint__resolve_timer(struct ct_timer *t)
{
	struct ct_client *c = CT_CONTAINER_OF(t, struct ct_client, resolve_timer);

	ct_endpoint__resolve(c);
	ct_lock_acquire(&c->lock);
	if (!c->closing)
		ct_timers_arm(c->timers, t,
			      ct_instant_add_us(ct_now(c->clk), c->opts.resolve_ms * US_PER_MS));
	ct_lock_release(&c->lock);
}

void ct_endpoint__close_all(struct ct_client *c)
{
	struct ct_list all, *item;

	for (size_t i = 0; i < c->endpoints_n; i++)
		ct_net_resolve_call_off(c->net, &c->endpoints[i]);
	ct_list_init(&all);
	ct_lock_acquire(&c->lock);
	while (c->resolving > 0) /* those whose answer is being taken in */
		ct_cond_wait(&c->changed, &c->lock);
	ct_list_splice_back(&all, &c->links);
	ct_lock_release(&c->lock);
	while ((item = ct_list_pop_front(&all)) != NULL)
		remove_link(CT_CONTAINER_OF(item, struct ct_link, of_client));
}
