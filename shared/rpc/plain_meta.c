/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/plain_meta.h"

#include "base/check.h"
#include "rpc/varint.h"

#include <string.h>

/* A field's tag as it stands on the wire: its number, and how its value is written. */
#define TAG_VARINT(number) ((uint8_t)((number) << 3))
#define TAG_BYTES(number) ((uint8_t)((number) << 3 | 2))

/* Numbers of proto/ct/v1/meta.proto. */
enum {
	CALL_META_CALLER = 3,
	REPLY_META_TIMING = 3,
	TIMING_QUEUE = 1,
	TIMING_HANDLER = 2,
	TIMING_DOWNSTREAM = 3,
	TIMING_ADMIT = 5,
	TIMING_SERIALIZE = 6
};

bool ct_plain_call_meta(struct ct_bytes meta)
{
	return meta.len == 0 ||
	       (meta.len >= 2 && meta.ptr[0] == TAG_BYTES(CALL_META_CALLER) &&
		meta.ptr[1] <= CT_VARINT_ONE_BYTE_MAX && meta.ptr[1] == meta.len - 2);
}

const Ct__V1__CallMeta *ct_plain_call_meta_read(struct ct_bytes meta, struct ct_arena *a)
{
	const size_t len = meta.len > 0 ? meta.len - 2 : 0; /* of the caller's name */
	struct {
		Ct__V1__CallMeta meta;
		char caller[];
	} *m = ct_arena_alloc(a, sizeof(*m) + len + 1);

	CT_CHECK(ct_plain_call_meta(meta));
	if (m == NULL)
		return NULL;
	ct__v1__call_meta__init(&m->meta);
	if (len > 0)
		memcpy(m->caller, meta.ptr + 2, len);
	m->caller[len] = '\0';
	m->meta.caller = m->caller;
	return &m->meta;
}

bool ct_plain_reply_meta(const Ct__V1__ReplyMeta *meta)
{
	return meta->message[0] == '\0' && meta->n_details == 0 && meta->n_metadata == 0 &&
	       meta->timing != NULL && meta->timing->n_hops == 0;
}

static uint8_t *put(uint8_t *at, unsigned number, uint64_t v)
{
	if (v == 0)
		return at; /* as proto3 has it */
	*at++ = TAG_VARINT(number);
	return ct_varint_put(at, v);
}

size_t ct_plain_reply_meta_pack(const Ct__V1__ReplyMeta *meta,
				uint8_t out[CT_PLAIN_REPLY_META_BYTES_MAX])
{
	const Ct__V1__Timing *t = meta->timing;
	uint8_t *at = out + 2;

	at = put(at, TIMING_QUEUE, t->queue_us);
	at = put(at, TIMING_HANDLER, t->handler_us);
	at = put(at, TIMING_DOWNSTREAM, t->downstream_us);
	at = put(at, TIMING_ADMIT, t->admit_us);
	at = put(at, TIMING_SERIALIZE, t->serialize_us);
	out[0] = TAG_BYTES(REPLY_META_TIMING);
	out[1] = (uint8_t)(at - out - 2);
	return (size_t)(at - out);
}
