/* SPDX-License-Identifier: Apache-2.0 */
/* Waits that a tripped context ends. A ticker moves the fake clock 1 ms at a time
 * until the test says stop, so a wait that never ends fails by its bound. */
#include "conc/thread.h"
#include "tests/lib/leak_check.h"
#include "tests/unit/conc/ctx_fixture.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

TestSuite(ctx_wait, .fini = leak_check, .timeout = 60);

enum { CANCEL_AFTER_MS = 5 };

static struct fixture f;

struct ticker {
	pthread_t thread;
	atomic_bool stop;
	struct ct_ctx *cancel; /* after CANCEL_AFTER_MS; NULL: none */
};

static void *tick(void *arg)
{
	struct ticker *t = arg;

	for (int ms = 1; !atomic_load(&t->stop); ms++) {
		pass_ms(&f, 1);
		if (ms == CANCEL_AFTER_MS && t->cancel != NULL)
			ct_ctx_cancel(t->cancel, CT_CANCEL_CALLER);
	}
	return NULL;
}

static void ticker_start(struct ticker *t, struct ct_ctx *cancel)
{
	*t = (struct ticker){ .cancel = cancel };
	CT_CHECK(ct_thread_start(&t->thread, "ticker", tick, t) == CT_OK);
}

static void ticker_stop(struct ticker *t)
{
	atomic_store(&t->stop, true);
	ct_thread_join(t->thread);
}

/* ---- sleep ------------------------------------------------------------------------------ */

