/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLINIC_DOMAIN_FIELDS_H
#define CLINIC_DOMAIN_FIELDS_H

#include "base/attrs.h"
#include "base/status.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One table for each message says what its fields are: their names, where they
 * lie, and what may stand in them. Validation reads it, and so does the store,
 * whose columns have the same names in the same order. The messages are plain
 * structs of protoc-c; nothing here packs or sends them. Constants and pure
 * functions, any thread.
 */
enum clinic_field_type {
	CLINIC_TEXT, /* char *, at most `max` characters; one of `codes` when there are any */
	CLINIC_DATE, /* char *, "" or an ISO 8601 date (iso_date.h) */
	CLINIC_ENUM, /* int, one of enum_type */
	CLINIC_UINT, /* uint32_t, at most `max` */
	CLINIC_INT,  /* int32_t */
	CLINIC_REAL, /* double, finite */
	CLINIC_BOOL, /* protobuf_c_boolean */
};

enum {
	CLINIC_REQUIRED = 1 << 0, /* not "" and not 0 */
	CLINIC_KEY = 1 << 1,      /* part of the natural key */
};

struct clinic_field {
	const char *name; /* in the .proto; the column's too */
	enum clinic_field_type type;
	unsigned flags;
	uint32_t max;
	size_t offset;
	size_t case_offset; /* of the oneof's case; 0: always present */
	int case_value;
	const char *const *codes; /* ends with NULL; NULL: any text */
	const ProtobufCEnumDescriptor *enum_type;
};

/* Rows of a table; M is the message's struct. */
#define CLINIC_F_TEXT(M, f, flags_, max_)                                          \
	{                                                                          \
		.name = #f, .type = CLINIC_TEXT, .flags = (flags_), .max = (max_), \
		.offset = offsetof(M, f)                                           \
	}
#define CLINIC_F_CODE(M, f, flags_, codes_)                                    \
	{                                                                      \
		.name = #f, .type = CLINIC_TEXT, .flags = (flags_), .max = 64, \
		.offset = offsetof(M, f), .codes = (codes_)                    \
	}
#define CLINIC_F_DATE(M, f, flags_)                                            \
	{                                                                      \
		.name = #f, .type = CLINIC_DATE, .flags = (flags_), .max = 64, \
		.offset = offsetof(M, f)                                       \
	}
#define CLINIC_F_ENUM(M, f, flags_, descriptor_)                                              \
	{                                                                                     \
		.name = #f, .type = CLINIC_ENUM, .flags = (flags_), .offset = offsetof(M, f), \
		.enum_type = &(descriptor_)                                                   \
	}
#define CLINIC_F_UINT(M, f, flags_, max_)                                          \
	{                                                                          \
		.name = #f, .type = CLINIC_UINT, .flags = (flags_), .max = (max_), \
		.offset = offsetof(M, f)                                           \
	}
#define CLINIC_F_REAL(M, f, flags_)                                                          \
	{                                                                                    \
		.name = #f, .type = CLINIC_REAL, .flags = (flags_), .offset = offsetof(M, f) \
	}
#define CLINIC_F_BOOL(M, f)                                               \
	{                                                                 \
		.name = #f, .type = CLINIC_BOOL, .offset = offsetof(M, f) \
	}
/* `oneof maybe_<f> { <type> <f> = <number>; }`: present or not. */
#define CLINIC_F_MAYBE(M, f, number, type_, max_)                                     \
	{                                                                             \
		.name = #f, .type = (type_), .max = (max_), .offset = offsetof(M, f), \
		.case_offset = offsetof(M, maybe_##f##_case), .case_value = (number)  \
	}

struct clinic_fields {
	const struct clinic_field *rows;
	size_t n;
};

/* What is wrong with an item. */
enum { CLINIC_ISSUE_FIELD_SIZE = 48, CLINIC_ISSUE_MESSAGE_SIZE = 96 };
struct clinic_issue {
	ct_status code; /* OK: nothing is */
	char field[CLINIC_ISSUE_FIELD_SIZE];
	char message[CLINIC_ISSUE_MESSAGE_SIZE]; /* never holds the value */
};

/* True when every field of msg is in order; else false and the first that is not. */
CT_MUST_USE bool clinic_fields_check(const struct clinic_fields *t, const void *msg,
				     struct clinic_issue *ret_issue);

/* Sets the issue and returns false, for rules that no row can say. */
bool clinic_issue_set(struct clinic_issue *issue, ct_status code, const char *field,
		      const char *fmt, ...) CT_PRINTF(4, 5);

/* Whether the message has the field: only a oneof's may be absent. */
bool clinic_field_present(const struct clinic_field *f, const void *msg);
/* The value; of the type the row says. A text is never NULL. */
const char *clinic_field_text(const struct clinic_field *f, const void *msg);
int64_t clinic_field_int(const struct clinic_field *f, const void *msg); /* ENUM, UINT, INT, BOOL */
double clinic_field_real(const struct clinic_field *f, const void *msg);

/* The natural key: its fields joined by '/', made fit to be shown. */
size_t clinic_fields_key(const struct clinic_fields *t, const void *msg, char *dst, size_t size);

#endif
