/* SPDX-License-Identifier: Apache-2.0 */
#include "net/chores.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/lock.h"
#include "conc/thread.h"

struct ct_chores {
	/* fixed after new */
	pthread_t thread;

	struct ct_lock lock; /* rank NET; protects everything below */
	struct ct_cond work; /* todo got its first, or stopping became true */
	struct ct_list todo;
	bool stopping;
};

static void run_all(struct ct_list *mine)
{
	struct ct_list *link;

	while ((link = ct_list_pop_front(mine)) != NULL) {
		struct ct_chore *chore = CT_CONTAINER_OF(link, struct ct_chore, link);

		chore->fn(chore);
	}
}

static void *chores_main(void *arg)
{
	struct ct_chores *q = arg;
	struct ct_list mine;
	bool more = true;

	ct_list_init(&mine);
	while (more) {
		ct_lock_acquire(&q->lock);
		while (ct_list_empty(&q->todo) && !q->stopping)
			ct_cond_wait(&q->work, &q->lock);
		ct_list_splice_back(&mine, &q->todo);
		more = !q->stopping || !ct_list_empty(&mine);
		ct_lock_release(&q->lock);
		run_all(&mine);
	}
	return NULL;
}

ct_status ct_chores_new(struct ct_chores **ret_chores)
{
	struct ct_chores *q = ct_mem_zalloc(1, sizeof(*q));
	ct_status st;

	if (q == NULL)
		return CT_RESOURCE_EXHAUSTED;
	ct_lock_init(&q->lock, CT_RANK_NET);
	ct_cond_init(&q->work);
	ct_list_init(&q->todo);
	st = ct_thread_start(&q->thread, "ct-net", chores_main, q);
	if (st != CT_OK) {
		ct_cond_fini(&q->work);
		ct_lock_fini(&q->lock);
		ct_mem_free(q);
		return st;
	}
	*ret_chores = q;
	return CT_OK;
}

struct ct_chores *ct_chores_free(struct ct_chores *q)
{
	if (q == NULL)
		return NULL;
	ct_lock_acquire(&q->lock);
	q->stopping = true;
	ct_cond_signal(&q->work);
	ct_lock_release(&q->lock);
	ct_thread_join(q->thread);
	CT_CHECK(ct_list_empty(&q->todo));
	ct_cond_fini(&q->work);
	ct_lock_fini(&q->lock);
	ct_mem_free(q);
	return NULL;
}

void ct_chores_give(struct ct_chores *q, struct ct_chore *chore, ct_chore_fn *fn)
{
	chore->fn = fn;
	ct_lock_acquire(&q->lock);
	ct_list_push_back(&q->todo, &chore->link);
	ct_cond_signal(&q->work);
	ct_lock_release(&q->lock);
}
