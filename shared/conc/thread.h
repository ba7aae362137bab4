/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_CONC_THREAD_H
#define CT_CONC_THREAD_H

#include "base/attrs.h"
#include "base/status.h"

#include <pthread.h>

/*
 * The one place that creates threads. Signals are blocked in every thread we
 * make, so that only main's sigwait() sees them. Stacks are 256 KiB.
 * name: at most 15 characters, shown by ps -L and gdb.
 * RESOURCE_EXHAUSTED: the system has no more threads.
 */
typedef void *(ct_thread_fn)(void *arg);
CT_MUST_USE ct_status ct_thread_start(pthread_t *ret_thread, const char *name,
				      ct_thread_fn *main_fn, void *arg);
void ct_thread_join(pthread_t thread);

/*
 * For a thread that does little at a time while others wait for it. Asks the scheduler
 * for short turns, which it then gives soon, even where a thread that computes has to
 * stop for it. Its share of a core stays the same, and no privilege is needed. For the
 * calling thread, and for those that it makes from then on. A hint: Linux knows it from
 * 6.12 on (docs/decisions/0051-prompt-threads.md). Does not block.
 */
void ct_thread_prompt(void);

#endif
