/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFORMANCE_BOOK_H
#define CONFORMANCE_BOOK_H

#include "conc/ctx.h"
#include "conc/lock.h"

#include <stdbool.h>

/* What the handlers of a node write down about each key. Any thread. */
enum { BOOK_PAGES = 32, BOOK_KEY_SIZE = 48 };

struct page {
	char key[BOOK_KEY_SIZE]; /* "": free */
	bool entered, left, released;
	enum ct_cancel_reason reason;
	uint64_t stopped_after_us;
};

struct book {
	struct ct_lock lock; /* rank APP; protects everything below */
	struct ct_cond changed;
	struct page pages[BOOK_PAGES];
};

void book_init(struct book *b);
void book_fini(struct book *b);
void book_enter(struct book *b, const char *key);
/* Writes down why and how long after its trip the work under ctx stopped. */
void book_leave(struct book *b, const char *key, const struct ct_ctx *ctx);
void book_release(struct book *b, const char *key);
void book_read(struct book *b, const char *key, struct page *ret);
/* Blocks until the key is released or ctx trips; its status. */
ct_status book_hold(struct book *b, const char *key, struct ct_ctx *ctx);

#endif
