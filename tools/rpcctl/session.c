/* SPDX-License-Identifier: Apache-2.0 */
#include "rpcctl/session.h"

#include "base/check.h"
#include "conc/latch.h"
#include "conc/thread.h"
#include "obs/trace.h"

#include <signal.h>
#include <stdio.h>

/* Waits for the interrupt key; session_close() ends it with SIGUSR1. */
static void *watch_signals(void *arg)
{
	struct session *s = arg;
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	while (sigwait(&set, &sig) == 0 && sig != SIGUSR1)
		(void)ct_ctx_cancel(s->ctx, CT_CANCEL_CALLER);
	return NULL;
}

static ct_status start_watching(struct session *s)
{
	sigset_t set;
	ct_status st;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	CT_CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	st = ct_thread_start(&s->watcher, "rpcctl-signals", watch_signals, s);
	s->watching = st == CT_OK;
	return st;
}

ct_status session_open(struct session *s, const struct rpcctl_args *args, const char *const *urls,
		       size_t urls_n)
{
	const struct ct_runtime_opts ro = { .service = "rpcctl" };
	const struct ct_client_opts co = {
		.rt = &s->rt,
		.peer = "server",
		.urls = urls,
		.urls_n = urls_n,
		.resolve_ms = 1000,
		.connections = args->bench.connections,
		.outstanding_max = args->bench.outstanding,
	};
	const char *why = "no memory or threads";
	ct_status st;

	*s = (struct session){ .args = args };
	ct_reply_init(&s->reply);
	st = ct_runtime_init(&s->rt, &ro);
	if (st == CT_OK)
		st = ct_ctx_new_root(s->rt.timers, CT_NEVER, &s->ctx);
	if (st == CT_OK) {
		ct_ctx_set_trace(s->ctx, ct_trace_new());
		st = start_watching(s);
	}
	if (st == CT_OK)
		st = ct_client_new(&co, &s->client, &why);
	if (st != CT_OK) {
		fprintf(stderr, "rpcctl: %s: %s\n", urls_n > 0 ? urls[0] : "", why);
		session_close(s);
	}
	return st;
}

void session_close(struct session *s)
{
	s->client = ct_client_free(s->client);
	if (s->watching) {
		CT_CHECK(pthread_kill(s->watcher, SIGUSR1) == 0);
		ct_thread_join(s->watcher);
		s->watching = false;
	}
	s->ctx = ct_ctx_unref(s->ctx);
	ct_reply_fini(&s->reply);
	ct_runtime_fini(&s->rt);
}

struct ct_call_opts session_call_opts(const struct session *s)
{
	return (struct ct_call_opts){ .timeout_ms = s->args->timeout_ms,
				      .criticality = s->args->criticality,
				      .metadata = s->args->metadata,
				      .metadata_n = s->args->metadata_n };
}

ct_status session_call(struct session *s, const struct ct_method *m, const ProtobufCMessage *req)
{
	const struct ct_call_opts opts = session_call_opts(s);

	return ct_client_call(s->client, s->ctx, m, req, &opts, &s->reply);
}
