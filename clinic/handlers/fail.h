/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLINIC_HANDLERS_FAIL_H
#define CLINIC_HANDLERS_FAIL_H

#include "obs/log.h"
#include "rpc/call.h"
#include "store/store.h"

/*
 * What every handler says when something is wrong, the same in both services. No
 * message holds a value of the request: it may be a name, and messages are logged.
 */

/* True: the text may be a filter or key of at most max_chars characters. False:
 * the call has ended, INVALID_ARGUMENT. */
CT_MUST_USE bool clinic_arg_ok(struct ct_call *call, const char *name, const char *value,
			       size_t max_chars, bool required);

/* Ends the call because the store failed: logs why, tells the caller what it means
 * for him. A caller who gave up is answered without a log line. */
void clinic_store_failed(struct ct_call *call, struct ct_log *log, ct_status st, const char *why);

#endif
