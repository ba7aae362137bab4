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
 * pass by their type's table of fields; protobuf-c lists the fields it finds before
 * it reads them, which takes three times as long (docs/decisions/0052-flat-messages.md).
 * What is made is what protobuf-c would make, bit for bit. Pure.
 */

bool ct_flat_type(const ProtobufCMessageDescriptor *type);

/* Reads a message of a flat type into the arena. False: not read, for want of memory
 * or because it is not of the plain kind: damaged, or with fields the type does not
 * know. protobuf-c can tell which. */
CT_MUST_USE bool ct_flat_read(const ProtobufCMessageDescriptor *type, struct ct_bytes in,
			      struct ct_arena *a, ProtobufCMessage **ret_msg);

/* Bytes of a message of a flat type, without what its type does not know. */
size_t ct_flat_bytes(const ProtobufCMessage *msg);
/* Writes as many. */
void ct_flat_write(const ProtobufCMessage *msg, uint8_t *out);

#endif
