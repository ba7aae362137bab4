/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_PLAIN_META_H
#define CT_RPC_PLAIN_META_H

#include "base/arena.h"
#include "base/bytes.h"

#include "ct/v1/meta.pb-c.h"

#include <stdbool.h>

/*
 * The metas that nearly every call carries, read and written without the generic
 * codec, which would take a quarter of all the time of a small call. Byte for byte
 * what it would make, and field for field what it would read. Pure.
 */

/* A CallMeta that names the caller and holds nothing else, or an empty one. */
bool ct_plain_call_meta(struct ct_bytes meta);
/* Reads one that is. It lives in the arena; NULL: no memory. */
const Ct__V1__CallMeta *ct_plain_call_meta_read(struct ct_bytes meta, struct ct_arena *a);

enum { CT_PLAIN_REPLY_META_BYTES_MAX = 64 };

/* Whether a ReplyMeta says nothing but how long things took here. */
bool ct_plain_reply_meta(const Ct__V1__ReplyMeta *meta);
/* Packs one that does; returns its length. */
size_t ct_plain_reply_meta_pack(const Ct__V1__ReplyMeta *meta,
				uint8_t out[CT_PLAIN_REPLY_META_BYTES_MAX]);

#endif
