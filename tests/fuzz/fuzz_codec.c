/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte picks the type, the rest is a message from a stranger. Either it is
 * refused, or what was read is written as bytes that read and write as the same; and
 * no message nested deeper than allowed is ever read, nor more memory taken than given.
 * What is read without protobuf-c is what protobuf-c reads.
 */
#include "base/check.h"
#include "rpc/codec.h"
#include "rpc/flat.h"

#include "clinic/v1/patient.pb-c.h"
#include "ct/v1/meta.pb-c.h"
#include "ctest/v1/everything.pb-c.h"
#include "ctest/v1/flat.pb-c.h"
#include "ctest/v1/old.pb-c.h"
#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES_MAX = 256 * 1024, MESSAGE_BYTES_MAX = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the order of the first bytes of the saved inputs: a new one goes last. */
static const ProtobufCMessageDescriptor *const types[] = {
	&ct__v1__call_meta__descriptor,
	&ct__v1__reply_meta__descriptor,
	&ctest__v1__everything__descriptor,
	&ctest__v1__old__descriptor,
	&clinic__v1__get_patient_detail_response__descriptor,
	&ctest__v1__flat__descriptor,
};

/* False: refused, which only the reasons of the contract allow. */
static bool read_message(const ProtobufCMessageDescriptor *type, struct ct_bytes in,
			 struct ct_arena *a, ProtobufCMessage **ret_msg)
{
	const bool shallow = ct_codec_depth_ok(type, in, CT_CODEC_DEPTH_MAX);
	const ct_status st = ct_codec_unpack(type, in, a, ret_msg);

	CT_CHECK(a->taken_bytes <= a->max_bytes);
	CT_CHECK(st == CT_OK || st == CT_INVALID_ARGUMENT || st == CT_RESOURCE_EXHAUSTED);
	CT_CHECK(shallow || st == CT_INVALID_ARGUMENT);
	return st == CT_OK;
}

static void drop_unknown(ProtobufCMessage *msg);

/* The messages that a field holds: one, several, or none. */
static void drop_unknown_in(ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f)
{
	uint8_t *at = (uint8_t *)msg;
	ProtobufCMessage *const *list;
	size_t n = 1;

	if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
	    *(const uint32_t *)(const void *)(at + f->quantifier_offset) != f->id)
		return;
	list = (ProtobufCMessage *const *)(const void *)(at + f->offset);
	if (f->label == PROTOBUF_C_LABEL_REPEATED) {
		n = *(const size_t *)(const void *)(at + f->quantifier_offset);
		list = *(ProtobufCMessage *const *const *)(const void *)(at + f->offset);
	}
	for (size_t i = 0; i < n; i++)
		if (list[i] != NULL)
			drop_unknown(list[i]);
}

/* What a type does not know is kept as it came, well formed or not: protobuf-c reads
 * some of it that it does not read again. Depth is bounded by the codec. */
static void drop_unknown(ProtobufCMessage *msg)
{
	msg->n_unknown_fields = 0;
	for (unsigned i = 0; i < msg->descriptor->n_fields; i++)
		if (msg->descriptor->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
			drop_unknown_in(msg, &msg->descriptor->fields[i]);
}

/* The same verdict and the same bytes, as far as the two are comparable. */
static void compare_with_protobuf_c(const ProtobufCMessageDescriptor *type, struct ct_bytes in,
				    const ProtobufCMessage *ours)
{
	ProtobufCMessage *theirs = protobuf_c_message_unpack(type, NULL, in.len, in.ptr);
	struct ct_flat flat;
	uint8_t *a, *b;
	size_t len;

	CT_CHECK((theirs != NULL) == (ours != NULL));
	if (theirs == NULL)
		return;
	len = protobuf_c_message_get_packed_size(theirs);
	CT_CHECK(protobuf_c_message_get_packed_size(ours) == len);
	a = malloc(len + 1);
	b = malloc(len + 1);
	CT_CHECK(a != NULL && b != NULL);
	(void)protobuf_c_message_pack(theirs, a);
	(void)protobuf_c_message_pack(ours, b);
	CT_CHECK(memcmp(a, b, len) == 0);
	if (ours->n_unknown_fields == 0) {
		ct_flat_load(ours, &flat);
		CT_CHECK(flat.bytes == len);
		ct_flat_write(&flat, b);
		CT_CHECK(memcmp(a, b, len) == 0);
	}
	free(a);
	free(b);
	protobuf_c_message_free_unpacked(theirs, NULL);
}

static void write_and_read(const ProtobufCMessageDescriptor *type, const ProtobufCMessage *msg,
			   struct ct_arena *a)
{
	struct ct_bytes once, twice;
	ProtobufCMessage *again;

	CT_CHECK(msg->descriptor == type);
	if (ct_codec_pack(msg, MESSAGE_BYTES_MAX, a, &once) != CT_OK)
		return; /* larger than a message may be */
	CT_CHECK(once.len <= MESSAGE_BYTES_MAX);
	if (!read_message(type, once, a, &again))
		CT_CHECK(a->taken_bytes > a->max_bytes / 2); /* the arena alone may say no */
	else if (ct_codec_pack(again, MESSAGE_BYTES_MAX, a, &twice) == CT_OK)
		CT_CHECK(twice.len == once.len && memcmp(twice.ptr, once.ptr, once.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const ProtobufCMessageDescriptor *type;
	ProtobufCMessage *msg = NULL;
	struct ct_arena a;
	bool read;

	if (size == 0)
		return 0;
	type = types[data[0] % CT_ARRAY_N(types)];
	ct_arena_init(&a, 1024, ARENA_BYTES_MAX);
	read = read_message(type, ct_bytes_of(data + 1, size - 1), &a, &msg);
	if (ct_flat_type(type) && a.taken_bytes < ARENA_BYTES_MAX / 4) /* room was not the matter */
		compare_with_protobuf_c(type, ct_bytes_of(data + 1, size - 1), read ? msg : NULL);
	if (read) {
		drop_unknown(msg);
		write_and_read(type, msg, &a);
	}
	ct_arena_fini(&a);
	return 0;
}
