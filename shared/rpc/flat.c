/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/flat.h"

#include "rpc/varint.h"

#include <endian.h>
#include <string.h>

_Static_assert(__BYTE_ORDER == __LITTLE_ENDIAN, "fixed-size fields are copied as they are");

enum { TAG_BYTES_MAX = 2, LEN_BYTES_MAX = 5, BOOL_BYTES_MAX = 5, TAG_WIRE_BITS = 3 };

bool ct_flat_type(const ProtobufCMessageDescriptor *type)
{
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &type->fields[i];

		if (f->label != PROTOBUF_C_LABEL_NONE || f->type == PROTOBUF_C_TYPE_MESSAGE ||
		    (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
			return false;
	}
	return type->message_init != NULL;
}

static unsigned wire_type(const ProtobufCFieldDescriptor *f)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return PROTOBUF_C_WIRE_TYPE_32BIT;
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return PROTOBUF_C_WIRE_TYPE_64BIT;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
	default:
		return PROTOBUF_C_WIRE_TYPE_VARINT;
	}
}

static bool is_64_bits(const ProtobufCFieldDescriptor *f)
{
	return f->type == PROTOBUF_C_TYPE_INT64 || f->type == PROTOBUF_C_TYPE_UINT64 ||
	       f->type == PROTOBUF_C_TYPE_SINT64;
}

/* ---- reading -------------------------------------------------------------------- */

static uint64_t unzigzag(uint64_t v)
{
	return v >> 1 ^ (0 - (v & 1));
}

static bool read_varint(const ProtobufCFieldDescriptor *f, struct ct_bytes *in, void *member)
{
	const bool is_bool = f->type == PROTOBUF_C_TYPE_BOOL;
	uint64_t v;
	uint32_t low;

	/* of a longer one protobuf-c looks at bits that are dropped here */
	if (!ct_varint_take(in, is_bool ? BOOL_BYTES_MAX : CT_VARINT_BYTES_MAX, &v))
		return false;
	if (is_bool)
		v = v != 0;
	if (f->type == PROTOBUF_C_TYPE_SINT32)
		v = unzigzag((uint32_t)v);
	if (f->type == PROTOBUF_C_TYPE_SINT64)
		v = unzigzag(v);
	low = (uint32_t)v;
	if (is_64_bits(f))
		memcpy(member, &v, sizeof(v));
	else
		memcpy(member, &low, sizeof(low));
	return true;
}

static bool read_fixed(struct ct_bytes *in, void *member, size_t n)
{
	if (in->len < n)
		return false;
	memcpy(member, in->ptr, n);
	in->ptr += n;
	in->len -= n;
	return true;
}

/* A text gets a NUL behind it; no bytes are no pointer. */
static bool read_bytes(const ProtobufCFieldDescriptor *f, struct ct_bytes *in, struct ct_arena *a,
		       void *member)
{
	const bool is_text = f->type == PROTOBUF_C_TYPE_STRING;
	ProtobufCBinaryData value = { .len = 0 };
	uint64_t n;

	if (!ct_varint_take(in, LEN_BYTES_MAX, &n) || n > in->len)
		return false;
	value.len = (size_t)n;
	if (is_text || n > 0) {
		value.data = ct_arena_alloc(a, value.len + is_text);
		if (value.data == NULL)
			return false;
	}
	if (n > 0)
		memcpy(value.data, in->ptr, value.len);
	in->ptr += n;
	in->len -= value.len;
	if (is_text) {
		value.data[n] = '\0';
		memcpy(member, &value.data, sizeof(value.data));
	} else {
		memcpy(member, &value, sizeof(value));
	}
	return true;
}

static bool read_value(const ProtobufCFieldDescriptor *f, struct ct_bytes *in, struct ct_arena *a,
		       void *member)
{
	switch (wire_type(f)) {
	case PROTOBUF_C_WIRE_TYPE_32BIT:
		return read_fixed(in, member, sizeof(uint32_t));
	case PROTOBUF_C_WIRE_TYPE_64BIT:
		return read_fixed(in, member, sizeof(uint64_t));
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
		return read_bytes(f, in, a, member);
	default:
		return read_varint(f, in, member);
	}
}

/* Most writers keep to the order of the fields. NULL: the type has none. */
static const ProtobufCFieldDescriptor *find(const ProtobufCMessageDescriptor *type, uint64_t id,
					    unsigned *next)
{
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &type->fields[*next];

		*next = *next + 1 < type->n_fields ? *next + 1 : 0;
		if (f->id == id)
			return f;
	}
	return NULL;
}

bool ct_flat_read(const ProtobufCMessageDescriptor *type, struct ct_bytes in, struct ct_arena *a,
		  ProtobufCMessage **ret_msg)
{
	ProtobufCMessage *msg = ct_arena_alloc(a, type->sizeof_message);
	unsigned next = 0;

	if (msg == NULL)
		return false;
	type->message_init(msg);
	while (in.len > 0) {
		const ProtobufCFieldDescriptor *f;
		uint64_t tag;

		if (!ct_varint_take(&in, TAG_BYTES_MAX, &tag))
			return false;
		f = find(type, tag >> TAG_WIRE_BITS, &next);
		if (f == NULL || wire_type(f) != (tag & ((1U << TAG_WIRE_BITS) - 1)) ||
		    !read_value(f, &in, a, (uint8_t *)msg + f->offset))
			return false;
	}
	*ret_msg = msg;
	return true;
}

