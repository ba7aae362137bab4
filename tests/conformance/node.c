/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/node.h"

#include "base/check.h"

#include "conform/v1/conform.ct.h"
#include "ct/v1/runtime.ct.h"

#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

/* ---- the harness ------------------------------------------------------------------ */

void bench_init(struct bench *b)
{
	const struct ct_runtime_opts ro = { .service = "conformance" };

	memset(b, 0, sizeof(*b));
	(void)snprintf(b->dir, sizeof(b->dir), "/tmp/conformance-XXXXXX");
	CT_CHECK(mkdtemp(b->dir) != NULL);
	CT_CHECK(ct_runtime_init(&b->rt, &ro) == CT_OK);
	CT_CHECK(ct_ctx_new_root(b->rt.timers, CT_NEVER, &b->root) == CT_OK);
}

void bench_fini(struct bench *b)
{
	b->root = ct_ctx_unref(b->root);
	ct_runtime_fini(&b->rt);
	(void)rmdir(b->dir);
}

bool bench_until(struct bench *b, bool (*is)(void *arg), void *arg)
{
	const struct ct_clock *clk = ct_timers_clock(b->rt.timers);
	const ct_instant end = ct_deadline_after_ms(clk, PATIENCE_MS);

	while (!is(arg)) {
		if (ct_deadline_passed(clk, end))
			return false;
		CT_CHECK(ct_ctx_sleep_until(b->root, ct_deadline_after_ms(clk, 1)) == CT_OK);
	}
	return true;
}

/* ---- processes --------------------------------------------------------------------- */

static void spawn_peer(struct node *n, const char *listen_url, const struct node_opts *opts)
{
	char drain[16], margin[16], self[] = "/proc/self/exe", flag[] = "--peer";
	char *argv[] = { self, flag, (char *)(uintptr_t)listen_url, drain, margin, NULL };
	posix_spawn_file_actions_t actions;
	int fds[2];
	FILE *out;

	(void)snprintf(drain, sizeof(drain), "%u", opts->drain_ms);
	(void)snprintf(margin, sizeof(margin), "%u", opts->margin_ms);
	CT_CHECK(pipe2(fds, 0x80000 /* O_CLOEXEC */) == 0);
	CT_CHECK(posix_spawn_file_actions_init(&actions) == 0);
	CT_CHECK(posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO) == 0);
	CT_CHECK(posix_spawn(&n->pid, self, &actions, NULL, argv, environ) == 0);
	CT_CHECK(posix_spawn_file_actions_destroy(&actions) == 0);
	CT_CHECK(close(fds[1]) == 0);
	out = fdopen(fds[0], "r");
	CT_CHECK(out != NULL);
	CT_CHECK(fgets(n->url, sizeof(n->url), out) != NULL);
	n->url[strcspn(n->url, "\n")] = '\0';
	CT_CHECK(fclose(out) == 0);
}

void node_start(struct node *n, struct bench *b, const struct node_opts *opts)
{
	static unsigned serial;
	const struct ct_client_opts co = {
		.rt = &b->rt, .peer = "control", .urls = (const char *[]){ n->url }, .urls_n = 1
	};
	struct peer_opts po = { .drain_ms = opts->drain_ms, .margin_ms = opts->margin_ms };
	char listen_url[128] = "tcp://127.0.0.1:0";
	const char *why;

	memset(n, 0, sizeof(*n));
	if (opts->ipc)
		(void)snprintf(listen_url, sizeof(listen_url), "ipc://%s/node%u", b->dir, serial++);
	po.listen = listen_url;
	if (opts->own_process) {
		spawn_peer(n, listen_url, opts);
	} else {
		CT_CHECK(peer_new(&po, &n->peer) == CT_OK);
		(void)snprintf(n->url, sizeof(n->url), "%s", peer_url(n->peer));
	}
	CT_CHECK(ct_client_new(&co, &n->control, &why) == CT_OK);
	CT_CHECK(ct_client_wait_ready(n->control, b->root) == CT_OK);
}

void node_drain(struct node *n)
{
	n->draining = true;
	if (n->peer != NULL)
		peer_drain(n->peer);
	else
		CT_CHECK(kill(n->pid, SIGTERM) == 0);
}

