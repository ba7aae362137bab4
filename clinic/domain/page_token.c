/* SPDX-License-Identifier: Apache-2.0 */
#include "clinic/domain/page_token.h"

#include "base/bytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * A token is hex of: check(u32) query(u32) parts(u8) { len(u16) bytes }*,
 * big-endian. check is FNV-1a of all after it: it finds damage, not malice.
 */
enum {
	FIXED_BYTES = 9,
	RAW_BYTES_MAX = FIXED_BYTES + CLINIC_PAGE_PARTS_MAX * (2 + CLINIC_PAGE_PART_SIZE - 1),
};
_Static_assert(2 * RAW_BYTES_MAX < CLINIC_PAGE_TOKEN_SIZE, "the largest key fits in a token");

static const char digits[] = "0123456789abcdef";

uint32_t clinic_page_query_add(uint32_t query, const char *filter)
{
	for (const unsigned char *s = (const unsigned char *)filter; *s != '\0'; s++)
		query = (query ^ *s) * UINT32_C(16777619);
	return (query ^ 0xffU) *
	       UINT32_C(16777619); /* no text holds this byte: filters do not run together */
}

uint32_t clinic_page_query_add_int(uint32_t query, int64_t filter)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, filter);
	return clinic_page_query_add(query, text);
}

bool clinic_page_key_add(struct clinic_page_key *k, const char *part)
{
	const size_t len = strlen(part);

	if (k->n == CLINIC_PAGE_PARTS_MAX || len >= CLINIC_PAGE_PART_SIZE)
		return false;
	memcpy(k->part[k->n++], part, len + 1);
	return true;
}

static void put_u32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void clinic_page_token_write(uint32_t query, const struct clinic_page_key *k,
			     char out[CLINIC_PAGE_TOKEN_SIZE])
{
	uint8_t raw[RAW_BYTES_MAX];
	size_t n = FIXED_BYTES;

	put_u32(raw + 4, query);
	raw[8] = (uint8_t)k->n;
	for (size_t i = 0; i < k->n; i++) {
		const size_t len = strlen(k->part[i]);

		raw[n++] = (uint8_t)(len >> 8);
		raw[n++] = (uint8_t)len;
		memcpy(raw + n, k->part[i], len);
		n += len;
	}
	put_u32(raw, ct_fnv1a32(ct_bytes_of(raw + 4, n - 4)));
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[raw[i] >> 4];
		out[2 * i + 1] = digits[raw[i] & 15];
	}
	out[2 * n] = '\0';
}

static bool from_hex(const char *token, uint8_t *raw, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *hi = memchr(digits, token[2 * i], 16);
		const char *lo = memchr(digits, token[2 * i + 1], 16);

		if (hi == NULL || lo == NULL)
			return false;
		raw[i] = (uint8_t)((hi - digits) << 4 | (lo - digits));
	}
	return true;
}

ct_status clinic_page_token_read(const char *token, uint32_t query, size_t n,
				 struct clinic_page_key *ret_key)
{
	const size_t len = strlen(token), raw_n = len / 2;
	struct clinic_page_key k = { .n = 0 };
	uint8_t raw[RAW_BYTES_MAX];
	size_t used = FIXED_BYTES;

	if (len % 2 != 0 || raw_n < FIXED_BYTES || raw_n > sizeof(raw) ||
	    !from_hex(token, raw, raw_n))
		return CT_INVALID_ARGUMENT;
	if (get_u32(raw) != ct_fnv1a32(ct_bytes_of(raw + 4, raw_n - 4)) ||
	    get_u32(raw + 4) != query || raw[8] != n || n > CLINIC_PAGE_PARTS_MAX)
		return CT_INVALID_ARGUMENT;
	for (; k.n < n; k.n++) {
		size_t part;

		if (raw_n - used < 2)
			return CT_INVALID_ARGUMENT;
		part = (size_t)raw[used] << 8 | raw[used + 1];
		used += 2;
		if (part > raw_n - used || part >= CLINIC_PAGE_PART_SIZE ||
		    memchr(raw + used, '\0', part) != NULL)
			return CT_INVALID_ARGUMENT;
		memcpy(k.part[k.n], raw + used, part);
		k.part[k.n][part] = '\0';
		used += part;
	}
	if (used != raw_n)
		return CT_INVALID_ARGUMENT;
	*ret_key = k;
	return CT_OK;
}

uint32_t clinic_page_size(uint32_t asked, uint32_t def, uint32_t max)
{
	const uint32_t n = asked == 0 ? def : asked;

	return n < max ? n : max;
}
