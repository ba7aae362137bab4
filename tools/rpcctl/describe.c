/* SPDX-License-Identifier: Apache-2.0 */
#include "rpcctl/commands.h"
#include "rpcctl/methods.h"

#include <inttypes.h>
#include <stdio.h>

static const char *type_name(const ProtobufCFieldDescriptor *f)
{
	static const char *const names[] = {
		[PROTOBUF_C_TYPE_INT32] = "int32",       [PROTOBUF_C_TYPE_SINT32] = "sint32",
		[PROTOBUF_C_TYPE_SFIXED32] = "sfixed32", [PROTOBUF_C_TYPE_INT64] = "int64",
		[PROTOBUF_C_TYPE_SINT64] = "sint64",     [PROTOBUF_C_TYPE_SFIXED64] = "sfixed64",
		[PROTOBUF_C_TYPE_UINT32] = "uint32",     [PROTOBUF_C_TYPE_FIXED32] = "fixed32",
		[PROTOBUF_C_TYPE_UINT64] = "uint64",     [PROTOBUF_C_TYPE_FIXED64] = "fixed64",
		[PROTOBUF_C_TYPE_FLOAT] = "float",       [PROTOBUF_C_TYPE_DOUBLE] = "double",
		[PROTOBUF_C_TYPE_BOOL] = "bool",         [PROTOBUF_C_TYPE_STRING] = "string",
		[PROTOBUF_C_TYPE_BYTES] = "bytes",
	};

	switch (f->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		return ((const ProtobufCMessageDescriptor *)f->descriptor)->name;
	case PROTOBUF_C_TYPE_ENUM:
		return ((const ProtobufCEnumDescriptor *)f->descriptor)->name;
	default:
		return names[f->type];
	}
}

static void show_enum(const ProtobufCEnumDescriptor *e)
{
	printf("  ");
	for (unsigned i = 0; i < e->n_values; i++)
		printf("%s%s", i > 0 ? ", " : "    one of ", e->values[i].name);
	printf("\n");
}

static void show_message(const ProtobufCMessageDescriptor *d)
{
	printf("message %s\n", d->name);
	for (unsigned i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];

		printf("  %2" PRIu32 "  %s%s %s\n", f->id,
		       f->label == PROTOBUF_C_LABEL_REPEATED ? "repeated " : "", type_name(f),
		       f->name);
		if (f->type == PROTOBUF_C_TYPE_ENUM)
			show_enum(f->descriptor);
	}
}

int rpcctl_describe(const struct rpcctl_args *args)
{
	const ProtobufCMessageDescriptor *d = rpcctl_find_message(args->operands[0]);
	const struct ct_method *m;

	if (d != NULL) {
		show_message(d);
		return 0;
	}
	m = rpcctl_find_method(args->operands[0]);
	if (m == NULL)
		return RPCCTL_EXIT_USAGE;
	printf("rpc %s\n  timeout %" PRIu32 " ms, lane %s%s\n", m->name, m->timeout_ms,
	       ct_lane_name(m->lane), m->idempotent ? ", idempotent" : "");
	if (m->max_request_bytes != 0)
		printf("  request at most %" PRIu32 " bytes\n", m->max_request_bytes);
	printf("\nrequest ");
	show_message(m->request);
	printf("\nresponse ");
	show_message(m->response);
	return 0;
}
