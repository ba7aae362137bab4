/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_ITEM_H
#define SDTM_ITEM_H

#include "base/arena.h"
#include "base/list.h"
#include "sdtm-import/table.h"

#include <protobuf-c/protobuf-c.h>

/*
 * One thing to store, a message of the public interface, and the rows it came
 * from. Whatever becomes of the item becomes of each of its rows, so rows add
 * up. Owned by one holder at a time; all its memory is in its arena.
 */
struct sdtm_item {
	struct ct_list link; /* of its holder */
	struct ct_arena mem;
	const struct sdtm_table *table;
	ProtobufCMessage *msg; /* NULL until mapped */
	uint64_t *lines;       /* of its rows, ascending */
	uint32_t rows_n, rows_cap;
	size_t bytes; /* of msg when packed; set by sdtm_item_seal() */
};

CT_MUST_USE struct sdtm_item *sdtm_item_new(const struct sdtm_table *table); /* NULL: memory */
struct sdtm_item *sdtm_item_free(struct sdtm_item *item); /* NULL ok; returns NULL */

/* False: memory. */
CT_MUST_USE bool sdtm_item_add_line(struct sdtm_item *item, uint64_t line);

/* The message is complete. */
void sdtm_item_seal(struct sdtm_item *item);

#endif
