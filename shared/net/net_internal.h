/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_NET_NET_INTERNAL_H
#define CT_NET_NET_INTERNAL_H

#include "base/list.h"
#include "conc/lock.h"
#include "net/chores.h"
#include "net/names.h"
#include "net/net.h"

/*
 * What the files of net/ share about a net. Locks: net->lock (rank NET) holds the
 * lists and everything rare, conn->lock (rank CONN) one connection's traffic; the
 * first may be held when the second is taken. nng is never called with either.
 */
struct ct_net {
	unsigned tag;
	/* fixed after new; opts with the defaults filled in */
	struct ct_net_opts opts;
	const struct ct_clock *clk;
	struct ct_chores *chores;
	struct ct_names *names;
	uint32_t sweep_ms;

	struct ct_lock lock; /* rank NET; protects everything below */
	struct ct_cond gone; /* alive became 0 */
	struct ct_list conns;
	struct ct_list listeners, dialers;
	struct ct_net_stats past;   /* of connections that are gone, and refused_full */
	uint32_t connections;       /* in conns */
	uint32_t alive;             /* those, and the ones whose `closed` has not returned */
	bool sweeping;              /* the sweep timer is armed, or its function runs */
	uint32_t freed, freed_then; /* connections and buffers since the last sweep; before it */
	uint32_t heap_trims;        /* how many more of them that calls for */
	bool trimming;              /* heap_trim is with the chores */
	struct ct_timer sweep;
	struct ct_chore heap_trim;
};

/* watchdog.c: starts the periodic sweep unless it runs already. */
void ct_watchdog__wake_locked(struct ct_net *n) CT_REQUIRES(&n->lock);
void ct_watchdog__init(struct ct_net *n);
void ct_watchdog__fini(struct ct_net *n);

/* dialer.c, for the watchdog: up to max attempts that take too long, each held
 * until it is called off, which is done without the lock. */
size_t ct_dialer__overdue_locked(struct ct_net *n, ct_instant now, struct ct_dialer **ret_late,
				 size_t max) CT_REQUIRES(&n->lock);
void ct_dialer__call_off(struct ct_dialer *d);

#endif
