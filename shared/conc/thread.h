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

#endif
