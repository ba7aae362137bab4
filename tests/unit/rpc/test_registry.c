/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/registry.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(registry, .fini = leak_check, .timeout = 60);

enum { TOMBSTONE_US = 1000000, MANY = 20000 };

static const ct_instant start = { .ns = 1000000000 };

static struct ct_registry *new_registry(void)
{
	struct ct_registry *r = NULL;

	cr_assert_eq(ct_registry_new(TOMBSTONE_US, &r), CT_OK);
	return r;
}

static unsigned refs;

static void count_ref(struct ct_registry_entry *e)
{
	(void)e;
	refs++;
}

Test(registry, a_cancel_finds_the_call_that_is_alive_and_takes_a_reference)
{
	struct ct_registry *r = new_registry();
	struct ct_registry_entry e = { .id = ct_id_new() };

	cr_assert_eq(ct_registry_add(r, &e, start), CT_OK);

	cr_assert_eq(ct_registry_cancel(r, &e.id, start, count_ref), &e);
	cr_assert_eq(refs, 1);

	ct_registry_remove(r, &e);
	r = ct_registry_free(r);
}

Test(registry, an_unknown_cancel_leaves_a_tombstone_that_stops_its_call_once)
{
	struct ct_registry *r = new_registry();
	struct ct_registry_entry e = { .id = ct_id_new() };

	cr_assert_null(ct_registry_cancel(r, &e.id, start, count_ref));

	cr_assert_eq(ct_registry_add(r, &e, start), CT_CANCELLED);
	cr_assert_eq(ct_registry_add(r, &e, start), CT_OK, "a tombstone is used up");

	ct_registry_remove(r, &e);
	r = ct_registry_free(r);
}

Test(registry, a_tombstone_is_found_by_the_early_look_too)
{
	struct ct_registry *r = new_registry();
	const struct ct_id id = ct_id_new(), other = ct_id_new();

	cr_assert_not(ct_registry_take_tombstone(r, &id, start));
	cr_assert_null(ct_registry_cancel(r, &id, start, count_ref));

	cr_assert_not(ct_registry_take_tombstone(r, &other, start));
	cr_assert(ct_registry_take_tombstone(r, &id, start));
	cr_assert_not(ct_registry_take_tombstone(r, &id, start), "it is used up");

	r = ct_registry_free(r);
}

Test(registry, a_tombstone_ends_with_its_time)
{
	struct ct_registry *r = new_registry();
	struct ct_registry_entry e = { .id = ct_id_new() };

	cr_assert_null(ct_registry_cancel(r, &e.id, start, count_ref));

	cr_assert_eq(ct_registry_add(r, &e, ct_instant_add_us(start, TOMBSTONE_US)), CT_OK);

	ct_registry_remove(r, &e);
	r = ct_registry_free(r);
}

Test(registry, two_calls_with_one_id_cannot_be_alive_together)
{
	struct ct_registry *r = new_registry();
	struct ct_registry_entry a = { .id = ct_id_new() };
	struct ct_registry_entry b = { .id = a.id };

	cr_assert_eq(ct_registry_add(r, &a, start), CT_OK);
	cr_assert_eq(ct_registry_add(r, &b, start), CT_ALREADY_EXISTS);

	ct_registry_remove(r, &a);
	cr_assert_eq(ct_registry_add(r, &b, start), CT_OK);
	ct_registry_remove(r, &b);
	r = ct_registry_free(r);
}

Test(registry, a_flood_of_unknown_cancels_is_bounded_and_hides_no_call)
{
	struct ct_registry *r = new_registry();
	struct ct_registry_entry e = { .id = ct_id_new() };

	cr_assert_eq(ct_registry_add(r, &e, start), CT_OK);
	for (int i = 0; i < MANY; i++) {
		const struct ct_id id = ct_id_new();

		cr_assert_null(ct_registry_cancel(r, &id, start, count_ref));
	}
	cr_assert_eq(ct_registry_cancel(r, &e.id, start, count_ref), &e);

	ct_registry_remove(r, &e);
	r = ct_registry_free(r);
}

/* ---- where tombstones go ---------------------------------------------------- */

static unsigned count_stones(struct ct_registry *r, const struct ct_id *ids, unsigned n)
{
	unsigned found = 0;

	for (unsigned i = 0; i < n; i++)
		found += ct_registry_take_tombstone(r, &ids[i], start) ? 1 : 0;
	return found;
}

