/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the server, or one of its services, should be sent calls. */
#include "rpc/server_internal.h"

#include "base/check.h"

#include <string.h>

/* The route table's own string for a service, NULL when it has no such one. */
static const char *known_service(struct ct_server *s, const char *service)
{
	struct ct_route *r;

	for (size_t i = 0; (r = ct_router_at(&s->router, i)) != NULL; i++)
		if (strcmp(r->method->service, service) == 0)
			return r->method->service;
	return NULL;
}

static size_t find_out_locked(const struct ct_server *s, const char *name)
{
	size_t i = 0;

	while (i < s->out_n && strcmp(s->out[i], name) != 0)
		i++;
	return i;
}

enum ct_serving ct_srv__serving(struct ct_server *s, const char *service)
{
	const bool whole = service[0] == '\0';
	const char *name = whole ? "" : known_service(s, service);
	bool out;

	if (name == NULL)
		return CT_SERVICE_UNKNOWN;
	ct_lock_acquire(&s->lock);
	out = s->sm.state != CT_SRV_SERVING || (whole && s->out_n > 0) ||
	      find_out_locked(s, name) < s->out_n;
	ct_lock_release(&s->lock);
	return out ? CT_NOT_SERVING : CT_SERVING;
}

void ct_server_set_serving(struct ct_server *s, const char *service, bool serving)
{
	const char *name = service[0] == '\0' ? "" : known_service(s, service);
	size_t i;

	CT_CHECK(name != NULL);
	ct_lock_acquire(&s->lock);
	i = find_out_locked(s, name);
	if (serving && i < s->out_n) {
		s->out[i] = s->out[--s->out_n];
	} else if (!serving && i == s->out_n) {
		CT_CHECK(s->out_n < CT_SERVER_OUT_MAX);
		s->out[s->out_n++] = name;
	}
	ct_lock_release(&s->lock);
	ct_srv__serving_changed(s);
}

void ct_srv__watch_add(struct ct_server *s, struct ct_serving_watch *w)
{
	ct_lock_acquire(&s->lock);
	ct_list_push_back(&s->watches, &w->link);
	ct_lock_release(&s->lock);
}

bool ct_srv__watch_remove(struct ct_server *s, struct ct_serving_watch *w)
{
	bool was_in;

	ct_lock_acquire(&s->lock);
	was_in = !ct_list_empty(&w->link);
	ct_list_remove(&w->link);
	ct_lock_release(&s->lock);
	return was_in;
}

void ct_srv__serving_changed(struct ct_server *s)
{
	struct ct_list now, *l;

	ct_list_init(&now);
	ct_lock_acquire(&s->lock);
	ct_list_splice_back(&now, &s->watches); /* who comes back waits for the next change */
	ct_lock_release(&s->lock);
	for (;;) {
		ct_lock_acquire(&s->lock);
		l = ct_list_pop_front(&now);
		ct_lock_release(&s->lock);
		if (l == NULL)
			return;
		CT_CONTAINER_OF(l, struct ct_serving_watch, link)
			->changed(CT_CONTAINER_OF(l, struct ct_serving_watch, link));
	}
}
