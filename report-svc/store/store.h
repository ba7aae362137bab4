/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RSVC_STORE_STORE_H
#define RSVC_STORE_STORE_H

#include "base/arena.h"
#include "store/store.h"

#include "clinic/v1/report.pb-c.h"

/*
 * The database of report-svc: examination reports and visits. It does not know
 * subjects: whoever puts a report vouches for its subject. The functions on a
 * ct_db run in a scope of the store (store/db.h): on its thread, and its first
 * failure decides it.
 *
 * Life: open -> (scopes)* -> free, after the last scope.
 */
struct rsvc_store;

/* Blocks on the disk. Errors and why as ct_store_new(). */
CT_MUST_USE ct_status rsvc_store_open(const struct ct_store_opts *opts, struct ct_store_why *why,
				      struct rsvc_store **ret_store);
struct rsvc_store *rsvc_store_free(struct rsvc_store *s); /* NULL ok; returns NULL */

/* For ct_store_write(), ct_store_read() and the statistics. Borrowed. */
struct ct_store *rsvc_store_base(const struct rsvc_store *s);

/* ---- in a write ------------------------------------------------------------------- */

/* body: the packed report without its version. ALREADY_EXISTS: the id is that of
 * another subject's report, which stays as it is; this does not fail the scope. */
CT_MUST_USE ct_status rsvc_store_put_report(struct ct_db *db, const Clinic__V1__DiagnosticReport *r,
					    struct ct_bytes body,
					    Clinic__V1__ItemOutcome__Kind *ret_kind,
					    uint64_t *ret_version);
CT_MUST_USE ct_status rsvc_store_put_visit(struct rsvc_store *s, struct ct_db *db,
					   const Clinic__V1__Visit *v,
					   Clinic__V1__ItemOutcome__Kind *ret_kind,
					   uint64_t *ret_version);

/* ---- in a read ---------------------------------------------------------------------- */

enum { RSVC_CATEGORIES_MAX = 8 };

/* Which reports of a subject; "" and 0: any. */
struct rsvc_reports_query {
	const char *usubjid, *study_id;
	uint32_t kinds; /* bit k for kind k */
	const char *const *categories;
	size_t categories_n;              /* at most RSVC_CATEGORIES_MAX */
	const char *since;                /* a date to the second: none that is certainly earlier */
	const char *after_dtc, *after_id; /* behind this one; "": from the start */
	uint32_t max; /* the fn is offered one more, to know that there is one */
};

/* A report as it was put. Borrowed until the fn returns. */
struct rsvc_report_row {
	const char *effective_dtc, *report_id;
	struct ct_bytes body;
	uint64_t version;
};

/* OK: go on. Any other status ends the list and is its result. */
typedef ct_status(rsvc_report_fn)(const struct rsvc_report_row *row, void *arg);

/* By effective_dtc and report_id. */
CT_MUST_USE ct_status rsvc_store_reports(struct ct_db *db, const struct rsvc_reports_query *q,
					 rsvc_report_fn *fn, void *arg);

struct rsvc_visits_query {
	const char *usubjid, *study_id;
	bool from_start; /* else behind this one: */
	double after_num;
	const char *after_dtc, *after_study_id;
	uint32_t max;
};

/* By visit_num, start_dtc and study_id. There is more than max: the list is cut and
 * *ret_more is true. RESOURCE_EXHAUSTED: the arena is full. */
CT_MUST_USE ct_status rsvc_store_visits(struct rsvc_store *s, struct ct_db *db,
					const struct rsvc_visits_query *q, struct ct_arena *arena,
					Clinic__V1__Visit ***ret_list, size_t *ret_n,
					bool *ret_more);

#endif
