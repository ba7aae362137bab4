/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_CORK_H
#define CT_RPC_CORK_H

#include "net/net.h"

/*
 * For a thread that starts many calls in a row: what it starts between cork and uncork,
 * of whatever clients, goes out together at the uncork, in one send a connection. Sooner
 * goes what is worth a send by itself, and what was started CT_CORK_US_MAX before
 * another one.
 *
 *   ct_cork_calls(); for (each patient) report_summary_async(...); ct_uncork_calls();
 *
 * Nests; an uncork for each cork, on the same thread. A call's budget is what was left
 * when it was started, so do nothing else in between that takes long, and wait for nothing:
 * a stub that waits for its answer uncorks first, anything else does not know. Calls
 * that other threads start, replies and CANCELs are not held back.
 */
void ct_cork_calls(void);
void ct_uncork_calls(void);

enum { CT_CORK_US_MAX = 100 };

/* For the client: as ct_conn_send(), now or with the next ones. */
CT_MUST_USE ct_status ct_cork__send(struct ct_conn *c, const struct ct_sp_route *route,
				    const struct ct_bytes parts[3], ct_instant now);
/* This thread is about to wait: what it holds back goes out. */
void ct_cork__flush(void);

#endif
