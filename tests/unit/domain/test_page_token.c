/* SPDX-License-Identifier: Apache-2.0 */
#include "clinic/domain/page_token.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(page_token, .fini = leak_check, .timeout = 60);

static struct clinic_page_key key_of(const char *a, const char *b)
{
	struct clinic_page_key k = { .n = 0 };

	cr_assert(clinic_page_key_add(&k, a));
	cr_assert(clinic_page_key_add(&k, b));
	return k;
}

Test(page_token, what_was_written_is_read)
{
	const struct clinic_page_key k = key_of("研究一", "");
	struct clinic_page_key back;
	char token[CLINIC_PAGE_TOKEN_SIZE];

	clinic_page_token_write(7, &k, token);
	cr_assert_eq(clinic_page_token_read(token, 7, 2, &back), CT_OK);
	cr_assert_eq(back.n, 2);
	cr_assert_str_eq(back.part[0], "研究一");
	cr_assert_str_eq(back.part[1], "");
}

Test(page_token, the_largest_key_fits)
{
	struct clinic_page_key k = { .n = 0 }, back;
	char part[CLINIC_PAGE_PART_SIZE], token[CLINIC_PAGE_TOKEN_SIZE];

	memset(part, 'x', sizeof(part) - 1);
	part[sizeof(part) - 1] = '\0';
	for (int i = 0; i < CLINIC_PAGE_PARTS_MAX; i++)
		cr_assert(clinic_page_key_add(&k, part));
	cr_assert_not(clinic_page_key_add(&k, "one more"));
	clinic_page_token_write(1, &k, token);
	cr_assert_eq(clinic_page_token_read(token, 1, CLINIC_PAGE_PARTS_MAX, &back), CT_OK);
	cr_assert_str_eq(back.part[CLINIC_PAGE_PARTS_MAX - 1], part);
}

Test(page_token, a_part_that_is_too_long_is_refused)
{
	struct clinic_page_key k = { .n = 0 };
	char part[CLINIC_PAGE_PART_SIZE + 1];

	memset(part, 'x', sizeof(part) - 1);
	part[sizeof(part) - 1] = '\0';
	cr_assert_not(clinic_page_key_add(&k, part));
}

Test(page_token, a_token_of_another_query_is_refused)
{
	const struct clinic_page_key k = key_of("a", "b");
	struct clinic_page_key back;
	char token[CLINIC_PAGE_TOKEN_SIZE];

	clinic_page_token_write(7, &k, token);
	cr_assert_eq(clinic_page_token_read(token, 8, 2, &back), CT_INVALID_ARGUMENT);
	cr_assert_eq(clinic_page_token_read(token, 7, 3, &back), CT_INVALID_ARGUMENT);
}

Test(page_token, any_damaged_character_is_found)
{
	const struct clinic_page_key k = key_of("study", "subject");
	struct clinic_page_key back;
	char token[CLINIC_PAGE_TOKEN_SIZE];
	size_t len;

	clinic_page_token_write(7, &k, token);
	len = strlen(token);
	for (size_t i = 0; i < len; i++) {
		const char was = token[i];

		token[i] = was == '0' ? '1' : '0';
		cr_assert_eq(clinic_page_token_read(token, 7, 2, &back), CT_INVALID_ARGUMENT, "%zu",
			     i);
		token[i] = was;
	}
	for (size_t i = 0; i < len; i++) {
		const char was = token[i];

		token[i] = '\0';
		cr_assert_eq(clinic_page_token_read(token, 7, 2, &back), CT_INVALID_ARGUMENT, "%zu",
			     i);
		token[i] = was;
	}
}

Test(page_token, strangers_texts_are_no_tokens)
{
	struct clinic_page_key back;
	char huge[CLINIC_PAGE_TOKEN_SIZE + 2];

	cr_assert_eq(clinic_page_token_read("", 7, 2, &back), CT_INVALID_ARGUMENT);
	cr_assert_eq(clinic_page_token_read("张三", 7, 2, &back), CT_INVALID_ARGUMENT);
	cr_assert_eq(clinic_page_token_read("DEADBEEF00000000ff", 7, 2, &back),
		     CT_INVALID_ARGUMENT);
	memset(huge, 'a', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	cr_assert_eq(clinic_page_token_read(huge, 7, 2, &back), CT_INVALID_ARGUMENT);
}

Test(page_token, filters_do_not_run_together)
{
	uint32_t ab_c = CLINIC_PAGE_QUERY, a_bc = CLINIC_PAGE_QUERY;

	ab_c = clinic_page_query_add(clinic_page_query_add(ab_c, "ab"), "c");
	a_bc = clinic_page_query_add(clinic_page_query_add(a_bc, "a"), "bc");
	cr_assert_neq(ab_c, a_bc);
}

Test(page_token, a_page_has_the_default_size_when_none_is_asked_and_never_more_than_the_limit)
{
	cr_assert_eq(clinic_page_size(0, 50, 200), 50);
	cr_assert_eq(clinic_page_size(7, 50, 200), 7);
	cr_assert_eq(clinic_page_size(201, 50, 200), 200);
}
