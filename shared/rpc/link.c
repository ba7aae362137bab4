/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's connections and the calls that are out on them. A request id is
 *   1 | generation (15 bits) | slot (16 bits)
 * so that a late reply never meets a newer call in its slot.
 */
#include "rpc/client_internal.h"

#include "base/check.h"
#include "base/mem.h"
#include "rpc/codec.h"
#include "rpc/reply_internal.h"

enum {
	SLOTS_FIRST = 64,
	SLOTS_MAX = 32768,
	SLOT_BITS = 16,
	SLOT_CANCEL = 0xffff, /* replies to CANCELs: nobody waits for them */
	GENERATION_MASK = 0x7fff,
	NO_SLOT = -1,
	BATCH_N = 64,
	PENALTY_STEP = 4,
	PENALTY_MAX = 64,
	PENALTY_HALF_US = 100 * 1000,
	SILENCE_US_MAX = 1000000,
};
#define ID_BIT UINT32_C(0x80000000)
#define US_PER_MS UINT64_C(1000)

/* ---- slots ------------------------------------------------------------------- */

uint32_t ct_link__request_id(const struct ct_link *l, uint32_t slot)
{
	return ID_BIT | (l->slots[slot].generation & GENERATION_MASK) << SLOT_BITS | slot;
}

uint32_t ct_link__cancel_request_id_locked(struct ct_link *l)
{
	return ID_BIT | (l->cancel_ids++ & GENERATION_MASK) << SLOT_BITS | SLOT_CANCEL;
}

static bool grow_locked(struct ct_link *l)
{
	const uint32_t n = l->slots_n == 0 ? SLOTS_FIRST : 2 * l->slots_n;
	struct ct_slot *slots;

	if (n > SLOTS_MAX)
		return false;
	slots = ct_mem_realloc(l->slots, n * sizeof(*slots));
	if (slots == NULL)
		return false;
	for (uint32_t i = l->slots_n; i < n; i++)
		slots[i] = (struct ct_slot){ .next_free = i + 1 };
	slots[n - 1].next_free = (uint32_t)NO_SLOT;
	l->free_head = l->slots_n;
	l->free_tail = n - 1;
	l->slots = slots;
	l->slots_n = n;
	return true;
}

bool ct_link__put_locked(struct ct_link *l, struct ct_out *o)
{
	if (l->free_head == (uint32_t)NO_SLOT && !grow_locked(l))
		return false;
	o->on = l;
	o->slot = l->free_head;
	l->free_head = l->slots[o->slot].next_free;
	l->slots[o->slot].out = o;
	l->outstanding++;
	return true;
}

void ct_link__clear_locked(struct ct_link *l, struct ct_out *o)
{
	struct ct_slot *s = &l->slots[o->slot];

	CT_CHECK(s->out == o);
	s->out = NULL;
	s->generation++;
	s->next_free = (uint32_t)NO_SLOT;
	if (l->free_head == (uint32_t)NO_SLOT)
		l->free_head = o->slot;
	else
		l->slots[l->free_tail].next_free = o->slot;
	l->free_tail = o->slot;
	l->outstanding--;
	o->on = NULL;
}

/* Whose reply this is; NULL: nobody's any more. The call becomes the caller's.
 * The cancel id decides: a reply so late that its request id is in use again
 * must not end another call. It is NULL when the header could not be read. */
static struct ct_out *claim_locked(struct ct_link *l, const struct ct_sp_route *route,
				   const struct ct_id *cancel_id)
{
	const uint32_t id = route->words[route->n - 1], slot = id & SLOT_CANCEL;
	struct ct_out *o;

	if (route->n != 1 || slot >= l->slots_n || ct_link__request_id(l, slot) != id)
		return NULL;
	o = l->slots[slot].out;
	if (o == NULL || (cancel_id != NULL && !ct_id_equal(&o->cancel_id, cancel_id)))
		return NULL;
	ct_link__clear_locked(l, o);
	o->state = CT_OUT_HANDLED;
	return o;
}

/* ---- choosing ------------------------------------------------------------------ */

/* Half of it is forgotten for each PENALTY_HALF_US without another refusal, and not by
 * answers alone: a server that gets no calls gives none. */
static void fade_locked(struct ct_link *l)
{
	uint64_t halves;

	if (l->penalty == 0)
		return;
	halves = ct_instant_us_between(l->faded_at, ct_now(l->client->clk)) / PENALTY_HALF_US;
	l->penalty = halves < 32 ? l->penalty >> halves : 0;
	l->faded_at = ct_instant_add_us(l->faded_at, halves * PENALTY_HALF_US);
}

