/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_NET_NAMES_H
#define CT_NET_NAMES_H

#include "base/attrs.h"
#include "base/status.h"
#include "net/address.h"
#include "net/net.h"

/*
 * Name lookups, one after another on a thread of their own, "ct-names", which
 * starts with the first: a name server that does not answer for seconds holds
 * up nothing but other lookups.
 */
struct ct_names;

/* RESOURCE_EXHAUSTED: no memory. */
CT_MUST_USE ct_status ct_names_new(struct ct_names **ret_names);
/* Ends at once: lookups that wait, or whose answer is still out, get CANCELLED on
 * this thread; one whose fn runs is waited for. NULL ok; returns NULL. */
struct ct_names *ct_names_free(struct ct_names *n);

/* fn runs exactly once if it returns OK. RESOURCE_EXHAUSTED: no memory or thread. */
CT_MUST_USE ct_status ct_names_resolve(struct ct_names *n, const struct ct_address *a,
				       ct_resolve_fn *fn, void *arg);
/* Lookups with this arg whose fn has not begun get CANCELLED now, on this thread. */
void ct_names_call_off(struct ct_names *n, const void *arg);

#endif
