/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLINIC_HANDLERS_PUT_H
#define CLINIC_HANDLERS_PUT_H

#include "clinic/domain/outcome.h"
#include "obs/log.h"
#include "rpc/call.h"
#include "store/store.h"

/*
 * A batch that is put item by item: every item is checked on the worker, those
 * that pass are stored in one write, and the call is answered when that is on the
 * disk, so no worker waits for an fsync. One bad item does not undo its
 * neighbours; a failing store undoes them all, and then the call fails.
 */
struct clinic_put;

/* What the items of a batch are. Constant. */
struct clinic_put_type {
	const struct clinic_fields *fields; /* the natural key */
	/* False: the item is rejected for the issue. May prepare what store() needs. */
	bool (*check)(struct clinic_put *p, size_t i, struct clinic_issue *ret_issue);
	/* On the writer thread, perhaps more than once. OK and an issue with a code: the
	 * item is rejected. Not OK: the batch fails. */
	ct_status (*store)(struct clinic_put *p, struct ct_db *db, size_t i,
			   Clinic__V1__ItemOutcome__Kind *ret_kind, uint64_t *ret_version,
			   struct clinic_issue *ret_issue);
	void (*reply)(struct ct_call *call, Clinic__V1__ItemOutcome **outcomes, size_t n);
};

struct clinic_put_opts {
	const struct clinic_put_type *type;
	const void *items; /* the request's array of pointers to messages */
	size_t items_n;
	uint32_t items_max; /* more: INVALID_ARGUMENT, and nothing is stored */
	struct ct_store *store;
	struct ct_log *log;
	void *app;          /* for type's functions */
	size_t extra_bytes; /* zeroed memory for type's functions, for each item */
};

/* Ends the call, now or later. */
void clinic_put_run(struct ct_call *call, const struct clinic_put_opts *opts);

/* For type's functions. */
const void *clinic_put_item(const struct clinic_put *p, size_t i);
void *clinic_put_extra(const struct clinic_put *p, size_t i);
void *clinic_put_app(const struct clinic_put *p);
struct ct_call *clinic_put_call(const struct clinic_put *p);

#endif
