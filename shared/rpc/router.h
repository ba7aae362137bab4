/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_ROUTER_H
#define CT_RPC_ROUTER_H

#include "obs/hist.h"
#include "obs/mean.h"
#include "obs/median.h"
#include "rpc/server.h"

#include <stdatomic.h>

/*
 * From the header's method hash to who answers it. Filled before the first
 * listen, read without a lock afterwards.
 */
struct ct_route {
	const struct ct_method *method;
	ct_stub_handler_fn *invoke;
	const void *handlers;
	void *impl;
	/* relaxed atomics: statistics and an estimate */
	_Atomic uint64_t calls, errors; /* of those that were admitted */
	_Atomic uint64_t refused;
	_Atomic uint64_t in_flight; /* admitted and not ended */
	struct ct_median usual;     /* from its handler's start to its answer */
	struct ct_median busy;      /* from its start on a worker until that is free again */
	struct ct_mean load;        /* the same, what many of them take together */
	struct ct_hist handler_us, cancel_to_stop_us;
};

struct ct_router {
	struct ct_route **slots; /* open addressing, a power of two, at most half full */
	size_t slots_n, routes_n;
};

void ct_router_init(struct ct_router *r);
void ct_router_fini(struct ct_router *r);

/* ALREADY_EXISTS: its hash is there. RESOURCE_EXHAUSTED: memory. */
CT_MUST_USE ct_status ct_router_add(struct ct_router *r, const struct ct_method *m,
				    ct_stub_handler_fn *invoke, const void *handlers, void *impl);

/* NULL: no such method. */
struct ct_route *ct_router_find(const struct ct_router *r, uint32_t hash);

/* The i-th route in no special order, NULL past the last; for listings. */
struct ct_route *ct_router_at(const struct ct_router *r, size_t i);

#endif
