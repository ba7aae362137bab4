/* SPDX-License-Identifier: Apache-2.0 */
#include "json_internal.h"

#include "base/check.h"
#include "base/mem.h"

static const void *member_of(const ProtobufCMessage *msg, unsigned offset)
{
	return (const char *)msg + offset;
}

/* Whether a singular value is what a message without the field would hold. */
static bool is_default(const ProtobufCFieldDescriptor *f, const void *value)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING: {
		const char *s = *(char *const *)value;

		return s == NULL || s[0] == '\0';
	}
	case PROTOBUF_C_TYPE_BYTES:
		return ((const ProtobufCBinaryData *)value)->len == 0;
	case PROTOBUF_C_TYPE_FLOAT:
		return *(const float *)value == 0;
	case PROTOBUF_C_TYPE_DOUBLE:
		return *(const double *)value == 0;
	default:
		return ct_json__value_size(f->type) == sizeof(uint64_t)
			       ? *(const uint64_t *)value == 0
			       : *(const uint32_t *)value == 0;
	}
}

static bool is_pointer(ProtobufCType type)
{
	return type == PROTOBUF_C_TYPE_STRING || type == PROTOBUF_C_TYPE_MESSAGE;
}

/* Whether the field is written: as protobuf-c decides what goes on the wire. */
static bool is_written(const struct ct_json_opts *opts, const ProtobufCMessage *msg,
		       const ProtobufCFieldDescriptor *f)
{
	const void *value = member_of(msg, f->offset);
	const void *quantifier = member_of(msg, f->quantifier_offset);

	if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
		return *(const uint32_t *)quantifier == f->id;
	switch (f->label) {
	case PROTOBUF_C_LABEL_REQUIRED:
		return true;
	case PROTOBUF_C_LABEL_REPEATED:
		return opts->emit_defaults || *(const size_t *)quantifier > 0;
	case PROTOBUF_C_LABEL_OPTIONAL:
		if (is_pointer(f->type))
			return *(void *const *)value != NULL &&
			       *(void *const *)value != f->default_value;
		return *(const protobuf_c_boolean *)quantifier != 0;
	case PROTOBUF_C_LABEL_NONE:
		if (f->type == PROTOBUF_C_TYPE_MESSAGE)
			return *(void *const *)value != NULL;
		return opts->emit_defaults || !is_default(f, value);
	}
	return false;
}

static void put_message(struct ct_json__writer *w, const ProtobufCMessage *msg);

static void put_value(struct ct_json__writer *w, const ProtobufCFieldDescriptor *f,
		      const void *value)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		ct_json__put_string(w, *(char *const *)value);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		ct_json__put_bytes(w, value);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		ct_json__puts(w, *(const protobuf_c_boolean *)value != 0 ? "true" : "false");
		break;
	case PROTOBUF_C_TYPE_FLOAT:
		ct_json__put_real(w, (double)*(const float *)value, true);
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		ct_json__put_real(w, *(const double *)value, false);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		ct_json__put_enum(w, f->descriptor, *(const int *)value);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		put_message(w, *(ProtobufCMessage *const *)value);
		break;
	default:
		ct_json__put_int(w, f->type, value, false);
		break;
	}
}

static void put_key(struct ct_json__writer *w, const ProtobufCFieldDescriptor *f, const void *value)
{
	if (f->type == PROTOBUF_C_TYPE_STRING)
		ct_json__put_string(w, *(char *const *)value);
	else if (f->type == PROTOBUF_C_TYPE_BOOL)
		ct_json__puts(w,
			      *(const protobuf_c_boolean *)value != 0 ? "\"true\"" : "\"false\"");
	else
		ct_json__put_int(w, f->type, value, true);
}

static void put_entry(struct ct_json__writer *w, const ProtobufCMessage *entry)
{
	const ProtobufCFieldDescriptor *fields;
	const void *value;

	if (entry == NULL) {
		ct_json__fail(w, CT_INVALID_ARGUMENT);
		return;
	}
	fields = entry->descriptor->fields;
	value = member_of(entry, fields[1].offset);
	put_key(w, &fields[0], member_of(entry, fields[0].offset));
	ct_json__colon(w);
	if (fields[1].type == PROTOBUF_C_TYPE_MESSAGE && *(void *const *)value == NULL)
		ct_json__puts(w, "{}"); /* an entry without a value holds the default one */
	else
		put_value(w, &fields[1], value);
}

static void put_repeated(struct ct_json__writer *w, const ProtobufCMessage *msg,
			 const ProtobufCFieldDescriptor *f)
{
	const bool map = ct_json__is_map(msg->descriptor, f);
	const size_t n = *(const size_t *)member_of(msg, f->quantifier_offset);
	const char *array = *(char *const *)member_of(msg, f->offset);
	bool first = true;

	if (n > 0 && array == NULL) {
		ct_json__fail(w, CT_INVALID_ARGUMENT);
		return;
	}
	ct_json__open(w, map ? "{" : "[");
	for (size_t i = 0; w->st == CT_OK && i < n; i++) {
		const void *value = array + i * ct_json__value_size(f->type);

		ct_json__item(w, &first);
		if (map)
			put_entry(w, *(ProtobufCMessage *const *)value);
		else
			put_value(w, f, value);
	}
	ct_json__close(w, map ? "}" : "]", first);
}

static void put_name(struct ct_json__writer *w, const char *name)
{
	ct_json__put(w, "\"", 1);
	for (char c; (c = ct_json__camel_next(&name)) != '\0';)
		ct_json__put(w, &c, 1);
	ct_json__put(w, "\"", 1);
	ct_json__colon(w);
}

static void put_message(struct ct_json__writer *w, const ProtobufCMessage *msg)
{
	bool first = true;

	if (msg == NULL) { /* chosen in a oneof, or an element, and not there */
		ct_json__fail(w, CT_INVALID_ARGUMENT);
		return;
	}
	ct_json__open(w, "{");
	for (unsigned i = 0; w->st == CT_OK && i < msg->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &msg->descriptor->fields[i];

		if (!is_written(w->opts, msg, f))
			continue;
		ct_json__item(w, &first);
		put_name(w, f->name);
		if (f->label == PROTOBUF_C_LABEL_REPEATED)
			put_repeated(w, msg, f);
		else
			put_value(w, f, member_of(msg, f->offset));
	}
	ct_json__close(w, "}", first);
}

ct_status ct_json_from_message(const ProtobufCMessage *msg, const struct ct_json_opts *opts,
			       char **ret_text)
{
	static const struct ct_json_opts none = { .indent = 0 };
	struct ct_json__writer w = { .opts = opts != NULL ? opts : &none };

	CT_CHECK(w.opts->indent <= CT_JSON_INDENT_MAX);
	put_message(&w, msg);
	if (w.st != CT_OK) {
		ct_mem_free(w.text);
		return w.st;
	}
	*ret_text = w.text;
	return CT_OK;
}
