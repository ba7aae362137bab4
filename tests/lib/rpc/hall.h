/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_LIB_RPC_HALL_H
#define CT_TESTS_LIB_RPC_HALL_H

#include "conc/lock.h"
#include "rpc/client.h"
#include "rpc/server.h"

#include "hall/v1/hall.ct.h"

/*
 * A server of hall.v1.Hall in this process, with a gate in front of Hold,
 * HoldBatch and both Keeps, so that "all workers are busy" is a fact and not a guess.
 * What its handlers saw can be asked. Any thread.
 */
struct hall_opts {
	struct ct_server_opts server; /* rt is filled in; workers 0: 2 */
	struct ct_net_opts net;
	const char *listen;           /* NULL: tcp, a free port of the loopback */
	const struct ct_clock *clock; /* the server's; NULL: the system's */
	bool standard;                /* health and runtime services too */
};

enum { HALL_REASONS = 8, HALL_KEPT_MAX = 256 };

struct hall {
	struct ct_runtime rt;
	struct ct_server *server;

	struct ct_lock lock; /* rank APP; protects everything below */
	struct ct_cond changed;
	unsigned permits;               /* so many may go on; HALL_ALL: the gate stands open */
	unsigned entered, left;         /* handlers, all methods */
	unsigned inside, most_inside;   /* behind the gate, kept ones too */
	unsigned reasons[HALL_REASONS]; /* of those whose context tripped, by reason */
	unsigned told;                  /* Tell and its kin, for fail_first */
	unsigned orphans_ended;
	struct hall_kept *kept[HALL_KEPT_MAX];
	unsigned kept_n;
};
#define HALL_ALL UINT32_MAX

/* The gate is shut. opts NULL: all defaults. */
void hall_start(struct hall *h, const struct hall_opts *opts);
/* The same with parts of the test's own: rt is used as it is. */
ct_status hall_start_on(struct hall *h, const struct hall_opts *opts);
/* Lets everybody go, frees the server and the runtime; false: the accounting
 * identity did not hold at the end. */
bool hall_stop(struct hall *h);

const char *hall_url(const struct hall *h);
void hall_let_go(struct hall *h, unsigned n); /* or HALL_ALL */
void hall_shut(struct hall *h);               /* who comes from now on waits */
/* Until *count, a field of h, is at least n. False: it is not, in PATIENCE_MS. */
bool hall_waited(struct hall *h, const unsigned *count, unsigned n);
unsigned hall_get(struct hall *h, const unsigned *count);

struct ct_server_stats hall_stats(struct hall *h);
struct ct_net_stats hall_net_stats(struct hall *h);
/* Until a statistic, picked from a snapshot, is at least / exactly n. */
typedef uint64_t(hall_pick_fn)(const struct ct_server_stats *s);
bool hall_reached(struct hall *h, hall_pick_fn *pick, uint64_t n);
bool hall_settled(struct hall *h, hall_pick_fn *pick, uint64_t n);
uint64_t pick_in_flight(const struct ct_server_stats *s);
uint64_t pick_running(const struct ct_server_stats *s); /* workers, until they can be had again */
uint64_t pick_queued(const struct ct_server_stats *s);
uint64_t pick_connections(const struct ct_server_stats *s);
uint64_t pick_received(const struct ct_server_stats *s);

#endif
