/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_NET_CHORES_H
#define CT_NET_CHORES_H

#include "base/attrs.h"
#include "base/list.h"
#include "base/status.h"

/*
 * One thread, "ct-net", for what must not be done in nng's callbacks: telling
 * that a connection is gone and freeing what it held. Chores run in the order
 * they were given; each is quick.
 */
struct ct_chores;
struct ct_chore;

/* Runs on the thread with no lock held; may free the memory the chore is in. */
typedef void(ct_chore_fn)(struct ct_chore *chore);

/* Lives in the caller's memory. */
struct ct_chore {
	struct ct_list link;
	ct_chore_fn *fn;
};

/* RESOURCE_EXHAUSTED: no memory or thread. */
CT_MUST_USE ct_status ct_chores_new(struct ct_chores **ret_chores);
/* Runs what was given, then stops. Not from a chore. NULL ok; returns NULL. */
struct ct_chores *ct_chores_free(struct ct_chores *q);

/* Takes the chore until its fn runs. Any thread, never blocks, cannot fail. */
void ct_chores_give(struct ct_chores *q, struct ct_chore *chore, ct_chore_fn *fn);

#endif
