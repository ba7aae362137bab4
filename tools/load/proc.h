/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOAD_PROC_H
#define LOAD_PROC_H

#include <stdbool.h>
#include <stdint.h>

/* What the kernel says about a process at the moment. */
struct load_proc {
	int64_t cpu_ns; /* user and system time, of all its threads; in steps of a clock tick */
	uint64_t rss_kib;
	uint32_t threads;
};

/* False: there is no such process, or it may not be looked at. Any thread. */
bool load_proc_read(int pid, struct load_proc *ret);

#endif
