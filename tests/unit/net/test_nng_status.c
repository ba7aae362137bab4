/* SPDX-License-Identifier: Apache-2.0 */
#include "net/nng_status.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <nng/nng.h>

TestSuite(nng_status, .fini = leak_check, .timeout = 60);

Test(nng_status, each_error_has_a_status_of_ours)
{
	cr_assert_eq(ct_status_from_nng(0), CT_OK);
	cr_assert_eq(ct_status_from_nng(NNG_ETIMEDOUT), CT_DEADLINE_EXCEEDED);
	cr_assert_eq(ct_status_from_nng(NNG_ECANCELED), CT_CANCELLED);
	cr_assert_eq(ct_status_from_nng(NNG_ENOMEM), CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(ct_status_from_nng(NNG_ENOFILES), CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(ct_status_from_nng(NNG_ECONNREFUSED), CT_UNAVAILABLE);
	cr_assert_eq(ct_status_from_nng(NNG_EADDRINUSE), CT_UNAVAILABLE);
	cr_assert_eq(ct_status_from_nng(NNG_EPROTO), CT_INVALID_ARGUMENT);
	cr_assert_eq(ct_status_from_nng(NNG_ESTATE), CT_INTERNAL);
}

Test(nng_status, errno_without_a_number_of_nngs_is_the_worlds_fault)
{
	cr_assert_eq(ct_status_from_nng(NNG_ESYSERR + 112), CT_UNAVAILABLE);
}
