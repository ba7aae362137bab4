/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFORMANCE_PEER_H
#define CONFORMANCE_PEER_H

#include "rpc/server.h"
#include "tests/conformance/book.h"

/*
 * A server of conform.v1.Conform, in this process or as the main of its own.
 */
struct peer_opts {
	const char *listen; /* URL */
	uint32_t drain_ms;
	uint32_t margin_ms; /* kept back from calls to further hops */
};

struct peer;

CT_MUST_USE ct_status peer_new(const struct peer_opts *opts, struct peer **ret_peer);
const char *peer_url(const struct peer *p);
void peer_drain(struct peer *p);
/* Waits for a drain that runs; else stops at once. */
struct peer *peer_free(struct peer *p);

/* "--peer URL DRAIN_MS MARGIN_MS": prints its URL, serves until SIGTERM, drains,
 * still answers questions until SIGINT, exits 0. */
int peer_main(char **argv);

#endif
