/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_CONC_CTX_H
#define CT_CONC_CTX_H

#include "base/attrs.h"
#include "base/clock.h"
#include "base/criticality.h"
#include "base/id.h"
#include "base/list.h"
#include "base/status.h"
#include "conc/lock.h"
#include "conc/timers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/*
 * The context of a piece of work: until when, whether somebody still wants it,
 * and whose trace it belongs to. Contexts form a tree. Tripping one (cancel or
 * deadline) trips everything below it, on the thread that trips it or on the
 * timer thread, never on the thread that does the work. The first cause wins.
 *
 *   LIVE --cancel/deadline/parent--> TRIPPED          both --unref to 0--> freed
 *
 * Reference counted. A child holds its parent; the timers outlive them all.
 * Functions on a context need a reference that lasts until they return. All
 * functions: any thread, none blocks except those named wait or sleep, and
 * ct_ctx_hook_remove(). No lock may be held around those that run hooks,
 * ct_ctx_cancel(), ct_ctx_on_cancel() and ct_ctx_end_with_hook(), none of rank CTX or
 * below around others.
 */
struct ct_ctx;
struct ct_ctx_firing;

/* Why a context was tripped. Numbers 1..6 travel in the code field of a CANCEL. */
#define CT_CANCEL_REASONS(X)                                \
	X(NONE, 0, "")                                      \
	X(CALLER, 1, "caller") /* somebody called cancel */ \
	X(DEADLINE, 2, "deadline")                          \
	X(PARENT, 3, "parent")   /* the context above */    \
	X(SIBLING, 4, "sibling") /* another leg failed */   \
	X(HEDGE_LOST, 5, "hedge_lost")                      \
	X(DRAIN, 6, "drain")         /* the server stops */ \
	X(PEER_GONE, 7, "peer_gone") /* the caller's connection is lost; local */

enum ct_cancel_reason {
#define X(name, number, text) CT_CANCEL_##name = (number),
	CT_CANCEL_REASONS(X)
#undef X
};

enum { CT_CANCEL_REASONS_N = CT_CANCEL_PEER_GONE + 1 }; /* NONE is one of them */

const char *ct_cancel_reason_name(enum ct_cancel_reason why); /* static, never NULL */

/* What the tripped state means to a caller: DEADLINE -> DEADLINE_EXCEEDED,
 * NONE -> OK, PEER_GONE and DRAIN -> CANCELLED, anything else -> CANCELLED. */
ct_status ct_status_from_reason(enum ct_cancel_reason why);

struct ct_trace {
	struct ct_id trace_id; /* zero: no trace */
	uint64_t span_id;
};

/* Fields are private to ctx.c. Visible so that a call can embed its context. */
struct ct_ctx {
	atomic_int refs;
	atomic_int tripped; /* enum ct_cancel_reason */
	struct ct_ctx *parent;
	struct ct_timers *timers;
	ct_instant deadline;
	_Atomic int64_t tripped_ns; /* when; valid once tripped is read with acquire */
	struct ct_trace trace;
	bool served;
	bool rated; /* criticality was set, here or above */
	enum ct_criticality criticality;
	struct ct_timer timer;
	/* under the lock of its stripe; sibling is under the parent's */
	struct ct_list children, sibling, hooks;
	struct ct_ctx_firing *firing; /* hooks whose fn runs now */
	bool finished;
	enum ct_cancel_reason passed;        /* what would have tripped it after it was finished */
	bool in_tree, timer_armed;           /* set by init, for the last unref */
	void (*release)(struct ct_ctx *ctx); /* at the last unref; NULL: ct_mem_free */
};

/* A root: no parent. RESOURCE_EXHAUSTED: no memory. One reference, the caller's. */
CT_MUST_USE ct_status ct_ctx_new_root(struct ct_timers *timers, ct_instant deadline,
				      struct ct_ctx **ret_ctx);

/* A child: deadline = the sooner of the parent's and the given one. */
CT_MUST_USE ct_status ct_ctx_with_deadline(struct ct_ctx *parent, ct_instant deadline,
					   struct ct_ctx **ret_ctx);
CT_MUST_USE ct_status ct_ctx_with_timeout_ms(struct ct_ctx *parent, uint32_t timeout_ms,
					     struct ct_ctx **ret_ctx);

/* For embedding: the caller's memory, one reference. parent NULL: a root, and
 * timers is needed; else the parent's are used. release runs at the last unref,
 * on whatever thread that is, the timer thread included, with no lock of ours
 * held; nothing touches the context after it was called.
 * A parent that is tripped, or a deadline that has passed, trips it at once. */
void ct_ctx_init(struct ct_ctx *ctx, struct ct_ctx *parent, struct ct_timers *timers,
		 ct_instant deadline, void (*release)(struct ct_ctx *ctx));

struct ct_ctx_hook;
typedef void(ct_ctx_hook_fn)(struct ct_ctx_hook *hook, enum ct_cancel_reason why);

/* The same for calls, which count what they take: the clock that was just read, the
 * references that are sure to be needed, and the hook, set before anybody else can
 * see the context, so without its lock. A context that is tripped from the start has
 * no hook, and its fn never runs: the caller looks. */
struct ct_ctx_opts {
	struct ct_ctx *parent;    /* NULL: a root */
	struct ct_timers *timers; /* for a root */
	ct_instant deadline, now;
	void (*release)(struct ct_ctx *ctx);
	int refs;                 /* the caller's, at least 1 */
	struct ct_ctx_hook *hook; /* NULL: none */
	ct_ctx_hook_fn *hook_fn;
};
void ct_ctx_init_opts(struct ct_ctx *ctx, const struct ct_ctx_opts *opts);

