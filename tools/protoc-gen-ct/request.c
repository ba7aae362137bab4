/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include "base/mem.h"

enum { READ_BYTES = 64 * 1024 };

bool gen_take_varint(struct ct_bytes *b, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < 10 && i < b->len; i++) {
		value |= (uint64_t)(b->ptr[i] & 0x7f) << (7 * i);
		if ((b->ptr[i] & 0x80) == 0) {
			*b = ct_bytes_of(b->ptr + i + 1, b->len - i - 1);
			*ret_value = value;
			return true;
		}
	}
	return false;
}

static bool take_bytes(struct ct_bytes *b, uint64_t len, struct ct_bytes *ret)
{
	if (len > b->len)
		return false;
	*ret = ct_bytes_of(b->ptr, (size_t)len);
	*b = ct_bytes_of(b->ptr + len, b->len - (size_t)len);
	return true;
}

bool gen_take_field(struct ct_bytes *b, uint32_t *ret_tag, unsigned *ret_wire_type,
		    struct ct_bytes *ret_body)
{
	struct ct_bytes body = CT_BYTES_NONE, skipped;
	uint64_t key, value;
	bool ok;

	if (!gen_take_varint(b, &key) || key > UINT32_MAX)
		return false;
	switch (key & 7) {
	case PROTOBUF_C_WIRE_TYPE_VARINT:
		ok = gen_take_varint(b, &value);
		break;
	case PROTOBUF_C_WIRE_TYPE_64BIT:
		ok = take_bytes(b, 8, &skipped);
		break;
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
		ok = gen_take_varint(b, &value) && take_bytes(b, value, &body);
		break;
	case PROTOBUF_C_WIRE_TYPE_32BIT:
		ok = take_bytes(b, 4, &skipped);
		break;
	default:
		ok = false;
	}
	if (!ok)
		return false;
	*ret_tag = (uint32_t)(key >> 3);
	*ret_wire_type = (unsigned)(key & 7);
	*ret_body = body;
	return true;
}

/* Whether no message in b nests deeper than `left`. Garbage counts as shallow:
 * protobuf-c meets it at the same place and stops. */
static bool is_shallow(struct ct_bytes b, const ProtobufCMessageDescriptor *desc, unsigned left)
{
	struct ct_bytes body;
	uint32_t tag;
	unsigned wire_type;

	while (gen_take_field(&b, &tag, &wire_type, &body)) {
		const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(desc,
											    tag);

		if (f == NULL || f->type != PROTOBUF_C_TYPE_MESSAGE ||
		    wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
			continue;
		if (left == 0 || !is_shallow(body, f->descriptor, left - 1))
			return false;
	}
	return true;
}

static ct_status read_all(FILE *in, uint8_t **ret_data, size_t *ret_len, const char **ret_why)
{
	uint8_t *data = NULL; /* owned here until handed over */
	size_t len = 0, size = 0;
	ct_status st = CT_OK;

	while (!feof(in)) {
		if (size - len < READ_BYTES) {
			uint8_t *more = ct_mem_realloc(data, 2 * size + READ_BYTES);

			if (more == NULL) {
				*ret_why = "out of memory";
				st = CT_RESOURCE_EXHAUSTED;
				goto out;
			}
			data = more;
			size = 2 * size + READ_BYTES;
		}
		len += fread(data + len, 1, size - len, in);
		if (ferror(in)) {
			*ret_why = "cannot read the request from stdin";
			st = CT_UNAVAILABLE;
			goto out;
		}
		if (len > GEN_REQUEST_BYTES_MAX) {
			*ret_why = "the request is larger than 64 MiB";
			st = CT_RESOURCE_EXHAUSTED;
			goto out;
		}
	}
	*ret_data = data;
	*ret_len = len;
	data = NULL; /* the caller's now */
out:
	ct_mem_free(data);
	return st;
}

ct_status gen_request_read(FILE *in, Google__Protobuf__Compiler__CodeGeneratorRequest **ret_req,
			   const char **ret_why)
{
	Google__Protobuf__Compiler__CodeGeneratorRequest *req;
	uint8_t *data = NULL;
	size_t len = 0;
	ct_status st = read_all(in, &data, &len, ret_why);

	if (st != CT_OK)
		goto out;
	if (!is_shallow(ct_bytes_of(data, len),
			&google__protobuf__compiler__code_generator_request__descriptor,
			GEN_REQUEST_DEPTH_MAX)) {
		*ret_why = "the request nests deeper than 64 messages";
		st = CT_RESOURCE_EXHAUSTED;
		goto out;
	}
	req = google__protobuf__compiler__code_generator_request__unpack(NULL, len, data);
	if (req == NULL) {
		*ret_why = "stdin holds no CodeGeneratorRequest (protoc runs this program)";
		st = CT_INVALID_ARGUMENT;
		goto out;
	}
	*ret_req = req;
out:
	ct_mem_free(data);
	return st;
}
