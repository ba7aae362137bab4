/* SPDX-License-Identifier: Apache-2.0 */
/* Waits that a tripped context ends. Time is that of the context's timers, so a
 * fake clock moves these too. */
#include "base/check.h"
#include "conc/ctx.h"
#include "conc/latch.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* ---- until an instant -------------------------------------------------------------- */

struct sleeper {
	struct ct_ctx_hook hook;
	struct ct_timer timer;
	struct ct_latch over;
	atomic_bool woken; /* the hook and the timer may both come */
};

static void wake(struct sleeper *s)
{
	if (!atomic_exchange(&s->woken, true))
		ct_latch_count_down(&s->over);
}

static void sleep_timer_fn(struct ct_timer *t)
{
	wake(CT_CONTAINER_OF(t, struct sleeper, timer));
}

static void sleep_hook_fn(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	(void)why;
	wake(CT_CONTAINER_OF(hook, struct sleeper, hook));
}

ct_status ct_ctx_sleep_until(struct ct_ctx *ctx, ct_instant until)
{
	struct sleeper s = { .woken = false };
	bool tripped;

	if (ct_ctx_done(ctx))
		return ct_status_from_reason(ct_ctx_reason(ctx));
	ct_latch_init(&s.over, 1);
	ct_timer_init(&s.timer, sleep_timer_fn);
	ct_ctx_on_cancel(ctx, &s.hook, sleep_hook_fn);
	ct_timers_arm(ctx->timers, &s.timer, until);
	ct_latch_wait(&s.over);
	ct_timers_cancel_wait(ctx->timers, &s.timer);
	tripped = !ct_ctx_hook_remove(ctx, &s.hook);
	ct_latch_fini(&s.over);
	return tripped ? ct_status_from_reason(ct_ctx_reason(ctx)) : CT_OK;
}

/* ---- until a descriptor is ready ----------------------------------------------------- */

struct fd_waiter {
	struct ct_ctx_hook hook;
	struct ct_timer timer;
	int event_fd; /* readable: look what happened */
	atomic_bool late;
};

static void nudge(struct fd_waiter *w)
{
	CT_CHECK(eventfd_write(w->event_fd, 1) == 0); /* two at most: it cannot be full */
}

static void fd_timer_fn(struct ct_timer *t)
{
	struct fd_waiter *w = CT_CONTAINER_OF(t, struct fd_waiter, timer);

	atomic_store(&w->late, true);
	nudge(w);
}

static void fd_hook_fn(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	(void)why;
	nudge(CT_CONTAINER_OF(hook, struct fd_waiter, hook));
}

static ct_status poll_fd(const struct ct_ctx *ctx, struct fd_waiter *w, int fd, short events)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = events },
		{ .fd = w->event_fd, .events = POLLIN },
	};

	for (;;) {
		const int n = poll(fds, CT_ARRAY_N(fds), -1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ct_status_from_errno(errno);
		if (ct_ctx_done(ctx))
			return ct_status_from_reason(ct_ctx_reason(ctx));
		if (fds[0].revents != 0)
			return CT_OK;
		CT_CHECK(atomic_load(&w->late)); /* what else wrote to event_fd? */
		return CT_DEADLINE_EXCEEDED;
	}
}

ct_status ct_ctx_wait_fd(struct ct_ctx *ctx, int fd, short events, ct_instant until)
{
	struct fd_waiter w = { .event_fd = -1 };
	ct_status st;

	CT_CHECK(fd >= 0);
	if (ct_ctx_done(ctx))
		return ct_status_from_reason(ct_ctx_reason(ctx));
	w.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w.event_fd < 0)
		return ct_status_from_errno(errno);
	ct_timer_init(&w.timer, fd_timer_fn);
	ct_ctx_on_cancel(ctx, &w.hook, fd_hook_fn);
	ct_timers_arm(ctx->timers, &w.timer, until);
	st = poll_fd(ctx, &w, fd, events);
	ct_timers_cancel_wait(ctx->timers, &w.timer);
	(void)ct_ctx_hook_remove(ctx, &w.hook); /* st says whether it ran */
	(void)close(w.event_fd);                /* nothing was written that could be lost */
	return st;
}

/* ---- until something else is so --------------------------------------------------------- */

struct cond_waiter {
	struct ct_ctx_hook hook;
	struct ct_cond *cond;
	struct ct_lock *lock;
};

static void cond_hook_fn(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct cond_waiter *w = CT_CONTAINER_OF(hook, struct cond_waiter, hook);

	(void)why;
	ct_lock_acquire(w->lock); /* else the waiter may be between its look and its wait */
	ct_cond_broadcast(w->cond);
	ct_lock_release(w->lock);
}

ct_status ct_ctx_wait_cond(struct ct_ctx *ctx, struct ct_cond *c, struct ct_lock *l,
			   bool (*ready)(void *arg), void *arg)
{
	struct cond_waiter w = { .cond = c, .lock = l };
	bool yes;

	ct_ctx_on_cancel(ctx, &w.hook, cond_hook_fn);
	ct_lock_acquire(l);
	while (!(yes = ready(arg)) && !ct_ctx_done(ctx))
		ct_cond_wait(c, l);
	ct_lock_release(l);
	(void)ct_ctx_hook_remove(ctx, &w.hook);
	return yes ? CT_OK : ct_status_from_reason(ct_ctx_reason(ctx));
}
