/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/registry.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdatomic.h>
#include <string.h>

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
	uint64_t key; /* peers choose ids; without it they cannot choose their buckets */
	_Atomic int64_t stones_until; /* relaxed: no tombstone is valid from here on, in ns */
	struct shard shards[SHARDS];
};

ct_status ct_registry_new(uint64_t tombstone_us, struct ct_registry **ret_registry)
{
	struct ct_registry *r = ct_mem_zalloc(1, sizeof(*r));

	if (r == NULL)
		return CT_RESOURCE_EXHAUSTED;
	r->tombstone_us = tombstone_us;
	r->key = ct_random_u64();
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

static uint64_t mix(uint64_t x)
{
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	return x ^ (x >> 32);
}

/* Of both halves, under the registry's key. */
static uint64_t hash_of(const struct ct_registry *r, const struct ct_id *id)
{
	uint64_t half[2];

	_Static_assert(sizeof(half) == sizeof(id->b), "an id is two halves");
	memcpy(half, id->b, sizeof(half));
	return mix(mix(half[0] ^ r->key) ^ half[1] ^ r->key);
}

/* Where an id belongs. */
struct place {
	struct shard *shard;
	struct ct_registry_entry **bucket;
	struct tombstone *stones; /* WAYS of them */
};

static struct place place_at(struct ct_registry *r, uint64_t hash)
{
	struct shard *s = &r->shards[hash % SHARDS];

	return (struct place){ .shard = s,
			       .bucket = &s->buckets[hash / SHARDS % BUCKETS],
			       .stones = s->stones[hash / SHARDS % (BUCKETS / WAYS)] };
}

static struct place place_of(struct ct_registry *r, const struct ct_id *id)
{
	return place_at(r, hash_of(r, id));
}

static struct ct_registry_entry *find_locked(const struct place *at, const struct ct_id *id)
	CT_REQUIRES(&at->shard->lock)
{
	struct ct_registry_entry *e = *at->bucket;

	while (e != NULL && !ct_id_equal(&e->id, id))
		e = e->next;
	return e;
}

/* True: there was one that is still valid; it is gone now. */
static bool take_stone_locked(const struct place *at, const struct ct_id *id, ct_instant now)
	CT_REQUIRES(&at->shard->lock)
{
	for (unsigned i = 0; i < WAYS; i++) {
		struct tombstone *t = &at->stones[i];
		const ct_instant until = t->until;

		if (!ct_id_equal(&t->id, id))
			continue;
		*t = (struct tombstone){ .until.ns = 0 };
		return until.ns > now.ns;
	}
	return false;
}

/* Takes the place of the one that ends first; a free one ends at 0. */
static void leave_stone_locked(const struct place *at, const struct ct_id *id, ct_instant until)
	CT_REQUIRES(&at->shard->lock)
{
	struct tombstone *t = &at->stones[0];

	for (unsigned i = 1; i < WAYS; i++)
		if (at->stones[i].until.ns < t->until.ns)
			t = &at->stones[i];
	*t = (struct tombstone){ .id = *id, .until = until };
}

/* Before the stone itself, so that whoever does not look has missed none. */
static void stones_last_until(struct ct_registry *r, ct_instant until)
{
	int64_t last = atomic_load_explicit(&r->stones_until, memory_order_relaxed);

	while (last < until.ns &&
	       !atomic_compare_exchange_weak_explicit(&r->stones_until, &last, until.ns,
						      memory_order_relaxed, memory_order_relaxed))
		;
}

ct_status ct_registry_add(struct ct_registry *r, struct ct_registry_entry *e, ct_instant now)
{
	const uint64_t hash = hash_of(r, &e->id);
	const struct place at = place_at(r, hash);
	ct_status st = CT_OK;

	ct_lock_acquire(&at.shard->lock);
	if (take_stone_locked(&at, &e->id, now)) {
		st = CT_CANCELLED;
	} else if (find_locked(&at, &e->id) != NULL) {
		st = CT_ALREADY_EXISTS;
	} else {
		e->hash = hash;
		e->next = *at.bucket;
		*at.bucket = e;
	}
	ct_lock_release(&at.shard->lock);
	return st;
}

bool ct_registry_take_tombstone(struct ct_registry *r, const struct ct_id *id, ct_instant now)
{
	struct place at;
	bool found;

	if (atomic_load_explicit(&r->stones_until, memory_order_relaxed) <= now.ns)
		return false;
	at = place_of(r, id);
	ct_lock_acquire(&at.shard->lock);
	found = take_stone_locked(&at, id, now);
	ct_lock_release(&at.shard->lock);
	return found;
}

void ct_registry_remove(struct ct_registry *r, struct ct_registry_entry *e)
{
	const struct place at = place_at(r, e->hash);
	struct ct_registry_entry **link = at.bucket;

	ct_lock_acquire(&at.shard->lock);
	while (*link != e) {
		CT_CHECK(*link != NULL);
		link = &(*link)->next;
	}
	*link = e->next;
	ct_lock_release(&at.shard->lock);
}

struct ct_registry_entry *ct_registry_cancel(struct ct_registry *r, const struct ct_id *id,
					     ct_instant now, ct_registry_ref_fn *ref)
{
	const struct place at = place_of(r, id);
	struct ct_registry_entry *e;

	ct_lock_acquire(&at.shard->lock);
	e = find_locked(&at, id);
	if (e != NULL) {
		ref(e);
	} else {
		const ct_instant until = ct_instant_add_us(now, r->tombstone_us);

		stones_last_until(r, until);
		leave_stone_locked(&at, id, until);
	}
	ct_lock_release(&at.shard->lock);
	return e;
}

static size_t collect_shard(struct shard *s, ct_registry_want_fn *want, const void *arg,
			    ct_registry_ref_fn *ref, struct ct_registry_entry **out, size_t n)
{
	size_t have = 0;

	ct_lock_acquire(&s->lock);
	for (unsigned b = 0; b < BUCKETS; b++) {
		for (struct ct_registry_entry *e = s->buckets[b]; e != NULL && have < n;
		     e = e->next) {
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
