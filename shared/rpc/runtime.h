/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_RUNTIME_H
#define CT_RPC_RUNTIME_H

#include "conc/timers.h"
#include "net/net.h"
#include "obs/log.h"

/*
 * What servers and clients of one process share: the timer thread, the net and
 * the log. A plain struct, so that a test can put in its own.
 */
struct ct_runtime {
	struct ct_timers *timers;
	struct ct_net *net;
	struct ct_log *log;  /* NULL: silent. Not owned. */
	const char *service; /* our own name, for CallMeta.caller and log lines; static */
};

struct ct_runtime_opts {
	const char *service;    /* static */
	struct ct_log *log;     /* NULL: silent; outlives the runtime */
	struct ct_net_opts net; /* timers is filled in */
};

/* RESOURCE_EXHAUSTED: memory or threads. Servers and clients must be freed before it. */
CT_MUST_USE ct_status ct_runtime_init(struct ct_runtime *rt, const struct ct_runtime_opts *opts);
/* Waits for connections to be freed. A zeroed or half made one is fine. */
void ct_runtime_fini(struct ct_runtime *rt);

#endif