struct ct_ctx *ct_ctx_ref(struct ct_ctx *ctx); /* returns ctx */
/* The owner is done with it. From here on only ct_ctx_cancel() on ctx itself can
 * trip ctx, no deadline and no parent. Hooks still set are dropped without being
 * called. Contexts below it, there or still to come, go on, and what would have
 * tripped ctx still trips them. Idempotent. */
void ct_ctx_finish(struct ct_ctx *ctx);
struct ct_ctx *ct_ctx_unref(struct ct_ctx *ctx); /* the last one ends it; NULL ok; returns NULL */

/* Trips it and all below. False: it was tripped before (nothing changes). */
bool ct_ctx_cancel(struct ct_ctx *ctx, enum ct_cancel_reason why);

/* One relaxed load: cheap enough for the inside of a loop. */
static inline bool ct_ctx_done(const struct ct_ctx *ctx)
{
	return atomic_load_explicit(&ctx->tripped, memory_order_relaxed) != CT_CANCEL_NONE;
}

enum ct_cancel_reason ct_ctx_reason(const struct ct_ctx *ctx); /* NONE while live */
/* The same, and DEADLINE from the deadline on, should the timer thread be late. */
enum ct_cancel_reason ct_ctx_reason_at(const struct ct_ctx *ctx, ct_instant now);
/* OK while it is live and its deadline is ahead. Reads the clock. */
ct_status ct_ctx_status(const struct ct_ctx *ctx);
ct_status ct_ctx_status_at(const struct ct_ctx *ctx, ct_instant now); /* does not read it */
ct_instant ct_ctx_deadline(const struct ct_ctx *ctx);                 /* CT_NEVER: none */
ct_instant ct_ctx_now(const struct ct_ctx *ctx);
struct ct_timers *ct_ctx_timers(const struct ct_ctx *ctx);
struct ct_ctx *ct_ctx_parent(const struct ct_ctx *ctx); /* borrowed; NULL: a root */
/* A context of a call that a server answers: what tripped it was decided
 * elsewhere, so calls made under it tell their servers PARENT. Set before sharing. */
void ct_ctx_set_served(struct ct_ctx *ctx);
bool ct_ctx_served(const struct ct_ctx *ctx);
ct_instant ct_ctx_tripped_at(const struct ct_ctx *ctx); /* CT_NEVER while live */

/* The trace is inherited by children made afterwards. Set before sharing. */
void ct_ctx_set_trace(struct ct_ctx *ctx, struct ct_trace trace);
struct ct_trace ct_ctx_trace(const struct ct_ctx *ctx);

/* How much all that is done under it matters; never more than what is above it.
 * Inherited by children made afterwards. Set before sharing. */
void ct_ctx_set_criticality(struct ct_ctx *ctx, enum ct_criticality c);
/* How much a call made under it matters: what was set here or above, or what its maker
 * asks for when that is less. Where nothing was set, what is asked for. To ask for
 * DEFAULT is to ask for nothing. */
enum ct_criticality ct_ctx_criticality(const struct ct_ctx *ctx, enum ct_criticality asked);

/* Called when a context trips. Lives in the caller's memory until it ran,
 * ct_ctx_hook_remove() returned, or the context is freed. Fields are private. */
struct ct_ctx_hook {
	struct ct_list link;
	ct_ctx_hook_fn *fn;
};

/* fn runs exactly once: now, on this thread, when ctx is tripped already; else
 * on the thread that trips it, with no lock held. It must not block. It never
 * runs after ct_ctx_hook_remove() returned. */
void ct_ctx_on_cancel(struct ct_ctx *ctx, struct ct_ctx_hook *hook, ct_ctx_hook_fn *fn);

/* True: it never ran and never will. False: it ran; when it runs right now on
 * another thread this waits for it to return (not from within the fn itself). The
 * hook must have been set on ctx; once its fn has freed it, it is too late. */
bool ct_ctx_hook_remove(struct ct_ctx *ctx, struct ct_ctx_hook *hook);
/* The work is over: ct_ctx_hook_remove() and then ct_ctx_finish(), but contexts below it,
 * there or still to come, are tripped with PARENT. Runs their hooks. */
bool ct_ctx_end_with_hook(struct ct_ctx *ctx, struct ct_ctx_hook *hook);

/* Blocks until `until` or until ctx trips. OK: the time came; else the status
 * of the trip. Not on the timer thread. */
CT_MUST_USE ct_status ct_ctx_sleep_until(struct ct_ctx *ctx, ct_instant until);

/* Blocks until fd has one of the poll(2) events, ctx trips, or `until` passes.
 * OK: the fd is ready (or in error). DEADLINE_EXCEEDED: until or the deadline
 * passed. CANCELLED. RESOURCE_EXHAUSTED: no descriptor left. A trip comes before
 * readiness. Not on the timer thread. */
CT_MUST_USE ct_status ct_ctx_wait_fd(struct ct_ctx *ctx, int fd, short events, ct_instant until);

/* Blocks until ready(arg) is true or ctx trips. ready is asked with l held, at once and
 * whenever c was signalled, never again after it said yes: it may take what it waited for.
 * l is taken and let go of here. OK, or what the trip means; readiness comes first. Not on
 * the timer thread. */
CT_MUST_USE ct_status ct_ctx_wait_cond(struct ct_ctx *ctx, struct ct_cond *c, struct ct_lock *l,
				       bool (*ready)(void *arg), void *arg);

#endif
