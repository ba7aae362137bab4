/* SPDX-License-Identifier: Apache-2.0 */
/* Call objects: taken for a call, given back at its last reference, so that a
 * server in steady state allocates nothing. */
#include "rpc/server_internal.h"

#include "base/check.h"
#include "base/mem.h"
#include "rpc/codec.h"

enum {
	CALL_TAG = 0x43616c6c,
	FREE_MAX = 1024,
	CHUNK_BYTES = 2048,
	/* request, its decoded form and the answer together */
	ARENA_BYTES_MAX = 64 * 1024 * 1024,
	LEDGER_CHUNK_BYTES = 512,
	LEDGER_BYTES_MAX = 256 * 1024
};

static void destroy(struct ct_call *c)
{
	ct_arena_fini(&c->arena);
	ct_arena_fini(&c->ledger);
	ct_lock_fini(&c->ledger_lock);
	CT_TAG_CLEAR(c);
	ct_mem_free(c);
}

static void tell_idle_locked(struct ct_server *s) CT_REQUIRES(&s->free_lock)
{
	if (s->alive == s->brief)
		ct_cond_broadcast(&s->idle);
}

static void less_alive_locked(struct ct_server *s, bool brief) CT_REQUIRES(&s->free_lock)
{
	s->alive--;
	s->brief -= brief;
	tell_idle_locked(s);
}

void ct_call__give_back(struct ct_call *c)
{
	struct ct_server *s = c->server;
	const bool brief = c->brief;

	CT_TAG_CHECK(c, CALL_TAG);
	c->conn = ct_conn_unref(c->conn);
	ct_arena_reset(&c->arena);
	ct_arena_reset(&c->ledger);
	ct_lock_acquire(&s->free_lock);
	if (s->free_n < FREE_MAX) {
		ct_list_push_front(&s->free_calls, &c->free_link); /* warm for the next */
		s->free_n++;
		c = NULL; /* the list's */
	}
	less_alive_locked(s, brief);
	ct_lock_release(&s->free_lock); /* the last touch of s: a joiner may free it now */
	if (c != NULL)
		destroy(c);
}

static void release(struct ct_ctx *ctx)
{
	ct_call__give_back(CT_CONTAINER_OF(ctx, struct ct_call, ctx));
}

static struct ct_call *make(struct ct_server *s)
{
	struct ct_call *c = ct_mem_zalloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	CT_TAG_SET(c, CALL_TAG);
	c->server = s;
	ct_arena_init(&c->arena, CHUNK_BYTES, ARENA_BYTES_MAX);
	ct_arena_init(&c->ledger, LEDGER_CHUNK_BYTES, LEDGER_BYTES_MAX);
	ct_lock_init(&c->ledger_lock, CT_RANK_CALL);
	return c;
}

void ct_call__reserve(struct ct_server *s, struct ct_list *spare, size_t n)
{
	struct ct_list *l;

	ct_lock_acquire(&s->free_lock);
	for (size_t i = 0; i < n && (l = ct_list_pop_front(&s->free_calls)) != NULL; i++) {
		ct_list_push_back(spare, l);
		s->free_n--;
		s->alive++;
	}
	ct_lock_release(&s->free_lock);
}

void ct_call__unreserve(struct ct_server *s, struct ct_list *spare)
{
	struct ct_list *l;

	if (ct_list_empty(spare))
		return;
	ct_lock_acquire(&s->free_lock);
	while ((l = ct_list_pop_front(spare)) != NULL) {
		ct_list_push_front(&s->free_calls, l);
		s->free_n++;
		less_alive_locked(s, false);
	}
	ct_lock_release(&s->free_lock);
}

/* One that was reserved counts as alive already. A brief call has none of them: while it
 * runs they would look like calls that a drain must wait for. */
static struct ct_call *take(struct ct_server *s, struct ct_list *spare, bool brief)
{
	struct ct_list *l = brief ? NULL : ct_list_pop_front(spare);
	struct ct_call *c;

	if (l != NULL)
		return CT_CONTAINER_OF(l, struct ct_call, free_link);
	ct_lock_acquire(&s->free_lock);
	l = ct_list_pop_front(&s->free_calls);
	s->free_n -= l != NULL;
	s->alive++;
	s->brief += brief;
	tell_idle_locked(s);
	ct_lock_release(&s->free_lock);
	c = l != NULL ? CT_CONTAINER_OF(l, struct ct_call, free_link) : make(s);
	if (c == NULL) {
		ct_lock_acquire(&s->free_lock);
		less_alive_locked(s, brief);
		ct_lock_release(&s->free_lock);
	}
	return c;
}

struct ct_call *ct_call__take(struct ct_server *s, struct ct_list *spare, bool brief)
{
	struct ct_call *c = take(s, spare, brief);

	if (c == NULL)
		return NULL;
	ct_list_init(&c->free_link);
	c->resume_fn = NULL;
	c->conn = NULL;
	c->route = NULL;
	c->payload = CT_BYTES_NONE;
	c->allocator = ct_codec_allocator(&c->arena);
	c->queue_us = c->downstream_us = 0;
	c->hops_n = c->details_n = c->details_bytes = 0;
	c->metadata_n = c->metadata_bytes = 0;
	c->retry_after_ms = 0;
	c->no_retry = false;
	c->registered = false;
	c->brief = brief;
	atomic_store_explicit(&c->ledger_state, 0, memory_order_relaxed);
	c->downstream_end = (ct_instant){ .ns = 0 };
	atomic_store_explicit(&c->answered, false, memory_order_relaxed);
	atomic_store_explicit(&c->kept, false, memory_order_relaxed);
	atomic_store_explicit(&c->swept, false, memory_order_relaxed);
	return c;
}

void ct_call__not_brief(struct ct_call *c)
{
	struct ct_server *s = c->server;

	ct_lock_acquire(&s->free_lock);
	c->brief = false;
	s->brief--;
	ct_lock_release(&s->free_lock);
}

void ct_call__init_ctx(struct ct_call *c, ct_instant deadline, ct_instant now)
{
	ct_ctx_init_opts(&c->ctx, &(struct ct_ctx_opts){
					  .timers = c->server->timers,
					  .deadline = deadline,
					  .now = now,
					  .release = release,
					  .refs = CT_CALL_REFS,
					  .hook = &c->tripped,
					  .hook_fn = ct_call__tripped,
				  });
	ct_ctx_set_served(&c->ctx);
}

void ct_call__free_all(struct ct_server *s)
{
	struct ct_list *l;

	while ((l = ct_list_pop_front(&s->free_calls)) != NULL)
		destroy(CT_CONTAINER_OF(l, struct ct_call, free_link));
	s->free_n = 0;
}
