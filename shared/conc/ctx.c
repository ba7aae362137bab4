/* SPDX-License-Identifier: Apache-2.0 */
#include "conc/ctx.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/lock.h"

#include <stdalign.h>

/*
 * Contexts share a fixed set of locks, picked by address, so that making one costs
 * no lock of its own. A thread never holds two of them. A context's stripe protects
 * its hooks, its list of children (so also their sibling links), and the decision
 * to trip it.
 *
 * Lifetime. Whoever reaches a context by the tree or by its timer, not by a
 * reference, takes one with try_ref(), which fails once the last is gone; until
 * then the memory stays, because the last unref takes the parent's stripe to leave
 * its list and waits for the timer's fn before it calls release.
 */
enum { STRIPES = 64, STRIPE_ALIGN = 64, STRIPE_SHIFT = 58 };

struct stripe {
	alignas(STRIPE_ALIGN) struct ct_lock lock; /* rank CTX */
	struct ct_cond returned;                   /* the fn of a hook has */
	unsigned waiting;
};

#define S1                                                                        \
	{                                                                         \
		.lock = { .mu = PTHREAD_MUTEX_INITIALIZER, .rank = CT_RANK_CTX }, \
		.returned = { PTHREAD_COND_INITIALIZER },                         \
	}
#define S4 S1, S1, S1, S1
#define S16 S4, S4, S4, S4
static struct stripe stripes[STRIPES] = { S16, S16, S16, S16 };
#undef S16
#undef S4
#undef S1

/* On the stack of the thread that runs a hook. */
struct ct_ctx_firing {
	struct ct_ctx_firing *next;
	const struct ct_ctx_hook *hook;
	pthread_t thread;
};

static struct stripe *stripe_of(const struct ct_ctx *ctx)
{
	return &stripes[(uint64_t)(uintptr_t)ctx * UINT64_C(0x9e3779b97f4a7c15) >> STRIPE_SHIFT];
}

/* What a trip is to the contexts below. */
static enum ct_cancel_reason reason_below(enum ct_cancel_reason why)
{
	return why == CT_CANCEL_DEADLINE ? CT_CANCEL_DEADLINE : CT_CANCEL_PARENT;
}

static bool try_ref(struct ct_ctx *ctx)
{
	int n = atomic_load_explicit(&ctx->refs, memory_order_relaxed);

	while (n > 0)
		if (atomic_compare_exchange_weak_explicit(
			    &ctx->refs, &n, n + 1, memory_order_acq_rel, memory_order_relaxed))
			return true;
	return false;
}

/* ---- tripping ------------------------------------------------------------------ */

static void set_tripped(struct ct_ctx *ctx, enum ct_cancel_reason why)
{
	atomic_store_explicit(&ctx->tripped_ns, ct_ctx_now(ctx).ns, memory_order_relaxed);
	atomic_store_explicit(&ctx->tripped, (int)why, memory_order_release);
}

/* Calls out with the stripe's lock let go of. */
static void run_hook_locked(struct ct_ctx *ctx, struct stripe *s, struct ct_ctx_hook *hook,
			    enum ct_cancel_reason why) CT_REQUIRES(&s->lock)
{
	ct_ctx_hook_fn *const fn = hook->fn;
	struct ct_ctx_firing me = { .next = ctx->firing, .hook = hook, .thread = pthread_self() };
	struct ct_ctx_firing **at;

	ctx->firing = &me;
	hook->fn = NULL; /* it ran, as ct_ctx_hook_remove() sees it */
	ct_lock_release(&s->lock);
	ct_lock_check_none();
	fn(hook, why); /* the hook may be gone after it */
	ct_lock_acquire(&s->lock);
	for (at = &ctx->firing; *at != &me; at = &(*at)->next)
		CT_CHECK(*at != NULL);
	*at = me.next;
	if (s->waiting > 0)
		ct_cond_broadcast(&s->returned);
}

/* Sets the flag and runs the hooks of one context. False: it was tripped before,
 * and whoever did that takes care of what is below. A finished one is tripped by
 * hand only; any other cause passes it on its way down. */
