/* SPDX-License-Identifier: Apache-2.0 */
#include "conc/lock.h"

#include "base/check.h"

#include <errno.h>

#define NS_PER_S INT64_C(1000000000)

/* One of each rank is the most a thread can hold. */
#define X(name) +1
enum { HELD_MAX = 0 CT_LOCK_RANKS(X) };
#undef X

/* The locks this thread holds, oldest first. Thread-local, so checking it is
 * never itself a data race. */
static _Thread_local const struct ct_lock *held[HELD_MAX];
static _Thread_local unsigned held_n;

void ct_lock_init(struct ct_lock *l, enum ct_lock_rank rank)
{
	CT_CHECK(pthread_mutex_init(&l->mu, NULL) == 0);
	l->rank = rank;
}

void ct_lock_fini(struct ct_lock *l)
{
	CT_CHECK(pthread_mutex_destroy(&l->mu) == 0);
}

void ct_lock_acquire(struct ct_lock *l) CT_NO_TSA
{
	CT_CHECK(CT_IMPLIES(held_n > 0, held[held_n - 1]->rank < l->rank));
	CT_CHECK(held_n < HELD_MAX);
	CT_CHECK(pthread_mutex_lock(&l->mu) == 0);
	held[held_n++] = l;
}

void ct_lock_release(struct ct_lock *l) CT_NO_TSA
{
	CT_CHECK(held_n > 0);
	CT_CHECK(held[held_n - 1] == l); /* last taken, first released */
	held_n--;
	CT_CHECK(pthread_mutex_unlock(&l->mu) == 0);
}

void ct_lock_check_held(const struct ct_lock *l)
{
	bool found = false;

	for (unsigned i = 0; i < held_n; i++)
		found = found || held[i] == l;
	CT_CHECK(found);
}

void ct_lock_check_none(void)
{
	CT_CHECK(held_n == 0);
}

void ct_cond_init(struct ct_cond *c)
{
	pthread_condattr_t attr;

	CT_CHECK(pthread_condattr_init(&attr) == 0);
	CT_CHECK(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
	CT_CHECK(pthread_cond_init(&c->cv, &attr) == 0);
	CT_CHECK(pthread_condattr_destroy(&attr) == 0);
}

void ct_cond_fini(struct ct_cond *c)
{
	CT_CHECK(pthread_cond_destroy(&c->cv) == 0);
}

void ct_cond_wait(struct ct_cond *c, struct ct_lock *l) CT_NO_TSA
{
	ct_lock_check_held(l);
	CT_CHECK(pthread_cond_wait(&c->cv, &l->mu) == 0);
}

bool ct_cond_wait_until(struct ct_cond *c, struct ct_lock *l, ct_instant deadline) CT_NO_TSA
{
	struct timespec ts;
	int err;

	ct_lock_check_held(l);
	if (deadline.ns == INT64_MAX) {
		ct_cond_wait(c, l);
		return true;
	}
	ts.tv_sec = (time_t)(deadline.ns / NS_PER_S);
	ts.tv_nsec = (long)(deadline.ns % NS_PER_S);
	err = pthread_cond_timedwait(&c->cv, &l->mu, &ts);
	CT_CHECK(err == 0 || err == ETIMEDOUT);
	return err == 0;
}

void ct_cond_signal(struct ct_cond *c)
{
	CT_CHECK(pthread_cond_signal(&c->cv) == 0);
}

void ct_cond_broadcast(struct ct_cond *c)
{
	CT_CHECK(pthread_cond_broadcast(&c->cv) == 0);
}
