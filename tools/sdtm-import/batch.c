/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/batch.h"

#include "base/check.h"
#include "base/mem.h"

struct sdtm_batch *sdtm_batch_new(const struct sdtm_table *table, uint32_t cap)
{
	struct sdtm_batch *b = ct_mem_zalloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	ct_list_init(&b->link);
	b->table = table;
	b->items_cap = cap;
	b->items = ct_mem_zalloc(cap, sizeof(struct sdtm_item *));
	b->msgs = ct_mem_zalloc(cap, sizeof(ProtobufCMessage *));
	b->outcomes = ct_mem_zalloc(cap, sizeof(*b->outcomes));
	if (b->items == NULL || b->msgs == NULL || b->outcomes == NULL)
		return sdtm_batch_free(b);
	return b;
}

struct sdtm_batch *sdtm_batch_free(struct sdtm_batch *b)
{
	if (b == NULL)
		return NULL;
	ct_list_remove(&b->link);
	for (uint32_t i = 0; b->items != NULL && i < b->items_n; i++)
		(void)sdtm_item_free(b->items[i]);
	ct_mem_free(b->items);
	ct_mem_free(b->msgs);
	ct_mem_free(b->outcomes);
	ct_mem_free(b);
	return NULL;
}

void sdtm_batch_add(struct sdtm_batch *b, struct sdtm_item *item)
{
	CT_CHECK(b->items_n < b->items_cap);
	CT_CHECK(item->table == b->table);
	b->items[b->items_n] = item;
	b->msgs[b->items_n] = item->msg;
	b->items_n++;
	b->bytes += item->bytes;
}

void sdtm_batch_retain(struct sdtm_batch *b)
{
	uint32_t n = 0;

	b->bytes = 0;
	for (uint32_t i = 0; i < b->items_n; i++) {
		if (b->items[i] == NULL)
			continue;
		b->items[n] = b->items[i];
		b->msgs[n] = b->msgs[i];
		b->bytes += b->items[n]->bytes;
		n++;
	}
	b->items_n = n;
}
