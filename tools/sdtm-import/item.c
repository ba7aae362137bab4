/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/item.h"

#include "base/check.h"
#include "base/mem.h"

#include <string.h>

/* A row is at most 64 KiB and a report is cut long before this. */
enum { CHUNK_BYTES = 1024, ITEM_BYTES_MAX = 8 * 1024 * 1024, LINES_FIRST = 4 };

struct sdtm_item *sdtm_item_new(const struct sdtm_table *table)
{
	struct sdtm_item *item = ct_mem_zalloc(1, sizeof(*item));

	if (item == NULL)
		return NULL;
	ct_list_init(&item->link);
	ct_arena_init(&item->mem, CHUNK_BYTES, ITEM_BYTES_MAX);
	item->table = table;
	return item;
}

struct sdtm_item *sdtm_item_free(struct sdtm_item *item)
{
	if (item == NULL)
		return NULL;
	ct_list_remove(&item->link);
	ct_arena_fini(&item->mem);
	ct_mem_free(item);
	return NULL;
}

bool sdtm_item_add_line(struct sdtm_item *item, uint64_t line)
{
	if (item->rows_n == item->rows_cap) {
		const uint32_t cap = item->rows_cap > 0 ? 2 * item->rows_cap : LINES_FIRST;
		uint64_t *lines = ct_arena_alloc(&item->mem, cap * sizeof(*lines));

		if (lines == NULL)
			return false;
		if (item->rows_n > 0)
			memcpy(lines, item->lines, item->rows_n * sizeof(*lines));
		item->lines = lines;
		item->rows_cap = cap;
	}
	item->lines[item->rows_n++] = line;
	return true;
}

void sdtm_item_seal(struct sdtm_item *item)
{
	CT_CHECK(item->msg != NULL && item->rows_n > 0);
	item->bytes = protobuf_c_message_get_packed_size(item->msg);
}
