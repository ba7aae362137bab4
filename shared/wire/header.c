/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/header.h"

#include "base/check.h"
#include "wire/cursor.h"

_Static_assert(CT_WIRE_HEADER_BYTES == 4 + 1 + 1 + 1 + 1 + 8 + sizeof(struct ct_id) + 4 + 4,
	       "layout and size agree");

/* What each kind allows; a row that is all zero is no kind. */
struct kind_rule {
	uint8_t flags; /* those that may be set */
	uint8_t code_min, code_max;
	bool attempt, budget;     /* false: must be 0 */
	bool attempt_0, budget_0; /* may be 0 where it is used */
	bool id_0;                /* cancel_id may be zero */
	bool method, payload;     /* may be there */
};

static const struct kind_rule kind_rules[] = {
	[CT_WIRE_CALL] = { .flags = CT_WIRE_IDEMPOTENT,
			   .code_max = CT_CRIT_CRITICAL,
			   .attempt = true,
			   .budget = true,
			   .method = true,
			   .payload = true },
	[CT_WIRE_CANCEL] = { .code_min = 1, .code_max = 6 },
	[CT_WIRE_REPLY] = { .flags = CT_WIRE_NOT_PROCESSED | CT_WIRE_NO_RETRY,
			    .code_max = UINT8_MAX, /* one that we do not know is UNKNOWN */
			    .attempt = true,
			    .budget = true,
			    .attempt_0 = true,
			    .budget_0 = true,
			    .id_0 = true,
			    .payload = true },
};

void ct_wire_encode(const struct ct_wire_header *h, uint8_t out[CT_WIRE_HEADER_BYTES])
{
	uint8_t *p = out;

	CT_CHECK(h->meta_len <= CT_WIRE_META_BYTES_MAX);
	ct_put_be32(&p, CT_WIRE_MAGIC);
	ct_put_u8(&p, (uint8_t)h->kind);
	ct_put_u8(&p, h->flags);
	ct_put_u8(&p, h->code);
	ct_put_u8(&p, h->attempt);
	ct_put_be64(&p, h->budget_us);
	ct_put_bytes(&p, h->cancel_id.b, sizeof(h->cancel_id.b));
	ct_put_be32(&p, h->method);
	ct_put_be32(&p, h->meta_len);
	CT_CHECK(p == out + CT_WIRE_HEADER_BYTES);
}

/* NULL: the header keeps its kind's rule. Else the first thing that breaks it. */
static const char *broken_rule(const struct ct_wire_header *h, const struct kind_rule *r)
{
	if ((h->flags & ~r->flags) != 0)
		return "unknown flag";
	if (h->code < r->code_min || h->code > r->code_max)
		return "code out of range";
	if (!r->attempt && h->attempt != 0)
		return "attempt where none belongs";
	if (r->attempt && !r->attempt_0 && h->attempt == 0)
		return "attempt 0";
	if (!r->budget && h->budget_us != 0)
		return "budget where none belongs";
	if (r->budget && !r->budget_0 && h->budget_us == 0)
		return "budget 0";
	if (!r->id_0 && ct_id_zero(&h->cancel_id))
		return "cancel id of zero";
	if (!r->method && h->method != 0)
		return "method where none belongs";
	return NULL;
}

/* The fields in the order of the picture in the header file. */
static bool take_fields(struct ct_bytes *msg, uint8_t *ret_kind, struct ct_wire_header *ret_h)
{
	struct ct_bytes id;

	if (!ct_take_u8(msg, ret_kind) || !ct_take_u8(msg, &ret_h->flags) ||
	    !ct_take_u8(msg, &ret_h->code) || !ct_take_u8(msg, &ret_h->attempt) ||
	    !ct_take_be64(msg, &ret_h->budget_us) ||
	    !ct_take_bytes(msg, sizeof(ret_h->cancel_id.b), &id) ||
	    !ct_take_be32(msg, &ret_h->method) || !ct_take_be32(msg, &ret_h->meta_len))
		return false;
	memcpy(ret_h->cancel_id.b, id.ptr, sizeof(ret_h->cancel_id.b));
	return true;
}

static const char *decode_header(struct ct_bytes *msg, struct ct_wire_header *h)
{
	const char *why;
	uint32_t magic;
	uint8_t kind;

	if (!ct_take_be32(msg, &magic) || magic != CT_WIRE_MAGIC)
		return "no CTR1 magic";
	if (!take_fields(msg, &kind, h))
		return "shorter than a header";
	if (kind < CT_WIRE_CALL || kind > CT_WIRE_REPLY)
		return "unknown kind";
	h->kind = (enum ct_wire_kind)kind;
	why = broken_rule(h, &kind_rules[kind]);
	if (why != NULL)
		return why;
	if (h->meta_len > CT_WIRE_META_BYTES_MAX)
		return "meta over its limit";
	return NULL;
}

static const char *decode(struct ct_bytes *msg, struct ct_wire_header *h, struct ct_bytes *meta)
{
	const char *why = decode_header(msg, h);

	if (why != NULL)
		return why;
	if (!ct_take_bytes(msg, h->meta_len, meta))
		return "meta longer than the message";
	if (!kind_rules[h->kind].payload && msg->len != 0)
		return "payload where none belongs";
	return NULL;
}

ct_status ct_wire_decode(struct ct_bytes msg, struct ct_wire_header *ret_h,
			 struct ct_bytes *ret_meta, struct ct_bytes *ret_payload,
			 const char **ret_why)
{
	struct ct_wire_header h = { 0 };
	struct ct_bytes meta = CT_BYTES_NONE;
	const char *why = decode(&msg, &h, &meta);

	if (why != NULL) {
		*ret_why = why;
		return CT_INVALID_ARGUMENT;
	}
	*ret_h = h;
	*ret_meta = meta;
	*ret_payload = msg;
	return CT_OK;
}

ct_status ct_wire_decode_header(struct ct_bytes msg, struct ct_wire_header *ret_h,
				const char **ret_why)
{
	struct ct_wire_header h = { 0 };
	const char *why = decode_header(&msg, &h);

	if (why != NULL) {
		*ret_why = why;
		return CT_INVALID_ARGUMENT;
	}
	*ret_h = h;
	return CT_OK;
}
