/* SPDX-License-Identifier: Apache-2.0 */
#include "base/list.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

TestSuite(list, .fini = leak_check, .timeout = 60);

struct item {
	int number;
	struct ct_list link;
};

enum { ITEMS = 4 };

static void make(struct ct_list *head, struct item items[ITEMS])
{
	ct_list_init(head);
	for (int i = 0; i < ITEMS; i++) {
		items[i].number = i;
		ct_list_push_back(head, &items[i].link);
	}
}

/* The numbers in the list as digits; checks the links both ways. */
static long digits(const struct ct_list *head)
{
	long sum = 0;

	for (const struct ct_list *l = head->next; l != head; l = l->next) {
		cr_assert_eq(l->next->prev, l);
		cr_assert_eq(l->prev->next, l);
		sum = sum * 10 + CT_CONTAINER_OF(l, struct item, link)->number + 1;
	}
	return sum;
}

Test(list, items_come_out_in_the_order_they_went_in)
{
	struct item items[ITEMS];
	struct ct_list head;

	make(&head, items);
	cr_assert_eq(digits(&head), 1234);
	for (int i = 0; i < ITEMS; i++)
		cr_assert_eq(ct_list_pop_front(&head), &items[i].link);
	cr_assert_null(ct_list_pop_front(&head));
	cr_assert(ct_list_empty(&head));
}

Test(list, an_item_can_come_in_at_the_front)
{
	struct item items[ITEMS], first = { .number = 6 }, second = { .number = 7 };
	struct ct_list head;

	make(&head, items);
	ct_list_push_front(&head, &first.link);
	cr_assert_eq(digits(&head), 71234);
	ct_list_init(&head);
	ct_list_push_front(&head, &first.link);
	ct_list_push_front(&head, &second.link);
	cr_assert_eq(digits(&head), 87);
}

Test(list, an_item_can_leave_from_anywhere)
{
	struct item items[ITEMS];
	struct ct_list head;

	make(&head, items);
	ct_list_remove(&items[1].link);
	cr_assert_eq(digits(&head), 134);
	ct_list_remove(&items[3].link);
	cr_assert_eq(digits(&head), 13);
	ct_list_remove(&items[0].link);
	cr_assert_eq(digits(&head), 3);
	ct_list_remove(&items[2].link);
	cr_assert(ct_list_empty(&head));
}

Test(list, a_removed_item_is_in_no_list_and_may_be_removed_again)
{
	struct item items[ITEMS];
	struct ct_list head;

	make(&head, items);
	ct_list_remove(&items[2].link);
	cr_assert(ct_list_empty(&items[2].link));
	ct_list_remove(&items[2].link);
	cr_assert_eq(digits(&head), 124);
	ct_list_push_back(&head, &items[2].link);
	cr_assert_eq(digits(&head), 1243);
}

Test(list, a_popped_item_is_in_no_list)
{
	struct item items[ITEMS];
	struct ct_list head;

	make(&head, items);
	cr_assert(ct_list_empty(ct_list_pop_front(&head)));
	cr_assert_eq(digits(&head), 234);
}

Test(list, splice_moves_all_items_behind_those_of_the_other_list)
{
	struct item a[ITEMS], b[ITEMS];
	struct ct_list from, to;

	make(&from, a);
	make(&to, b);
	ct_list_splice_back(&to, &from);
	cr_assert_eq(digits(&to), 12341234);
	cr_assert(ct_list_empty(&from));
	cr_assert_eq(to.prev, &a[ITEMS - 1].link);
}

Test(list, splice_of_or_onto_an_empty_list_works)
{
	struct item items[ITEMS];
	struct ct_list from, to;

	make(&from, items);
	ct_list_init(&to);
	ct_list_splice_back(&from, &to);
	cr_assert_eq(digits(&from), 1234);
	ct_list_splice_back(&to, &from);
	cr_assert_eq(digits(&to), 1234);
	cr_assert(ct_list_empty(&from));
}
