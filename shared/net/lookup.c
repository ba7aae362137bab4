/* SPDX-License-Identifier: Apache-2.0 */
#include "net/lookup.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int compare_urls(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void sort_and_drop_doubles(struct ct_lookup *l)
{
	size_t kept = 0;

	qsort(l->urls, l->n, sizeof(l->urls[0]), compare_urls);
	for (size_t i = 0; i < l->n; i++) {
		if (kept > 0 && strcmp(l->urls[i], l->urls[kept - 1]) == 0)
			continue;
		if (kept != i)
			memcpy(l->urls[kept], l->urls[i], sizeof(l->urls[i]));
		kept++;
	}
	l->n = kept;
}

/* Writes the URL of one socket address; false when it has no numeric form. */
static bool numeric_url(const struct addrinfo *ai, uint16_t port, char out[CT_ADDRESS_URL_SIZE])
{
	struct ct_address a = { .port = port };

	if (getnameinfo(ai->ai_addr, ai->ai_addrlen, a.host, sizeof(a.host), NULL, 0,
			NI_NUMERICHOST) != 0)
		return false;
	ct_address_url(&a, out);
	return true;
}

ct_status ct_lookup(const struct ct_address *a, struct ct_lookup *ret_found)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;

	ret_found->n = 0;
	if (a->ipc) {
		ct_address_url(a, ret_found->urls[ret_found->n++]);
		return CT_OK;
	}
	if (getaddrinfo(a->host, NULL, &hints, &list) != 0)
		return CT_UNAVAILABLE;
	for (struct addrinfo *ai = list; ai != NULL && ret_found->n < CT_LOOKUP_MAX;
	     ai = ai->ai_next)
		ret_found->n += numeric_url(ai, a->port, ret_found->urls[ret_found->n]) ? 1 : 0;
	freeaddrinfo(list);
	sort_and_drop_doubles(ret_found);
	return ret_found->n > 0 ? CT_OK : CT_UNAVAILABLE;
}
