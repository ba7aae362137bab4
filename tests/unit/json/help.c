/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include "base/mem.h"

#include <criterion/criterion.h>

Ctest__V1__Everything *read_everything(const char *text)
{
	ProtobufCMessage *msg = NULL;
	char err[256] = "";

	cr_assert_eq(ct_json_to_message(ct_bytes_of_str(text), &ctest__v1__everything__descriptor,
					NULL, &msg, err, sizeof(err)),
		     CT_OK, "%s: %s", text, err);
	return (Ctest__V1__Everything *)(void *)msg;
}

void free_message(void *msg)
{
	protobuf_c_message_free_unpacked(msg, NULL);
}

void expect_as(const ProtobufCMessageDescriptor *desc, const char *in, const char *out)
{
	ProtobufCMessage *msg = NULL;
	char err[256] = "", *text = NULL;

	cr_assert_eq(ct_json_to_message(ct_bytes_of_str(in), desc, NULL, &msg, err, sizeof(err)),
		     CT_OK, "%s: %s", in, err);
	cr_assert_eq(ct_json_from_message(msg, NULL, &text), CT_OK, "%s", in);
	cr_assert_str_eq(text, out, "%s\n  became  %s\n  not     %s", in, text, out);
	ct_mem_free(text);
	protobuf_c_message_free_unpacked(msg, NULL);
}

void expect(const char *in, const char *out)
{
	expect_as(&ctest__v1__everything__descriptor, in, out);
}

static void refuse(const ProtobufCMessageDescriptor *desc, const char *in, ct_status want,
		   const char *want_err)
{
	ProtobufCMessage *msg = NULL;
	char err[256] = "";
	const ct_status st = ct_json_to_message(ct_bytes_of_str(in), desc, NULL, &msg, err,
						sizeof(err));

	cr_assert_eq(st, want, "%s is %s: %s", in, ct_status_name(st), err);
	cr_assert_str_eq(err, want_err, "%s\n  said    %s\n  not     %s", in, err, want_err);
	cr_assert_null(msg);
}

void expect_status(const char *in, ct_status st, const char *err)
{
	refuse(&ctest__v1__everything__descriptor, in, st, err);
}

void expect_refused(const char *in, const char *err)
{
	refuse(&ctest__v1__everything__descriptor, in, CT_INVALID_ARGUMENT, err);
}

void expect_refused_as(const ProtobufCMessageDescriptor *desc, const char *in, const char *err)
{
	refuse(desc, in, CT_INVALID_ARGUMENT, err);
}
