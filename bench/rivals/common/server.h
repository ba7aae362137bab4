/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_RIVALS_COMMON_SERVER_H
#define BENCH_RIVALS_COMMON_SERVER_H

#include <stdbool.h>

/* What the servers of all rivals do alike. From C and C++. */
#ifdef __cplusplus
extern "C" {
#endif

struct rival_args {
	const char *url; /* tcp://host:port or ipc:///path, of argv */
	/* Threads for handlers, where the library lets us choose; 0: the library's own. */
	unsigned workers;
	/* What a handler does before it answers, on a worker; of those that can. 0: nothing. */
	unsigned spin_us, wait_us;
};

/* Reads "--listen URL [--workers N] [--spin-us N | --wait-us N]" and blocks SIGTERM and SIGINT;
 * before any thread is started. Says what is wrong and returns false. */
bool rival_begin(int argc, char **argv, struct rival_args *ret_args);

/* Prints "ready" and returns when SIGTERM or SIGINT comes. */
void rival_wait(void);

#ifdef __cplusplus
}
#endif

#endif
