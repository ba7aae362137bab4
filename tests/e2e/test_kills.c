/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that are killed with 64 calls outstanding: callers 200 times under one
 * server, the server 100 times under one caller. Whoever is left loses nothing,
 * keeps nothing, and goes on.
 */
#include "base/check.h"
#include "tests/e2e/child.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/tally.h"

#include "ct/v1/runtime.ct.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CALLS = 64,
	KEPT = 24, /* of them; the others run or wait for a worker */
	CLIENT_KILLS = 200,
	SERVER_KILLS = 100,
	WARM_UP = 10, /* kills after which memory is measured */
	PATIENT_MS = 60000,
	GROWTH_MAX = 4 << 20,
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_IS_OURS false /* the sanitizer keeps what is freed */
#else
#define MEMORY_IS_OURS true
#endif

static void start_calls(struct ask *asks, struct ct_client *c)
{
	for (unsigned i = 0; i < CALLS; i++) {
		ask_init(&asks[i], PATIENT_MS);
		ask_start(&asks[i], c, i < KEPT ? &hall_keep_method : &hall_hold_method);
	}
}

/* ---- what the server says of itself -------------------------------------------------- */

struct server {
	struct child child;
	struct ct_client *control;
	uint64_t in_flight, peer_gone, connections;
	bool identity_ok;
};

static bool look(struct server *s)
{
	Ct__V1__StatsRequest req = CT__V1__STATS_REQUEST__INIT;
	const struct ct_call_opts opts = { .timeout_ms = PATIENT_MS };
	const Ct__V1__StatsResponse *resp;
	struct ct_reply reply;
	bool ok;

	ct_reply_init(&reply);
	ok = ct_client_call(s->control, NULL, &runtime_stats_method, &req.base, &opts, &reply) ==
	     CT_OK;
	if (ok) {
		resp = runtime_stats_response(&reply);
		s->in_flight = resp->calls->in_flight - 1; /* without the question itself */
		s->peer_gone = resp->calls->peer_gone;
		s->connections = resp->connections - 1U;
		s->identity_ok = resp->identity_ok;
	}
	ct_reply_fini(&reply);
	return ok;
}

static bool has_all(void *arg)
{
	struct server *s = arg;

	return look(s) && s->in_flight == CALLS;
}

static bool has_none(void *arg)
{
	struct server *s = arg;

	return look(s) && s->in_flight == 0 && s->connections == 0;
}

static bool answers(struct server *s)
{
	struct ask a;
	bool ok;

	ask_init(&a, PATIENT_MS);
	ok = ask_now(&a, s->control, &hall_tell_method) == CT_OK;
	ask_fini(&a);
	return ok;
}

/* ---- callers that are killed ------------------------------------------------------------ */

/* The part "--caller URL": its calls are out, and never end. */
static int caller_part(const char *url)
{
	const struct ct_runtime_opts ro = { .service = "caller" };
	static struct ask asks[CALLS];
	struct ct_runtime rt;

	child_begin();
	CT_CHECK(ct_runtime_init(&rt, &ro) == CT_OK);
	start_calls(asks, client_of(&rt, url));
	child_ready("out");
	child_wait_term();
	return 1;
}

static bool kill_one_caller(struct server *s, const char *url)
{
	struct child caller;
	bool all;

	child_start(&caller, (const char *[]){ "--caller", url, NULL });
	all = until(has_all, s);
	child_kill(&caller);
	return all && until(has_none, s) && answers(s);
}

/*
 * The last connection of a killed caller may be freed a moment after its calls,
 * and a caller whose server is gone dials again all the time.
 */
struct descriptors {
	int pid;
	unsigned base;
};

/* What it frees behind them as well. */
struct memory {
	int pid;
	uint64_t base;
};

static bool memory_is_back(void *arg)
{
	const struct memory *m = arg;

	return !MEMORY_IS_OURS || resident_bytes_of(m->pid) < m->base + GROWTH_MAX;
}

static bool are_back(void *arg)
{
	const struct descriptors *d = arg;

	return open_descriptors_of(d->pid) <= d->base;
}

static void callers_killed(void)
{
	const struct ct_runtime_opts ro = { .service = "test" };
	struct server s = { .control = NULL };
	unsigned kills = 0, fds = 0, fds_now;
	uint64_t bytes = 0, bytes_now;
	struct ct_runtime rt;

	child_start(&s.child, (const char *[]){ "--hall", "tcp://127.0.0.1:0", NULL });
	CT_CHECK(ct_runtime_init(&rt, &ro) == CT_OK);
	s.control = client_of(&rt, s.child.line);
	while (kills < CLIENT_KILLS && kill_one_caller(&s, s.child.line)) {
		if (++kills != WARM_UP)
			continue;
		fds = open_descriptors_of(s.child.pid);
		bytes = resident_bytes_of(s.child.pid);
	}
	fds_now = open_descriptors_of(s.child.pid);
	bytes_now = resident_bytes_of(s.child.pid);

	printf("%u callers killed with %d calls each, server: %u descriptors, %" PRIu64
	       " KiB resident (after %d: %u, %" PRIu64 ")\n",
	       kills, CALLS, fds_now, bytes_now / 1024, WARM_UP, fds, bytes / 1024);
	expect(kills == CLIENT_KILLS, "the server answered after each of 200 killed callers");
	expect(look(&s) && s.peer_gone == (uint64_t)CLIENT_KILLS * CALLS,
	       "each of their calls ended as peer_gone");
	expect(s.identity_ok, "the accounting identity holds");
	expect(until(are_back, &(struct descriptors){ s.child.pid, fds }),
	       "the server's descriptors are back to where they were");
	expect(until(memory_is_back, &(struct memory){ s.child.pid, bytes }), "its memory is too");
	s.control = ct_client_free(s.control);
	ct_runtime_fini(&rt);
	expect(child_stop(&s.child), "the server ends with 0");
}

