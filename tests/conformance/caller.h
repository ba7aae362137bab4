/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFORMANCE_CALLER_H
#define CONFORMANCE_CALLER_H

#include "conc/latch.h"
#include "tests/conformance/node.h"

/* Who makes the call of a case. */
struct caller {
	struct bench *bench;
	struct ct_client *client;
	struct ct_ctx *ctx;
	struct ct_latch ended;
	struct ct_reply reply;
	ct_instant started, returned;
	bool open; /* ended, reply and client are in use */
	pid_t pid; /* a process of its own that does nothing but this call; 0: not */
	char url[128];
};

struct caller_call {
	const char *url, *key;
	const char *const *hops;
	size_t hops_n;
	uint32_t timeout_ms;
	uint32_t reply_bytes;
	bool own_process;
	bool passed; /* its context's deadline is over before it starts */
};

void caller_start(struct caller *c, struct bench *b, const struct caller_call *call);
void caller_cancel(struct caller *c);
void caller_kill(struct caller *c); /* SIGKILL, and waits for it */
/* Waits for the end; False: not within ten seconds. */
bool caller_wait(struct caller *c);
void caller_free(struct caller *c);

/* "--caller URL KEY [HOP]...": makes the call and prints its status. */
int caller_main(char **argv, int argc);

#endif
