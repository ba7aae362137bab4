/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/mem.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <signal.h>

TestSuite(arena, .fini = leak_check, .timeout = 60);

enum { CHUNK = 256, MAX = 64 * 1024 };

Test(arena, pieces_are_aligned_and_do_not_overlap)
{
	struct ct_arena a;
	uint8_t *pieces[100];

	ct_arena_init(&a, CHUNK, MAX);
	for (size_t i = 0; i < CT_ARRAY_N(pieces); i++) {
		pieces[i] = ct_arena_alloc(&a, i);
		cr_assert_not_null(pieces[i]);
		cr_assert_eq((uintptr_t)pieces[i] % 16, 0);
		memset(pieces[i], (int)i, i);
	}
	for (size_t i = 0; i < CT_ARRAY_N(pieces); i++)
		for (size_t j = 0; j < i; j++)
			cr_assert_eq(pieces[i][j], i);
	ct_arena_fini(&a);
}

Test(arena, init_allocates_nothing_and_fini_of_an_unused_arena_is_fine)
{
	const uint64_t before = ct_mem_count();
	struct ct_arena a;

	ct_arena_init(&a, CHUNK, MAX);
	ct_arena_reset(&a);
	ct_arena_fini(&a);
	cr_assert_eq(ct_mem_count(), before);
}

Test(arena, a_steady_state_of_use_and_reset_allocates_nothing)
{
	struct ct_arena a;
	uint64_t before;

	ct_arena_init(&a, CHUNK, MAX);
	cr_assert_not_null(ct_arena_alloc(&a, 200));
	ct_arena_reset(&a);
	before = ct_mem_count();
	for (int i = 0; i < 1000; i++) {
		cr_assert_not_null(ct_arena_alloc(&a, 200));
		ct_arena_reset(&a);
	}
	cr_assert_eq(ct_mem_count(), before);
	ct_arena_fini(&a);
}

Test(arena, a_piece_larger_than_a_chunk_gets_a_chunk_of_its_own)
{
	struct ct_arena a;
	uint8_t *big;

	ct_arena_init(&a, CHUNK, MAX);
	cr_assert_not_null(ct_arena_alloc(&a, 10));
	big = ct_arena_alloc(&a, (size_t)10 * CHUNK);
	cr_assert_not_null(big);
	memset(big, 1, (size_t)10 * CHUNK);
	cr_assert_not_null(ct_arena_alloc(&a, 10));
	ct_arena_fini(&a);
}

Test(arena, a_huge_first_chunk_does_not_survive_a_reset)
{
	struct ct_arena a;
	uint64_t before;

	ct_arena_init(&a, CHUNK, MAX);
	cr_assert_not_null(ct_arena_alloc(&a, MAX / 2));
	ct_arena_reset(&a);
	before = ct_mem_count();
	cr_assert_not_null(ct_arena_alloc(&a, 10));
	cr_assert_eq(ct_mem_count(), before + 1);
	ct_arena_fini(&a);
}

Test(arena, no_more_than_the_limit_can_be_taken_between_resets)
{
	struct ct_arena a;

	ct_arena_init(&a, CHUNK, MAX);
	cr_assert_null(ct_arena_alloc(&a, MAX + 1));
	cr_assert_null(ct_arena_alloc(&a, SIZE_MAX));
	for (size_t i = 0; i < MAX / CHUNK; i++)
		cr_assert_not_null(ct_arena_alloc(&a, CHUNK));
	cr_assert_null(ct_arena_alloc(&a, 1));
	ct_arena_reset(&a);
	cr_assert_not_null(ct_arena_alloc(&a, MAX));
	ct_arena_fini(&a);
}

Test(arena, last_bytes_of_an_odd_limit_can_be_taken_and_no_more)
{
	enum { ODD = 5 };
	struct ct_arena a;

	ct_arena_init(&a, CHUNK, 2 * CHUNK + ODD);
	cr_assert_not_null(ct_arena_alloc(&a, CHUNK));
	cr_assert_not_null(ct_arena_alloc(&a, CHUNK));
	cr_assert_null(ct_arena_alloc(&a, ODD + 1));
	cr_assert_not_null(ct_arena_alloc(&a, ODD));
	cr_assert_null(ct_arena_alloc(&a, 1));
	cr_assert_leq(a.taken_bytes, a.max_bytes);
	ct_arena_fini(&a);
}

