/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_CODEC_H
#define CT_RPC_CODEC_H

#include "base/arena.h"
#include "base/attrs.h"
#include "base/bytes.h"
#include "base/status.h"

#include <protobuf-c/protobuf-c.h>

/*
 * Protobuf in and out of an arena: the one file that calls protobuf-c's unpack.
 * Nothing it makes is freed piece by piece.
 */

enum {
	/* Deepest nesting of messages that is read. protobuf-c recurses with a large
	 * frame for each level, so this bounds the stack. */
	CT_CODEC_DEPTH_MAX = 32,
	/* Up to this a message is packed in less than the us in which time is told. */
	CT_CODEC_QUICK_BYTES = 1024
};

/* A protobuf-c allocator that takes from a and never gives back. */
ProtobufCAllocator ct_codec_allocator(struct ct_arena *a);

/* INVALID_ARGUMENT: not a message of that type, or nested too deep.
 * RESOURCE_EXHAUSTED: it does not fit in the arena. */
CT_MUST_USE ct_status ct_codec_unpack(const ProtobufCMessageDescriptor *type, struct ct_bytes in,
				      struct ct_arena *a, ProtobufCMessage **ret_msg);

/* RESOURCE_EXHAUSTED: larger than max_bytes, or it does not fit in the arena. */
CT_MUST_USE ct_status ct_codec_pack(const ProtobufCMessage *msg, size_t max_bytes,
				    struct ct_arena *a, struct ct_bytes *ret_out);

/* Whether the nesting of `in` stays within depth levels. Pure; what is not
 * well formed is left for unpack to refuse. */
bool ct_codec_depth_ok(const ProtobufCMessageDescriptor *type, struct ct_bytes in, unsigned depth);

#endif
