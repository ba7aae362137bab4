/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/ours/stand.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	ARGS_MAX = 16,
	LINE_BYTES = 256,
	CONNECT_MS = 5000,
	CLIENT_CALLS_MAX = 32768,
	PAUSE_US = 50,
	CALM_WORKERS = 16
};

static char next_hop[] = "next"; /* ours-server's name for its --peer */

/* ---- processes ------------------------------------------------------------------------ */

/* Up to the newline. False: it ended before. */
static bool read_line(int fd, char *out, size_t size)
{
	size_t n = 0;

	while (n + 1 < size && read(fd, out + n, 1) == 1) {
		if (out[n] == '\n') {
			out[n] = '\0';
			return true;
		}
		n++;
	}
	return false;
}

/* In the child: only what may be called between fork and exec. */
static void become(const char *program, char *const *argv, int out, pid_t parent)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent && dup2(out, STDOUT_FILENO) == STDOUT_FILENO)
		(void)execv(program, argv);
	_exit(EXIT_FAILURE);
}

/* What ours-server prints before it serves. */
static bool await_ready(int out, char url[STAND_URL_MAX])
{
	static const char listening[] = "listening ";
	char line[LINE_BYTES];

	if (!read_line(out, line, sizeof(line)) ||
	    strncmp(line, listening, sizeof(listening) - 1) != 0)
		return false;
	(void)snprintf(url, STAND_URL_MAX, "%s", line + sizeof(listening) - 1);
	return read_line(out, line, sizeof(line)) && strcmp(line, "ready") == 0;
}

static bool start_process(struct stand_server *server, const char *program, char *const *argv)
{
	const pid_t parent = getpid();
	bool ready;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return false;
	server->pid = fork();
	if (server->pid == 0)
		become(program, argv, fds[1], parent);
	(void)close(fds[1]);
	ready = server->pid > 0 && await_ready(fds[0], server->url);
	(void)close(fds[0]); /* what it counts at its end is not wanted */
	if (server->pid < 0)
		server->pid = 0;
	return ready;
}

static void stop_process(struct stand_server *server)
{
	int status;

	if (server->pid == 0)
		return;
	(void)kill(server->pid, SIGTERM);
	while (waitpid(server->pid, &status, 0) < 0 && errno == EINTR)
		;
	server->pid = 0;
}

/* ---- servers and clients ---------------------------------------------------------------- */

static bool start_server(struct stand *s, enum stand_place place, const struct stand_opts *opts)
{
	static char listen[] = "tcp://127.0.0.1:0";
	struct stand_server *server = &s->servers[place];
	const uint32_t workers_n = place == STAND_CALM ? (uint32_t)CALM_WORKERS : opts->workers;
	char queue[16], workers[16], program[STAND_PATH_MAX];
	char *argv[ARGS_MAX] = {
		program, "--listen", listen, "--queue", queue, "--workers", workers
	};
	size_t n = 7;

	(void)snprintf(program, sizeof(program), "%s", s->program);
	(void)snprintf(queue, sizeof(queue), "%u", opts->queue);
	(void)snprintf(workers, sizeof(workers), "%u", workers_n);
	if (place == STAND_LEAF && opts->forgetful)
		argv[n++] = "--forgetful";
	if (place == STAND_HOP) {
		argv[n++] = "--peer";
		argv[n++] = s->servers[STAND_LEAF].url;
	} else {
		argv[n++] = "--watch";
		argv[n++] = s->watch_path;
	}
	return start_process(server, s->program, argv);
}

