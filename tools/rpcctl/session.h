/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPCCTL_SESSION_H
#define RPCCTL_SESSION_H

#include "rpc/client.h"
#include "rpcctl/args.h"

#include <pthread.h>

/*
 * One run of rpcctl: the runtime, a client, and a context that the interrupt
 * key cancels, so that a call given up here stops on the server too.
 */
struct session {
	const struct rpcctl_args *args;
	struct ct_runtime rt;
	struct ct_client *client;
	struct ct_ctx *ctx;    /* under it every call is made */
	struct ct_reply reply; /* of the last call */
	pthread_t watcher;
	bool watching;
};

/* Connects to urls. On an error stderr says what is wrong. */
CT_MUST_USE ct_status session_open(struct session *s, const struct rpcctl_args *args,
				   const char *const *urls, size_t urls_n);
void session_close(struct session *s);

/* What the arguments say of a call; borrows from them. */
struct ct_call_opts session_call_opts(const struct session *s);

/* One call, awaited; the reply is in s->reply. */
CT_MUST_USE ct_status session_call(struct session *s, const struct ct_method *m,
				   const ProtobufCMessage *req);

#endif
