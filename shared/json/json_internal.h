/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_JSON_JSON_INTERNAL_H
#define CT_JSON_JSON_INTERNAL_H

/* What the files of shared/json/ share with one another alone. */
#include "json/json.h"

#include <jansson.h>

/* ---- field.c: what a descriptor says ---- */

/* The member of a message that a field lives in; n_, has_ or case member. */
void *ct_json__member(ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f);
void *ct_json__quantifier(ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f);

/* Bytes of one value in memory, in a repeated field's array and elsewhere. */
size_t ct_json__value_size(ProtobufCType type);

bool ct_json__is_map(const ProtobufCMessageDescriptor *desc, const ProtobufCFieldDescriptor *f);

/* Walks a field's name in lowerCamelCase: the next character, '\0' at the end. */
char ct_json__camel_next(const char **name);

/* The field of that name, in either spelling; NULL: none. */
const ProtobufCFieldDescriptor *ct_json__find_field(const ProtobufCMessageDescriptor *desc,
						    const char *key);

/* ---- number.c ---- */

/* A number of a text: an integer when it is one that fits, else a real. */
struct ct_json__number {
	bool is_int, negative;
	uint64_t magnitude;
	double real; /* when not is_int */
};

/* Reads all of the text by JSON's grammar for numbers. False: it is not one, or
 * not finite as a double. */
bool ct_json__number_parse(struct ct_bytes text, struct ct_json__number *ret);

/* As an integer in [-min_magnitude, max]. False: a fraction, or out of range.
 * Two's complement when negative. */
bool ct_json__number_to_int(const struct ct_json__number *n, uint64_t min_magnitude, uint64_t max,
			    uint64_t *ret);
double ct_json__number_to_double(const struct ct_json__number *n);

/* The shortest decimal that reads back the same, as a JSON number. v is finite. */
enum { CT_JSON__NUMBER_CHARS = 40 };
void ct_json__format_double(double v, char out[CT_JSON__NUMBER_CHARS]);
void ct_json__format_float(float v, char out[CT_JSON__NUMBER_CHARS]);

/* ---- writer.c: text that grows, and the values that are not messages ---- */

struct ct_json__writer {
	const struct ct_json_opts *opts; /* never NULL */
	char *text;                      /* NUL-terminated; the caller's in the end */
	size_t len, size;
	unsigned depth;
	ct_status st; /* the first failure stays, and nothing is added after it */
};

void ct_json__fail(struct ct_json__writer *w, ct_status st);
void ct_json__put(struct ct_json__writer *w, const char *s, size_t len);
void ct_json__puts(struct ct_json__writer *w, const char *s);

/* An object or array: open, then item before each member or element, then close. */
void ct_json__open(struct ct_json__writer *w, const char *bracket);
void ct_json__item(struct ct_json__writer *w, bool *first);
void ct_json__close(struct ct_json__writer *w, const char *bracket, bool empty);
void ct_json__colon(struct ct_json__writer *w); /* after a member's name */

void ct_json__put_string(struct ct_json__writer *w, const char *string); /* NULL: empty */
void ct_json__put_bytes(struct ct_json__writer *w, const ProtobufCBinaryData *b);
void ct_json__put_real(struct ct_json__writer *w, double v, bool is_float);
void ct_json__put_enum(struct ct_json__writer *w, const ProtobufCEnumDescriptor *desc, int number);
/* quote: in quotes even with 32 bits, as a map's key is. */
void ct_json__put_int(struct ct_json__writer *w, ProtobufCType type, const void *value, bool quote);

/* ---- scan.c: what is checked before jansson builds a tree ---- */

/* Integers of 19 digits and more, which jansson cannot hold, are replaced in a
 * copy of the text, at the same length, by a string that no JSON text can hold:
 * a NUL and the number's offset in the text. */
struct ct_json__scan {
	struct ct_bytes text; /* the caller's */
	char *copy;           /* what jansson shall read when it is not NULL; ours */
};
ct_status ct_json__scan_init(struct ct_json__scan *s, struct ct_bytes text, char err[],
			     size_t err_size);
void ct_json__scan_fini(struct ct_json__scan *s);

/* Whether a value of the tree is such a number; its text is borrowed. */
bool ct_json__scan_wide(const struct ct_json__scan *s, const json_t *v, struct ct_bytes *ret);

/* ---- error.c, decode.c and scalar.c ---- */

/* Writes "line L, column C: " and the message into err. Columns count characters. */
CT_PRINTF(5, 6)
void ct_json__error_at(struct ct_bytes text, size_t offset, char err[], size_t err_size,
		       const char *fmt, ...);

struct ct_json__decoder {
	struct ct_json__scan scan;
	ProtobufCAllocator *alloc; /* never NULL */
	char *err;
	size_t err_size;
};

/* Where in the text a value stands: a chain of frames on the stack. */
struct ct_json__path {
	const struct ct_json__path *up; /* NULL: the outermost object */
	const char *name;               /* of a member; NULL: an element of an array */
	size_t index;
};

/* Writes the path and the message into err; returns INVALID_ARGUMENT. */
CT_PRINTF(3, 4)
ct_status ct_json__refuse(struct ct_json__decoder *d, const struct ct_json__path *at,
			  const char *fmt, ...);
ct_status ct_json__no_memory(struct ct_json__decoder *d);

void *ct_json__alloc(struct ct_json__decoder *d, size_t n,
		     size_t size); /* zeroed; NULL: none left */

/* Reads a value that is not a message into its place in memory. What it
 * allocates hangs off the place. */
ct_status ct_json__scalar(struct ct_json__decoder *d, const struct ct_json__path *at,
			  const ProtobufCFieldDescriptor *f, const json_t *v, void *place);

/* The same from a map's key. */
ct_status ct_json__map_key(struct ct_json__decoder *d, const struct ct_json__path *at,
			   const ProtobufCFieldDescriptor *f, const char *key, void *place);

#endif
