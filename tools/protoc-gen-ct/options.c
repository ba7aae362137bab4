/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "request.h"

enum {
	METHOD_OPTION_TAG = 50501,    /* proto/ct/v1/options.proto */
	PROTOBUF_C_OPTION_TAG = 1019, /* protobuf-c/protobuf-c.proto: pb_c_file */
	C_PACKAGE_TAG = 6,            /* ProtobufCFileOptions.c_package */
};

/* Custom options reach a plugin that does not know them as unknown fields, one
 * for each place they are set; joined they make one message, as protobuf
 * defines for a field that comes in pieces. False: not a length-delimited field. */
static bool join_option(const ProtobufCMessage *opts, uint32_t tag, struct gen_text *ret)
{
	for (unsigned i = 0; i < opts->n_unknown_fields; i++) {
		const ProtobufCMessageUnknownField *f = &opts->unknown_fields[i];
		struct ct_bytes b = ct_bytes_of(f->data, f->len);
		uint64_t len;

		if (f->tag != tag)
			continue;
		if (f->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED ||
		    !gen_take_varint(&b, &len) || len != b.len)
			return false;
		gen_text_add(ret, (const char *)b.ptr, b.len);
	}
	return true;
}

static void check_values(struct gen *g, const Ct__V1__MethodOptions *o, const struct gen_method *m)
{
	if (o->base.n_unknown_fields > 0)
		gen_error(g, m->where,
			  "%s: field %u of option (ct.v1.method) is unknown to this "
			  "protoc-gen-ct",
			  m->full_name, o->base.unknown_fields[0].tag);
	if (o->timeout_ms > GEN_TIMEOUT_MS_MAX)
		gen_error(g, m->where, "%s: timeout_ms is %u, the limit is %d (24 hours)",
			  m->full_name, o->timeout_ms, GEN_TIMEOUT_MS_MAX);
	if (o->max_request_bytes > GEN_REQUEST_BYTES_MAX_MAX)
		gen_error(g, m->where, "%s: max_request_bytes is %u, the limit is %d (1 GiB)",
			  m->full_name, o->max_request_bytes, GEN_REQUEST_BYTES_MAX_MAX);
	if (protobuf_c_enum_descriptor_get_value(&ct__v1__lane__descriptor, (int)o->lane) == NULL)
		gen_error(g, m->where, "%s: lane %d is not one of ct.v1.Lane", m->full_name,
			  (int)o->lane);
}

void gen_options_read(struct gen *g, const Google__Protobuf__MethodOptions *opts,
		      struct gen_method *method)
{
	struct gen_text bytes = { .data = NULL };
	Ct__V1__MethodOptions *o = NULL;

	if (opts == NULL)
		return;
	if (join_option(&opts->base, METHOD_OPTION_TAG, &bytes))
		o = ct__v1__method_options__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
	if (o == NULL) {
		gen_error(g, method->where, "%s: option (ct.v1.method) cannot be read",
			  method->full_name);
		goto out;
	}
	check_values(g, o, method);
	method->timeout_ms = o->timeout_ms;
	method->max_request_bytes = o->max_request_bytes;
	method->lane = o->lane;
	method->idempotent = o->idempotent != 0;
out:
	ct__v1__method_options__free_unpacked(o, NULL);
	gen_text_fini(&bytes);
}

bool gen_options_have_c_package(const Google__Protobuf__FileOptions *opts)
{
	struct gen_text bytes = { .data = NULL };
	struct ct_bytes rest, body;
	uint32_t tag;
	unsigned wire_type;
	bool found = false;

	if (opts != NULL && join_option(&opts->base, PROTOBUF_C_OPTION_TAG, &bytes)) {
		rest = ct_bytes_of(bytes.data, bytes.len);
		while (!found && gen_take_field(&rest, &tag, &wire_type, &body))
			found = tag == C_PACKAGE_TAG;
	}
	gen_text_fini(&bytes);
	return found;
}
