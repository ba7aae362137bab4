/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_FANOUT_H
#define CT_RPC_FANOUT_H

#include "rpc/client.h"

/*
 * N calls under one child context, joined. The join runs exactly once, after
 * every leg has ended, so nothing of the caller's is touched by a leg after it.
 *
 *   new -> start* -> seal -> (legs end) -> join -> free (by the owner, in or after join)
 *
 * One thread starts the legs; legs may end meanwhile on any thread.
 */
struct ct_fanout;

enum ct_fanout_policy {
	CT_FANOUT_PARTIAL,     /* legs do not touch each other */
	CT_FANOUT_FIRST_ERROR, /* the first leg that fails cancels the rest (reason SIBLING) */
};

/* Runs exactly once, on the thread that ends the last leg or in seal(). May
 * free the fanout. first_error: OK, or the status of the leg that failed first. */
typedef void(ct_join_fn)(struct ct_fanout *f, void *arg, ct_status first_error);

struct ct_fanout_opts {
	struct ct_ctx *parent; /* the legs run under a child of it; NULL is not allowed */
	ct_instant deadline;   /* for all legs; CT_NEVER: the parent's */
	enum ct_fanout_policy policy;
	uint16_t legs_max; /* 1..1024 */
	ct_join_fn *join;
	void *arg;
};
/* RESOURCE_EXHAUSTED: memory; nothing was started. */
CT_MUST_USE ct_status ct_fanout_new(const struct ct_fanout_opts *opts,
				    struct ct_fanout **ret_fanout);

/* Starts a leg; done runs when it ends, before the join. More than legs_max is
 * a programming error. */
void ct_fanout_start(struct ct_fanout *f, struct ct_client *c, const struct ct_method *m,
		     const ProtobufCMessage *req, ct_done_fn *done, void *arg);
/* No more legs. The join may run inside. */
void ct_fanout_seal(struct ct_fanout *f);
/* Only once the join has run (or before the first start). NULL ok; returns NULL. */
struct ct_fanout *ct_fanout_free(struct ct_fanout *f);

#endif
