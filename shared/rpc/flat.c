/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/flat.h"

#include "rpc/varint.h"

#include <endian.h>
#include <string.h>

_Static_assert(__BYTE_ORDER == __LITTLE_ENDIAN, "fixed-size fields are copied as they are");
_Static_assert(sizeof(protobuf_c_boolean) == sizeof(uint32_t), "a boolean is loaded as a number");

enum { TAG_BYTES_MAX = 2, LEN_BYTES_MAX = 5, BOOL_BYTES_MAX = 5, TAG_WIRE_BITS = 3 };

/* How a member of the struct becomes a value on the wire. */
enum how {
	AS_IT_IS,
	SIGNED, /* as 64 bits, so ten bytes where negative */
	ZIGZAG,
	BOOLEAN,
	REAL, /* -0.0 is as good as nothing */
	TEXT,
	DATA,
};

enum {
	VARINT = PROTOBUF_C_WIRE_TYPE_VARINT,
	FIXED64 = PROTOBUF_C_WIRE_TYPE_64BIT,
	BYTES = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
	FIXED32 = PROTOBUF_C_WIRE_TYPE_32BIT,
};

static const struct kind {
	uint8_t wire_type;
	uint8_t how; /* enum how */
	uint8_t width;
} kinds[] = {
	[PROTOBUF_C_TYPE_INT32] = { VARINT, SIGNED, sizeof(uint32_t) },
	[PROTOBUF_C_TYPE_SINT32] = { VARINT, ZIGZAG, sizeof(uint32_t) },
	[PROTOBUF_C_TYPE_SFIXED32] = { FIXED32, AS_IT_IS, sizeof(uint32_t) },
	[PROTOBUF_C_TYPE_INT64] = { VARINT, AS_IT_IS, sizeof(uint64_t) },
	[PROTOBUF_C_TYPE_SINT64] = { VARINT, ZIGZAG, sizeof(uint64_t) },
	[PROTOBUF_C_TYPE_SFIXED64] = { FIXED64, AS_IT_IS, sizeof(uint64_t) },
	[PROTOBUF_C_TYPE_UINT32] = { VARINT, AS_IT_IS, sizeof(uint32_t) },
	[PROTOBUF_C_TYPE_FIXED32] = { FIXED32, AS_IT_IS, sizeof(uint32_t) },
	[PROTOBUF_C_TYPE_UINT64] = { VARINT, AS_IT_IS, sizeof(uint64_t) },
	[PROTOBUF_C_TYPE_FIXED64] = { FIXED64, AS_IT_IS, sizeof(uint64_t) },
	[PROTOBUF_C_TYPE_FLOAT] = { FIXED32, REAL, sizeof(uint32_t) },
	[PROTOBUF_C_TYPE_DOUBLE] = { FIXED64, REAL, sizeof(uint64_t) },
	[PROTOBUF_C_TYPE_BOOL] = { VARINT, BOOLEAN, sizeof(uint32_t) },
	[PROTOBUF_C_TYPE_ENUM] = { VARINT, SIGNED, sizeof(uint32_t) },
	[PROTOBUF_C_TYPE_STRING] = { BYTES, TEXT, sizeof(char *) },
	[PROTOBUF_C_TYPE_BYTES] = { BYTES, DATA, sizeof(ProtobufCBinaryData) },
};