static uint32_t load_locked(struct ct_link *l)
{
	fade_locked(l);
	return l->outstanding + l->penalty;
}

struct ct_link *ct_link__pick_locked(struct ct_client *c, const struct ct_link *avoid)
{
	const uint64_t r = c->ready_n > 1 ? ct_random_u64() : 0;
	struct ct_link *a, *b;

	if (c->ready_n == 0)
		return NULL;
	a = c->ready[(uint32_t)r % c->ready_n];
	if (c->ready_n == 1)
		return a;
	b = c->ready[(a->ready_i + 1 + (uint32_t)(r >> 32) % (c->ready_n - 1)) % c->ready_n];
	if (a == avoid)
		return b;
	if (b == avoid)
		return a;
	return load_locked(b) < load_locked(a) ? b : a;
}

/* ---- what the connection tells --------------------------------------------------- */

static void on_opened(void *arg, struct ct_conn *conn, void **ret_user)
{
	struct ct_link *l = arg;
	struct ct_client *c = l->client;

	ct_lock_acquire(&c->lock);
	l->in_use = true;
	l->state = CT_LINK_READY;
	l->conn = ct_conn_ref(conn);
	l->penalty = 0;
	l->silent_since = (ct_instant){ .ns = 0 };
	l->ready_i = c->ready_n;
	CT_CHECK(c->ready_n < CT_CLIENT_LINKS_MAX);
	c->ready[c->ready_n++] = l;
	ct_cond_broadcast(&c->changed);
	ct_lock_release(&c->lock);
	CT_LOG(c->log, CT_LOG_DEBUG, "connected", CT_STR("service", c->peer),
	       CT_STR("url", l->url));
	*ret_user = l;
	ct_out__send_waiting(c);
}

static void leave_ready_locked(struct ct_link *l, enum ct_link_state state)
{
	struct ct_client *c = l->client;

	if (l->state == CT_LINK_READY) {
		c->ready_n--;
		c->ready[l->ready_i] = c->ready[c->ready_n];
		c->ready[l->ready_i]->ready_i = l->ready_i;
	}
	l->state = state;
}

/* Every call that is out on l, for the caller to fail. */
static void claim_all_locked(struct ct_link *l, struct ct_list *lost)
{
	for (uint32_t i = 0; i < l->slots_n; i++) {
		struct ct_out *o = l->slots[i].out;

		if (o == NULL)
			continue;
		ct_link__clear_locked(l, o);
		o->state = CT_OUT_HANDLED;
		ct_list_push_back(lost, &o->link);
	}
}

static void on_closed(struct ct_conn *conn, void *user, ct_status why)
{
	static const struct ct_failure lost_failure = {
		.status = CT_UNAVAILABLE,
		.message = "the connection was lost before the reply",
	};
	struct ct_link *l = user;
	struct ct_client *c = l->client;
	struct ct_list lost, *item;
	struct ct_conn *mine;

	(void)conn;
	ct_list_init(&lost);
	ct_lock_acquire(&c->lock);
	leave_ready_locked(l, CT_LINK_CONNECTING); /* the dialer tries again by itself */
	c->stats.connections_lost++;
	claim_all_locked(l, &lost);
	mine = l->conn;
	l->conn = NULL;
	ct_lock_release(&c->lock);
	CT_LOG(c->log, CT_LOG_DEBUG, "connection lost", CT_STR("service", c->peer),
	       CT_STR("url", l->url), CT_STATUS("status", why));
	while ((item = ct_list_pop_front(&lost)) != NULL)
		ct_out__attempt_failed(CT_CONTAINER_OF(item, struct ct_out, link), &lost_failure);
	ct_conn_unref(mine);

	ct_lock_acquire(&c->lock);
	l->in_use = false;
	ct_cond_broadcast(&c->changed);
	ct_lock_release(&c->lock); /* the last touch of l */
}

void ct_link__dial_failed(void *link, ct_status why, uint32_t next_ms)
{
	struct ct_link *l = link;
	struct ct_client *c = l->client;
	bool hopeless;

	ct_lock_acquire(&c->lock);
	l->state = CT_LINK_FAILED;
	hopeless = c->ready_n == 0 && !ct_endpoint__connecting_locked(c);
	ct_lock_release(&c->lock);
	CT_LOG(c->log, CT_LOG_DEBUG, "cannot connect", CT_STR("service", c->peer),
	       CT_STR("url", l->url), CT_STATUS("status", why), CT_UINT("next_ms", next_ms));
	if (hopeless)
		ct_out__fail_waiting(c);
}

