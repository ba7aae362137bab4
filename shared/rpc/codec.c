/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/codec.h"

#include "rpc/flat.h"
#include "rpc/varint.h"

/* Larger ones gain nothing by the short way, and what it leaves in the arena when it gives
 * up would be there twice. */
enum { FLAT_BYTES_MAX = 64 * 1024 };

static void *arena_alloc(void *arena, size_t size)
{
	return ct_arena_alloc(arena, size);
}

static void arena_keep(void *arena, void *ptr)
{
	(void)arena;
	(void)ptr;
}

ProtobufCAllocator ct_codec_allocator(struct ct_arena *a)
{
	return (ProtobufCAllocator){ .alloc = arena_alloc,
				     .free = arena_keep,
				     .allocator_data = a };
}

static bool skip(struct ct_bytes *in, uint64_t n)
{
	if (n > in->len)
		return false;
	in->ptr += n;
	in->len -= (size_t)n;
	return true;
}

/* Steps over one field's value; a length-delimited one is left in *ret_sub. */
static bool take_value(struct ct_bytes *in, unsigned wire_type, struct ct_bytes *ret_sub)
{
	uint64_t n;

	*ret_sub = CT_BYTES_NONE;
	switch (wire_type) {
	case PROTOBUF_C_WIRE_TYPE_VARINT:
		return ct_varint_take(in, CT_VARINT_BYTES_MAX, &n);
	case PROTOBUF_C_WIRE_TYPE_64BIT:
		return skip(in, 8);
	case PROTOBUF_C_WIRE_TYPE_32BIT:
		return skip(in, 4);
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
		if (!ct_varint_take(in, CT_VARINT_BYTES_MAX, &n) || n > in->len)
			return false;
		*ret_sub = ct_bytes_of(in->ptr, (size_t)n);
		return skip(in, n);
	default:
		return false;
	}
}

static bool has_messages(const ProtobufCMessageDescriptor *type)
{
	for (unsigned i = 0; i < type->n_fields; i++)
		if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
			return true;
	return false;
}

bool ct_codec_depth_ok(const ProtobufCMessageDescriptor *type, struct ct_bytes in, unsigned depth)
{
	if (!has_messages(type))
		return true;
	while (in.len > 0) {
		const ProtobufCFieldDescriptor *f;
		struct ct_bytes sub;
		uint64_t tag;

		if (!ct_varint_take(&in, CT_VARINT_BYTES_MAX, &tag) ||
		    !take_value(&in, (unsigned)(tag & 7), &sub))
			return true; /* malformed: unpack refuses it */
		f = protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
		if (f == NULL || f->type != PROTOBUF_C_TYPE_MESSAGE ||
		    (tag & 7) != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
			continue;
		if (depth == 0 || !ct_codec_depth_ok(f->descriptor, sub, depth - 1))
			return false;
	}
	return true;
}

/* protobuf-c does not say why it failed; the allocator knows. */
struct watched {
	struct ct_arena *arena;
	bool full;
};

static void *watched_alloc(void *data, size_t size)
{
	struct watched *w = data;
	void *p = ct_arena_alloc(w->arena, size);

	w->full = w->full || p == NULL;
	return p;
}

ct_status ct_codec_unpack(const ProtobufCMessageDescriptor *type, struct ct_bytes in,
			  struct ct_arena *a, ProtobufCMessage **ret_msg)
{
	static const uint8_t nothing[1];
	struct watched w = { .arena = a };
	ProtobufCAllocator alloc = { .alloc = watched_alloc,
				     .free = arena_keep,
				     .allocator_data = &w };
	ProtobufCMessage *msg;

	if (in.len <= FLAT_BYTES_MAX && ct_flat_type(type) && ct_flat_read(type, in, a, ret_msg))
		return CT_OK;
	if (!ct_codec_depth_ok(type, in, CT_CODEC_DEPTH_MAX))
		return CT_INVALID_ARGUMENT;
	msg = protobuf_c_message_unpack(type, &alloc, in.len, in.len > 0 ? in.ptr : nothing);
	if (msg == NULL)
		return w.full ? CT_RESOURCE_EXHAUSTED : CT_INVALID_ARGUMENT;
	*ret_msg = msg;
	return CT_OK;
}

static ct_status pack_flat(const ProtobufCMessage *msg, size_t max_bytes, struct ct_arena *a,
			   struct ct_bytes *ret_out)
{
	struct ct_flat flat;
	uint8_t *out;

	ct_flat_load(msg, &flat);
	out = flat.bytes <= max_bytes ? ct_arena_alloc(a, flat.bytes) : NULL;
	if (out == NULL)
		return CT_RESOURCE_EXHAUSTED;
	ct_flat_write(&flat, out);
	*ret_out = ct_bytes_of(out, flat.bytes);
	return CT_OK;
}

ct_status ct_codec_pack(const ProtobufCMessage *msg, size_t max_bytes, struct ct_arena *a,
			struct ct_bytes *ret_out)
{
	size_t len;
	uint8_t *out;

	if (msg->n_unknown_fields == 0 && ct_flat_type(msg->descriptor))
		return pack_flat(msg, max_bytes, a, ret_out);
	len = protobuf_c_message_get_packed_size(msg);
	out = len <= max_bytes ? ct_arena_alloc(a, len) : NULL;
	if (out == NULL)
		return CT_RESOURCE_EXHAUSTED;
	(void)protobuf_c_message_pack(msg, out);
	*ret_out = ct_bytes_of(out, len);
	return CT_OK;
}
