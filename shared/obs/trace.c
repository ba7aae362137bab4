/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/trace.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Where each part of "00-<trace id>-<span id>-<flags>" begins. */
enum {
	VERSION_AT = 0,
	ID_AT = 3,
	ID_LEN = 32,
	SPAN_AT = 36,
	SPAN_LEN = 16,
	FLAGS_AT = 53,
	BYTE_LEN = 2,
	VERSION_INVALID = 0xff,
};

static uint64_t span_new(void)
{
	uint64_t id;

	do {
		id = ct_random_u64();
	} while (id == 0);
	return id;
}

struct ct_trace ct_trace_new(void)
{
	return (struct ct_trace){ .trace_id = ct_id_new(), .span_id = span_new() };
}

struct ct_trace ct_trace_child(const struct ct_trace *parent)
{
	CT_CHECK(!ct_id_zero(&parent->trace_id));
	return (struct ct_trace){ .trace_id = parent->trace_id, .span_id = span_new() };
}

void ct_trace_format(const struct ct_trace *trace, char out[CT_TRACEPARENT_SIZE])
{
	char id[CT_ID_HEX_SIZE];
	int len;

	CT_CHECK(!ct_id_zero(&trace->trace_id));
	CT_CHECK(trace->span_id != 0);
	ct_id_to_hex(&trace->trace_id, id);
	len = snprintf(out, CT_TRACEPARENT_SIZE, "00-%s-%016" PRIx64 "-01", id, trace->span_id);
	CT_CHECK(len == CT_TRACEPARENT_LEN);
}

/* len lower-case hex digits, at most 16. */
static bool take_hex(const uint8_t *s, size_t len, uint64_t *ret_v)
{
	uint64_t v = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] >= '0' && s[i] <= '9')
			v = v << 4 | (uint64_t)(s[i] - '0');
		else if (s[i] >= 'a' && s[i] <= 'f')
			v = v << 4 | (uint64_t)(s[i] - 'a' + 10);
		else
			return false;
	}
	*ret_v = v;
	return true;
}

static bool length_fits_version(struct ct_bytes text, uint64_t version)
{
	if (version == VERSION_INVALID)
		return false;
	if (version == 0)
		return text.len == CT_TRACEPARENT_LEN;
	return text.len == CT_TRACEPARENT_LEN || text.ptr[CT_TRACEPARENT_LEN] == '-';
}

bool ct_trace_parse(struct ct_bytes text, struct ct_trace *ret_trace)
{
	struct ct_trace t;
	uint64_t version, id[2], flags;

	if (text.len < CT_TRACEPARENT_LEN)
		return false;
	if (text.ptr[ID_AT - 1] != '-' || text.ptr[SPAN_AT - 1] != '-' ||
	    text.ptr[FLAGS_AT - 1] != '-')
		return false;
	if (!take_hex(text.ptr + VERSION_AT, BYTE_LEN, &version) ||
	    !length_fits_version(text, version))
		return false;
	if (!take_hex(text.ptr + ID_AT, ID_LEN / 2, &id[0]) ||
	    !take_hex(text.ptr + ID_AT + ID_LEN / 2, ID_LEN / 2, &id[1]) ||
	    !take_hex(text.ptr + SPAN_AT, SPAN_LEN, &t.span_id) ||
	    !take_hex(text.ptr + FLAGS_AT, BYTE_LEN, &flags))
		return false;
	if ((id[0] | id[1]) == 0 || t.span_id == 0)
		return false;
	for (size_t i = 0; i < sizeof(t.trace_id.b); i++)
		t.trace_id.b[i] = (uint8_t)(id[i / 8] >> (8 * (7 - i % 8)));
	*ret_trace = t;
	return true;
}
