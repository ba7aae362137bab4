/* SPDX-License-Identifier: Apache-2.0 */
/* Call objects of a client: taken for a call, given back at its last reference. */
#include "rpc/client_internal.h"

#include "base/mem.h"
#include "rpc/reply_internal.h"

enum { FREE_MAX = 1024, CHUNK_BYTES = 1024, PACKED_BYTES_MAX = 64 * 1024 * 1024 };

static void destroy(struct ct_out *o)
{
	ct_reply_fini(&o->own_reply);
	ct_arena_fini(&o->packed);
	ct_mem_free(o);
}

void ct_out__release(struct ct_ctx *ctx)
{
	struct ct_out *o = CT_CONTAINER_OF(ctx, struct ct_out, ctx);
	struct ct_client *c = o->client;

	ct_arena_reset(&o->packed);
	ct_reply__reset(&o->own_reply);
	ct_lock_acquire(&c->lock);
	if (c->free_n < FREE_MAX) {
		ct_list_push_front(&c->free_outs, &o->link); /* the next call finds it in a cache */
		c->free_n++;
		o = NULL; /* the list's */
	}
	if (--c->alive == 0)
		ct_cond_broadcast(&c->changed);
	ct_lock_release(&c->lock); /* the last touch of c: it may be freed now */
	if (o != NULL)
		destroy(o);
}

static struct ct_out *make(struct ct_client *c)
{
	struct ct_out *o = ct_mem_zalloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->client = c;
	ct_list_init(&o->link);
	ct_reply_init(&o->own_reply);
	ct_arena_init(&o->packed, CHUNK_BYTES, PACKED_BYTES_MAX);
	return o;
}

/* Whether a call may go out. */
struct entry {
	struct ct_throttle_account *account;
	bool admitted, throttled;
};

/* A full client asks nobody: that it is full is its caller's doing. */
static struct entry judge_locked(struct ct_client *c, const struct ct_method *m,
				 enum ct_criticality criticality, ct_instant now)
	CT_REQUIRES(&c->lock)
{
	struct entry e = { .admitted = c->admitted < c->opts.outstanding_max };

	if (!e.admitted || !c->opts.throttle)
		return e;
	e.account = ct_throttle_account(&c->throttle, m->hash, criticality);
	e.admitted = ct_throttle_ask(e.account, now, ct_random_u64());
	e.throttled = !e.admitted;
	return e;
}

/* Counts a call that begins. */
static void count_locked(struct ct_client *c, const struct entry *e) CT_REQUIRES(&c->lock)
{
	c->alive++;
	c->stats.calls++;
	c->stats.in_flight++;
	c->stats.throttled += e->throttled;
	c->admitted += e->admitted;
	if (!e->throttled)
		ct_retry_budget_call(&c->budget);
}

/* As if it had not begun: there was no memory for it. */
static void take_back(struct ct_client *c, const struct entry *e)
{
	ct_lock_acquire(&c->lock);
	c->stats.calls--;
	c->stats.in_flight--;
	c->stats.throttled -= e->throttled;
	c->admitted -= e->admitted;
	if (--c->alive == 0)
		ct_cond_broadcast(&c->changed);
	ct_lock_release(&c->lock);
}

struct ct_out *ct_out__take(struct ct_client *c, const struct ct_method *m,
			    enum ct_criticality criticality, ct_instant now)
{
	struct ct_list *l;
	struct ct_out *o;
	struct entry e;

	ct_lock_acquire(&c->lock);
	l = ct_list_pop_front(&c->free_outs);
	c->free_n -= l != NULL;
	e = judge_locked(c, m, criticality, now);
	count_locked(c, &e);
	ct_lock_release(&c->lock);
	o = l != NULL ? CT_CONTAINER_OF(l, struct ct_out, link) : make(c);
	if (o == NULL) {
		take_back(c, &e);
		return NULL;
	}
	o->account = e.account;
	o->admitted = e.admitted;
	o->throttled = e.throttled;
	return o;
}

void ct_out__free_all(struct ct_client *c)
{
	struct ct_list *l;

	while ((l = ct_list_pop_front(&c->free_outs)) != NULL)
		destroy(CT_CONTAINER_OF(l, struct ct_out, link));
	c->free_n = 0;
}