static bool trip_one(struct ct_ctx *ctx, enum ct_cancel_reason why, bool by_hand)
{
	struct stripe *s = stripe_of(ctx);
	struct ct_list *l;
	bool first;

	ct_lock_acquire(&s->lock);
	first = !ct_ctx_done(ctx) && (by_hand || ctx->passed == CT_CANCEL_NONE);
	if (first && ctx->finished && !by_hand) {
		ctx->passed = why;
	} else if (first) {
		set_tripped(ctx, why);
		while ((l = ct_list_pop_front(&ctx->hooks)) != NULL)
			run_hook_locked(ctx, s, CT_CONTAINER_OF(l, struct ct_ctx_hook, link), why);
	}
	ct_lock_release(&s->lock);
	return first;
}

/* A child, no longer in the list, with a reference to it; NULL: there is none. */
static struct ct_ctx *take_child(struct ct_ctx *ctx)
{
	struct stripe *s = stripe_of(ctx);
	struct ct_ctx *child = NULL;
	struct ct_list *l;

	ct_lock_acquire(&s->lock);
	while (child == NULL && (l = ct_list_pop_front(&ctx->children)) != NULL) {
		child = CT_CONTAINER_OF(l, struct ct_ctx, sibling);
		if (!try_ref(child))
			child = NULL; /* on its way out, it waits for this lock */
	}
	ct_lock_release(&s->lock);
	return child;
}

/* Depth first without recursion: the tree may be deep. The caller has a reference
 * to root; on the way down each context is held by the one taken for it. */
static void trip_below(struct ct_ctx *root, enum ct_cancel_reason why)
{
	struct ct_ctx *at = root;

	for (;;) {
		struct ct_ctx *child = take_child(at);
		struct ct_ctx *up = at->parent;

		if (child != NULL && trip_one(child, reason_below(why), false)) {
			at = child;
		} else if (child != NULL) {
			ct_ctx_unref(child);
		} else if (at != root) {
			ct_ctx_unref(at);
			at = up;
		} else {
			return;
		}
	}
}

static bool trip_tree(struct ct_ctx *root, enum ct_cancel_reason why, bool by_hand)
{
	const bool first = trip_one(root, why, by_hand);

	if (first)
		trip_below(root, why);
	return first;
}

static void deadline_fn(struct ct_timer *t)
{
	struct ct_ctx *ctx = CT_CONTAINER_OF(t, struct ct_ctx, timer);

	if (!try_ref(ctx))
		return; /* the last unref waits for this fn to return */
	(void)trip_tree(ctx, CT_CANCEL_DEADLINE, false); /* false: something else came first */
	ct_ctx_unref(ctx);
}

bool ct_ctx_cancel(struct ct_ctx *ctx, enum ct_cancel_reason why)
{
	bool first;

	CT_CHECK(why != CT_CANCEL_NONE);
	ct_ctx_ref(ctx); /* a hook may give up the caller's */
	first = trip_tree(ctx, why, true);
	ct_ctx_unref(ctx);
	return first;
}

/* ---- hooks ----------------------------------------------------------------------- */

void ct_ctx_on_cancel(struct ct_ctx *ctx, struct ct_ctx_hook *hook, ct_ctx_hook_fn *fn)
{
	struct stripe *s = stripe_of(ctx);

	CT_CHECK(fn != NULL);
	hook->fn = fn;
	ct_list_init(&hook->link);
	ct_lock_acquire(&s->lock);
	if (!ct_ctx_done(ctx)) {
		ct_list_push_back(&ctx->hooks, &hook->link);
		ct_lock_release(&s->lock);
		return;
	}
	ct_ctx_ref(ctx); /* fn may give up the caller's */
	run_hook_locked(ctx, s, hook, ct_ctx_reason(ctx));
	ct_lock_release(&s->lock);
	ct_ctx_unref(ctx);
}

static bool fires_elsewhere_locked(const struct ct_ctx *ctx, const struct ct_ctx_hook *hook)
{
	for (const struct ct_ctx_firing *f = ctx->firing; f != NULL; f = f->next)
		if (f->hook == hook && !pthread_equal(f->thread, pthread_self()))
			return true;
	return false;
}

