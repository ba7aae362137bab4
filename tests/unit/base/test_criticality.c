/* SPDX-License-Identifier: Apache-2.0 */
#include "base/criticality.h"

#include <criterion/criterion.h>

TestSuite(criticality, .timeout = 60);

Test(criticality, lower_is_the_one_that_matters_less)
{
	static const enum ct_criticality in_order[] = { CT_CRIT_SHEDDABLE, CT_CRIT_DEFAULT,
							CT_CRIT_CRITICAL };

	for (size_t i = 0; i < CT_CRITICALITIES_N; i++)
		for (size_t j = 0; j < CT_CRITICALITIES_N; j++)
			cr_assert_eq(ct_criticality_lower(in_order[i], in_order[j]),
				     in_order[i < j ? i : j]);
}

Test(criticality, names_are_read_back_and_others_are_not)
{
	enum ct_criticality c;

	for (int i = 0; i < CT_CRITICALITIES_N; i++) {
		cr_assert(ct_criticality_parse(ct_criticality_name((enum ct_criticality)i), &c));
		cr_assert_eq(c, (enum ct_criticality)i);
	}
	cr_assert_not(ct_criticality_parse("Critical", &c));
	cr_assert_not(ct_criticality_parse("", &c));
}
