/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_OUTBOX_H
#define CT_RPC_OUTBOX_H

#include "conc/timers.h"
#include "net/net.h"

/*
 * What a worker has answered and not sent yet. While short calls wait for it, a
 * worker holds their replies back, so that one send takes them all; it flushes
 * before it rests, before a call that may take long, and when it has held one
 * back for long enough. Where a call that usually is short turns out to be long, the
 * timer thread sends what lies there. One for each thread. Sent at once is a reply that
 * is made on any other thread, outside begin and end, or by a call that may take long:
 * its handler may go on after its answer.
 *
 *   begin -> send* -> end     around each task; then sometimes flush
 */
enum {
	CT_OUTBOX_MSGS_MAX = 128,   /* replies in one send */
	CT_OUTBOX_US_MAX = 100,     /* how long the first of them waits, as seen between calls */
	CT_OUTBOX_LATE_US = 2000,   /* the same whatever happens, since its call began */
	CT_OUTBOX_SHORT_NS = 10000, /* a call that usually takes longer lets nothing wait */
};

/* A task begins on this thread that usually keeps it for so long; 0: unknown. The timers
 * live until the next flush after its end. */
void ct_outbox__begin(struct ct_timers *timers, uint64_t usual_ns, ct_instant now);
/* It has ended. True: that made a send. */
bool ct_outbox__end(ct_instant now);
/* As ct_conn_send(), now or with the next ones. */
CT_MUST_USE ct_status ct_outbox__send(struct ct_conn *c, const struct ct_sp_route *route,
				      const struct ct_bytes parts[3]);
/* Sends what this thread holds back. May wait while the timer thread does the same. */
void ct_outbox__flush(void);

#endif