Test(arena, out_of_memory_is_null_and_the_arena_goes_on)
{
	struct ct_arena a;

	ct_arena_init(&a, CHUNK, MAX);
	ct_mem_fail_nth(1);
	cr_assert_null(ct_arena_alloc(&a, 10));
	cr_assert_not_null(ct_arena_alloc(&a, 10));
	ct_mem_fail_nth(1);
	cr_assert_null(ct_arena_alloc(&a, CHUNK));
	cr_assert_not_null(ct_arena_alloc(&a, 10)); /* still fits the first */
	cr_assert_not_null(ct_arena_alloc(&a, CHUNK));
	ct_arena_fini(&a);
}

Test(arena, many_small_pieces_take_few_chunks)
{
	enum { PIECE = 64, TOTAL = 1 << 20 };
	struct ct_arena a;
	uint64_t before;

	ct_arena_init(&a, CHUNK, TOTAL);
	before = ct_mem_count();
	for (size_t i = 0; i < TOTAL / PIECE; i++)
		cr_assert_not_null(ct_arena_alloc(&a, PIECE));
	/* 256 B, 512 B … 32 KiB, then 64 KiB each */
	cr_assert_leq(ct_mem_count() - before, 8 + TOTAL / 65536);
	cr_assert_geq(ct_mem_count() - before, TOTAL / 65536, "a chunk is over 64 KiB");
	ct_arena_fini(&a);
}

Test(arena, growth_starts_again_after_a_reset)
{
	struct ct_arena a;
	uint64_t before;

	ct_arena_init(&a, CHUNK, MAX);
	for (size_t i = 0; i < MAX / CHUNK; i++)
		cr_assert_not_null(ct_arena_alloc(&a, CHUNK));
	ct_arena_reset(&a);
	before = ct_mem_count();
	for (size_t i = 0; i < 3; i++) /* the kept 256 B, then a chunk of 512 B */
		cr_assert_not_null(ct_arena_alloc(&a, CHUNK));
	cr_assert_eq(ct_mem_count(), before + 1);
	cr_assert_not_null(ct_arena_alloc(&a, CHUNK));
	cr_assert_eq(ct_mem_count(), before + 2);
	ct_arena_fini(&a);
}

Test(arena, size_near_the_largest_number_is_null_and_takes_nothing)
{
	struct ct_arena a;

	ct_arena_init(&a, CHUNK, SIZE_MAX);
	for (size_t less = 0; less < 64; less++) {
		/* what still is a size without overflow goes to malloc, which says no; an
		 * address sanitizer would call the request itself an error */
		ct_mem_fail_nth(1);
		cr_assert_null(ct_arena_alloc(&a, SIZE_MAX - less));
	}
	ct_mem_fail_nth(0);
	cr_assert_not_null(ct_arena_alloc(&a, CHUNK));
	cr_assert_eq(a.taken_bytes, CHUNK);
	ct_arena_fini(&a);
}

Test(arena, copies_do_not_depend_on_the_original)
{
	char text[] = "WBC";
	struct ct_arena a;
	const char *s;
	const uint8_t *b;

	ct_arena_init(&a, CHUNK, MAX);
	s = ct_arena_strdup(&a, text);
	b = ct_arena_copy(&a, ct_bytes_of(text, 2));
	memset(text, 'x', sizeof(text) - 1);
	cr_assert_str_eq(s, "WBC");
	cr_assert_eq(memcmp(b, "WB", 2), 0);
	cr_assert_not_null(ct_arena_copy(&a, CT_BYTES_NONE));
	ct_arena_fini(&a);
}

Test(arena, a_copy_that_does_not_fit_is_null)
{
	static const uint8_t big[MAX + 1];
	struct ct_arena a;

	ct_arena_init(&a, CHUNK, MAX);
	cr_assert_null(ct_arena_copy(&a, ct_bytes_of(big, sizeof(big))));
	ct_arena_fini(&a);
}

Test(arena, a_tiny_chunk_is_a_programming_error, .signal = SIGABRT)
{
	struct ct_arena a;

	ct_arena_init(&a, 16, MAX);
}
