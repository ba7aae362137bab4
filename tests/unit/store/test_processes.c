/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/help.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(processes, .init = help_init, .fini = help_fini, .timeout = 60);

/* ---- killed in the middle ---------------------------------------------------- */

enum { IN_FLIGHT = 8, ACKS = 300 };

struct acker {
	struct ct_store *s;
	int fd;
	int64_t id;
	sem_t free;
};

static ct_status row_fn(struct ct_db *db, void *arg)
{
	struct acker *a = arg;
	struct ct_stmt *s = NULL;
	char name[32];
	bool row = false;
	ct_status st;

	st = ct_db_prepare(db, "INSERT INTO item(name) VALUES ($1) RETURNING id", &s);
	if (st != CT_OK)
		return st;
	(void)snprintf(name, sizeof(name), "%p-%lld", (void *)a, (long long)a->id);
	ct_stmt_bind_str(s, 1, name);
	st = ct_stmt_step(s, &row);
	if (st == CT_OK && row)
		a->id = ct_stmt_col_i64(s, 0);
	return st != CT_OK ? st : ct_stmt_run(s);
}

static void ack_done(void *arg, ct_status st, const char *why)
{
	struct acker *a = arg;

	(void)why;
	if (st != CT_OK || write(a->fd, &a->id, sizeof(a->id)) != (ssize_t)sizeof(a->id))
		_exit(1);
	CT_CHECK(sem_post(&a->free) == 0);
}

/* Writes and acknowledges until it is killed. */
static _Noreturn void acknowledge_for_ever(int fd)
{
	static struct acker a[IN_FLIGHT];
	struct ct_store *s = help_open(&(struct ct_store_opts){ .checkpoint_pages = 16 });

	for (int i = 0; i < IN_FLIGHT; i++) {
		a[i] = (struct acker){ .s = s, .fd = fd };
		CT_CHECK(sem_init(&a[i].free, 0, 1) == 0);
	}
	for (unsigned i = 0;; i++) {
		struct acker *w = &a[i % IN_FLIGHT];

		AWAIT(&w->free);
		if (ct_store_write(s, NULL, row_fn, w, ack_done, w) != CT_OK)
			_exit(2);
	}
}

Test(processes, every_acknowledged_write_survives_a_kill)
{
	static int64_t acked[200000];
	size_t n = 0;
	struct ct_store *s;
	int status = 0, fds[2];
	ssize_t len;
	pid_t pid;

	cr_assert_eq(pipe(fds), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		(void)close(fds[0]);
		acknowledge_for_ever(fds[1]);
	}
	(void)close(fds[1]);
	while ((len = read(fds[0], &acked[n], sizeof(acked[0]))) > 0) {
		cr_assert_eq(len, sizeof(acked[0]));
		if (++n == ACKS)
			cr_assert_eq(kill(pid, SIGKILL), 0); /* and what it still said */
		cr_assert_lt(n, CT_ARRAY_N(acked));
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	cr_assert_geq(n, ACKS);

	s = help_open(NULL);
	for (size_t i = 0; i < n; i++) {
		char sql[64];

		(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM item WHERE id = %lld",
			       (long long)acked[i]);
		cr_assert_eq(ask(s, sql), 1, "row %lld is lost", (long long)acked[i]);
	}
	cr_assert_geq(items(s), (int64_t)n);
	cr_assert_leq(items(s), (int64_t)n + IN_FLIGHT);
	s = ct_store_free(s);
	(void)close(fds[0]);
}

/* ---- two at once --------------------------------------------------------------- */

enum { WRITERS = 2, WRITES = 200 };

struct counter {
	int who;
	atomic_uint ended;
};

static ct_status count_fn(struct ct_db *db, void *arg)
{
	const struct counter *c = arg;
	struct ct_stmt *s = NULL;
	ct_status st = ct_db_prepare(db,
				     "INSERT INTO item(name, value) SELECT count(*) || '-' || $1,"
				     " coalesce(max(value), 0) + 1 FROM item",
				     &s);

	if (st != CT_OK)
		return st;
	ct_stmt_bind_i64(s, 1, c->who);
	return ct_stmt_run(s);
}

static void count_done(void *arg, ct_status st, const char *why)
{
	struct counter *c = arg;

	if (st != CT_OK) {
		fprintf(stderr, "writer %d: %s: %s\n", c->who, ct_status_name(st), why);
		_exit(3);
	}
	atomic_fetch_add(&c->ended, 1);
}

static _Noreturn void write_many(int who, int start)
{
	struct counter c = { .who = who };
	struct ct_store *s = help_open(&(struct ct_store_opts){ .group_max = 8 });
	char byte;

	(void)!read(start, &byte, 1); /* ends when all may begin */
	for (int i = 0; i < WRITES; i++) {
		if (ct_store_write(s, NULL, count_fn, &c, count_done, &c) != CT_OK)
			_exit(4);
	}
	s = ct_store_free(s);
	_exit(atomic_load(&c.ended) == WRITES ? 0 : 5);
}

Test(processes, two_write_to_one_file_and_neither_is_refused_nor_lost)
{
	struct ct_store *s;
	pid_t pids[WRITERS];
	int start[2];

	cr_assert_eq(pipe(start), 0);
	for (int i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		cr_assert_geq(pids[i], 0);
		if (pids[i] == 0) {
			(void)close(start[1]);
			write_many(i, start[0]);
		}
	}
	(void)close(start[0]);
	(void)close(start[1]);
	for (int i = 0; i < WRITERS; i++) {
		int status = -1;

		cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
		cr_assert(WIFEXITED(status), "killed by %d", WTERMSIG(status));
		cr_assert_eq(WEXITSTATUS(status), 0);
	}

	s = help_open(NULL);
	cr_assert_eq(items(s), WRITERS * WRITES);
	/* Each read the other's last: no update was lost. */
	cr_assert_eq(ask(s, "SELECT max(value) FROM item"), WRITERS * WRITES);
	cr_assert_eq(ask(s, "SELECT count(DISTINCT value) FROM item"), WRITERS * WRITES);
	s = ct_store_free(s);
}
