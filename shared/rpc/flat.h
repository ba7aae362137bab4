/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_FLAT_H
#define CT_RPC_FLAT_H

#include "base/arena.h"
#include "base/bytes.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

/*
 * Messages whose fields are all single values without presence: numbers, booleans,
 * texts, bytes. Most requests of small calls are. They are read and written in one
 * pass by their type's table of fields, where protobuf-c makes a list of what it finds
 * first and reads that (docs/decisions/0052-flat-messages.md). What is made is what
 * protobuf-c would make, bit for bit. Pure.
 */

enum { CT_FLAT_FIELDS_MAX = 32 }; /* a type with more is not flat */

bool ct_flat_type(const ProtobufCMessageDescriptor *type);

/* Reads a message of a flat type into the arena. False: not read, for want of memory
 * or because it is not of the plain kind: damaged, or with fields the type does not
 * know. protobuf-c can tell which. */
CT_MUST_USE bool ct_flat_read(const ProtobufCMessageDescriptor *type, struct ct_bytes in,
			      struct ct_arena *a, ProtobufCMessage **ret_msg);

/* What a message of a flat type says, as it goes on the wire. Texts and bytes stay the
 * message's. */
struct ct_flat_value {
	uint32_t id;
	unsigned wire_type;
	uint64_t number;       /* as a varint, or the bits of a fixed one */
	struct ct_bytes bytes; /* of a text without its NUL */
};
struct ct_flat {
	size_t bytes; /* on the wire */
	unsigned n;
	struct ct_flat_value values[CT_FLAT_FIELDS_MAX];
};

/* Without what the message holds that its type does not know. */
void ct_flat_load(const ProtobufCMessage *msg, struct ct_flat *ret_flat);
/* flat->bytes of them. */
void ct_flat_write(const struct ct_flat *flat, uint8_t *out);

#endif