bool node_stop(struct node *n)
{
	int status = 0;

	n->control = ct_client_free(n->control);
	if (n->peer != NULL) {
		n->peer = peer_free(n->peer);
		return true;
	}
	if (n->pid == 0)
		return true;
	if (!n->draining)
		node_drain(n);
	CT_CHECK(kill(n->pid, SIGINT) == 0);
	CT_CHECK(waitpid(n->pid, &status, 0) == n->pid);
	n->pid = 0;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* With a harness's patience; methods allow a fraction of it. */
static ct_status ask(struct node *n, const struct ct_method *m, const ProtobufCMessage *req,
		     struct ct_reply *reply)
{
	const struct ct_call_opts opts = { .timeout_ms = PATIENCE_MS };

	return ct_client_call(n->control, NULL, m, req, &opts, reply);
}

/* ---- questions ----------------------------------------------------------------------- */

static void copy_counts(const Ct__V1__StatsResponse *s, struct node_counts *c)
{
	*c = (struct node_counts){
		.app_error = s->calls->app_error,
		.refused = s->calls->refused,
		.expired_queued = s->calls->expired_queued,
		.expired_running = s->calls->expired_running,
		.cancelled_queued = s->calls->cancelled_queued,
		.cancelled_running = s->calls->cancelled_running,
		.peer_gone = s->calls->peer_gone,
		.queued = s->queued,
		.in_flight = s->calls->in_flight - 1,
		.identity_ok = s->identity_ok,
	};
	for (size_t i = 0; i < s->n_methods; i++) {
		if (strcmp(s->methods[i]->method, conform_work_method.name) != 0)
			continue;
		c->received_work = s->methods[i]->calls;
		c->work_ok = s->methods[i]->calls - s->methods[i]->errors;
	}
}

bool node_counts(struct node *n, struct node_counts *ret)
{
	Ct__V1__StatsRequest req = CT__V1__STATS_REQUEST__INIT;
	struct ct_reply r;
	ct_status st;

	ct_reply_init(&r);
	st = ask(n, &runtime_stats_method, &req.base, &r);
	if (st == CT_OK)
		copy_counts(runtime_stats_response(&r), ret);
	ct_reply_fini(&r);
	return st == CT_OK;
}

void node_counts_subtract(struct node_counts *a, const struct node_counts *b)
{
	a->work_ok -= b->work_ok;
	a->app_error -= b->app_error;
	a->refused -= b->refused;
	a->expired_queued -= b->expired_queued;
	a->expired_running -= b->expired_running;
	a->cancelled_queued -= b->cancelled_queued;
	a->cancelled_running -= b->cancelled_running;
	a->peer_gone -= b->peer_gone;
}

void node_counts_text(const struct node_counts *c, char *out, size_t size)
{
	(void)snprintf(out, size,
		       "ok %" PRIu64 " app_error %" PRIu64 " refused %" PRIu64 " expired %" PRIu64
		       " queued %" PRIu64 " running, cancelled %" PRIu64 " queued %" PRIu64
		       " running, peer_gone %" PRIu64,
		       c->work_ok, c->app_error, c->refused, c->expired_queued, c->expired_running,
		       c->cancelled_queued, c->cancelled_running, c->peer_gone);
}

bool node_has_in_flight(struct node *n, uint64_t calls)
{
	struct node_counts c;

	return node_counts(n, &c) && c.in_flight == calls;
}

bool node_has_replied(struct node *n, const struct node_counts *before)
{
	struct node_counts c;

	return node_counts(n, &c) && c.work_ok > before->work_ok;
}

bool node_seen(struct node *n, const char *key, struct node_seen *ret)
{
	Conform__V1__SeenRequest req = CONFORM__V1__SEEN_REQUEST__INIT;
	struct ct_reply r;
	ct_status st;

	ct_reply_init(&r);
	req.key = (char *)(uintptr_t)key;
	st = ask(n, &conform_seen_method, &req.base, &r);
	if (st == CT_OK) {
		const Conform__V1__SeenReply *resp = conform_seen_response(&r);

		*ret = (struct node_seen){ .entered = resp->entered,
					   .left = resp->left,
					   .stopped_after_us = resp->stopped_after_us };
		(void)snprintf(ret->reason, sizeof(ret->reason), "%s", resp->reason);
	}
	ct_reply_fini(&r);
	return st == CT_OK;
}

void node_release(struct node *n, const char *key)
{
	Conform__V1__ReleaseRequest req = CONFORM__V1__RELEASE_REQUEST__INIT;
	struct ct_reply r;

	ct_reply_init(&r);
	req.key = (char *)(uintptr_t)key;
	CT_CHECK(ask(n, &conform_release_method, &req.base, &r) == CT_OK);
	ct_reply_fini(&r);
}
