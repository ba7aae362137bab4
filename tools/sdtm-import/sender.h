/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_SENDER_H
#define SDTM_SENDER_H

#include "sdtm-import/batch.h"

/*
 * Gathers items into batches and keeps a bounded number of calls going. What a
 * busy or absent server refuses is sent again, later each time and not before
 * the server's own hint, until retry_ms have passed; of a batch that was partly
 * stored only the rest is. A server that is in trouble itself (INTERNAL,
 * DATA_LOSS, UNIMPLEMENTED, ...) ends it. Every item put is settled exactly once.
 *
 *   put --> gathering --full--> in flight --answered--> settled
 *                                 ^    | refused, not answered
 *                                 |    v
 *                                waiting --retry_ms over--> settled as LEFT
 *
 * One thread puts and drains, and all callbacks but sdtm_sender_done() run on
 * it. Knows nothing of calls: `start` makes them.
 */
struct sdtm_sender;

struct sdtm_sender_opts {
	const struct ct_clock *clk; /* NULL: ct_clock_system() */
	uint32_t concurrency;       /* batches in flight or waiting, 1..256 */
	uint32_t batch_items;       /* most items in a call, 1..10000 */
	size_t batch_bytes;         /* a batch of so many bytes is full */
	uint32_t retry_ms;          /* how long a batch is sent again */
	void *arg;                  /* of the functions below */
	/* Begins the call; sdtm_sender_done() follows exactly once, maybe before this returns. */
	void (*start)(void *arg, struct sdtm_batch *b);
	/* The item's end; it is freed afterwards. */
	void (*settled)(void *arg, const struct sdtm_item *item, const struct sdtm_outcome *o);
	/* Called several times a second while waiting; false: stop. */
	bool (*tick)(void *arg);
};

/* RESOURCE_EXHAUSTED: memory. */
CT_MUST_USE ct_status sdtm_sender_new(const struct sdtm_sender_opts *opts,
				      struct sdtm_sender **ret_sender);
/* No call may be in flight: drain or stop before. NULL ok; returns NULL. */
struct sdtm_sender *sdtm_sender_free(struct sdtm_sender *s);

/* Takes the item whatever it returns. Blocks while `concurrency` batches are
 * on their way. Not OK: it is over, the item was settled as LEFT. CANCELLED:
 * tick said so. Else what the server answered: until retry_ms had passed, or
 * once when sending again is of no use. */
CT_MUST_USE ct_status sdtm_sender_put(struct sdtm_sender *s, struct sdtm_item *item);

/* Sends what has gathered and waits until everything is settled. As put. */
CT_MUST_USE ct_status sdtm_sender_drain(struct sdtm_sender *s);

/* Waits for the calls in flight alone (whoever made them has cancelled them)
 * and settles everything else as LEFT. */
void sdtm_sender_stop(struct sdtm_sender *s);

/* The batch's call ended: status, retry_after_ms, final, message and outcomes
 * are set. Any thread, does not block. */
void sdtm_sender_done(struct sdtm_sender *s, struct sdtm_batch *b);

/* Why it is over, for people: "" while it is not. */
const char *sdtm_sender_why(const struct sdtm_sender *s);

/* May this status pass when the same thing is sent again later? */
bool sdtm_may_pass(ct_status st);

#endif
