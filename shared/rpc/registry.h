/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_REGISTRY_H
#define CT_RPC_REGISTRY_H

#include "base/attrs.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/status.h"
#include "conc/lock.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Who is alive under which cancel id, and which ids were cancelled before their
 * call came (tombstones: bounded in number and age; the oldest gives way).
 * Any thread, never blocks. Entries live in the caller's memory.
 */
struct ct_registry;

struct ct_registry_entry {
	struct ct_id id;
	struct ct_registry_entry *next; /* in its bucket */
	uint64_t hash;                  /* of id; the registry's own, as next */
};

CT_MUST_USE ct_status ct_registry_new(uint64_t tombstone_us, struct ct_registry **ret_registry);
/* Must be empty of entries. NULL ok; returns NULL. */
struct ct_registry *ct_registry_free(struct ct_registry *r);

/* OK: e is in. CANCELLED: a tombstone was waiting for it (and is used up).
 * ALREADY_EXISTS: an entry with this id is alive. */
CT_MUST_USE ct_status ct_registry_add(struct ct_registry *r, struct ct_registry_entry *e,
				      ct_instant now);
/* True: a tombstone was waiting for id, and is used up. For an early refusal;
 * ct_registry_add() looks again. Nearly free when
 * no tombstone is younger than tombstone_us. */
CT_MUST_USE bool ct_registry_take_tombstone(struct ct_registry *r, const struct ct_id *id,
					    ct_instant now);
void ct_registry_remove(struct ct_registry *r, struct ct_registry_entry *e);

/* Runs with the entry's lock held: takes a reference and nothing more. */
typedef void(ct_registry_ref_fn)(struct ct_registry_entry *e);

/* The entry, after ref(e); NULL when the id is unknown, and then a tombstone
 * is left for it. */
struct ct_registry_entry *ct_registry_cancel(struct ct_registry *r, const struct ct_id *id,
					     ct_instant now, ct_registry_ref_fn *ref);

/* Up to n entries that `want` accepts, each after ref(e); for sweeps. `want`
 * runs under a lock as ref does. */
typedef bool(ct_registry_want_fn)(const struct ct_registry_entry *e, const void *arg);
size_t ct_registry_collect(struct ct_registry *r, ct_registry_want_fn *want, const void *arg,
			   ct_registry_ref_fn *ref, struct ct_registry_entry **out, size_t n);

#endif