/* ---- replies --------------------------------------------------------------------- */

/* Kept as it came: most callers never look. One that does not decode costs the caller
 * its message, not the call. */
static void take_meta(struct ct_reply *r, struct ct_bytes meta)
{
	const uint8_t *copy = ct_arena_copy(&r->arena, meta);

	if (copy == NULL)
		return;
	r->meta_bytes = ct_bytes_of(copy, meta.len);
	if (r->status != CT_OK && ct_reply_meta(r) != NULL)
		r->message = r->meta->message;
}

static void take_response(struct ct_out *o, struct ct_bytes payload)
{
	struct ct_reply *r = o->reply;
	ProtobufCMessage *m;
	const ct_status st = ct_codec_unpack(o->method->response, payload, &r->arena, &m);

	if (st == CT_OK) {
		r->response = m;
		return;
	}
	r->status = st == CT_RESOURCE_EXHAUSTED ? st : CT_INTERNAL;
	r->message = "the reply does not decode";
}

static void handle_reply(struct ct_out *o, struct ct_conn *conn, const struct ct_wire_header *h,
			 struct ct_bytes meta, struct ct_bytes payload)
{
	struct ct_reply *r = o->reply;
	const char *peer = ct_arena_strdup(&r->arena, ct_conn_peer(conn));

	r->peer = peer != NULL ? peer : "";
	r->status = ct_status_from_wire(h->code);
	r->not_processed = (h->flags & CT_WIRE_NOT_PROCESSED) != 0;
	r->no_retry = (h->flags & CT_WIRE_NO_RETRY) != 0;
	r->retry_after_ms = h->budget_us / US_PER_MS < UINT32_MAX
				    ? (uint32_t)(h->budget_us / US_PER_MS)
				    : UINT32_MAX;
	take_meta(r, meta);
	if (r->status == CT_OK) {
		take_response(o, payload);
		ct_out__complete(o);
		return;
	}
	ct_out__attempt_failed(o, &(struct ct_failure){
					  .status = r->status,
					  .message = r->message,
					  .retry_after_ms = r->retry_after_ms,
					  .not_processed = r->not_processed,
					  .no_retry = r->no_retry,
				  });
}

/* A draining server refuses in no time, so the choice of the least busy would
 * send it ever more: it gets no new calls. The one it refused goes elsewhere at
 * once, which costs no retry budget: nothing ran, and nothing is overloaded. */
static bool moved_on(struct ct_out *o)
{
	struct ct_client *c = o->client;
	bool other;

	ct_lock_acquire(&c->lock);
	other = c->ready_n > 0 && o->attempts < c->opts.attempts_max && !ct_ctx_done(&o->ctx);
	if (other && o->account != NULL)
		ct_throttle_sent(o->account, ct_now(c->clk));
	ct_lock_release(&c->lock);
	if (!other)
		return false;
	ct_reply__reset(o->reply);
	ct_out__dispatch(o);
	return true;
}

static void bad_reply(struct ct_out *o, const char *why)
{
	ct_out__fail(o, &(struct ct_failure){ .status = CT_INTERNAL, .message = why });
}

/* One reply, read but not handed on. */
struct reply {
	struct ct_wire_header h;
	struct ct_bytes meta, payload;
	struct ct_out *out; /* NULL: nobody waits for it */
	bool readable;
};

static bool says_draining(const struct reply *r)
{
	return r->h.code == CT_UNAVAILABLE && (r->h.flags & CT_WIRE_NOT_PROCESSED) != 0;
}

/* Not one that no server would take, as one that is too large. */
static bool says_overloaded(const struct reply *r)
{
	return r->h.code == CT_RESOURCE_EXHAUSTED && (r->h.flags & CT_WIRE_NOT_PROCESSED) != 0 &&
	       (r->h.flags & CT_WIRE_NO_RETRY) == 0;
}

