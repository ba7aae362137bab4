/* SPDX-License-Identifier: Apache-2.0 */
#include "json_internal.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* protobuf-c's own allocator is malloc and free; so is ours, but counted. */
static void *heap_alloc(void *data, size_t size)
{
	(void)data;
	return ct_mem_alloc(size);
}

static void heap_free(void *data, void *ptr)
{
	(void)data;
	ct_mem_free(ptr);
}

static ProtobufCAllocator heap = { .alloc = heap_alloc, .free = heap_free };

void *ct_json__alloc(struct ct_json__decoder *d, size_t n, size_t size)
{
	void *p;

	if (size != 0 && n > SIZE_MAX / size)
		return NULL;
	p = d->alloc->alloc(d->alloc->allocator_data, n * size);
	if (p != NULL)
		memset(p, 0, n * size);
	return p;
}

static ct_status take_message(struct ct_json__decoder *d, const struct ct_json__path *at,
			      const ProtobufCMessageDescriptor *desc, json_t *v,
			      ProtobufCMessage **place);

static ct_status take_value(struct ct_json__decoder *d, const struct ct_json__path *at,
			    const ProtobufCFieldDescriptor *f, json_t *v, void *place)
{
	if (json_is_null(v))
		return ct_json__refuse(d, at, "null cannot stand here");
	if (f->type == PROTOBUF_C_TYPE_MESSAGE)
		return take_message(d, at, f->descriptor, v, place);
	return ct_json__scalar(d, at, f, v, place);
}

/* What init put there stays for an empty string: the shared "" of the descriptor. */
static bool is_default_string(const ProtobufCFieldDescriptor *f, const json_t *v)
{
	return f->type == PROTOBUF_C_TYPE_STRING && f->label == PROTOBUF_C_LABEL_NONE &&
	       (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 && json_is_string(v) &&
	       json_string_length(v) == 0;
}

static void set_present(ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f)
{
	const uint32_t id = f->id;

	if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
		memcpy(ct_json__quantifier(msg, f), &id, sizeof(id));
	else if (f->label == PROTOBUF_C_LABEL_OPTIONAL && f->type != PROTOBUF_C_TYPE_STRING &&
		 f->type != PROTOBUF_C_TYPE_MESSAGE)
		*(protobuf_c_boolean *)ct_json__quantifier(msg, f) = true;
}

static ct_status take_single(struct ct_json__decoder *d, const struct ct_json__path *at,
			     const ProtobufCFieldDescriptor *f, json_t *v, ProtobufCMessage *msg)
{
	uint32_t other = 0;

	if (is_default_string(f, v))
		return CT_OK;
	if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
		memcpy(&other, ct_json__quantifier(msg, f), sizeof(other));
		if (other != 0)
			return ct_json__refuse(d, at, "another field of its oneof is set too");
		/* The members share their memory: what init left there is not this one's. */
		memset(ct_json__member(msg, f), 0, ct_json__value_size(f->type));
	}
	set_present(msg, f);
	return take_value(d, at, f, v, ct_json__member(msg, f));
}

/* Gives a repeated field an array of n zeroed elements: from here on it hangs
 * off the message, complete enough to be freed with it. NULL: out of memory. */
static char *make_array(struct ct_json__decoder *d, ProtobufCMessage *msg,
			const ProtobufCFieldDescriptor *f, size_t n)
{
	char *array = ct_json__alloc(d, n, ct_json__value_size(f->type));

	if (array == NULL)
		return NULL;
	*(void **)ct_json__member(msg, f) = array;
	*(size_t *)ct_json__quantifier(msg, f) = n;
	return array;
}

static ct_status take_array(struct ct_json__decoder *d, const struct ct_json__path *at,
			    const ProtobufCFieldDescriptor *f, json_t *v, ProtobufCMessage *msg)
{
	const size_t n = json_array_size(v);
	ct_status st = CT_OK;
	char *array;

	if (!json_is_array(v))
		return ct_json__refuse(d, at, "an array is expected");
	if (n == 0)
		return CT_OK;
	array = make_array(d, msg, f, n);
	if (array == NULL)
		return ct_json__no_memory(d);
	for (size_t i = 0; st == CT_OK && i < n; i++) {
		const struct ct_json__path here = { .up = at, .index = i };

		st = take_value(d, &here, f, json_array_get(v, i),
				array + i * ct_json__value_size(f->type));
	}
	return st;
}

static ct_status take_entry(struct ct_json__decoder *d, const struct ct_json__path *at,
			    const ProtobufCMessageDescriptor *desc, json_t *v,
			    ProtobufCMessage **place)
{
	const ProtobufCFieldDescriptor *key = &desc->fields[0], *value = &desc->fields[1];
	ProtobufCMessage *entry = ct_json__alloc(d, 1, desc->sizeof_message);
	ct_status st;

	if (entry == NULL)
		return ct_json__no_memory(d);
	desc->message_init(entry);
	*place = entry; /* the array's now */
	set_present(entry, key);
	st = ct_json__map_key(d, at, key, at->name, ct_json__member(entry, key));
	return st == CT_OK ? take_single(d, at, value, v, entry) : st;
}

