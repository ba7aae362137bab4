/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"

#include "base/attrs.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stddef.h>

TestSuite(check, .fini = leak_check, .timeout = 60);

struct tagged {
	unsigned tag;
	int inner;
};

Test(check, a_true_fact_changes_nothing)
{
	int evaluated = 0;

	CT_CHECK(++evaluated == 1);
	cr_assert_eq(evaluated, 1);
}

Test(check, a_false_fact_aborts, .signal = SIGABRT)
{
	CT_CHECK(1 + 1 == 3);
}

Test(check, implies_fails_only_from_true_to_false)
{
	cr_assert(CT_IMPLIES(0, 0));
	cr_assert(CT_IMPLIES(0, 1));
	cr_assert(CT_IMPLIES(1, 1));
	cr_assert_not(CT_IMPLIES(1, 0));
}

Test(check, the_right_tag_passes)
{
	struct tagged t = { 0 };

	CT_TAG_SET(&t, 7U);
	CT_TAG_CHECK(&t, 7U);
}

Test(check, a_cleared_tag_aborts, .signal = SIGABRT)
{
	struct tagged t = { .tag = 7 };

	CT_TAG_CLEAR(&t);
	CT_TAG_CHECK(&t, 7U);
}

Test(check, container_of_leads_from_a_member_to_its_object)
{
	struct tagged t = { 0 };

	cr_assert_eq(CT_CONTAINER_OF(&t.inner, struct tagged, inner), &t);
	cr_assert_eq(CT_ARRAY_N(((int[]){ 1, 2, 3 })), 3);
}
