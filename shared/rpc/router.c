/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/router.h"

#include "base/check.h"
#include "base/mem.h"

enum { SLOTS_FIRST = 32 };

void ct_router_init(struct ct_router *r)
{
	*r = (struct ct_router){ .slots = NULL };
}

void ct_router_fini(struct ct_router *r)
{
	for (size_t i = 0; i < r->slots_n; i++)
		ct_mem_free(r->slots[i]);
	ct_mem_free(r->slots);
	ct_router_init(r);
}

static void place(struct ct_route **slots, size_t slots_n, struct ct_route *route)
{
	size_t i = route->method->hash & (slots_n - 1);

	while (slots[i] != NULL)
		i = (i + 1) & (slots_n - 1);
	slots[i] = route;
}

static ct_status grow(struct ct_router *r)
{
	const size_t slots_n = r->slots_n == 0 ? SLOTS_FIRST : 2 * r->slots_n;
	struct ct_route **slots = ct_mem_zalloc(slots_n, sizeof(struct ct_route *));

	if (slots == NULL)
		return CT_RESOURCE_EXHAUSTED;
	for (size_t i = 0; i < r->slots_n; i++)
		if (r->slots[i] != NULL)
			place(slots, slots_n, r->slots[i]);
	ct_mem_free(r->slots);
	r->slots = slots;
	r->slots_n = slots_n;
	return CT_OK;
}

ct_status ct_router_add(struct ct_router *r, const struct ct_method *m, ct_stub_handler_fn *invoke,
			const void *handlers, void *impl)
{
	struct ct_route *route;

	CT_CHECK(m->hash == ct_fnv1a32(ct_bytes_of_str(m->name)));
	if (ct_router_find(r, m->hash) != NULL)
		return CT_ALREADY_EXISTS;
	if (2 * (r->routes_n + 1) > r->slots_n) {
		const ct_status st = grow(r);

		if (st != CT_OK)
			return st;
	}
	route = ct_mem_zalloc(1, sizeof(*route));
	if (route == NULL)
		return CT_RESOURCE_EXHAUSTED;
	route->method = m;
	route->invoke = invoke;
	route->handlers = handlers;
	route->impl = impl;
	place(r->slots, r->slots_n, route);
	r->routes_n++;
	return CT_OK;
}

struct ct_route *ct_router_find(const struct ct_router *r, uint32_t hash)
{
	size_t i;

	if (r->slots_n == 0)
		return NULL;
	for (i = hash & (r->slots_n - 1); r->slots[i] != NULL; i = (i + 1) & (r->slots_n - 1))
		if (r->slots[i]->method->hash == hash)
			return r->slots[i];
	return NULL;
}

struct ct_route *ct_router_at(const struct ct_router *r, size_t i)
{
	size_t seen = 0;

	for (size_t k = 0; k < r->slots_n; k++)
		if (r->slots[k] != NULL && seen++ == i)
			return r->slots[k];
	return NULL;
}
