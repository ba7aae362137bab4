/* SPDX-License-Identifier: Apache-2.0 */
#include "json_internal.h"

#include <string.h>

void *ct_json__member(ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f)
{
	return (char *)msg + f->offset;
}

void *ct_json__quantifier(ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f)
{
	return (char *)msg + f->quantifier_offset;
}

size_t ct_json__value_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_ENUM:
		return sizeof(uint32_t);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return sizeof(uint64_t);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	}
	return 0;
}

/* Whether `name` is the field's name in CamelCase with "Entry" behind it. */
static bool is_entry_name(const char *field, const char *name)
{
	bool upper = true;

	for (; *field != '\0'; field++) {
		char c = *field;

		if (c == '_') {
			upper = true;
			continue;
		}
		if (upper && c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		upper = false;
		if (*name++ != c)
			return false;
	}
	return strcmp(name, "Entry") == 0;
}

static bool is_key_type(ProtobufCType type)
{
	return type != PROTOBUF_C_TYPE_FLOAT && type != PROTOBUF_C_TYPE_DOUBLE &&
	       type != PROTOBUF_C_TYPE_BYTES && type != PROTOBUF_C_TYPE_MESSAGE &&
	       type != PROTOBUF_C_TYPE_ENUM;
}

bool ct_json__is_map(const ProtobufCMessageDescriptor *desc, const ProtobufCFieldDescriptor *f)
{
	const ProtobufCMessageDescriptor *entry = f->descriptor;
	const size_t outer = strlen(desc->name);

	if (f->label != PROTOBUF_C_LABEL_REPEATED || f->type != PROTOBUF_C_TYPE_MESSAGE)
		return false;
	if (strncmp(entry->name, desc->name, outer) != 0 || entry->name[outer] != '.' ||
	    !is_entry_name(f->name, entry->name + outer + 1) || entry->n_fields != 2)
		return false;
	for (unsigned i = 0; i < 2; i++) {
		if (entry->fields[i].id != i + 1 ||
		    entry->fields[i].label == PROTOBUF_C_LABEL_REPEATED ||
		    (entry->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
			return false;
	}
	return strcmp(entry->fields[0].name, "key") == 0 &&
	       strcmp(entry->fields[1].name, "value") == 0 && is_key_type(entry->fields[0].type);
}

char ct_json__camel_next(const char **name)
{
	bool upper = false;
	char c;

	while (**name == '_') {
		upper = true;
		(*name)++;
	}
	c = **name;
	if (c == '\0')
		return c;
	(*name)++;
	return upper && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool is_camel_of(const char *name, const char *key)
{
	for (;;) {
		const char c = ct_json__camel_next(&name);

		if (c != *key++)
			return false;
		if (c == '\0')
			return true;
	}
}

const ProtobufCFieldDescriptor *ct_json__find_field(const ProtobufCMessageDescriptor *desc,
						    const char *key)
{
	for (unsigned i = 0; i < desc->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &desc->fields[i];

		if (strcmp(f->name, key) == 0 || is_camel_of(f->name, key))
			return f;
	}
	return NULL;
}
