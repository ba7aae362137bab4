/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_NET_LOOKUP_H
#define CT_NET_LOOKUP_H

#include "base/attrs.h"
#include "base/status.h"
#include "net/address.h"

/* One question to the system's resolver. */
enum { CT_LOOKUP_MAX = 64 }; /* addresses of one name; what is over is dropped */

struct ct_lookup {
	char urls[CT_LOOKUP_MAX][CT_ADDRESS_URL_SIZE]; /* numeric, sorted, no two alike */
	size_t n;
};

/* Blocks as long as the resolver likes. UNAVAILABLE: no such name, or no answer. */
CT_MUST_USE ct_status ct_lookup(const struct ct_address *a, struct ct_lookup *ret_found);

#endif
