/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFORMANCE_NODE_H
#define CONFORMANCE_NODE_H

#include "rpc/client.h"
#include "tests/conformance/peer.h"

#include "ct/v1/runtime.pb-c.h"

#include <sys/types.h>

/*
 * One server of a case, in this process or in its own, and the control
 * connection that asks it what it saw (past any proxy).
 */
struct node {
	struct peer *peer; /* in this process */
	pid_t pid;         /* in its own; 0: not */
	bool draining;
	char url[128];
	struct ct_client *control;
};

/* What the harness itself runs on. */
struct bench {
	struct ct_runtime rt;
	struct ct_ctx *root;
	char dir[64];
};

void bench_init(struct bench *b);
void bench_fini(struct bench *b);

struct node_opts {
	bool own_process, ipc;
	uint32_t drain_ms, margin_ms;
};
void node_start(struct node *n, struct bench *b, const struct node_opts *opts);
/* The process must exit 0. False: it did not. */
bool node_stop(struct node *n);
void node_drain(struct node *n);

/* What the server's own counters say of Conform/Work and of all calls. */
struct node_counts {
	uint64_t work_ok, app_error, refused, expired_queued, expired_running, cancelled_queued,
		cancelled_running, peer_gone, received_work;
	uint32_t queued;
	uint64_t in_flight; /* without the question itself */
	bool identity_ok;
};
/* False: it does not answer. */
bool node_counts(struct node *n, struct node_counts *ret);
/* How many calls ended in each way since b was taken; the rest of a stays. */
void node_counts_subtract(struct node_counts *a, const struct node_counts *b);
void node_counts_text(const struct node_counts *c, char *out, size_t size);
/* False too when it does not answer. */
bool node_has_in_flight(struct node *n, uint64_t calls);
bool node_has_replied(struct node *n, const struct node_counts *before);

struct node_seen {
	bool entered, left;
	char reason[16];
	uint64_t stopped_after_us;
};
bool node_seen(struct node *n, const char *key, struct node_seen *ret);
void node_release(struct node *n, const char *key);

/* Waits until is(arg), asked again every millisecond, for at most ten seconds. */
bool bench_until(struct bench *b, bool (*is)(void *arg), void *arg);

#endif
