/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/child.h"

#include "base/check.h"
#include "tests/lib/rpc/hall.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 3, HALL_QUEUE = 256 };

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

void child_start(struct child *c, const char *const *args)
{
	char self[] = "/proc/self/exe", copies[ARGS_MAX][128];
	char *argv[ARGS_MAX + 2] = { self };
	posix_spawn_file_actions_t actions;
	int fds[2];

	for (int i = 0; args[i] != NULL; i++) {
		CT_CHECK(i < ARGS_MAX);
		(void)snprintf(copies[i], sizeof(copies[i]), "%s", args[i]);
		argv[i + 1] = copies[i];
	}
	CT_CHECK(pipe2(fds, O_CLOEXEC) == 0);
	CT_CHECK(posix_spawn_file_actions_init(&actions) == 0);
	CT_CHECK(posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO) == 0);
	CT_CHECK(posix_spawn(&c->pid, self, &actions, NULL, argv, environ) == 0);
	CT_CHECK(posix_spawn_file_actions_destroy(&actions) == 0);
	CT_CHECK(close(fds[1]) == 0);
	c->out = fds[0];
	CT_CHECK(read_line(c->out, c->line, sizeof(c->line)));
}

static int reap(struct child *c)
{
	int status = 0;

	CT_CHECK(waitpid(c->pid, &status, 0) == c->pid);
	CT_CHECK(close(c->out) == 0);
	c->pid = 0;
	return status;
}

void child_kill(struct child *c)
{
	CT_CHECK(kill(c->pid, SIGKILL) == 0);
	(void)reap(c);
}

bool child_stop(struct child *c)
{
	int status;

	CT_CHECK(kill(c->pid, SIGTERM) == 0);
	status = reap(c);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- in the child ------------------------------------------------------------------- */

static void fill_term(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
}

void child_begin(void)
{
	sigset_t term;

	fill_term(&term);
	CT_CHECK(sigprocmask(SIG_BLOCK, &term, NULL) == 0); /* before there are threads */
	CT_CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
}

void child_ready(const char *line)
{
	printf("%s\n", line);
	CT_CHECK(fflush(stdout) == 0);
}

void child_wait_term(void)
{
	sigset_t term;
	int sig;

	fill_term(&term);
	CT_CHECK(sigwait(&term, &sig) == 0);
}

int hall_part(const char *url)
{
	const struct hall_opts o = { .listen = url,
				     .standard = true,
				     .server = { .queue_max = HALL_QUEUE } };
	struct hall h;

	child_begin();
	hall_start(&h, &o);
	child_ready(hall_url(&h));
	child_wait_term();
	return hall_stop(&h) ? 0 : 1;
}
