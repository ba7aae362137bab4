/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/registry.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdatomic.h>

enum { SHARDS = 16, BUCKETS = 256, WAYS = 4 };

struct tombstone {
	struct ct_id id; /* zero: free */
	ct_instant until;
};

struct shard {
	struct ct_lock lock; /* rank REGISTRY; protects the rest */
	struct ct_registry_entry *buckets[BUCKETS];
	struct tombstone stones[BUCKETS / WAYS][WAYS]; /* set associative: a look-up sees WAYS */
};

struct ct_registry {
	uint64_t tombstone_us;
	atomic_bool stones; /* relaxed: one was left at some time */
	struct shard shards[SHARDS];
};

ct_status ct_registry_new(uint64_t tombstone_us, struct ct_registry **ret_registry)
{
	struct ct_registry *r = ct_mem_zalloc(1, sizeof(*r));

	if (r == NULL)
		return CT_RESOURCE_EXHAUSTED;
	r->tombstone_us = tombstone_us;
	for (unsigned i = 0; i < SHARDS; i++)
		ct_lock_init(&r->shards[i].lock, CT_RANK_REGISTRY);
	*ret_registry = r;
	return CT_OK;
}

struct ct_registry *ct_registry_free(struct ct_registry *r)
{
	if (r == NULL)
		return NULL;
	for (unsigned i = 0; i < SHARDS; i++) {
		for (unsigned b = 0; b < BUCKETS; b++)
			CT_CHECK(r->shards[i].buckets[b] == NULL);
		ct_lock_fini(&r->shards[i].lock);
	}
	ct_mem_free(r);
	return NULL;
}

static struct shard *shard_of(struct ct_registry *r, const struct ct_id *id)
{
	return &r->shards[ct_id_hash(id) % SHARDS];
}

static struct ct_registry_entry **bucket_of(struct shard *s, const struct ct_id *id)
{
	return &s->buckets[ct_id_hash(id) / SHARDS % BUCKETS];
}

static struct ct_registry_entry *find_locked(struct shard *s, const struct ct_id *id)
	CT_REQUIRES(&s->lock)
{
	struct ct_registry_entry *e = *bucket_of(s, id);

	while (e != NULL && !ct_id_equal(&e->id, id))
		e = e->next;
	return e;
}

static struct tombstone *stones_of(struct shard *s, const struct ct_id *id)
{
	return s->stones[ct_id_hash(id) / SHARDS % (BUCKETS / WAYS)];
}

/* True: there was one that is still valid; it is gone now. */
static bool take_stone_locked(struct shard *s, const struct ct_id *id, ct_instant now)
	CT_REQUIRES(&s->lock)
{
	struct tombstone *set = stones_of(s, id);

	for (unsigned i = 0; i < WAYS; i++) {
		if (!ct_id_equal(&set[i].id, id))
			continue;
		set[i].id = (struct ct_id){ { 0 } };
		return set[i].until.ns > now.ns;
	}
	return false;
}

/* Takes the place of the one that ends first; a free one ends at 0. */
static void leave_stone_locked(struct shard *s, const struct ct_id *id, ct_instant until)
	CT_REQUIRES(&s->lock)
{
	struct tombstone *set = stones_of(s, id), *t = &set[0];

	for (unsigned i = 1; i < WAYS; i++)
		if (set[i].until.ns < t->until.ns)
			t = &set[i];
	*t = (struct tombstone){ .id = *id, .until = until };
}

ct_status ct_registry_add(struct ct_registry *r, struct ct_registry_entry *e, ct_instant now)
{
	struct shard *s = shard_of(r, &e->id);
	ct_status st = CT_OK;

	ct_lock_acquire(&s->lock);
	if (take_stone_locked(s, &e->id, now)) {
		st = CT_CANCELLED;
	} else if (find_locked(s, &e->id) != NULL) {
		st = CT_ALREADY_EXISTS;
	} else {
		struct ct_registry_entry **head = bucket_of(s, &e->id);

		e->next = *head;
		*head = e;
	}
	ct_lock_release(&s->lock);
	return st;
}

bool ct_registry_take_tombstone(struct ct_registry *r, const struct ct_id *id, ct_instant now)
{
	struct shard *s = shard_of(r, id);
	bool found;

	if (!atomic_load_explicit(&r->stones, memory_order_relaxed))
		return false;
	ct_lock_acquire(&s->lock);
	found = take_stone_locked(s, id, now);
	ct_lock_release(&s->lock);
	return found;
}

void ct_registry_remove(struct ct_registry *r, struct ct_registry_entry *e)
{
	struct shard *s = shard_of(r, &e->id);
	struct ct_registry_entry **at;

	ct_lock_acquire(&s->lock);
	at = bucket_of(s, &e->id);
	while (*at != e) {
		CT_CHECK(*at != NULL);
		at = &(*at)->next;
	}
	*at = e->next;
	ct_lock_release(&s->lock);
}

struct ct_registry_entry *ct_registry_cancel(struct ct_registry *r, const struct ct_id *id,
					     ct_instant now, ct_registry_ref_fn *ref)
{
	struct shard *s = shard_of(r, id);
	struct ct_registry_entry *e;

	ct_lock_acquire(&s->lock);
	e = find_locked(s, id);
	if (e != NULL) {
		ref(e);
	} else {
		atomic_store_explicit(&r->stones, true, memory_order_relaxed);
		leave_stone_locked(s, id, ct_instant_add_us(now, r->tombstone_us));
	}
	ct_lock_release(&s->lock);
	return e;
}

static size_t collect_shard(struct shard *s, ct_registry_want_fn *want, const void *arg,
			    ct_registry_ref_fn *ref, struct ct_registry_entry **out, size_t n)
{
	size_t have = 0;

	ct_lock_acquire(&s->lock);
	for (unsigned b = 0; b < BUCKETS; b++) {
		for (struct ct_registry_entry *e = s->buckets[b]; e != NULL && have < n; e = e->next) {
			if (!want(e, arg))
				continue;
			ref(e);
			out[have++] = e;
		}
	}
	ct_lock_release(&s->lock);
	return have;
}

size_t ct_registry_collect(struct ct_registry *r, ct_registry_want_fn *want, const void *arg,
			   ct_registry_ref_fn *ref, struct ct_registry_entry **out, size_t n)
{
	size_t have = 0;

	for (unsigned i = 0; i < SHARDS && have < n; i++)
		have += collect_shard(&r->shards[i], want, arg, ref, out + have, n - have);
	return have;
}
