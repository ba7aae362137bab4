/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLINIC_DOMAIN_OUTCOME_H
#define CLINIC_DOMAIN_OUTCOME_H

#include "base/arena.h"
#include "clinic/domain/fields.h"

#include "clinic/v1/common.pb-c.h"

/*
 * What became of the items of a batch, in the request's order. All memory is
 * the arena's. One thread at a time.
 */
struct clinic_outcomes {
	struct ct_arena *arena;
	Clinic__V1__ItemOutcome **v; /* n of them, as a response wants them */
	size_t n;
};

/* n outcomes of no kind yet. RESOURCE_EXHAUSTED: the arena is full. */
CT_MUST_USE ct_status clinic_outcomes_init(struct clinic_outcomes *o, struct ct_arena *arena,
					   size_t n);

/* The natural key of item i. RESOURCE_EXHAUSTED: the arena is full. */
CT_MUST_USE ct_status clinic_outcome_key(struct clinic_outcomes *o, size_t i,
					 const struct clinic_fields *t, const void *item);

/* Stored, as kind says; version is that of the row. May be said again: the last
 * one counts. */
void clinic_outcome_stored(struct clinic_outcomes *o, size_t i, Clinic__V1__ItemOutcome__Kind kind,
			   uint64_t version);

/* Not stored, because of the issue, which is copied. RESOURCE_EXHAUSTED: the
 * arena is full. */
CT_MUST_USE ct_status clinic_outcome_reject(struct clinic_outcomes *o, size_t i,
					    const struct clinic_issue *issue);

bool clinic_outcome_is_rejected(const struct clinic_outcomes *o, size_t i);

/* How many are of each kind, by its number; for the log. */
struct clinic_outcome_counts {
	uint32_t created, updated, unchanged, rejected;
};
struct clinic_outcome_counts clinic_outcomes_count(const struct clinic_outcomes *o);

#endif
