/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_JSON_JSON_H
#define CT_JSON_JSON_H

#include "base/attrs.h"
#include "base/bytes.h"
#include "base/status.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Messages as text, by proto3's JSON mapping, from nothing but protobuf-c's
 * descriptors. Any thread; nothing blocks.
 *
 *   message            object; members in the order of their field numbers
 *   names              lowerCamelCase; read as written in the .proto too
 *   int64, uint64      string; read from numbers too, and 32-bit ones from strings
 *   float, double      the shortest number that reads back the same; "NaN", "Infinity"
 *   enum               the value's name, its number when it has none; read from both
 *   bytes              base64; read in the URL alphabet and without padding too
 *   map                object
 *   null               absent; refused as an element of an array or a map
 *
 * What the descriptors do not hold is not known here: the option json_name, and
 * that a repeated message is a map. A map is what protoc makes of one: a message
 * nested beside its field, named after it with "Entry", of key = 1 and value = 2.
 * google.protobuf's well-known types are written as ordinary messages. A map in
 * which a peer sent one key twice is written with both. The descriptors must have
 * init functions, as protoc-c gives them by default.
 */
enum {
	CT_JSON_DEPTH_MAX = 64, /* objects and arrays in one another */
	CT_JSON_INPUT_BYTES_MAX = 8 * 1024 * 1024,
	CT_JSON_INPUT_VALUES_MAX = 1024 * 1024,    /* bounds the memory a small text can claim */
	CT_JSON_INPUT_CONTAINERS_MAX = 256 * 1024, /* of the values: objects and arrays */
	CT_JSON_OUTPUT_BYTES_MAX = 64 * 1024 * 1024,
	CT_JSON_INDENT_MAX = 8,
};

struct ct_json_opts {
	uint8_t indent;     /* spaces a level, up to CT_JSON_INDENT_MAX; 0: all on one line */
	bool emit_defaults; /* fields without presence even when they hold their default */
};

/* *ret_text is the caller's, NUL-terminated UTF-8 without a newline at the end;
 * free with ct_mem_free(). opts NULL: all zero. Unknown fields of the wire are
 * left out. INVALID_ARGUMENT: a string is not UTF-8, or a oneof, array or
 * message of a hand-made msg is inconsistent. RESOURCE_EXHAUSTED: deeper than
 * CT_JSON_DEPTH_MAX, longer than CT_JSON_OUTPUT_BYTES_MAX, or out of memory. */
CT_MUST_USE ct_status ct_json_from_message(const ProtobufCMessage *msg,
					   const struct ct_json_opts *opts, char **ret_text);

/* *ret_msg is the caller's; free with protobuf_c_message_free_unpacked() and the
 * same allocator (NULL: the heap). On an error nothing is left allocated, but for
 * what an allocator without free keeps, and err (err_size 0: NULL is fine) says
 * what is wrong and where:
 *   "results[3].orresu: a string is expected"           a path from the outermost object
 *   "line 2, column 17: '}' expected"                    text that is not JSON
 * The text names members and positions, never a value, so that it may be logged.
 * INVALID_ARGUMENT: the text does not fit. RESOURCE_EXHAUSTED: a limit above, or
 * out of memory. */
CT_MUST_USE ct_status ct_json_to_message(struct ct_bytes text,
					 const ProtobufCMessageDescriptor *desc,
					 ProtobufCAllocator *alloc, ProtobufCMessage **ret_msg,
					 char err[], size_t err_size);

#endif
