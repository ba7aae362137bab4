/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/codec.h"
#include "rpc/reply_internal.h"

enum { CHUNK_BYTES = 2048, ARENA_BYTES_MAX = 64 * 1024 * 1024 };

void ct_reply_init(struct ct_reply *r)
{
	*r = (struct ct_reply){ .status = CT_UNKNOWN, .message = "", .peer = "" };
	ct_arena_init(&r->arena, CHUNK_BYTES, ARENA_BYTES_MAX);
}

void ct_reply_fini(struct ct_reply *r)
{
	ct_arena_fini(&r->arena);
}

void ct_reply__reset(struct ct_reply *r)
{
	const struct ct_arena arena = r->arena;

	*r = (struct ct_reply){ .status = CT_UNKNOWN, .message = "", .peer = "", .arena = arena };
	ct_arena_reset(&r->arena);
}

const Ct__V1__ReplyMeta *ct_reply_meta(const struct ct_reply *r)
{
	struct ct_reply *mine = (struct ct_reply *)(uintptr_t)r; /* what it says stays the same */
	ProtobufCMessage *m;

	if (r->meta == NULL && r->meta_bytes.ptr != NULL &&
	    ct_codec_unpack(&ct__v1__reply_meta__descriptor, r->meta_bytes, &mine->arena, &m) ==
		    CT_OK) {
		ct_reply__drop_broken_metadata((Ct__V1__ReplyMeta *)m);
		mine->meta = (const Ct__V1__ReplyMeta *)m;
	}
	return r->meta;
}

void ct_reply_move(struct ct_reply *to, struct ct_reply *from)
{
	ct_reply_fini(to);
	*to = *from; /* with the arena, whose chunks hold everything else */
	ct_reply_init(from);
}
