/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_SERVICES_PROBE_H
#define CT_RPC_SERVICES_PROBE_H

#include "rpc/client.h"
#include "rpc/server.h"

/*
 * ct.v1.Probe: what tests, benchmarks and operators call to see deadlines,
 * cancellation and load at work. Echo burns CPU and waits on the worker it was
 * given, as a real handler would; both stop within 500 us of a tripped context.
 */
struct ct_probe {
	/* The client of a peer; NULL: no such peer. Any thread. */
	struct ct_client *(*find)(void *arg, const char *peer);
	void *arg;
};

/* Before the first listen. probe is borrowed and outlives the server. Errors as
 * ct_server_add(). */
CT_MUST_USE ct_status ct_probe_add(struct ct_server *s, const struct ct_probe *probe);

#endif