Test(ctx_wait, a_sleep_ends_when_its_time_has_come_and_not_before)
{
	struct ct_ctx *ctx;
	struct ticker t;

	fixture_init(&f);
	ctx = new_root(&f, CT_NEVER);
	ticker_start(&t, NULL);
	for (int i = 0; i < 50; i++) {
		const ct_instant until = in_ms(&f, 3);

		cr_assert_eq(ct_ctx_sleep_until(ctx, until), CT_OK);
		cr_assert_geq(ct_ctx_now(ctx).ns, until.ns);
	}
	ticker_stop(&t);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx_wait, a_sleep_until_an_instant_that_has_passed_returns_without_the_clock_moving)
{
	struct ct_ctx *ctx;

	fixture_init(&f);
	ctx = new_root(&f, in_ms(&f, 50));
	cr_assert_eq(ct_ctx_sleep_until(ctx, in_ms(&f, 0)), CT_OK);
	cr_assert_eq(ct_ctx_sleep_until(ctx, (ct_instant){ .ns = 1 }), CT_OK);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx_wait, a_deadline_ends_a_sleep)
{
	struct ct_ctx *ctx;
	struct ticker t;

	fixture_init(&f);
	ctx = new_root(&f, in_ms(&f, 10));
	ticker_start(&t, NULL);
	cr_assert_eq(ct_ctx_sleep_until(ctx, CT_NEVER), CT_DEADLINE_EXCEEDED);
	cr_assert_eq(ct_ctx_sleep_until(ctx, CT_NEVER), CT_DEADLINE_EXCEEDED); /* at once */
	ticker_stop(&t);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx_wait, a_cancel_ends_a_sleep)
{
	struct ct_ctx *ctx;
	struct ticker t;

	fixture_init(&f);
	ctx = new_root(&f, CT_NEVER);
	ticker_start(&t, ctx);
	cr_assert_eq(ct_ctx_sleep_until(ctx, CT_NEVER), CT_CANCELLED);
	cr_assert_eq(ct_ctx_sleep_until(ctx, in_ms(&f, 0)), CT_CANCELLED); /* a trip comes first */
	ticker_stop(&t);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

/* ---- descriptors ---------------------------------------------------------------------------- */

static size_t open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	CT_CHECK(d != NULL);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void *write_one(void *arg)
{
	CT_CHECK(write(*(const int *)arg, "x", 1) == 1);
	return NULL;
}

Test(ctx_wait, a_descriptor_that_is_or_becomes_ready_ends_the_wait)
{
	struct ct_ctx *ctx;
	int fds[2];
	char c;

	fixture_init(&f);
	ctx = new_root(&f, in_ms(&f, 50));
	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(ct_ctx_wait_fd(ctx, fds[1], POLLOUT, CT_NEVER), CT_OK);
	for (int i = 0; i < 50; i++) {
		pthread_t th;

		cr_assert_eq(ct_thread_start(&th, "writer", write_one, &fds[1]), CT_OK);
		cr_assert_eq(ct_ctx_wait_fd(ctx, fds[0], POLLIN, CT_NEVER), CT_OK);
		cr_assert_eq(read(fds[0], &c, 1), 1);
		ct_thread_join(th);
	}
	close(fds[1]); /* hung up is ready too */
	cr_assert_eq(ct_ctx_wait_fd(ctx, fds[0], POLLIN, CT_NEVER), CT_OK);
	close(fds[0]);
	cr_assert_eq(pipe(fds), 0);
	close(fds[0]); /* and so is an error */
	cr_assert_eq(ct_ctx_wait_fd(ctx, fds[1], 0, CT_NEVER), CT_OK);
	close(fds[1]);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

static ct_status wait_on_silent_pipe(struct ct_ctx *ctx, ct_instant until)
{
	ct_status st;
	int fds[2];

	CT_CHECK(pipe(fds) == 0);
	st = ct_ctx_wait_fd(ctx, fds[0], POLLIN, until);
	close(fds[0]);
	close(fds[1]);
	return st;
}

Test(ctx_wait, a_wait_for_a_descriptor_ends_at_its_instant)
{
	struct ct_ctx *ctx;
	struct ticker t;

	fixture_init(&f);
	ctx = new_root(&f, CT_NEVER);
	cr_assert_eq(wait_on_silent_pipe(ctx, in_ms(&f, 0)), CT_DEADLINE_EXCEEDED);
	ticker_start(&t, NULL);
	cr_assert_eq(wait_on_silent_pipe(ctx, in_ms(&f, 3)), CT_DEADLINE_EXCEEDED);
	cr_assert_eq(ct_ctx_reason(ctx), CT_CANCEL_NONE);
	ticker_stop(&t);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx_wait, a_deadline_ends_a_wait_for_a_descriptor)
{
	struct ct_ctx *ctx;
	struct ticker t;

	fixture_init(&f);
	ctx = new_root(&f, in_ms(&f, 5));
	ticker_start(&t, NULL);
	cr_assert_eq(wait_on_silent_pipe(ctx, CT_NEVER), CT_DEADLINE_EXCEEDED);
	cr_assert_eq(ct_ctx_reason(ctx), CT_CANCEL_DEADLINE);
	ticker_stop(&t);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx_wait, a_cancel_ends_a_wait_and_comes_before_readiness)
{
	struct ct_ctx *ctx;
	struct ticker t;
	int fds[2];

	fixture_init(&f);
	ctx = new_root(&f, CT_NEVER);
	ticker_start(&t, ctx);
	cr_assert_eq(wait_on_silent_pipe(ctx, CT_NEVER), CT_CANCELLED);
	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(ct_ctx_wait_fd(ctx, fds[1], POLLOUT, CT_NEVER), CT_CANCELLED);
	close(fds[0]);
	close(fds[1]);
	ticker_stop(&t);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

struct writer {
	struct ct_ctx_hook hook;
	int fd;
};

static void write_fn(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct writer *w = CT_CONTAINER_OF(hook, struct writer, hook);

	(void)why;
	(void)write_one(&w->fd);
}

Test(ctx_wait, a_trip_that_makes_the_descriptor_ready_is_still_a_trip)
{
	struct writer w;
	struct ct_ctx *ctx;
	struct ticker t;
	int fds[2];

	fixture_init(&f);
	ctx = new_root(&f, CT_NEVER);
	cr_assert_eq(pipe(fds), 0);
	w.fd = fds[1];
	ct_ctx_on_cancel(ctx, &w.hook, write_fn); /* before the wait's own hook */
	ticker_start(&t, ctx);
	cr_assert_eq(ct_ctx_wait_fd(ctx, fds[0], POLLIN, CT_NEVER), CT_CANCELLED);
	ticker_stop(&t);
	close(fds[0]);
	close(fds[1]);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx_wait, waits_keep_no_descriptor)
{
	struct ct_ctx *ctx;
	size_t before;

	fixture_init(&f);
	ctx = new_root(&f, CT_NEVER);
	before = open_fds();
	for (int i = 0; i < 20; i++)
		cr_assert_eq(wait_on_silent_pipe(ctx, in_ms(&f, 0)), CT_DEADLINE_EXCEEDED);
	cr_assert_eq(open_fds(), before);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx_wait, without_a_descriptor_left_it_says_so)
{
	struct rlimit few, old;
	struct ct_ctx *ctx;
	ct_status st;
	int fd;

	fixture_init(&f);
	ctx = new_root(&f, CT_NEVER);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = (struct rlimit){ .rlim_cur = (rlim_t)fd + 1, .rlim_max = old.rlim_max };
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	st = ct_ctx_wait_fd(ctx, fd, POLLIN, CT_NEVER);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	cr_assert_eq(st, CT_RESOURCE_EXHAUSTED);
	close(fd);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

/* ---- condition --------------------------------------------------------------------------- */

struct shelf {
	struct ct_lock lock;
	struct ct_cond put;
	int items;
	unsigned looks;
};

static void shelf_init(struct shelf *s, int items)
{
	*s = (struct shelf){ .items = items };
	ct_lock_init(&s->lock, CT_RANK_APP);
	ct_cond_init(&s->put);
}

static void shelf_fini(struct shelf *s)
{
	ct_cond_fini(&s->put);
	ct_lock_fini(&s->lock);
}

static bool take_one(void *shelf)
{
	struct shelf *s = shelf;

	s->looks++;
	if (s->items == 0)
		return false;
	s->items--;
	return true;
}

static void *put_one(void *shelf)
{
	struct shelf *s = shelf;

	ct_lock_acquire(&s->lock);
	while (s->looks == 0) { /* until somebody waits */
		ct_lock_release(&s->lock);
		ct_lock_acquire(&s->lock);
	}
	s->items++;
	ct_cond_signal(&s->put);
	ct_lock_release(&s->lock);
	return NULL;
}

Test(ctx_wait, a_signal_ends_a_wait_for_a_condition)
{
	struct ct_ctx *ctx;
	struct shelf s;
	pthread_t t;

	fixture_init(&f);
	ctx = new_root(&f, CT_NEVER);
	shelf_init(&s, 0);
	cr_assert_eq(ct_thread_start(&t, "put", put_one, &s), CT_OK);

	cr_assert_eq(ct_ctx_wait_cond(ctx, &s.put, &s.lock, take_one, &s), CT_OK);

	cr_assert_eq(s.items, 0);
	ct_thread_join(t);
	shelf_fini(&s);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx_wait, a_cancel_and_a_deadline_end_a_wait_for_a_condition)
{
	struct ct_ctx *ctx;
	struct ticker t;
	struct shelf s;

	fixture_init(&f);
	shelf_init(&s, 0);
	ctx = new_root(&f, CT_NEVER);
	ticker_start(&t, ctx);
	cr_assert_eq(ct_ctx_wait_cond(ctx, &s.put, &s.lock, take_one, &s), CT_CANCELLED);
	ticker_stop(&t);
	ct_ctx_unref(ctx);
	ctx = new_root(&f, in_ms(&f, 3));
	ticker_start(&t, NULL);
	cr_assert_eq(ct_ctx_wait_cond(ctx, &s.put, &s.lock, take_one, &s), CT_DEADLINE_EXCEEDED);
	ticker_stop(&t);
	ct_ctx_unref(ctx);
	shelf_fini(&s);
	fixture_fini(&f);
}

Test(ctx_wait, what_is_there_is_taken_although_the_context_is_tripped)
{
	struct ct_ctx *ctx;
	struct shelf s;

	fixture_init(&f);
	shelf_init(&s, 1);
	ctx = new_root(&f, CT_NEVER);
	ct_ctx_cancel(ctx, CT_CANCEL_CALLER);

	cr_assert_eq(ct_ctx_wait_cond(ctx, &s.put, &s.lock, take_one, &s), CT_OK);

	cr_assert_eq(s.items, 0);
	cr_assert_eq(ct_ctx_wait_cond(ctx, &s.put, &s.lock, take_one, &s), CT_CANCELLED);
	ct_ctx_unref(ctx);
	shelf_fini(&s);
	fixture_fini(&f);
}