/* What a reply tells about its server, for the choice among servers and the throttle. */
static void judge_locked(struct ct_link *l, const struct reply *r)
{
	if (r->out->account != NULL && says_overloaded(r))
		ct_throttle_refused(r->out->account, ct_now(l->client->clk));
	if (says_draining(r)) {
		if (l->state == CT_LINK_READY)
			leave_ready_locked(l, CT_LINK_LEAVING);
	} else if (r->h.code == CT_RESOURCE_EXHAUSTED) {
		fade_locked(l);
		l->penalty = l->penalty < PENALTY_MAX ? l->penalty + PENALTY_STEP : PENALTY_MAX;
		l->faded_at = ct_now(l->client->clk);
	} else if (l->penalty > 0) {
		l->penalty--;
	}
}

static void claim_some_locked(struct ct_link *l, const struct ct_net_msg *msgs, struct reply *rs,
			      size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct ct_sp_route *route = &msgs[i].route;

		rs[i].out = claim_locked(l, route, rs[i].readable ? &rs[i].h.cancel_id : NULL);
		if (rs[i].out != NULL && rs[i].readable)
			judge_locked(l, &rs[i]);
		else if (rs[i].out == NULL &&
			 (route->words[route->n - 1] & SLOT_CANCEL) != SLOT_CANCEL)
			l->client->stats.late_replies++;
	}
}

/* False: it is none. Of one too big for a message only the header has come. */
static bool read_reply(const struct ct_net_msg *m, struct reply *r)
{
	const char *why;
	ct_status st;

	r->meta = r->payload = CT_BYTES_NONE;
	st = m->too_big ? ct_wire_decode_header(m->body, &r->h, &why)
			: ct_wire_decode(m->body, &r->h, &r->meta, &r->payload, &why);
	return st == CT_OK && r->h.kind == CT_WIRE_REPLY;
}

static void on_some(struct ct_link *l, struct ct_conn *conn, const struct ct_net_msg *msgs,
		    size_t n)
{
	static const struct ct_failure over_limit = {
		.status = CT_RESOURCE_EXHAUSTED,
		.message = "the reply is larger than a message may be",
	};
	struct reply rs[BATCH_N];
	bool broken = false;

	for (size_t i = 0; i < n; i++) {
		rs[i].readable = read_reply(&msgs[i], &rs[i]);
	}
	ct_lock_acquire(&l->client->lock);
	l->silent_since = (ct_instant){ .ns = 0 };
	claim_some_locked(l, msgs, rs, n);
	ct_lock_release(&l->client->lock);
	for (size_t i = 0; i < n; i++) {
		if (rs[i].out == NULL)
			continue;
		if (!rs[i].readable) {
			bad_reply(rs[i].out,
				  "the peer answered with something that is not a reply");
			broken = true;
		} else if (msgs[i].too_big) {
			ct_out__fail(rs[i].out, &over_limit);
		} else if (!says_draining(&rs[i]) || (rs[i].h.flags & CT_WIRE_NO_RETRY) != 0 ||
			   !moved_on(rs[i].out)) {
			handle_reply(rs[i].out, conn, &rs[i].h, rs[i].meta, rs[i].payload);
		}
	}
	if (broken)
		ct_conn_close(conn, CT_INVALID_ARGUMENT);
}

static void on_batch(struct ct_conn *conn, void *user, const struct ct_net_msg *msgs, size_t n)
{
	while (n > 0) {
		const size_t some = n < BATCH_N ? n : BATCH_N;

		on_some(user, conn, msgs, some);
		msgs += some;
		n -= some;
	}
}

bool ct_link__deaf_locked(struct ct_link *l, ct_instant now)
{
	if (l->silent_since.ns != 0)
		return ct_instant_us_between(l->silent_since, now) > SILENCE_US_MAX;
	l->silent_since = now;
	return false;
}

void ct_link__send_cancel(struct ct_conn *conn, uint32_t request_id, const struct ct_id *cancel_id,
			  enum ct_cancel_reason why)
{
	const struct ct_sp_route route = { .words = { request_id }, .n = 1 };
	const struct ct_wire_header h = {
		.kind = CT_WIRE_CANCEL,
		.code = (uint8_t)why,
		.cancel_id = *cancel_id,
	};
	uint8_t bytes[CT_WIRE_HEADER_BYTES];
	const struct ct_bytes parts[3] = { ct_bytes_of(bytes, sizeof(bytes)) };

	ct_wire_encode(&h, bytes);
	(void)!ct_conn_send(conn, &route, parts); /* best effort: a lost connection cancels too */
}

const struct ct_conn_events ct_link__conn_events = {
	.opened = on_opened,
	.batch = on_batch,
	.closed = on_closed,
};
