/* SPDX-License-Identifier: Apache-2.0 */
/* The time ledger of a call: what its downstream calls took, as they and we saw
 * it. Legs end on any thread, so it has a lock and memory of its own. */
#include "rpc/server_internal.h"

#include "rpc/codec.h"

/* A deep copy: the reply's own memory goes when its callback returns. */
static Ct__V1__Timing *copy_timing(struct ct_arena *a, const Ct__V1__Timing *t)
{
	struct ct_bytes packed;
	ProtobufCMessage *m;

	if (t == NULL || ct_codec_pack(&t->base, CT_WIRE_META_BYTES_MAX, a, &packed) != CT_OK ||
	    ct_codec_unpack(&ct__v1__timing__descriptor, packed, a, &m) != CT_OK)
		return NULL; /* the hop is worth having without it */
	return (Ct__V1__Timing *)m;
}

static Ct__V1__Hop *make_hop(struct ct_arena *a, const char *peer, const struct ct_method *m,
			     const struct ct_reply *reply)
{
	const Ct__V1__ReplyMeta *meta = ct_reply_meta(reply);
	Ct__V1__Hop *h = ct_arena_alloc(a, sizeof(*h));
	char *name = ct_arena_strdup(a, peer);

	if (h == NULL || name == NULL)
		return NULL;
	ct__v1__hop__init(h);
	h->peer = name;
	h->method = (char *)(uintptr_t)m->name; /* static, and packing only reads it */
	h->code = (int32_t)reply->status;
	h->elapsed_us = reply->elapsed_us;
	h->timing = copy_timing(a, meta != NULL ? meta->timing : NULL);
	return h;
}

/* Most calls have no legs, and close their ledger without its lock. */
enum { LEDGER_UNUSED, LEDGER_USED, LEDGER_CLOSED };

static bool open_locked(struct ct_call *c) CT_REQUIRES(&c->ledger_lock)
{
	int was = LEDGER_UNUSED;

	return atomic_compare_exchange_strong(&c->ledger_state, &was, LEDGER_USED) ||
	       was == LEDGER_USED;
}

void ct_call__close_ledger(struct ct_call *c)
{
	if (atomic_exchange(&c->ledger_state, LEDGER_CLOSED) != LEDGER_USED)
		return;
	ct_lock_acquire(&c->ledger_lock); /* a leg may be adding its hop right now */
	ct_lock_release(&c->ledger_lock);
}

void ct_call_add_hop(struct ct_call *c, const char *peer, const struct ct_method *m,
		     const struct ct_reply *reply)
{
	const ct_instant now = ct_now(c->server->clk);
	Ct__V1__Hop *h;

	ct_lock_acquire(&c->ledger_lock);
	if (open_locked(c)) {
		/* legs may overlap: only what no earlier one covers is new */
		const uint64_t uncovered = ct_instant_us_between(c->downstream_end, now);

		c->downstream_us += reply->elapsed_us < uncovered ? reply->elapsed_us : uncovered;
		c->downstream_end = now;
		h = c->hops_n < CT_CALL_HOPS_MAX ? make_hop(&c->ledger, peer, m, reply) : NULL;
		if (h != NULL)
			c->hops[c->hops_n++] = h;
	}
	ct_lock_release(&c->ledger_lock);
}
