/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/metadata.h"

#include "rpc/codec.h"
#include "rpc/plain_meta.h"
#include "rpc/reply_internal.h"
#include "rpc/server_internal.h"

#include <string.h>

typedef Ct__V1__CallMeta__MetadataEntry call_entry;
typedef Ct__V1__ReplyMeta__MetadataEntry reply_entry;

static const char key_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
static const char own_prefix[] = "ct-", binary_suffix[] = "-bin";

enum { PRINTABLE_FIRST = 0x20, PRINTABLE_LAST = 0x7e };

static struct ct_bytes bytes_of(const ProtobufCBinaryData *b)
{
	return ct_bytes_of(b->data, b->len);
}

/* ---- rules ------------------------------------------------------------------- */

bool ct_metadata_is_binary(const char *key)
{
	const size_t len = strlen(key), end = sizeof(binary_suffix) - 1;

	return len >= end && strcmp(key + len - end, binary_suffix) == 0;
}

/* The rules for what is received: there, the runtime's own keys may be newer than we. */
static const char *broken_rule(const char *key, struct ct_bytes value)
{
	const size_t len = strlen(key);

	if (len == 0 || strspn(key, key_chars) != len)
		return "a metadata key is made of a-z, 0-9, '-', '_' and '.'";
	if (ct_metadata_is_binary(key))
		return NULL;
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] < PRINTABLE_FIRST || value.ptr[i] > PRINTABLE_LAST)
			return "a metadata value is printable ASCII, unless its key ends in -bin";
	return NULL;
}

const char *ct_metadata_why_not(const char *key, struct ct_bytes value)
{
	if (strncmp(key, own_prefix, sizeof(own_prefix) - 1) == 0)
		return "metadata keys that begin with ct- are the runtime's own";
	return broken_rule(key, value);
}

/* ---- of a call ------------------------------------------------------------------ */

const char *ct_call__metadata_broken(struct ct_call *c)
{
	const Ct__V1__CallMeta *meta;

	if (ct_plain_call_meta(c->meta_bytes))
		return NULL;
	meta = ct_call__meta(c);
	for (size_t i = 0; i < meta->n_metadata; i++) {
		const call_entry *e = meta->metadata[i];
		const char *broken = broken_rule(e->key, bytes_of(&e->value));

		if (broken != NULL)
			return broken;
	}
	return NULL;
}

bool ct_call_metadata(const struct ct_call *c, const char *key, struct ct_bytes *ret_value)
{
	const Ct__V1__CallMeta *meta = ct_call_meta(c);

	for (size_t i = meta->n_metadata; i > 0; i--) {
		const call_entry *e = meta->metadata[i - 1];

		if (strcmp(e->key, key) != 0)
			continue;
		*ret_value = bytes_of(&e->value);
		return true;
	}
	return false;
}

/* ---- of a reply ------------------------------------------------------------------ */

static reply_entry *given(const struct ct_call *c, const char *key)
{
	for (size_t i = 0; i < c->metadata_n; i++)
		if (strcmp(c->metadata[i]->key, key) == 0)
			return c->metadata[i];
	return NULL;
}

static reply_entry *make_entry(struct ct_call *c, const char *key)
{
	reply_entry *e = ct_arena_alloc(&c->arena, sizeof(*e));
	char *name = ct_arena_strdup(&c->arena, key);

	if (e == NULL || name == NULL)
		return NULL;
	ct__v1__reply_meta__metadata_entry__init(e);
	e->key = name;
	return e;
}

ct_status ct_call_add_metadata(struct ct_call *c, const char *key, struct ct_bytes value)
{
	reply_entry *old = given(c, key), *e = old;
	const size_t before = old != NULL ? strlen(key) + old->value.len : 0;
	const size_t bytes = c->metadata_bytes - before + strlen(key) + value.len;
	void *copy;

	if (ct_metadata_why_not(key, value) != NULL)
		return CT_INTERNAL;
	if (bytes > CT_CALL_METADATA_BYTES_MAX ||
	    (old == NULL && c->metadata_n == CT_CALL_METADATA_MAX))
		return CT_RESOURCE_EXHAUSTED;
	copy = ct_arena_copy(&c->arena, value);
	if (old == NULL)
		e = make_entry(c, key);
	if (copy == NULL || e == NULL)
		return CT_RESOURCE_EXHAUSTED;
	e->value = (ProtobufCBinaryData){ value.len, copy };
	if (old == NULL)
		c->metadata[c->metadata_n++] = e;
	c->metadata_bytes = bytes;
	return CT_OK;
}

void ct_reply__drop_broken_metadata(Ct__V1__ReplyMeta *meta)
{
	size_t n = 0;

	for (size_t i = 0; i < meta->n_metadata; i++) {
		reply_entry *e = meta->metadata[i];

		if (broken_rule(e->key, bytes_of(&e->value)) == NULL)
			meta->metadata[n++] = e;
	}
	meta->n_metadata = n;
}

bool ct_reply_metadata(const struct ct_reply *r, const char *key, struct ct_bytes *ret_value)
{
	const Ct__V1__ReplyMeta *meta = ct_reply_meta(r);

	for (size_t i = meta != NULL ? meta->n_metadata : 0; i > 0; i--) {
		const reply_entry *e = meta->metadata[i - 1];

		if (strcmp(e->key, key) != 0)
			continue;
		*ret_value = bytes_of(&e->value);
		return true;
	}
	return false;
}
