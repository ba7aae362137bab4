/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_STAND_H
#define BENCH_STAND_H

#include "bench/ours/watch.h"
#include "load/clock.h"
#include "rpc/client.h"

#include "ct/v1/probe.ct.h"

#include <sys/types.h>

/*
 * What the measurements of stops are made on: ours-server as processes of its own, all of
 * them under one watch, and a caller in this one.
 *
 *   caller ------------------> leaf     one hop: Echo
 *   caller -----> hop -------> leaf     two hops: Chain
 *   caller ------------------> calm     Echo on a server that is never loaded
 */
enum stand_place { STAND_LEAF, STAND_HOP, STAND_CALM, STAND_PLACES };

enum { STAND_URL_MAX = 256, STAND_PATH_MAX = 512 };

struct stand_server {
	pid_t pid; /* 0: it does not run */
	char url[STAND_URL_MAX];
	struct ct_client *client;
};

struct stand {
	const char *program;             /* ours-server */
	char watch_path[STAND_PATH_MAX]; /* in a folder of its own */
	struct watch *watch;
	struct ct_runtime rt;
	struct stand_server servers[STAND_PLACES];
	uint32_t workers;       /* as started last */
	_Atomic uint32_t cells; /* how many were taken */
	struct load_real_clock clock;
};

struct stand_opts {
	uint32_t queue;   /* of each server */
	uint32_t workers; /* of the leaf and the hop */
	bool forgetful;   /* handlers of the leaf do not see that their caller gave up */
};

/* Starts the caller's side. False: stderr says why; stand_close() releases what there is.
 * One thread for all of these. */
bool stand_open(struct stand *s, const char *program);
/* Servers anew, with clients connected. False: stderr says why. */
bool stand_start(struct stand *s, const struct stand_opts *opts);
/* No call may be under way. */
void stand_stop(struct stand *s);
void stand_close(struct stand *s);

/* ---- calls: any thread ---------------------------------------------------------------- */

struct work {
	uint32_t spin_us, sleep_us;
};

/* A request for a place, one or two hops away, that names a cell of the watch. Packed when
 * a call starts, so it may be on the stack of whoever starts it. */
struct errand {
	struct ct_client *client;
	const struct ct_method *method;
	struct watch_cell *cell;
	/* private */
	uint32_t cell_i;
	Ct__V1__EchoRequest echo;
	Ct__V1__ChainRequest chain;
	char *hops[1];
};

/* The cell is fresh: it knows the deadline and the crowd. hops: 1 or 2; 0: the calm one. */
void errand_init(struct errand *e, struct stand *s, unsigned hops, struct work work,
		 int64_t deadline_ns, uint32_t crowd);
const ProtobufCMessage *errand_request(struct errand *e);

int64_t stand_now_ns(void);
void stand_pause(struct stand *s); /* some 50 us */

#endif
