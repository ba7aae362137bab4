/* SPDX-License-Identifier: Apache-2.0 */
/* What a call carries besides its request. */
#include "rpc/client_internal.h"

#include "base/mem.h"
#include "obs/trace.h"
#include "rpc/codec.h"

typedef Ct__V1__CallMeta__MetadataEntry entry;

/* Packing only reads what it is given. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static const char over_limit[] = "what goes with the call is over 8192 bytes: its metadata, "
				 "idempotency key and trace",
		  no_memory[] = "no memory for the call";

static ct_status add_metadata(struct ct_out *o, const struct ct_call_opts *opts,
			      Ct__V1__CallMeta *meta, const char **ret_why)
{
	const size_t n = opts->metadata_n;
	entry *entries, **list;

	*ret_why = over_limit;
	if (n > CT_WIRE_META_BYTES_MAX / 4)
		return CT_RESOURCE_EXHAUSTED;
	*ret_why = no_memory;
	entries = ct_arena_alloc(&o->packed, n * sizeof(*entries));
	list = ct_arena_alloc(&o->packed, n * sizeof(entry *));
	if (entries == NULL || list == NULL)
		return CT_RESOURCE_EXHAUSTED;
	for (size_t i = 0; i < n; i++) {
		const struct ct_metadata *md = &opts->metadata[i];

		*ret_why = ct_metadata_why_not(md->key, md->value);
		if (*ret_why != NULL)
			return CT_INTERNAL;
		ct__v1__call_meta__metadata_entry__init(&entries[i]);
		entries[i].key = text(md->key);
		entries[i].value = (ProtobufCBinaryData){ md->value.len,
							  (uint8_t *)(uintptr_t)md->value.ptr };
		list[i] = &entries[i];
	}
	meta->n_metadata = n;
	meta->metadata = list;
	return CT_OK;
}

bool ct_out__pack_plain_meta(struct ct_client *c)
{
	Ct__V1__CallMeta meta = CT__V1__CALL_META__INIT;
	size_t len;

	meta.caller = text(c->opts.rt->service);
	len = ct__v1__call_meta__get_packed_size(&meta);
	c->plain_meta = ct_mem_alloc(len + 1);
	if (c->plain_meta == NULL)
		return false;
	c->plain_meta_len = ct__v1__call_meta__pack(&meta, c->plain_meta);
	return true;
}

ct_status ct_out__pack_meta(struct ct_out *o, const struct ct_call_opts *opts, const char **ret_why)
{
	Ct__V1__CallMeta meta = CT__V1__CALL_META__INIT;
	const struct ct_trace above = ct_ctx_trace(&o->ctx);
	char traceparent[CT_TRACEPARENT_SIZE];
	ct_status st;

	if (ct_id_zero(&above.trace_id) && opts->idempotency_key == NULL && opts->metadata_n == 0) {
		o->meta = ct_bytes_of(o->client->plain_meta, o->client->plain_meta_len);
		return CT_OK;
	}
	meta.caller = text(o->client->opts.rt->service);
	if (!ct_id_zero(&above.trace_id)) {
		const struct ct_trace span = ct_trace_child(&above);

		ct_trace_format(&span, traceparent);
		meta.traceparent = traceparent;
	}
	if (opts->idempotency_key != NULL)
		meta.idempotency_key = text(opts->idempotency_key);
	if (opts->metadata_n > 0) {
		st = add_metadata(o, opts, &meta, ret_why);
		if (st != CT_OK)
			return st;
	}
	st = ct_codec_pack(&meta.base, CT_WIRE_META_BYTES_MAX, &o->packed, &o->meta);
	if (st != CT_OK)
		*ret_why = ct__v1__call_meta__get_packed_size(&meta) > CT_WIRE_META_BYTES_MAX
				   ? over_limit
				   : no_memory;
	return st;
}
