/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_STORE_SQLITE_TURN_H
#define CT_STORE_SQLITE_TURN_H

#include <stdbool.h>

/*
 * Taking turns between processes that write to one SQLite file. SQLite has no
 * queue for its write lock: who just let it go is back before a waiting process
 * looks again, so a busy one starves all others. Whoever waits says so with a
 * shared lock on "<path>-turn", which dies with its process; who has written
 * looks there, and gives way.
 *
 * Only fairness hangs on it: when the file cannot be opened nobody waits and
 * nobody gives way. One thread at a time.
 */
struct ct_turn {
	int fd; /* -1: none */
};

void ct_turn_init(struct ct_turn *t, const char *path);
void ct_turn_fini(struct ct_turn *t);

/* Says that we wait, or no longer do. */
void ct_turn_want(struct ct_turn *t, bool want);

/* Somebody else waits. A system call. */
bool ct_turn_wanted(const struct ct_turn *t);

#endif
