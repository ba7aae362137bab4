/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/registry.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

TestSuite(registry, .fini = leak_check, .timeout = 10);

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
