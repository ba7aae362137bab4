/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/ctx.h"

/* The callers' side of the writer: queue a write, wait for one, take one back. */

/* The queue is full: who gave up makes room. The writer thread tells him. */
static void drop_tripped_locked(struct ct_store *s) CT_REQUIRES(&s->lock)
{
	struct ct_list *next;

	ct_lock_check_held(&s->lock);
	for (struct ct_list *l = s->queue.next;
	     l != &s->queue && s->dropped_n < s->opts.write_queue_max; l = next) {
		const struct ct_write *w = CT_CONTAINER_OF(l, struct ct_write, link);

		next = l->next;
		if (w->ctx == NULL || !ct_ctx_done(w->ctx))
			continue;
		ct_list_remove(l);
		ct_list_push_back(&s->dropped, l);
		s->dropped_n++;
		s->stats.queued--;
		s->stats.running++;
	}
}

static ct_status queue_locked(struct ct_store *s, const struct ct_write *job) CT_REQUIRES(&s->lock)
{
	struct ct_write *w;

	ct_lock_check_held(&s->lock);
	if (s->closing)
		return CT_UNAVAILABLE;
	if (s->stats.queued >= s->opts.write_queue_max)
		drop_tripped_locked(s);
	if (s->stats.queued >= s->opts.write_queue_max)
		return CT_RESOURCE_EXHAUSTED;
	CT_CHECK(!ct_list_empty(&s->idle));
	w = CT_CONTAINER_OF(ct_list_pop_front(&s->idle), struct ct_write, link);
	*w = *job;
	ct_list_init(&w->link);
	ct_list_push_back(&s->queue, &w->link);
	s->stats.queued++;
	return CT_OK;
}

static ct_status submit(struct ct_store *s, const struct ct_write *job)
{
	ct_status st = job->ctx == NULL ? CT_OK : ct_ctx_status(job->ctx);

	CT_CHECK(job->fn != NULL);
	CT_CHECK(job->done != NULL);
	if (job->ctx != NULL)
		(void)ct_ctx_ref(job->ctx); /* the queue's, given back at its end */
	ct_lock_acquire(&s->lock);
	if (st == CT_OK)
		st = queue_locked(s, job);
	if (st == CT_OK) {
		s->stats.accepted++;
		ct_cond_signal(&s->work);
	} else {
		s->stats.refused++;
	}
	ct_lock_release(&s->lock);
	if (st != CT_OK && job->ctx != NULL)
		(void)ct_ctx_unref(job->ctx);
	return st;
}

ct_status ct_store_write(struct ct_store *s, struct ct_ctx *ctx, ct_db_fn *fn, void *arg,
			 ct_store_done_fn *done, void *done_arg)
{
	return submit(
		s, &(struct ct_write){
			   .ctx = ctx, .fn = fn, .arg = arg, .done = done, .done_arg = done_arg });
}

/* Somebody who waits for his write. Lives on his stack. */
struct waiter {
	struct ct_ctx_hook hook;
	struct ct_store_why *why; /* NULL: not wanted */
	struct ct_lock lock;      /* rank LATCH; protects what follows */
	struct ct_cond news;
	bool ended, tripped;
	ct_status st;
};

static void on_end(void *arg, ct_status st, const char *why)
{
	struct waiter *w = arg;

	if (st != CT_OK)
		ct_why__set(w->why, "%s", why);
	ct_lock_acquire(&w->lock);
	w->ended = true;
	w->st = st;
	ct_cond_broadcast(&w->news); /* under the lock: then the waiter may go */
	ct_lock_release(&w->lock);
}

static void on_trip(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct waiter *w = CT_CONTAINER_OF(hook, struct waiter, hook);

	(void)why;
	ct_lock_acquire(&w->lock);
	w->tripped = true;
	ct_cond_broadcast(&w->news);
	ct_lock_release(&w->lock);
}

static struct ct_write *find(struct ct_list *head, const struct waiter *waiter)
{
	for (struct ct_list *l = head->next; l != head; l = l->next) {
		struct ct_write *w = CT_CONTAINER_OF(l, struct ct_write, link);

		if (w->done_arg == waiter)
			return w;
	}
	return NULL;
}

/* Out of the queue, or of those that made room there. NULL: it is in neither. */
static struct ct_write *take_back_locked(struct ct_store *s, const struct waiter *waiter)
	CT_REQUIRES(&s->lock)
{
	struct ct_write *w = find(&s->queue, waiter);

	ct_lock_check_held(&s->lock);
	if (w != NULL) {
		s->stats.queued--;
	} else if ((w = find(&s->dropped, waiter)) != NULL) {
		s->dropped_n--;
		s->stats.running--;
	}
	if (w != NULL)
		ct_list_remove(&w->link);
	return w;
}

/* True: it had not been told yet, and will not be. */
static bool withdraw(struct ct_store *s, const struct waiter *waiter)
{
	struct ct_write *found;
	struct ct_ctx *ctx;
	char *why;

	ct_lock_acquire(&s->lock);
	found = take_back_locked(s, waiter);
	if (found == NULL) {
		ct_lock_release(&s->lock);
		return false;
	}
	ctx = found->ctx;
	why = found->why; /* of a run whose transaction was lost */
	found->ctx = NULL;
	found->why = NULL;
	ct_list_push_back(&s->idle, &found->link);
	s->stats.cancelled++;
	ct_lock_release(&s->lock);
	(void)ct_ctx_unref(ctx);
	ct_mem_free(why);
	return true;
}

static ct_status wait_end(struct ct_store *s, struct ct_ctx *ctx, struct waiter *w)
{
	bool tried = false;
	ct_status st;

	ct_lock_acquire(&w->lock);
	while (!w->ended) {
		if (!w->tripped || tried) {
			ct_cond_wait(&w->news, &w->lock);
			continue;
		}
		tried = true;
		ct_lock_release(&w->lock);
		if (withdraw(s, w)) {
			ct_why__set(w->why, "given up before it ran");
			return ct_ctx_status(ctx);
		}
		ct_lock_acquire(&w->lock);
	}
	st = w->st;
	ct_lock_release(&w->lock);
	return st;
}

static const char *refusal(ct_status st)
{
	switch (st) {
	case CT_RESOURCE_EXHAUSTED:
		return "too many writes wait";
	case CT_UNAVAILABLE:
		return "the store is closing";
	default:
		return "given up before it was queued";
	}
}

ct_status ct_store_write_wait(struct ct_store *s, struct ct_ctx *ctx, ct_db_fn *fn, void *arg,
			      struct ct_store_why *why)
{
	struct waiter w = { .why = why };
	ct_status st;

	CT_CHECK(!pthread_equal(pthread_self(), s->thread)); /* it would wait for itself */
	ct_lock_init(&w.lock, CT_RANK_LATCH);
	ct_cond_init(&w.news);
	st = submit(s, &(struct ct_write){
			       .ctx = ctx, .fn = fn, .arg = arg, .done = on_end, .done_arg = &w });
	if (st == CT_OK) {
		if (ctx != NULL)
			ct_ctx_on_cancel(ctx, &w.hook, on_trip);
		st = wait_end(s, ctx, &w);
		if (ctx != NULL)
			(void)ct_ctx_hook_remove(ctx, &w.hook); /* ran or not: it is over */
	} else {
		ct_why__set(why, "%s", refusal(st));
	}
	ct_cond_fini(&w.news);
	ct_lock_fini(&w.lock);
	return st;
}
