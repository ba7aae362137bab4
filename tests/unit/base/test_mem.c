/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(mem, .fini = leak_check, .timeout = 60);

Test(mem, only_the_nth_allocation_from_now_fails)
{
	enum { N = 6 };

	for (uint64_t fail = 1; fail <= N; fail++) {
		ct_mem_fail_nth(fail);
		for (uint64_t i = 1; i <= N; i++) {
			void *p = ct_mem_alloc(8);

			cr_assert_eq(p == NULL, i == fail, "fail %u, allocation %u", (unsigned)fail,
				     (unsigned)i);
			ct_mem_free(p);
		}
	}
}

Test(mem, zero_switches_a_planned_failure_off)
{
	void *p;

	ct_mem_fail_nth(1);
	ct_mem_fail_nth(0);
	p = ct_mem_alloc(8);
	cr_assert_not_null(p);
	ct_mem_free(p);
}

Test(mem, every_kind_of_allocation_counts_and_can_fail)
{
	const uint64_t before = ct_mem_count();
	char *s = NULL;
	void *p;

	ct_mem_fail_nth(1);
	cr_assert_null(ct_mem_zalloc(2, 8));
	ct_mem_fail_nth(1);
	cr_assert_null(ct_mem_strdup("x"));
	p = ct_mem_alloc(4);
	cr_assert_not_null(p);
	s = ct_mem_strdup("x");
	cr_assert_str_eq(s, "x");
	cr_assert_eq(ct_mem_count() - before, 4);
	ct_mem_free(s);
	ct_mem_free(p);
}

Test(mem, a_failed_realloc_leaves_the_memory_as_it_was)
{
	char *p = ct_mem_strdup("kept");
	char *bigger;

	cr_assert_not_null(p);
	ct_mem_fail_nth(1);
	cr_assert_null(ct_mem_realloc(p, 100));
	cr_assert_str_eq(p, "kept");
	bigger = ct_mem_realloc(p, 100);
	cr_assert_not_null(bigger);
	cr_assert_str_eq(bigger, "kept");
	ct_mem_free(bigger);
}

Test(mem, zalloc_gives_zeroes)
{
	uint8_t *p = ct_mem_zalloc(64, 16);

	cr_assert_not_null(p);
	for (size_t i = 0; i < (size_t)64 * 16; i++)
		cr_assert_eq(p[i], 0);
	ct_mem_free(p);
}

Test(mem, freeing_null_is_fine)
{
	ct_mem_free(NULL);
}
