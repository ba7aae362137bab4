/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_WATCH_H
#define BENCH_WATCH_H

#include "base/bytes.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What a caller and a server on one machine tell each other beside the calls: when the
 * handler ran and when its caller gave up, by the clock they share. A file that both map;
 * the first four bytes of a call's payload are the number of its cell.
 */
enum { WATCH_CELLS = 65536, WATCH_CROWDS = 1024 };

struct watch_cell {
	_Atomic int64_t start_ns, end_ns; /* the server's; 0: not yet */
	_Atomic int64_t gave_up_ns;       /* the caller's: the call's deadline, or its cancel */
	_Atomic uint32_t crowd;           /* calls that are cancelled together; 0: never */
};

struct watch {
	struct watch_cell cells[WATCH_CELLS];
	_Atomic int64_t cancelled_ns[WATCH_CROWDS]; /* of a crowd; 0: it is not */
	/* of all handlers that ran */
	_Atomic uint64_t runs, worker_ns, wasted_ns; /* wasted: after the caller gave up */
	_Atomic uint64_t useless;                    /* runs that began after it */
};

/* Maps the file, which is made when there is none. NULL: errno says why. */
struct watch *watch_open(const char *path);
void watch_close(struct watch *w); /* NULL ok */

/* The cell a payload names; NULL: it names none. */
struct watch_cell *watch_cell_of(struct watch *w, struct ct_bytes payload);

/* The caller, before a call: nothing is known of it but its deadline. */
void watch_cell_reset(struct watch_cell *c, int64_t deadline_ns, uint32_t crowd);
/* The server, around a handler. */
void watch_started(struct watch_cell *c, int64_t now_ns);
void watch_ended(struct watch *w, struct watch_cell *c, int64_t now_ns);

#endif
