/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TOOLS_PROTOC_GEN_CT_REQUEST_H
#define CT_TOOLS_PROTOC_GEN_CT_REQUEST_H

#include "base/attrs.h"
#include "base/bytes.h"
#include "base/status.h"

#include "google/protobuf/compiler/plugin.pb-c.h"

#include <stdio.h>

/*
 * The request as protoc sends it: read whole, bounded, and checked for depth
 * before it is unpacked (protobuf-c recurses for each level it meets).
 */
enum { GEN_REQUEST_BYTES_MAX = 64 * 1024 * 1024, GEN_REQUEST_DEPTH_MAX = 64 };

/* Reads to the end of the file and unpacks. The message is the caller's; free
 * it with google__protobuf__compiler__code_generator_request__free_unpacked().
 * On an error *ret_why is a static string. RESOURCE_EXHAUSTED: too big, too
 * deep, or out of memory; INVALID_ARGUMENT: not a request; UNAVAILABLE: the
 * file cannot be read. */
CT_MUST_USE ct_status gen_request_read(FILE *in,
				       Google__Protobuf__Compiler__CodeGeneratorRequest **ret_req,
				       const char **ret_why);

/* Takes a base-128 number from the front of *b. False: it is cut off or longer than 10 bytes. */
CT_MUST_USE bool gen_take_varint(struct ct_bytes *b, uint64_t *ret_value);

/* The next field of an encoded message: its number and wire type, and for a
 * length-delimited one its bytes (else none). False: at the end, or garbage. */
CT_MUST_USE bool gen_take_field(struct ct_bytes *b, uint32_t *ret_tag, unsigned *ret_wire_type,
				struct ct_bytes *ret_body);

#endif
