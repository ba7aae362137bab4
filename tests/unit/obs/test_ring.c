/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/ring.h"

#include "base/mem.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

enum { KEPT = 4 };

static struct ct_ring *ring_of_u64(uint32_t records_max)
{
	const struct ct_ring_opts opts = { .records_max = records_max,
					   .record_bytes = sizeof(uint64_t) };
	struct ct_ring *r = NULL;

	cr_assert_eq(ct_ring_new(&opts, &r), CT_OK);
	return r;
}

static void put_numbers(struct ct_ring *r, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i <= to; i++)
		ct_ring_put(r, &i);
}

TestSuite(ring, .fini = leak_check, .timeout = 60);

Test(ring, new_one_has_nothing_to_read)
{
	struct ct_ring *r = ring_of_u64(KEPT);
	uint64_t out[KEPT];

	cr_assert_eq(ct_ring_read(r, out, KEPT), 0);
	cr_assert_eq(ct_ring_total(r), 0);
	cr_assert_eq(ct_ring_records_max(r), KEPT);
	cr_assert_null(ct_ring_free(r));
	cr_assert_null(ct_ring_free(NULL));
}

Test(ring, reads_what_was_put_newest_last)
{
	struct ct_ring *r = ring_of_u64(KEPT);
	uint64_t out[KEPT];

	put_numbers(r, 1, 3);

	cr_assert_eq(ct_ring_read(r, out, KEPT), 3);
	for (uint64_t i = 0; i < 3; i++)
		cr_assert_eq(out[i], i + 1);
	ct_ring_free(r);
}

Test(ring, overwrites_the_oldest_first)
{
	struct ct_ring *r = ring_of_u64(KEPT);
	uint64_t out[2 * KEPT];

	for (uint64_t last = KEPT; last < 50; last++) {
		put_numbers(r, last == KEPT ? 1 : last, last);

		cr_assert_eq(ct_ring_read(r, out, 2 * KEPT), KEPT);
		for (uint64_t i = 0; i < KEPT; i++)
			cr_assert_eq(out[i], last - KEPT + 1 + i);
		cr_assert_eq(ct_ring_total(r), last);
	}
	ct_ring_free(r);
}

Test(ring, asked_for_fewer_it_gives_the_newest)
{
	struct ct_ring *r = ring_of_u64(KEPT);
	uint64_t out[2] = { 0, 0 };

	put_numbers(r, 1, 9);

	cr_assert_eq(ct_ring_read(r, out, 2), 2);
	cr_assert_eq(out[0], 8);
	cr_assert_eq(out[1], 9);
	cr_assert_eq(ct_ring_read(r, out, 0), 0);
	ct_ring_free(r);
}

Test(ring, of_one_record_keeps_the_last)
{
	struct ct_ring *r = ring_of_u64(1);
	uint64_t out = 0;

	put_numbers(r, 1, 7);

	cr_assert_eq(ct_ring_read(r, &out, 1), 1);
	cr_assert_eq(out, 7);
	ct_ring_free(r);
}

Test(ring, without_memory_there_is_none_and_nothing_leaks)
{
	const struct ct_ring_opts opts = { .records_max = KEPT, .record_bytes = 1 };
	struct ct_ring *r = NULL;
	uint64_t failed = 0;

	for (uint64_t nth = 1;; nth++) {
		ct_mem_fail_nth(nth);
		if (ct_ring_new(&opts, &r) == CT_OK)
			break;
		cr_assert_null(r);
		failed++;
	}
	ct_mem_fail_nth(0);

	cr_assert_eq(failed, 2);
	ct_ring_free(r);
}
