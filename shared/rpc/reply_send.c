/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/server_internal.h"

#include "base/check.h"
#include "rpc/outbox.h"
#include "rpc/plain_meta.h"

#define US_PER_MS UINT64_C(1000)

/* Packs meta within its limit; what is nice to have goes first. */
static size_t pack_meta(Ct__V1__ReplyMeta *meta, uint8_t out[CT_WIRE_META_BYTES_MAX])
{
	size_t len;

	if (ct_plain_reply_meta(meta))
		return ct_plain_reply_meta_pack(meta, out);
	len = ct__v1__reply_meta__get_packed_size(meta);
	if (len > CT_WIRE_META_BYTES_MAX && meta->timing != NULL) {
		meta->timing->n_hops = 0;
		len = ct__v1__reply_meta__get_packed_size(meta);
	}
	if (len > CT_WIRE_META_BYTES_MAX) {
		meta->n_details = 0;
		len = ct__v1__reply_meta__get_packed_size(meta);
	}
	CT_CHECK(len <= CT_WIRE_META_BYTES_MAX); /* message is cut to CT_CALL_MESSAGE_MAX */
	return len > 0 ? ct__v1__reply_meta__pack(meta, out) : 0;
}

ct_status ct_srv__try_reply(struct ct_conn *conn, const struct ct_sp_route *to,
			    const struct ct_wire_header *call, const struct ct_reply_head *head,
			    Ct__V1__ReplyMeta *meta, struct ct_bytes payload)
{
	uint8_t header[CT_WIRE_HEADER_BYTES], meta_bytes[CT_WIRE_META_BYTES_MAX];
	Ct__V1__ReplyMeta bare = CT__V1__REPLY_META__INIT;
	struct ct_wire_header h = {
		.kind = CT_WIRE_REPLY,
		.code = (uint8_t)head->status,
		.attempt = call->attempt,
		.budget_us = head->retry_after_ms * US_PER_MS,
		.cancel_id = call->cancel_id,
	};
	struct ct_bytes parts[3];

	if (meta == NULL)
		meta = &bare;
	meta->message = (char *)(uintptr_t)head->message; /* packing only reads it */
	h.meta_len = (uint32_t)pack_meta(meta, meta_bytes);
	h.flags = (uint8_t)((head->not_processed ? CT_WIRE_NOT_PROCESSED : 0) |
			    (head->no_retry ? CT_WIRE_NO_RETRY : 0));
	ct_wire_encode(&h, header);
	parts[0] = ct_bytes_of(header, sizeof(header));
	parts[1] = ct_bytes_of(meta_bytes, h.meta_len);
	parts[2] = payload;
	return ct_outbox__send(conn, to, parts);
}

bool ct_srv__reply(struct ct_server *s, struct ct_conn *conn, const struct ct_sp_route *to,
		   const struct ct_wire_header *call, const struct ct_reply_head *head)
{
	const ct_status st = ct_srv__try_reply(conn, to, call, head, NULL, CT_BYTES_NONE);

	if (st == CT_OK)
		return true;
	if (st != CT_UNAVAILABLE)
		ct_srv__count(&s->replies_lost);
	ct_conn_close(conn, CT_RESOURCE_EXHAUSTED);
	return false;
}
