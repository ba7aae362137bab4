/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PSVC_STORE_STORE_H
#define PSVC_STORE_STORE_H

#include "base/arena.h"
#include "store/store.h"

#include "clinic/v1/patient.pb-c.h"

/*
 * The database of patient-svc: subjects, their identity (a table of its own),
 * case records and medications. The functions on a ct_db run in a scope of the
 * store (store/db.h): on its thread, and its first failure decides it. What they
 * read lives in the arena.
 *
 * Life: open -> (scopes)* -> free, after the last scope.
 */
struct psvc_store;

/* Blocks on the disk. Errors and why as ct_store_new(). */
CT_MUST_USE ct_status psvc_store_open(const struct ct_store_opts *opts, struct ct_store_why *why,
				      struct psvc_store **ret_store);
struct psvc_store *psvc_store_free(struct psvc_store *s); /* NULL ok; returns NULL */

/* For ct_store_write(), ct_store_read() and the statistics. Borrowed. */
struct ct_store *psvc_store_base(const struct psvc_store *s);

/* ---- in a write ------------------------------------------------------------------ */

/* The subject; and its identity when p has one, else the stored one stays. */
CT_MUST_USE ct_status psvc_store_put_patient(struct psvc_store *s, struct ct_db *db,
					     const Clinic__V1__Patient *p,
					     Clinic__V1__ItemOutcome__Kind *ret_kind,
					     uint64_t *ret_version);

/* *ret_known false: there is no such subject, nothing is stored. */
CT_MUST_USE ct_status psvc_store_has_subject(struct psvc_store *s, struct ct_db *db,
					     const char *study_id, const char *usubjid,
					     bool *ret_known);
/* The subject must be there (FAILED_PRECONDITION). */
CT_MUST_USE ct_status psvc_store_put_case(struct psvc_store *s, struct ct_db *db,
					  const Clinic__V1__CaseRecord *c,
					  Clinic__V1__ItemOutcome__Kind *ret_kind,
					  uint64_t *ret_version);
CT_MUST_USE ct_status psvc_store_put_medication(struct psvc_store *s, struct ct_db *db,
						const Clinic__V1__Medication *m,
						Clinic__V1__ItemOutcome__Kind *ret_kind,
						uint64_t *ret_version);

/* ---- in a read --------------------------------------------------------------------- */

/* study_id "": any study. NOT_FOUND: no such subject. FAILED_PRECONDITION: several
 * studies have one. Neither fails the scope. */
CT_MUST_USE ct_status psvc_store_find_patient(struct psvc_store *s, struct ct_db *db,
					      const char *study_id, const char *usubjid,
					      struct ct_arena *arena,
					      Clinic__V1__Patient **ret_patient);

/* A list of one subject in the order of its key. There is more than max: the list
 * is cut and *ret_more is true. RESOURCE_EXHAUSTED: the arena is full. */
CT_MUST_USE ct_status psvc_store_cases(struct psvc_store *s, struct ct_db *db, const char *study_id,
				       const char *usubjid, uint32_t max, struct ct_arena *arena,
				       Clinic__V1__CaseRecord ***ret_list, size_t *ret_n,
				       bool *ret_more);
CT_MUST_USE ct_status psvc_store_medications(struct psvc_store *s, struct ct_db *db,
					     const char *study_id, const char *usubjid,
					     uint32_t max, struct ct_arena *arena,
					     Clinic__V1__Medication ***ret_list, size_t *ret_n,
					     bool *ret_more);

/* What a search asks for; "" and 0: any. */
struct psvc_search {
	const char *study_id, *site_id, *arm_cd;
	int status;       /* Clinic__V1__Patient__Status */
	const char *text; /* part of usubjid, screening_no, site name, or of the name */
	const char *after_study_id, *after_usubjid; /* behind this one; both NULL: from the start */
	uint32_t max;
	size_t bytes_max; /* of the list when packed; at least one is given all the same */
};

/* By study_id and usubjid; of the identity only the name. */
CT_MUST_USE ct_status psvc_store_search(struct psvc_store *s, struct ct_db *db,
					const struct psvc_search *q, struct ct_arena *arena,
					Clinic__V1__Patient ***ret_list, size_t *ret_n,
					bool *ret_more);

#endif