static bool remove_hook_locked(struct ct_ctx *ctx, struct stripe *s, struct ct_ctx_hook *hook)
	CT_REQUIRES(&s->lock)
{
	const bool never_ran = hook->fn != NULL;

	if (never_ran)
		ct_list_remove(&hook->link); /* harmless where finish has dropped it */
	while (fires_elsewhere_locked(ctx, hook)) {
		s->waiting++;
		ct_cond_wait(&s->returned, &s->lock);
		s->waiting--;
	}
	return never_ran;
}

static void finish_locked(struct ct_ctx *ctx)
{
	while (ct_list_pop_front(&ctx->hooks) != NULL)
		; /* dropped */
	ctx->finished = true;
	/* It stays where it is for those below, until its last reference goes. */
}

bool ct_ctx_hook_remove(struct ct_ctx *ctx, struct ct_ctx_hook *hook)
{
	struct stripe *s = stripe_of(ctx);
	bool never_ran;

	ct_lock_acquire(&s->lock);
	never_ran = remove_hook_locked(ctx, s, hook);
	ct_lock_release(&s->lock);
	return never_ran;
}

bool ct_ctx_end_with_hook(struct ct_ctx *ctx, struct ct_ctx_hook *hook)
{
	struct stripe *s = stripe_of(ctx);
	bool never_ran, has_children;

	ct_lock_acquire(&s->lock);
	never_ran = remove_hook_locked(ctx, s, hook);
	finish_locked(ctx);
	if (ctx->passed == CT_CANCEL_NONE)
		ctx->passed = CT_CANCEL_PARENT; /* for those to come, too */
	has_children = !ct_list_empty(&ctx->children);
	ct_lock_release(&s->lock);
	if (has_children)
		trip_below(ctx, CT_CANCEL_PARENT);
	return never_ran;
}

/* ---- life ------------------------------------------------------------------------ */

/* Joins the parent's children unless one of the two is tripped already, or a cause
 * has passed the parent. Returns why ctx is tripped from the start. */
static enum ct_cancel_reason enter_tree(struct ct_ctx *ctx, enum ct_cancel_reason why)
{
	struct ct_ctx *parent = ctx->parent;
	struct stripe *s = stripe_of(parent);

	ct_lock_acquire(&s->lock);
	if (ct_ctx_done(parent)) {
		why = reason_below(ct_ctx_reason(parent));
	} else if (parent->passed != CT_CANCEL_NONE) {
		why = reason_below(parent->passed);
	} else if (why == CT_CANCEL_NONE) {
		ct_list_push_back(&parent->children, &ctx->sibling);
		ctx->in_tree = true;
	}
	ct_lock_release(&s->lock);
	return why;
}

void ct_ctx_init(struct ct_ctx *ctx, struct ct_ctx *parent, struct ct_timers *timers,
		 ct_instant deadline, void (*release)(struct ct_ctx *ctx))
{
	CT_CHECK(parent != NULL || timers != NULL);
	ct_ctx_init_opts(ctx, &(struct ct_ctx_opts){
				      .parent = parent,
				      .timers = timers,
				      .deadline = deadline,
				      .now = ct_now(ct_timers_clock(parent != NULL ? parent->timers
										   : timers)),
				      .release = release,
				      .refs = 1,
			      });
}

