/* SPDX-License-Identifier: Apache-2.0 */
#include "net/names.h"

#include "base/check.h"
#include "base/list.h"
#include "base/mem.h"
#include "conc/lock.h"
#include "conc/thread.h"
#include "net/lookup.h"

/* One lookup; belongs to the queue, then to the thread. */
struct query {
	struct ct_list link;
	struct ct_address address;
	struct ct_lookup found;
	ct_resolve_fn *fn; /* NULL: it was called off while out */
	void *arg;
};

/*
 * getaddrinfo() cannot be called off. When the names are freed while the thread
 * is inside it, the thread is left alone with them (orphaned): it frees them when
 * the answer comes, and nobody waited.
 */
struct ct_names {
	struct ct_lock lock; /* rank NET; protects everything below */
	struct ct_cond work; /* waiting got its first, or stopping became true */
	struct ct_list waiting;
	struct query *out; /* inside getaddrinfo() */
	pthread_t thread;
	bool started, stopping, orphaned;
};

static void names_release(struct ct_names *n)
{
	ct_cond_fini(&n->work);
	ct_lock_fini(&n->lock);
	ct_mem_free(n);
}

static void answer(struct query *q, ct_status st)
{
	const char *urls[CT_LOOKUP_MAX];

	if (st != CT_OK)
		q->found.n = 0;
	for (size_t i = 0; i < q->found.n; i++)
		urls[i] = q->found.urls[i];
	q->fn(q->arg, st, urls, q->found.n);
	ct_mem_free(q);
}

/* The next query, marked as out; NULL when it is time to stop. */
static struct query *next_query(struct ct_names *n)
{
	struct query *q = NULL;

	ct_lock_acquire(&n->lock);
	while (ct_list_empty(&n->waiting) && !n->stopping)
		ct_cond_wait(&n->work, &n->lock);
	if (!n->stopping)
		q = CT_CONTAINER_OF(ct_list_pop_front(&n->waiting), struct query, link);
	n->out = q;
	ct_lock_release(&n->lock);
	return q;
}

static void *names_main(void *arg)
{
	struct ct_names *n = arg;
	struct query *q;

	while ((q = next_query(n)) != NULL) {
		const ct_status st = ct_lookup(&q->address, &q->found);
		bool orphaned, called_off;

		ct_lock_acquire(&n->lock);
		n->out = NULL;
		orphaned = n->orphaned;
		called_off = q->fn == NULL;
		ct_lock_release(&n->lock);
		if (orphaned) { /* the query has been answered, the owner is gone */
			ct_mem_free(q);
			names_release(n);
			return NULL;
		}
		if (called_off)
			ct_mem_free(q);
		else
			answer(q, st);
	}
	return NULL;
}

ct_status ct_names_new(struct ct_names **ret_names)
{
	struct ct_names *n = ct_mem_zalloc(1, sizeof(*n));

	if (n == NULL)
		return CT_RESOURCE_EXHAUSTED;
	ct_lock_init(&n->lock, CT_RANK_NET);
	ct_cond_init(&n->work);
	ct_list_init(&n->waiting);
	*ret_names = n;
	return CT_OK;
}

/* Takes the unanswered queries; the one that is out is only copied, as the
 * thread still writes to it. */
static void drain_locked(struct ct_names *n, struct ct_list *ret_waiting, ct_resolve_fn **ret_fn,
			 void **ret_arg) CT_REQUIRES(&n->lock)
{
	ct_lock_check_held(&n->lock);
	n->stopping = true;
	n->orphaned = n->out != NULL;
	if (n->orphaned) {
		*ret_fn = n->out->fn; /* NULL: it was called off, and told so */
		*ret_arg = n->out->arg;
	}
	ct_list_splice_back(ret_waiting, &n->waiting);
	ct_cond_signal(&n->work);
}

struct ct_names *ct_names_free(struct ct_names *n)
{
	ct_resolve_fn *out_fn = NULL;
	void *out_arg = NULL;
	struct ct_list waiting, *link;
	pthread_t thread;
	bool started, orphaned;

	if (n == NULL)
		return NULL;
	ct_list_init(&waiting);
	ct_lock_acquire(&n->lock);
	drain_locked(n, &waiting, &out_fn, &out_arg);
	started = n->started;
	orphaned = n->orphaned;
	thread = n->thread;
	if (orphaned)
		CT_CHECK(pthread_detach(thread) == 0); /* n is the thread's from here on */
	ct_lock_release(&n->lock);

	if (out_fn != NULL)
		out_fn(out_arg, CT_CANCELLED, NULL, 0);
	if (!orphaned) {
		if (started)
			ct_thread_join(thread);
		names_release(n);
	}
	while ((link = ct_list_pop_front(&waiting)) != NULL)
		answer(CT_CONTAINER_OF(link, struct query, link), CT_CANCELLED);
	return NULL;
}

void ct_names_call_off(struct ct_names *n, const void *arg)
{
	struct ct_list off, *link, *next;
	ct_resolve_fn *out_fn = NULL;
	void *out_arg = NULL;

	ct_list_init(&off);
	ct_lock_acquire(&n->lock);
	for (link = n->waiting.next; link != &n->waiting; link = next) {
		next = link->next;
		if (CT_CONTAINER_OF(link, struct query, link)->arg != arg)
			continue;
		ct_list_remove(link);
		ct_list_push_back(&off, link);
	}
	if (n->out != NULL && n->out->arg == arg && n->out->fn != NULL) {
		out_fn = n->out->fn;
		out_arg = n->out->arg;
		n->out->fn = NULL; /* the thread only frees it */
	}
	ct_lock_release(&n->lock);
	if (out_fn != NULL)
		out_fn(out_arg, CT_CANCELLED, NULL, 0);
	while ((link = ct_list_pop_front(&off)) != NULL)
		answer(CT_CONTAINER_OF(link, struct query, link), CT_CANCELLED);
}

ct_status ct_names_resolve(struct ct_names *n, const struct ct_address *a, ct_resolve_fn *fn,
			   void *arg)
{
	struct query *q = ct_mem_zalloc(1, sizeof(*q));
	ct_status st = CT_OK;

	if (q == NULL)
		return CT_RESOURCE_EXHAUSTED;
	q->address = *a;
	q->fn = fn;
	q->arg = arg;
	ct_lock_acquire(&n->lock);
	if (!n->started)
		st = ct_thread_start(&n->thread, "ct-names", names_main, n);
	if (st == CT_OK) {
		n->started = true;
		ct_list_push_back(&n->waiting, &q->link);
		ct_cond_signal(&n->work);
	}
	ct_lock_release(&n->lock);
	if (st != CT_OK)
		ct_mem_free(q);
	return st;
}
