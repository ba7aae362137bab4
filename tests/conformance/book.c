/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/book.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

void book_init(struct book *b)
{
	memset(b, 0, sizeof(*b));
	ct_lock_init(&b->lock, CT_RANK_APP);
	ct_cond_init(&b->changed);
}

void book_fini(struct book *b)
{
	ct_cond_fini(&b->changed);
	ct_lock_fini(&b->lock);
}

static struct page *page_locked(struct book *b, const char *key)
{
	struct page *free_page = NULL;

	for (unsigned i = 0; i < BOOK_PAGES; i++) {
		if (strcmp(b->pages[i].key, key) == 0)
			return &b->pages[i];
		if (free_page == NULL && b->pages[i].key[0] == '\0')
			free_page = &b->pages[i];
	}
	CT_CHECK(free_page != NULL);
	(void)snprintf(free_page->key, sizeof(free_page->key), "%s", key);
	return free_page;
}

void book_enter(struct book *b, const char *key)
{
	ct_lock_acquire(&b->lock);
	page_locked(b, key)->entered = true;
	ct_lock_release(&b->lock);
}

void book_leave(struct book *b, const char *key, const struct ct_ctx *ctx)
{
	const ct_instant tripped = ct_ctx_tripped_at(ctx), now = ct_ctx_now(ctx);
	struct page *p;

	ct_lock_acquire(&b->lock);
	p = page_locked(b, key);
	p->left = true;
	p->reason = ct_ctx_reason(ctx);
	if (p->reason == CT_CANCEL_NONE && ct_ctx_status(ctx) == CT_DEADLINE_EXCEEDED)
		p->reason = CT_CANCEL_DEADLINE; /* by the clock, ahead of the timer thread */
	p->stopped_after_us = tripped.ns == INT64_MAX ? 0 : ct_instant_us_between(tripped, now);
	ct_lock_release(&b->lock);
}

void book_release(struct book *b, const char *key)
{
	ct_lock_acquire(&b->lock);
	page_locked(b, key)->released = true;
	ct_cond_broadcast(&b->changed);
	ct_lock_release(&b->lock);
}

void book_read(struct book *b, const char *key, struct page *ret)
{
	ct_lock_acquire(&b->lock);
	*ret = *page_locked(b, key);
	ct_lock_release(&b->lock);
}

struct holder {
	struct ct_ctx_hook hook;
	struct book *book;
};

static void wake(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct book *b = CT_CONTAINER_OF(hook, struct holder, hook)->book;

	(void)why;
	ct_lock_acquire(&b->lock);
	ct_cond_broadcast(&b->changed);
	ct_lock_release(&b->lock);
}

ct_status book_hold(struct book *b, const char *key, struct ct_ctx *ctx)
{
	struct holder h = { .book = b };
	bool released = false;

	ct_ctx_on_cancel(ctx, &h.hook, wake);
	ct_lock_acquire(&b->lock);
	while (!(released = page_locked(b, key)->released) && !ct_ctx_done(ctx))
		ct_cond_wait(&b->changed, &b->lock);
	ct_lock_release(&b->lock);
	(void)ct_ctx_hook_remove(ctx, &h.hook);
	return released ? CT_OK : ct_ctx_status(ctx);
}
