/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_CONC_LOCK_H
#define CT_CONC_LOCK_H

#include "base/attrs.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdbool.h>

/*
 * Every lock in the tree, in the order it may be taken: a thread that holds a
 * lock may only take one further down. Checked at every acquire, so a wrong
 * order aborts on the first run of any test.
 * docs/threading.md says what each one protects.
 */
#define CT_LOCK_RANKS(X) \
	X(APP)           \
	X(SERVER)        \
	X(CLIENT)        \
	X(FANOUT)        \
	X(REGISTRY)      \
	X(CALL)          \
	X(STORE)         \
	X(CTX)           \
	X(POOL)          \
	X(NET)           \
	X(CONN)          \
	X(TIMERS)        \
	X(LATCH)         \
	X(METRICS)       \
	X(LOG)

enum ct_lock_rank {
	CT_RANK_NONE,
#define X(name) CT_RANK_##name,
	CT_LOCK_RANKS(X)
#undef X
};

struct CT_CAPABILITY("mutex") ct_lock {
	pthread_mutex_t mu;
	enum ct_lock_rank rank;
};

void ct_lock_init(struct ct_lock *l, enum ct_lock_rank rank);
void ct_lock_fini(struct ct_lock *l);
void ct_lock_acquire(struct ct_lock *l) CT_ACQUIRES(l);
void ct_lock_release(struct ct_lock *l) CT_RELEASES(l);
void ct_lock_check_held(const struct ct_lock *l); /* aborts unless this thread holds l */
void ct_lock_check_none(void);                    /* aborts if this thread holds any */

/* Condition on the monotonic clock. Every wait is a `while` over its predicate. */
struct ct_cond {
	pthread_cond_t cv;
};

void ct_cond_init(struct ct_cond *c);
void ct_cond_fini(struct ct_cond *c);
void ct_cond_wait(struct ct_cond *c, struct ct_lock *l) CT_REQUIRES(l);
/* false: the deadline passed. The caller re-tests its predicate either way. */
bool ct_cond_wait_until(struct ct_cond *c, struct ct_lock *l, ct_instant deadline) CT_REQUIRES(l);
void ct_cond_signal(struct ct_cond *c);
void ct_cond_broadcast(struct ct_cond *c);

#endif
