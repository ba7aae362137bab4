/* SPDX-License-Identifier: Apache-2.0 */
/* What a call carries besides its request. */
#include "rpc/client_internal.h"

#include "obs/trace.h"
#include "rpc/codec.h"

typedef Ct__V1__CallMeta__MetadataEntry entry;

/* Packing only reads what it is given. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static ct_status add_metadata(struct ct_out *o, const struct ct_call_opts *opts,
			      Ct__V1__CallMeta *meta)
{
	const size_t n = opts->metadata_n;
	entry *entries, **list;

	if (n > CT_WIRE_META_BYTES_MAX / 4)
		return CT_RESOURCE_EXHAUSTED;
	entries = ct_arena_alloc(&o->packed, n * sizeof(*entries));
	list = ct_arena_alloc(&o->packed, n * sizeof(entry *));
	if (entries == NULL || list == NULL)
		return CT_RESOURCE_EXHAUSTED;
	for (size_t i = 0; i < n; i++) {
		const struct ct_metadata *md = &opts->metadata[i];

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

ct_status ct_out__pack_meta(struct ct_out *o, const struct ct_call_opts *opts)
{
	Ct__V1__CallMeta meta = CT__V1__CALL_META__INIT;
	const struct ct_trace above = ct_ctx_trace(&o->ctx);
	char traceparent[CT_TRACEPARENT_SIZE];
	ct_status st;

	meta.caller = text(o->client->opts.rt->service);
	if (!ct_id_zero(&above.trace_id)) {
		const struct ct_trace span = ct_trace_child(&above);

		ct_trace_format(&span, traceparent);
		meta.traceparent = traceparent;
	}
	if (opts->idempotency_key != NULL)
		meta.idempotency_key = text(opts->idempotency_key);
	if (opts->metadata_n > 0) {
		st = add_metadata(o, opts, &meta);
		if (st != CT_OK)
			return st;
	}
	return ct_codec_pack(&meta.base, CT_WIRE_META_BYTES_MAX, &o->packed, &o->meta);
}
