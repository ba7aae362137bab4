/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding never reads outside the message, a refusal names its reason, and
 * what decodes encodes back to the same bytes with meta and payload in place.
 */
#include "base/check.h"
#include "wire/header.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ct_wire_header h;
	struct ct_bytes meta, payload;
	uint8_t again[CT_WIRE_HEADER_BYTES];
	const char *why = NULL;

	if (ct_wire_decode(ct_bytes_of(data, size), &h, &meta, &payload, &why) != CT_OK) {
		CT_CHECK(why != NULL);
		return 0;
	}
	ct_wire_encode(&h, again);
	CT_CHECK(memcmp(again, data, sizeof(again)) == 0);
	CT_CHECK(meta.ptr == data + CT_WIRE_HEADER_BYTES && meta.len == h.meta_len);
	CT_CHECK(payload.ptr == meta.ptr + meta.len);
	CT_CHECK(CT_WIRE_HEADER_BYTES + meta.len + payload.len == size);
	return 0;
}
