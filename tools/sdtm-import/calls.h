/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_CALLS_H
#define SDTM_CALLS_H

#include "sdtm-import/args.h"
#include "sdtm-import/batch.h"

/*
 * The calls to the two services: the one file here that knows the RPC runtime.
 * Ctrl-C and SIGTERM cancel every call; the second one ends the process.
 */
struct sdtm_calls;

/* Tells that the batch's call ended. On a thread of the runtime; must not block. */
typedef void(sdtm_done_fn)(void *arg, struct sdtm_batch *b);

/* Connects in the background. *args must outlive it. *ret_why: for people. */
CT_MUST_USE ct_status sdtm_calls_open(const struct sdtm_args *args, sdtm_done_fn *done, void *arg,
				      struct sdtm_calls **ret_calls, const char **ret_why);
/* No batch may be in flight. NULL ok; returns NULL. */
struct sdtm_calls *sdtm_calls_close(struct sdtm_calls *c);

/* The service that takes this table, and its first URL. */
const char *sdtm_calls_peer(const struct sdtm_table *table);
const char *sdtm_calls_url(const struct sdtm_calls *c, const struct sdtm_table *table);

/* Waits until that service is there. DEADLINE_EXCEEDED: not within timeout_ms.
 * CANCELLED: interrupted. */
CT_MUST_USE ct_status sdtm_calls_wait(struct sdtm_calls *c, const struct sdtm_table *table,
				      uint32_t timeout_ms);

/* Puts the batch; done follows exactly once with status, hint, message and
 * outcomes set. */
void sdtm_calls_put(struct sdtm_calls *c, struct sdtm_batch *b);

/* Has patient-svc this subject? What cannot be a subject's id it has not. Blocks;
 * resends as long as args->retry_ms says. */
CT_MUST_USE ct_status sdtm_calls_known(struct sdtm_calls *c, const char *study_id,
				       const char *usubjid, bool *ret_known);

/* Somebody pressed Ctrl-C. Any thread. */
bool sdtm_calls_interrupted(const struct sdtm_calls *c);

/* Cancels what is in flight. */
void sdtm_calls_cancel(struct sdtm_calls *c);

#endif
