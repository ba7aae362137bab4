/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_BASE_LIST_H
#define CT_BASE_LIST_H

#include "base/attrs.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A circular list whose links live in the items. The list owns nothing and
 * locks nothing. A link that is in no list points at itself.
 */
struct ct_list {
	struct ct_list *prev, *next;
};

static inline void ct_list_init(struct ct_list *l)
{
	l->prev = l->next = l;
}

/* Of a head: no items. Of an item: in no list. */
static inline bool ct_list_empty(const struct ct_list *l)
{
	return l->next == l;
}

static inline void ct_list_push_back(struct ct_list *head, struct ct_list *item)
{
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}

static inline void ct_list_push_front(struct ct_list *head, struct ct_list *item)
{
	ct_list_push_back(head->next, item); /* in front of what was the first */
}

/* Unlinks; harmless when the item is in no list. */
static inline void ct_list_remove(struct ct_list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	ct_list_init(item);
}

/* The first item, unlinked; NULL when there is none. */
static inline struct ct_list *ct_list_pop_front(struct ct_list *head)
{
	struct ct_list *item = head->next;

	if (item == head)
		return NULL;
	ct_list_remove(item);
	return item;
}

/* Moves every item of `from` to the end of `to`. */
static inline void ct_list_splice_back(struct ct_list *to, struct ct_list *from)
{
	if (ct_list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	ct_list_init(from);
}

#endif