static ct_status take_map(struct ct_json__decoder *d, const struct ct_json__path *at,
			  const ProtobufCFieldDescriptor *f, json_t *v, ProtobufCMessage *msg)
{
	const size_t n = json_object_size(v);
	ct_status st = CT_OK;
	const char *key;
	json_t *value;
	char *array;

	if (!json_is_object(v))
		return ct_json__refuse(d, at, "an object is expected");
	if (n == 0)
		return CT_OK;
	array = make_array(d, msg, f, n);
	if (array == NULL)
		return ct_json__no_memory(d);
	json_object_foreach(v, key, value)
	{
		const struct ct_json__path here = { .up = at, .name = key };

		st = take_entry(d, &here, f->descriptor, value, (ProtobufCMessage **)(void *)array);
		if (st != CT_OK)
			break;
		array += sizeof(ProtobufCMessage *);
	}
	return st;
}

static ct_status take_member(struct ct_json__decoder *d, const struct ct_json__path *up,
			     const char *key, json_t *v, ProtobufCMessage *msg, bool *seen)
{
	const ProtobufCMessageDescriptor *desc = msg->descriptor;
	const ProtobufCFieldDescriptor *f = ct_json__find_field(desc, key);
	const struct ct_json__path here = { .up = up, .name = key };

	if (f == NULL)
		return ct_json__refuse(d, &here, "%s has no such field", desc->name);
	if (seen[f - desc->fields])
		return ct_json__refuse(d, &here, "the field is there twice, in both spellings");
	seen[f - desc->fields] = true;
	if (json_is_null(v))
		return CT_OK;
	if (ct_json__is_map(desc, f))
		return take_map(d, &here, f, v, msg);
	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		return take_array(d, &here, f, v, msg);
	return take_single(d, &here, f, v, msg);
}

static ct_status take_members(struct ct_json__decoder *d, const struct ct_json__path *at, json_t *v,
			      ProtobufCMessage *msg)
{
	const ProtobufCMessageDescriptor *desc = msg->descriptor;
	bool *seen = ct_mem_zalloc(desc->n_fields + 1, sizeof(*seen));
	ct_status st = CT_OK;
	const char *key;
	json_t *value;

	if (seen == NULL)
		return ct_json__no_memory(d);
	json_object_foreach(v, key, value)
	{
		st = take_member(d, at, key, value, msg, seen);
		if (st != CT_OK)
			break;
	}
	for (unsigned i = 0; st == CT_OK && i < desc->n_fields; i++) {
		if (desc->fields[i].label == PROTOBUF_C_LABEL_REQUIRED && !seen[i])
			st = ct_json__refuse(d, at, "the required field %s is missing",
					     desc->fields[i].name);
	}
	ct_mem_free(seen);
	return st;
}

static ct_status take_message(struct ct_json__decoder *d, const struct ct_json__path *at,
			      const ProtobufCMessageDescriptor *desc, json_t *v,
			      ProtobufCMessage **place)
{
	ProtobufCMessage *msg;

	if (!json_is_object(v))
		return ct_json__refuse(d, at, "an object is expected");
	CT_CHECK(desc->message_init != NULL);
	msg = ct_json__alloc(d, 1, desc->sizeof_message);
	if (msg == NULL)
		return ct_json__no_memory(d);
	desc->message_init(msg);
	*place = msg; /* whoever holds the place frees it, whatever happens below */
	return take_members(d, at, v, msg);
}

/* jansson's words without what it quotes from the text. It stands behind the
 * token it does not like, or behind the character where it quotes none. A NUL in
 * a key can only be a wide number that stands where a key should. */
static void syntax_error(const struct ct_json__decoder *d, json_error_t *e)
{
	static const char near[] = " near '";
	char *quote = strstr(e->text, near);
	const char *words = json_error_code(e) == json_error_null_byte_in_key ? "string expected"
									      : e->text;
	size_t at = e->position > 0 ? (size_t)e->position : 0, back = 1;

	if (quote != NULL) {
		back = strlen(quote) - strlen(near) - 1;
		*quote = '\0';
	}
	ct_json__error_at(d->scan.text, at > back ? at - back : 0, d->err, d->err_size, "%s",
			  words);
}

ct_status ct_json_to_message(struct ct_bytes text, const ProtobufCMessageDescriptor *desc,
			     ProtobufCAllocator *alloc, ProtobufCMessage **ret_msg, char err[],
			     size_t err_size)
{
	struct ct_json__decoder d = { .alloc = alloc != NULL ? alloc : &heap,
				      .err = err,
				      .err_size = err_size };
	ProtobufCMessage *msg = NULL; /* owned here until handed over */
	const char *input = "";       /* text.ptr may be NULL */
	json_t *root = NULL;
	json_error_t e;
	ct_status st;

	st = ct_json__scan_init(&d.scan, text, err, err_size);
	if (st != CT_OK)
		goto out;
	if (text.len > 0)
		input = d.scan.copy != NULL ? d.scan.copy : (const char *)text.ptr;
	root = json_loadb(input, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);
	if (root == NULL) {
		const bool no_memory = json_error_code(&e) == json_error_out_of_memory;

		syntax_error(&d, &e);
		st = no_memory ? CT_RESOURCE_EXHAUSTED : CT_INVALID_ARGUMENT;
		goto out;
	}
	st = take_message(&d, NULL, desc, root, &msg);
	if (st != CT_OK)
		goto out;
	*ret_msg = msg;
	msg = NULL; /* the caller's now */
out:
	protobuf_c_message_free_unpacked(msg, d.alloc);
	json_decref(root);
	ct_json__scan_fini(&d.scan);
	return st;
}
