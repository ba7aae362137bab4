/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_NET_ADDRESS_H
#define CT_NET_ADDRESS_H

#include "base/attrs.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * URLs of peers: "tcp://host:port", "tcp://[v6 host]:port", "ipc:///path". The
 * table of schemes in address.c is the one place that knows what they are.
 * Pure: no name is looked up here.
 */
enum { CT_ADDRESS_HOST_SIZE = 256, CT_ADDRESS_PATH_SIZE = 108, CT_ADDRESS_URL_SIZE = 272 };

struct ct_address {
	bool ipc;                        /* else tcp */
	char host[CT_ADDRESS_HOST_SIZE]; /* tcp: a name or a number, no brackets; "": any */
	char path[CT_ADDRESS_PATH_SIZE]; /* ipc: absolute */
	uint16_t port;                   /* tcp; 0: any free one */
};

/* INVALID_ARGUMENT: not a URL of a scheme that is built in; *ret_why (static) says how. */
CT_MUST_USE ct_status ct_address_parse(const char *url, struct ct_address *ret_a,
				       const char **ret_why);

/* INVALID_ARGUMENT: nobody can connect there (no host, port 0). */
CT_MUST_USE ct_status ct_address_check_dial(const struct ct_address *a, const char **ret_why);

/* The URL again, with brackets around a v6 host; a host of "" reads "*". */
void ct_address_url(const struct ct_address *a, char out[CT_ADDRESS_URL_SIZE]);

#endif