bool ct_flat_type(const ProtobufCMessageDescriptor *type)
{
	if (type->n_fields > CT_FLAT_FIELDS_MAX || type->message_init == NULL)
		return false;
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &type->fields[i];

		if (f->label != PROTOBUF_C_LABEL_NONE || f->type == PROTOBUF_C_TYPE_MESSAGE ||
		    (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
			return false;
	}
	return true;
}

/* ---- reading -------------------------------------------------------------------- */

static uint64_t unzigzag(uint64_t v)
{
	return v >> 1 ^ (0 - (v & 1));
}

/* The low bytes of v, as the machine has them. */
static void store(const struct kind *k, uint64_t v, void *member)
{
	if (k->width == sizeof(uint64_t))
		memcpy(member, &v, sizeof(uint64_t));
	else
		memcpy(member, &v, sizeof(uint32_t));
}

static bool read_varint(const struct kind *k, struct ct_bytes *in, void *member)
{
	/* of a longer boolean protobuf-c looks at bits that are dropped here */
	const unsigned max = k->how == BOOLEAN ? BOOL_BYTES_MAX : CT_VARINT_BYTES_MAX;
	uint64_t v;

	if (!ct_varint_take(in, max, &v))
		return false;
	if (k->how == BOOLEAN)
		v = v != 0;
	else if (k->how == ZIGZAG)
		v = unzigzag(k->width == sizeof(uint32_t) ? (uint32_t)v : v);
	store(k, v, member);
	return true;
}

static bool read_fixed(const struct kind *k, struct ct_bytes *in, void *member)
{
	if (in->len < k->width)
		return false;
	memcpy(member, in->ptr, k->width);
	in->ptr += k->width;
	in->len -= k->width;
	return true;
}

/* A text gets a NUL behind it; no bytes are no pointer. */
static bool read_bytes(const struct kind *k, struct ct_bytes *in, struct ct_arena *a, void *member)
{
	const bool is_text = k->how == TEXT;
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

static bool read_value(const struct kind *k, struct ct_bytes *in, struct ct_arena *a, void *member)
{
	switch (k->wire_type) {
	case VARINT:
		return read_varint(k, in, member);
	case BYTES:
		return read_bytes(k, in, a, member);
	default:
		return read_fixed(k, in, member);
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
		if (f == NULL || kinds[f->type].wire_type != (tag & ((1U << TAG_WIRE_BITS) - 1)) ||
		    !read_value(&kinds[f->type], &in, a, (uint8_t *)msg + f->offset))
			return false;
	}
	*ret_msg = msg;
	return true;
}

/* ---- writing -------------------------------------------------------------------- */

static uint64_t load_number(const struct kind *k, const void *member)
{
	uint64_t v = 0;

	if (k->width == sizeof(uint64_t))
		memcpy(&v, member, sizeof(uint64_t));
	else
		memcpy(&v, member, sizeof(uint32_t));
	if (k->width == sizeof(uint32_t) && (k->how == SIGNED || k->how == ZIGZAG))
		v = (uint64_t)(int64_t)(int32_t)v;
	if (k->how == ZIGZAG)
		v = v << 1 ^ (0 - (v >> 63));
	if (k->how == BOOLEAN)
		v = v != 0;
	return v;
}

static struct ct_bytes load_bytes(const struct kind *k, const void *member)
{
	ProtobufCBinaryData b;
	const char *text;

	if (k->how == DATA) {
		memcpy(&b, member, sizeof(b));
		return ct_bytes_of(b.data, b.len);
	}
	memcpy(&text, member, sizeof(text));
	return text != NULL ? ct_bytes_of(text, strlen(text)) : CT_BYTES_NONE;
}

/* Without its sign bit. */
static bool is_zero(const struct kind *k, uint64_t real)
{
	return real << (65 - 8 * k->width) == 0;
}

/* Its length on the wire. 0: it is what it is where nothing is said, and is not written. */
static size_t load_value(const struct kind *k, const void *member, struct ct_flat_value *v)
{
	if (k->wire_type == BYTES) {
		v->bytes = load_bytes(k, member);
		return v->bytes.len > 0 ? ct_varint_bytes(v->bytes.len) + v->bytes.len : 0;
	}
	v->number = load_number(k, member);
	if (v->number == 0 || (k->how == REAL && is_zero(k, v->number)))
		return 0;
	return k->wire_type == VARINT ? ct_varint_bytes(v->number) : k->width;
}

void ct_flat_load(const ProtobufCMessage *msg, struct ct_flat *ret)
{
	const ProtobufCMessageDescriptor *type = msg->descriptor;

	ret->bytes = ret->n = 0;
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &type->fields[i];
		const struct kind *k = &kinds[f->type];
		struct ct_flat_value *v = &ret->values[ret->n];
		const size_t n = load_value(k, (const uint8_t *)msg + f->offset, v);

		if (n == 0)
			continue;
		v->id = f->id;
		v->wire_type = k->wire_type;
		ret->n++;
		ret->bytes += ct_varint_bytes((uint64_t)f->id << TAG_WIRE_BITS) + n;
	}
}

static uint8_t *put_bytes(uint8_t *at, const void *ptr, size_t n)
{
	memcpy(at, ptr, n);
	return at + n;
}

static uint8_t *put_value(uint8_t *at, const struct ct_flat_value *v)
{
	switch (v->wire_type) {
	case FIXED32:
		return put_bytes(at, &v->number, sizeof(uint32_t));
	case FIXED64:
		return put_bytes(at, &v->number, sizeof(uint64_t));
	case BYTES:
		return put_bytes(ct_varint_put(at, v->bytes.len), v->bytes.ptr, v->bytes.len);
	default:
		return ct_varint_put(at, v->number);
	}
}

void ct_flat_write(const struct ct_flat *flat, uint8_t *out)
{
	for (unsigned i = 0; i < flat->n; i++) {
		const struct ct_flat_value *v = &flat->values[i];

		out = ct_varint_put(out, (uint64_t)v->id << TAG_WIRE_BITS | v->wire_type);
		out = put_value(out, v);
	}
}
