/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLINIC_DOMAIN_PAGE_TOKEN_H
#define CLINIC_DOMAIN_PAGE_TOKEN_H

#include "base/attrs.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where a list goes on: the sort key of the last item of a page, as text that
 * callers hand back and do not read. It is bound to the query it came from, so
 * that it cannot be used with other filters by mistake. It is no secret and
 * protects nothing. Pure functions, any thread.
 */
enum {
	CLINIC_PAGE_PARTS_MAX = 4,
	CLINIC_PAGE_PART_SIZE = 1024,  /* of one part, with its NUL */
	CLINIC_PAGE_TOKEN_SIZE = 8256, /* of a token, with its NUL */
};

/* The sort key; texts, numbers are written by the caller. */
struct clinic_page_key {
	char part[CLINIC_PAGE_PARTS_MAX][CLINIC_PAGE_PART_SIZE];
	size_t n;
};

/* Names a query: start with CLINIC_PAGE_QUERY, add each filter. */
#define CLINIC_PAGE_QUERY UINT32_C(2166136261)
uint32_t clinic_page_query_add(uint32_t query, const char *filter);
uint32_t clinic_page_query_add_int(uint32_t query, int64_t filter);

/* A part of the key. False: it is too long, or the key is full. */
CT_MUST_USE bool clinic_page_key_add(struct clinic_page_key *k, const char *part);

void clinic_page_token_write(uint32_t query, const struct clinic_page_key *k,
			     char out[CLINIC_PAGE_TOKEN_SIZE]);

/* INVALID_ARGUMENT: no token of ours, of another query, or not with n parts. */
CT_MUST_USE ct_status clinic_page_token_read(const char *token, uint32_t query, size_t n,
					     struct clinic_page_key *ret_key);

/* How many items a page has: asked 0: def; more than max: max. */
uint32_t clinic_page_size(uint32_t asked, uint32_t def, uint32_t max);

#endif
