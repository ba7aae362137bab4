/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

TestSuite(status, .fini = leak_check, .timeout = 60);

Test(status, names_and_numbers_are_grpcs)
{
	static const char *const names[CT_STATUS_N] = {
		"OK",
		"CANCELLED",
		"UNKNOWN",
		"INVALID_ARGUMENT",
		"DEADLINE_EXCEEDED",
		"NOT_FOUND",
		"ALREADY_EXISTS",
		"PERMISSION_DENIED",
		"RESOURCE_EXHAUSTED",
		"FAILED_PRECONDITION",
		"ABORTED",
		"OUT_OF_RANGE",
		"UNIMPLEMENTED",
		"INTERNAL",
		"UNAVAILABLE",
		"DATA_LOSS",
		"UNAUTHENTICATED",
	};

	for (uint32_t i = 0; i < CT_STATUS_N; i++) {
		const ct_status st = ct_status_from_wire(i);

		cr_assert_eq((uint32_t)st, i);
		cr_assert_str_eq(ct_status_name(st), names[i]);
		cr_assert_gt(strlen(ct_status_text(st)), 0);
	}
}

Test(status, a_number_outside_the_table_is_unknown)
{
	cr_assert_eq(ct_status_from_wire(CT_STATUS_N), CT_UNKNOWN);
	cr_assert_eq(ct_status_from_wire(UINT32_MAX), CT_UNKNOWN);
	cr_assert_str_eq(ct_status_name((ct_status)99), "UNKNOWN");
	cr_assert_str_eq(ct_status_text((ct_status)99), ct_status_text(CT_UNKNOWN));
}

Test(status, errnos_become_what_the_caller_can_act_on)
{
	static const struct {
		int err;
		ct_status st;
	} rows[] = {
		{ 0, CT_OK },
		{ ENOENT, CT_NOT_FOUND },
		{ EACCES, CT_PERMISSION_DENIED },
		{ EROFS, CT_PERMISSION_DENIED },
		{ ENOSPC, CT_RESOURCE_EXHAUSTED },
		{ EMFILE, CT_RESOURCE_EXHAUSTED },
		{ ENOMEM, CT_RESOURCE_EXHAUSTED },
		{ EINVAL, CT_INVALID_ARGUMENT },
		{ ECONNREFUSED, CT_UNAVAILABLE },
		{ EPIPE, CT_UNAVAILABLE },
		{ ETIMEDOUT, CT_DEADLINE_EXCEEDED },
		{ EIO, CT_INTERNAL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(ct_status_from_errno(rows[i].err), rows[i].st, "errno %d",
			     rows[i].err);
}
