/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/caller.h"

#include "base/check.h"

#include "conform/v1/conform.ct.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, ARGS_MAX = 8 };

static void fill(Conform__V1__WorkRequest *req, const struct caller_call *call)
{
	conform__v1__work_request__init(req);
	req->key = (char *)(uintptr_t)call->key;
	req->n_hops = call->hops_n;
	req->hops = (char **)(uintptr_t)call->hops;
	req->reply_bytes = call->reply_bytes;
}

static void done(void *arg, struct ct_reply *reply)
{
	struct caller *c = arg;

	c->returned = ct_now(ct_clock_system());
	ct_reply_move(&c->reply, reply);
	ct_latch_count_down(&c->ended);
}

static void start_here(struct caller *c, const struct caller_call *call)
{
	const struct ct_client_opts co = { .rt = &c->bench->rt,
					   .peer = "first",
					   .urls = (const char *[]){ c->url },
					   .urls_n = 1,
					   .attempts_max = 1 };
	const struct ct_call_opts opts = { .timeout_ms = call->timeout_ms };
	Conform__V1__WorkRequest req;
	const char *why;

	ct_latch_init(&c->ended, 1);
	ct_reply_init(&c->reply);
	CT_CHECK(ct_client_new(&co, &c->client, &why) == CT_OK);
	CT_CHECK(ct_client_wait_ready(c->client, c->bench->root) == CT_OK);
	CT_CHECK(ct_ctx_new_root(c->bench->rt.timers,
				 call->passed ? ct_now(ct_clock_system()) : CT_NEVER,
				 &c->ctx) == CT_OK);
	c->open = true;
	fill(&req, call);
	c->started = ct_now(ct_clock_system());
	ct_client_start(c->client, c->ctx, &conform_work_method, &req.base, &opts, done, c);
}

static void start_process(struct caller *c, const struct caller_call *call)
{
	char self[] = "/proc/self/exe", flag[] = "--caller";
	char *argv[ARGS_MAX] = { self, flag, c->url, (char *)(uintptr_t)call->key };
	size_t n = 4;

	for (size_t i = 0; i < call->hops_n; i++)
		argv[n++] = (char *)(uintptr_t)call->hops[i];
	CT_CHECK(n < ARGS_MAX);
	CT_CHECK(posix_spawn(&c->pid, self, NULL, NULL, argv, environ) == 0);
}

void caller_start(struct caller *c, struct bench *b, const struct caller_call *call)
{
	memset(c, 0, sizeof(*c));
	c->bench = b;
	(void)snprintf(c->url, sizeof(c->url), "%s", call->url);
	if (call->own_process)
		start_process(c, call);
	else
		start_here(c, call);
}

void caller_cancel(struct caller *c)
{
	CT_CHECK(ct_ctx_cancel(c->ctx, CT_CANCEL_CALLER));
}

void caller_kill(struct caller *c)
{
	CT_CHECK(kill(c->pid, SIGKILL) == 0);
	CT_CHECK(waitpid(c->pid, NULL, 0) == c->pid);
	c->pid = 0;
}

bool caller_wait(struct caller *c)
{
	return ct_latch_wait_until(&c->ended, ct_deadline_after_ms(ct_clock_system(), PATIENCE_MS));
}

void caller_free(struct caller *c)
{
	if (c->pid != 0)
		caller_kill(c);
	if (!c->open)
		return;
	c->client = ct_client_free(c->client);
	c->ctx = ct_ctx_unref(c->ctx);
	ct_reply_fini(&c->reply);
	ct_latch_fini(&c->ended);
	c->open = false;
}

int caller_main(char **argv, int argc)
{
	const struct caller_call call = {
		.url = argv[0],
		.key = argv[1],
		.hops = (const char *const *)(argv + 2),
		.hops_n = (size_t)(argc - 2),
		.timeout_ms = PATIENCE_MS,
	};
	struct caller c;
	struct bench b;

	bench_init(&b);
	caller_start(&c, &b, &call);
	(void)!caller_wait(&c);
	caller_free(&c);
	bench_fini(&b);
	return 0;
}
