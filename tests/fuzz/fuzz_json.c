/* SPDX-License-Identifier: Apache-2.0 */
/* Property: what reads as a message writes as text that reads as the same
 * message; nothing else crashes, leaks or leaves the error text unset.
 * The first byte chooses the message type and the indentation. */
#include "base/check.h"
#include "base/mem.h"
#include "json/json.h"

#include "clinic/v1/patient.pb-c.h"
#include "ct/v1/meta.pb-c.h"
#include "ctest/v1/everything.pb-c.h"
#include "ctest/v1/old.pb-c.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const ProtobufCMessageDescriptor *const types[] = {
	&ctest__v1__everything__descriptor,
	&ctest__v1__old__descriptor,
	&ct__v1__reply_meta__descriptor,
	&clinic__v1__get_patient_detail_response__descriptor,
};

static ProtobufCMessage *read_again(const char *text, const ProtobufCMessageDescriptor *desc)
{
	ProtobufCMessage *msg = NULL;
	char err[64];
	const ct_status st = ct_json_to_message(ct_bytes_of_str(text), desc, NULL, &msg, err,
						sizeof(err));

	CT_CHECK(st == CT_OK);
	return msg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned choice = size > 0 ? data[0] : 0;
	const ProtobufCMessageDescriptor *desc = types[choice % CT_ARRAY_N(types)];
	const struct ct_json_opts opts = { .indent = (uint8_t)(choice / 4 % 3),
					   .emit_defaults = choice / 16 % 2 != 0 };
	const struct ct_bytes in = size > 0 ? ct_bytes_of(data + 1, size - 1) : CT_BYTES_NONE;
	char err[64] = "", *text = NULL, *again = NULL;
	ProtobufCMessage *msg = NULL;

	if (ct_json_to_message(in, desc, NULL, &msg, err, sizeof(err)) != CT_OK) {
		CT_CHECK(err[0] != '\0' && strnlen(err, sizeof(err)) < sizeof(err));
		return 0;
	}
	CT_CHECK(ct_json_from_message(msg, &opts, &text) == CT_OK);
	protobuf_c_message_free_unpacked(msg, NULL);

	msg = read_again(text, desc);
	CT_CHECK(ct_json_from_message(msg, &opts, &again) == CT_OK);
	CT_CHECK(strcmp(text, again) == 0);
	protobuf_c_message_free_unpacked(msg, NULL);
	ct_mem_free(text);
	ct_mem_free(again);
	return 0;
}
