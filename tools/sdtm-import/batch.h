/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_BATCH_H
#define SDTM_BATCH_H

#include "base/clock.h"
#include "base/status.h"
#include "sdtm-import/item.h"

/* Items of one table that travel in one call, and what the answer said of each. */

enum sdtm_fate {
	SDTM_CREATED,
	SDTM_UPDATED,
	SDTM_UNCHANGED,
	SDTM_REJECTED,
	SDTM_LEFT, /* nothing was heard of it in time; another run may store it */
	SDTM_FATES_N,
};

struct sdtm_outcome {
	enum sdtm_fate fate;
	ct_status code;    /* why it was not stored */
	char field[64];    /* of the message, "" when none */
	char message[160]; /* for people; may be shown as it is */
};

struct sdtm_batch {
	struct ct_list link; /* of the sender's lists */
	const struct sdtm_table *table;
	struct sdtm_item **items;      /* owned */
	ProtobufCMessage **msgs;       /* the items' messages, for the request */
	struct sdtm_outcome *outcomes; /* valid when status is OK */
	uint32_t items_n, items_cap;
	size_t bytes; /* of the messages */
	/* the sender's */
	uint32_t attempts;
	ct_instant give_up, resend_at;
	/* how the last call ended; set before sdtm_sender_done() */
	ct_status status;
	uint32_t retry_after_ms; /* the server's hint; 0: none */
	bool final;              /* sending it again is no use */
	char message[160];       /* as an outcome's */
};

/* NULL: memory. cap from 1. */
CT_MUST_USE struct sdtm_batch *sdtm_batch_new(const struct sdtm_table *table, uint32_t cap);
struct sdtm_batch *sdtm_batch_free(struct sdtm_batch *b); /* with its items; NULL ok */

/* Takes the item. There must be room. */
void sdtm_batch_add(struct sdtm_batch *b, struct sdtm_item *item);

/* Closes the gaps that items taken out have left: those that are NULL. */
void sdtm_batch_retain(struct sdtm_batch *b);

#endif