/* ---- writing -------------------------------------------------------------------- */

/* A field's value as it goes on the wire. */
struct value {
	unsigned wire_type;
	uint64_t number;       /* as a varint, or the bits of a fixed one */
	struct ct_bytes bytes; /* of a text without its NUL */
};

static uint64_t load(const void *member, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, member, n);
	return v;
}

static uint64_t load_signed(const void *member)
{
	int32_t v;

	memcpy(&v, member, sizeof(v));
	return (uint64_t)(int64_t)v;
}

static uint64_t zigzag(uint64_t v)
{
	return v << 1 ^ (0 - (v >> 63));
}

static uint64_t load_varint(const ProtobufCFieldDescriptor *f, const void *member)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_ENUM:
		return load_signed(member); /* ten bytes, where negative */
	case PROTOBUF_C_TYPE_SINT32:
		return zigzag(load_signed(member));
	case PROTOBUF_C_TYPE_SINT64:
		return zigzag(load(member, sizeof(uint64_t)));
	case PROTOBUF_C_TYPE_BOOL:
		return load(member, sizeof(protobuf_c_boolean)) != 0;
	default:
		return load(member, is_64_bits(f) ? sizeof(uint64_t) : sizeof(uint32_t));
	}
}

static struct ct_bytes load_bytes(const ProtobufCFieldDescriptor *f, const void *member)
{
	ProtobufCBinaryData b;
	const char *text;

	if (f->type == PROTOBUF_C_TYPE_BYTES) {
		memcpy(&b, member, sizeof(b));
		return ct_bytes_of(b.data, b.len);
	}
	memcpy(&text, member, sizeof(text));
	return text != NULL ? ct_bytes_of(text, strlen(text)) : CT_BYTES_NONE;
}

/* False: it is what it is where nothing is said, and is not written. */
static bool load_value(const ProtobufCFieldDescriptor *f, const void *member, struct value *ret)
{
	ret->wire_type = wire_type(f);
	switch (ret->wire_type) {
	case PROTOBUF_C_WIRE_TYPE_32BIT:
		ret->number = load(member, sizeof(uint32_t));
		if (f->type == PROTOBUF_C_TYPE_FLOAT) /* protobuf-c does not write -0.0 */
			return ret->number << 33 != 0;
		return ret->number != 0;
	case PROTOBUF_C_WIRE_TYPE_64BIT:
		ret->number = load(member, sizeof(uint64_t));
		if (f->type == PROTOBUF_C_TYPE_DOUBLE)
			return ret->number << 1 != 0;
		return ret->number != 0;
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
		ret->bytes = load_bytes(f, member);
		return ret->bytes.len > 0;
	default:
		ret->number = load_varint(f, member);
		return ret->number != 0;
	}
}

static size_t value_bytes(const struct value *v)
{
	switch (v->wire_type) {
	case PROTOBUF_C_WIRE_TYPE_32BIT:
		return sizeof(uint32_t);
	case PROTOBUF_C_WIRE_TYPE_64BIT:
		return sizeof(uint64_t);
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
		return ct_varint_bytes(v->bytes.len) + v->bytes.len;
	default:
		return ct_varint_bytes(v->number);
	}
}

static uint8_t *put_bytes(uint8_t *at, const void *ptr, size_t n)
{
	memcpy(at, ptr, n);
	return at + n;
}

static uint8_t *put_value(uint8_t *at, const struct value *v)
{
	switch (v->wire_type) {
	case PROTOBUF_C_WIRE_TYPE_32BIT:
		return put_bytes(at, &v->number, sizeof(uint32_t));
	case PROTOBUF_C_WIRE_TYPE_64BIT:
		return put_bytes(at, &v->number, sizeof(uint64_t));
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
		return put_bytes(ct_varint_put(at, v->bytes.len), v->bytes.ptr, v->bytes.len);
	default:
		return ct_varint_put(at, v->number);
	}
}

static uint64_t tag_of(const ProtobufCFieldDescriptor *f, const struct value *v)
{
	return (uint64_t)f->id << TAG_WIRE_BITS | v->wire_type;
}

size_t ct_flat_bytes(const ProtobufCMessage *msg)
{
	const ProtobufCMessageDescriptor *type = msg->descriptor;
	struct value v;
	size_t n = 0;

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &type->fields[i];

		if (load_value(f, (const uint8_t *)msg + f->offset, &v))
			n += ct_varint_bytes(tag_of(f, &v)) + value_bytes(&v);
	}
	return n;
}

void ct_flat_write(const ProtobufCMessage *msg, uint8_t *out)
{
	const ProtobufCMessageDescriptor *type = msg->descriptor;
	struct value v;

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &type->fields[i];

		if (load_value(f, (const uint8_t *)msg + f->offset, &v))
			out = put_value(ct_varint_put(out, tag_of(f, &v)), &v);
	}
}