void ct_ctx_init_opts(struct ct_ctx *ctx, const struct ct_ctx_opts *o)
{
	struct ct_ctx *parent = o->parent;
	enum ct_cancel_reason why = CT_CANCEL_NONE;

	CT_CHECK(parent != NULL || o->timers != NULL);
	CT_CHECK(o->refs > 0);
	*ctx = (struct ct_ctx){
		.parent = parent,
		.timers = parent != NULL ? parent->timers : o->timers,
		.deadline = parent != NULL ? ct_deadline_sooner(parent->deadline, o->deadline)
					   : o->deadline,
		.release = o->release,
	};
	atomic_init(&ctx->refs, o->refs);
	atomic_init(&ctx->tripped, CT_CANCEL_NONE);
	atomic_init(&ctx->tripped_ns, 0);
	ct_list_init(&ctx->children);
	ct_list_init(&ctx->sibling);
	ct_list_init(&ctx->hooks);
	ct_timer_init(&ctx->timer, deadline_fn);

	if (o->now.ns >= ctx->deadline.ns)
		why = CT_CANCEL_DEADLINE;
	if (o->hook != NULL) {
		ct_list_init(&o->hook->link);
		ct_list_push_back(&ctx->hooks, &o->hook->link);
		o->hook->fn = o->hook_fn;
	}
	if (parent != NULL) {
		ct_ctx_ref(parent);
		ctx->trace = parent->trace;
		ctx->rated = parent->rated;
		ctx->criticality = parent->criticality;
		why = enter_tree(ctx, why);
	}
	if (why != CT_CANCEL_NONE) {
		set_tripped(ctx, why); /* nobody else knows it yet */
		if (o->hook != NULL) {
			ct_list_remove(&o->hook->link);
			o->hook->fn = NULL;
		}
	} else if (parent == NULL || ctx->deadline.ns < parent->deadline.ns) {
		/* else the parent's deadline trips it in time */
		ctx->timer_armed = true;
		ct_timers_arm(ctx->timers, &ctx->timer, ctx->deadline);
	}
}

static ct_status new_ctx(struct ct_ctx *parent, struct ct_timers *timers, ct_instant deadline,
			 struct ct_ctx **ret_ctx)
{
	struct ct_ctx *ctx = ct_mem_alloc(sizeof(*ctx));

	if (ctx == NULL)
		return CT_RESOURCE_EXHAUSTED;
	ct_ctx_init(ctx, parent, timers, deadline, NULL);
	*ret_ctx = ctx;
	return CT_OK;
}

ct_status ct_ctx_new_root(struct ct_timers *timers, ct_instant deadline, struct ct_ctx **ret_ctx)
{
	return new_ctx(NULL, timers, deadline, ret_ctx);
}

ct_status ct_ctx_with_deadline(struct ct_ctx *parent, ct_instant deadline, struct ct_ctx **ret_ctx)
{
	return new_ctx(parent, NULL, deadline, ret_ctx);
}

ct_status ct_ctx_with_timeout_ms(struct ct_ctx *parent, uint32_t timeout_ms,
				 struct ct_ctx **ret_ctx)
{
	const struct ct_clock *clk = ct_timers_clock(parent->timers);

	return new_ctx(parent, NULL, ct_deadline_after_ms(clk, timeout_ms), ret_ctx);
}

struct ct_ctx *ct_ctx_ref(struct ct_ctx *ctx)
{
	CT_CHECK(atomic_fetch_add_explicit(&ctx->refs, 1, memory_order_relaxed) > 0);
	return ctx;
}

void ct_ctx_finish(struct ct_ctx *ctx)
{
	struct stripe *s = stripe_of(ctx);

	ct_lock_acquire(&s->lock);
	finish_locked(ctx);
	ct_lock_release(&s->lock);
}

/* The last reference is gone. Nobody can reach it any more once this returns: a
 * deadline that fires right now fails to get a reference, and is waited for. */
static void leave(struct ct_ctx *ctx)
{
	if (ctx->in_tree) {
		struct stripe *s = stripe_of(ctx->parent);

		ct_lock_acquire(&s->lock);
		ct_list_remove(&ctx->sibling);
		ct_lock_release(&s->lock);
	}
	if (ctx->timer_armed)
		ct_timers_cancel_wait(ctx->timers, &ctx->timer);
}

struct ct_ctx *ct_ctx_unref(struct ct_ctx *ctx)
{
	while (ctx != NULL) {
		struct ct_ctx *parent = ctx->parent;
		const int refs = atomic_fetch_sub_explicit(&ctx->refs, 1, memory_order_acq_rel);

		CT_CHECK(refs > 0);
		if (refs > 1)
			break;
		leave(ctx);
		CT_CHECK(ct_list_empty(&ctx->children)); /* they hold it */
		CT_CHECK(ctx->firing == NULL);
		if (ctx->release != NULL)
			ctx->release(ctx);
		else
			ct_mem_free(ctx);
		ctx = parent; /* the reference it held */
	}
	return NULL;
}