static ct_status connect_to(struct stand *s, enum stand_place place)
{
	struct stand_server *server = &s->servers[place];
	const char *const urls[] = { server->url };
	const struct ct_client_opts opts = {
		.rt = &s->rt,
		.peer = "server",
		.urls = urls,
		.urls_n = 1,
		.outstanding_max = CLIENT_CALLS_MAX,
		.attempts_max = 1, /* what is refused is refused */
	};
	struct ct_ctx *ctx = NULL;
	const char *why;
	ct_status st;

	st = ct_client_new(&opts, &server->client, &why);
	if (st == CT_OK)
		st = ct_ctx_new_root(s->rt.timers,
				     ct_deadline_after_ms(ct_clock_system(), CONNECT_MS), &ctx);
	if (st == CT_OK)
		st = ct_client_wait_ready(server->client, ctx);
	ct_ctx_unref(ctx);
	return st;
}

bool stand_start(struct stand *s, const struct stand_opts *opts)
{
	s->workers = opts->workers;
	for (unsigned i = 0; i < STAND_PLACES; i++) {
		if (start_server(s, (enum stand_place)i, opts) &&
		    connect_to(s, (enum stand_place)i) == CT_OK)
			continue;
		(void)fprintf(stderr, "%s does not serve\n", s->program);
		return false;
	}
	return true;
}

void stand_stop(struct stand *s)
{
	for (unsigned i = STAND_PLACES; i > 0; i--) {
		struct stand_server *server = &s->servers[i - 1];

		server->client = ct_client_free(server->client);
		stop_process(server);
	}
}

bool stand_open(struct stand *s, const char *program)
{
	const struct ct_runtime_opts ro = { .service = "bench" };
	char folder[] = "/tmp/ours-stops-XXXXXX";

	*s = (struct stand){ .program = program };
	load_real_clock_init(&s->clock);
	if (mkdtemp(folder) == NULL) {
		perror(folder);
		return false;
	}
	(void)snprintf(s->watch_path, sizeof(s->watch_path), "%s/watch", folder);
	s->watch = watch_open(s->watch_path);
	if (s->watch == NULL)
		perror(s->watch_path);
	return s->watch != NULL && ct_runtime_init(&s->rt, &ro) == CT_OK;
}

void stand_close(struct stand *s)
{
	char *slash;

	stand_stop(s);
	ct_runtime_fini(&s->rt);
	watch_close(s->watch);
	load_real_clock_fini(&s->clock);
	if (s->watch_path[0] == '\0')
		return;
	(void)unlink(s->watch_path); /* nobody needs to know when it is gone already */
	slash = strrchr(s->watch_path, '/');
	*slash = '\0';
	(void)rmdir(s->watch_path);
}

/* ---- calls -------------------------------------------------------------------------------- */

void errand_init(struct errand *e, struct stand *s, unsigned hops, struct work work,
		 int64_t deadline_ns, uint32_t crowd)
{
	static const enum stand_place places[] = { STAND_CALM, STAND_LEAF, STAND_HOP };

	CT_CHECK(hops < CT_ARRAY_N(places));
	e->client = s->servers[places[hops]].client;
	e->method = hops == 2 ? &probe_chain_method : &probe_echo_method;
	e->cell_i = atomic_fetch_add(&s->cells, 1) % WATCH_CELLS;
	e->cell = &s->watch->cells[e->cell_i];
	watch_cell_reset(e->cell, deadline_ns, crowd);
	ct__v1__echo_request__init(&e->echo);
	e->echo.payload = (ProtobufCBinaryData){ sizeof(e->cell_i), (uint8_t *)&e->cell_i };
	e->echo.spin_us = work.spin_us;
	e->echo.sleep_us = work.sleep_us;
	ct__v1__chain_request__init(&e->chain);
	e->chain.last = &e->echo;
	e->hops[0] = next_hop;
	e->chain.n_hops = CT_ARRAY_N(e->hops);
	e->chain.hops = e->hops;
}

const ProtobufCMessage *errand_request(struct errand *e)
{
	return e->method == &probe_chain_method ? &e->chain.base : &e->echo.base;
}

void stand_pause(struct stand *s)
{
	s->clock.clock.wait_until_ns(&s->clock.clock, stand_now_ns() + PAUSE_US * 1000);
}

int64_t stand_now_ns(void)
{
	return ct_now(ct_clock_system()).ns;
}