/* ---- a server that is killed ---------------------------------------------------------------- */

struct pair {
	struct ct_runtime rt;
	struct server s;
	char url[128];
	uint64_t ended[CT_STATUS_N];
};

static bool kill_server_once(struct pair *p)
{
	static struct ask asks[CALLS];
	unsigned counts[CT_STATUS_N];
	bool all, ended;

	child_start(&p->s.child, (const char *[]){ "--hall", p->url, NULL });
	client_wait_ready(p->s.control, &p->rt);
	if (!answers(&p->s))
		return false;
	start_calls(asks, p->s.control);
	all = until(has_all, &p->s);
	child_kill(&p->s.child);
	ended = asks_wait(asks, CALLS, counts); /* once each: ask.c sees to it */
	for (unsigned i = 0; i < CT_STATUS_N; i++)
		p->ended[i] += counts[i];
	for (unsigned i = 0; i < CALLS; i++)
		ask_fini(&asks[i]);
	return all && ended;
}

static bool nothing_in_flight(void *arg)
{
	struct pair *p = arg;

	return client_stats(p->s.control).in_flight == 0;
}

static void expect_pair_ended(struct pair *p, unsigned kills)
{
	const struct ct_client_stats st = client_stats(p->s.control);

	printf("%u kills of the server at %s under %d calls: %" PRIu64 " UNAVAILABLE\n", kills,
	       p->url, CALLS, p->ended[CT_UNAVAILABLE]);
	expect(kills == SERVER_KILLS / 2, "the caller found the server again after each kill");
	expect(p->ended[CT_UNAVAILABLE] == (uint64_t)kills * CALLS,
	       "each call that was out ended as UNAVAILABLE");
	expect(until(nothing_in_flight, p) && client_adds_up(p->s.control),
	       "the caller's counts add up");
	expect(st.connections_lost == kills, "each kill cost one connection");
}

static void server_killed(const char *url)
{
	const struct ct_runtime_opts ro = { .service = "test",
					    .net = { .backoff_min_ms = 2, .backoff_max_ms = 20 } };
	struct pair p = { .ended = { 0 } };
	unsigned kills = 0, fds = 0;
	uint64_t bytes = 0;

	(void)snprintf(p.url, sizeof(p.url), "%s", url);
	CT_CHECK(ct_runtime_init(&p.rt, &ro) == CT_OK);
	p.s.control = client_with(&(struct ct_client_opts){ .rt = &p.rt,
							    .peer = "hall",
							    .urls = (const char *[]){ p.url },
							    .urls_n = 1,
							    .wait = CT_WAIT_READY });
	while (kills < SERVER_KILLS / 2 && kill_server_once(&p)) {
		if (++kills != WARM_UP)
			continue;
		fds = open_descriptors();
		bytes = resident_bytes();
	}
	expect_pair_ended(&p, kills);
	expect(until(are_back, &(struct descriptors){ getpid(), fds + 1 }),
	       "the caller's descriptors are back");
	expect(until(memory_is_back, &(struct memory){ getpid(), bytes }), "its memory is too");
	p.s.control = ct_client_free(p.s.control);
	ct_runtime_fini(&p.rt);
}

/* A port that a server had and left: the next ones take the same. */
static void free_url(char out[128])
{
	struct child c;

	child_start(&c, (const char *[]){ "--hall", "tcp://127.0.0.1:0", NULL });
	memcpy(out, c.line, sizeof(c.line));
	expect(child_stop(&c), "a server without calls ends with 0");
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/ct-kills-XXXXXX", url[128], path[64];

	if (argc == 3 && strcmp(argv[1], "--hall") == 0)
		return hall_part(argv[2]);
	if (argc == 3 && strcmp(argv[1], "--caller") == 0)
		return caller_part(argv[2]);
	CT_CHECK(setvbuf(stdout, NULL, _IOLBF, 0) == 0);
	callers_killed();
	free_url(url);
	server_killed(url);
	CT_CHECK(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	(void)snprintf(url, sizeof(url), "ipc://%s", path);
	server_killed(url);
	(void)unlink(path); /* the last one was killed and left it */
	CT_CHECK(rmdir(dir) == 0);
	return tally_end();
}
