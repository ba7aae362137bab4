/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFORMANCE_CASES_H
#define CONFORMANCE_CASES_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The table: what happens, while the call is where, over which transport, over
 * how many hops, with the servers where. Every combination is a case or says
 * why it cannot be one.
 */
#define EVENTS(X)                                                      \
	X(DEADLINE, "deadline") /* the caller's deadline passes */     \
	X(CANCEL, "cancel")     /* the caller cancels */               \
	X(KILLED, "killed")     /* the caller's process is killed */   \
	X(CUT, "cut")           /* the connection is cut */            \
	X(DRAIN, "drain")       /* a server drains, its grace ends */  \
	X(OVERTAKE, "overtake") /* the cancel comes before its call */ \
	X(PASSED, "passed")     /* the deadline is over on arrival */

#define STAGES(X)                                                         \
	X(QUEUED, "queued")     /* in the last server's queue */          \
	X(RUNNING, "running")   /* in the last server's handler */        \
	X(WAITING, "waiting")   /* the first server waits for the next */ \
	X(REPLYING, "replying") /* the reply is on its way to the caller */

enum event {
#define X(name, text) EV_##name,
	EVENTS(X)
#undef X
		EV_N
};

enum stage {
#define X(name, text) ST_##name,
	STAGES(X)
#undef X
		ST_N
};

/* How a call ends on one server, by its counters. */
#define ENDS(X)                                   \
	X(NOTHING, "nothing received")            \
	X(OK, "ok")                               \
	X(APP_ERROR, "app_error")                 \
	X(REFUSED, "refused")                     \
	X(EXPIRED_QUEUED, "expired_queued")       \
	X(EXPIRED_RUNNING, "expired_running")     \
	X(CANCELLED_QUEUED, "cancelled_queued")   \
	X(CANCELLED_RUNNING, "cancelled_running") \
	X(PEER_GONE, "peer_gone")                 \
	X(EXPIRED_EARLY, "refused or expired_queued")

enum end {
#define X(name, text) END_##name,
	ENDS(X)
#undef X
};

struct side {
	enum end end;
	bool entered;       /* the handler ran */
	const char *reason; /* why its context was tripped, as it saw it; "": it was not */
};

struct expectation {
	const char *not_applicable; /* NULL: a case */
	bool no_caller;             /* it is dead */
	ct_status caller;
	struct side last;  /* with one hop the only server */
	struct side front; /* with two hops the first */
};

struct combination {
	enum event event;
	enum stage stage;
	bool ipc, two_hops, own_process;
};

const char *event_name(enum event e);
const char *stage_name(enum stage s);
const char *end_name(enum end e);

struct expectation expect(const struct combination *c);

#endif