Test(registry, a_used_up_tombstone_gives_its_place_before_a_valid_one)
{
	enum { VALID = 200, CHURN = 20000, LOST_MAX = 10 };
	static struct ct_id valid[VALID];
	struct ct_registry *r = new_registry();

	for (int i = 0; i < VALID; i++) {
		valid[i] = ct_id_new();
		cr_assert_null(ct_registry_cancel(r, &valid[i], start, count_ref));
	}
	for (int i = 0; i < CHURN; i++) {
		const ct_instant later = ct_instant_add_us(start, 1 + (unsigned)i);
		const struct ct_id id = ct_id_new();

		cr_assert_null(ct_registry_cancel(r, &id, later, count_ref));
		cr_assert(ct_registry_take_tombstone(r, &id, later));
	}
	/* a few may share a place that is full with them alone */
	cr_assert_geq(count_stones(r, valid, VALID), VALID - LOST_MAX);
	r = ct_registry_free(r);
}

Test(registry, ids_that_share_a_half_do_not_share_a_place)
{
	enum { N = 200, LOST_MAX = 10 };
	static struct ct_id ids[2][N];

	for (unsigned half = 0; half < 2; half++) {
		struct ct_registry *r = new_registry();

		for (unsigned i = 0; i < N; i++) {
			ids[half][i] = ct_id_new();
			memset(ids[half][i].b + (size_t)8 * half, 0xa5, 8);
			cr_assert_null(ct_registry_cancel(r, &ids[half][i], start, count_ref));
		}
		cr_assert_geq(count_stones(r, ids[half], N), N - LOST_MAX);
		r = ct_registry_free(r);
	}
}

Test(registry, nobody_can_tell_from_ids_which_share_a_place)
{
	enum { N = 8192 }; /* more than there is room for: which are lost shows the places */
	static struct ct_id ids[N];
	struct ct_registry *a = new_registry(), *b = new_registry();
	unsigned differ = 0;

	for (unsigned i = 0; i < N; i++) {
		ids[i] = ct_id_new();
		cr_assert_null(ct_registry_cancel(a, &ids[i], start, count_ref));
		cr_assert_null(ct_registry_cancel(b, &ids[i], start, count_ref));
	}
	for (unsigned i = 0; i < N; i++)
		differ += ct_registry_take_tombstone(a, &ids[i], start) !=
			  ct_registry_take_tombstone(b, &ids[i], start);
	cr_assert_gt(differ, 0);
	a = ct_registry_free(a);
	b = ct_registry_free(b);
}

struct looking {
	struct ct_registry *r;
	ct_instant now;
};

/* Under the lock of the entry's shard: a look that took it would never return. */
static bool look_for_its_stone(const struct ct_registry_entry *e, const void *arg)
{
	const struct looking *l = arg;

	return ct_registry_take_tombstone(l->r, &e->id, l->now);
}

Test(registry, when_the_last_tombstone_has_ended_looks_take_no_lock_again)
{
	struct ct_registry *r = new_registry();
	const struct looking l = { r, ct_instant_add_us(start, TOMBSTONE_US) };
	struct ct_registry_entry e = { .id = ct_id_new() }, *found;
	const struct ct_id unknown = ct_id_new();

	cr_assert_null(ct_registry_cancel(r, &unknown, start, count_ref));
	cr_assert_eq(ct_registry_add(r, &e, start), CT_OK);

	cr_assert_eq(ct_registry_collect(r, look_for_its_stone, &l, count_ref, &found, 1), 0);

	ct_registry_remove(r, &e);
	r = ct_registry_free(r);
}

static bool want_odd(const struct ct_registry_entry *e, const void *arg)
{
	(void)arg;
	return (e->id.b[15] & 1) != 0;
}

Test(registry, a_sweep_collects_what_is_wanted_up_to_its_bound)
{
	enum { N = 200, BOUND = 16 };
	static struct ct_registry_entry e[N];
	struct ct_registry_entry *found[N];
	struct ct_registry *r = new_registry();
	unsigned odd = 0;

	for (int i = 0; i < N; i++) {
		e[i].id = ct_id_new();
		odd += e[i].id.b[15] & 1U;
		cr_assert_eq(ct_registry_add(r, &e[i], start), CT_OK);
	}

	cr_assert_eq(ct_registry_collect(r, want_odd, NULL, count_ref, found, N), odd);
	cr_assert_eq(refs, odd);
	cr_assert_eq(ct_registry_collect(r, want_odd, NULL, count_ref, found, BOUND), BOUND);

	for (int i = 0; i < N; i++)
		ct_registry_remove(r, &e[i]);
	r = ct_registry_free(r);
}
