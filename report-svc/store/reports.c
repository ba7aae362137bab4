/* SPDX-License-Identifier: Apache-2.0 */
#include "report-svc/store/store.h"

#include "base/check.h"
#include "clinic/domain/iso_date.h"

#include <string.h>

/* What the row of an upsert that changed nothing holds: the same report, or
 * another subject's. */
static ct_status look_at(struct ct_db *db, const Clinic__V1__DiagnosticReport *r,
			 uint64_t *ret_version)
{
	struct ct_stmt *s = NULL;
	bool found = false;
	ct_status st;

	st = ct_db_prepare(db,
			   "SELECT version, study_id = $2 AND usubjid = $3 FROM reports"
			   " WHERE report_id = $1",
			   &s);
	if (st != CT_OK)
		return st;
	ct_stmt_bind_str(s, 1, r->report_id);
	ct_stmt_bind_str(s, 2, r->study_id);
	ct_stmt_bind_str(s, 3, r->usubjid);
	st = ct_stmt_step(s, &found);
	if (st == CT_OK && !found)
		st = CT_INTERNAL; /* the upsert left alone what is not there */
	if (st == CT_OK && ct_stmt_col_i64(s, 1) == 0)
		st = CT_ALREADY_EXISTS;
	if (st == CT_OK)
		*ret_version = (uint64_t)ct_stmt_col_i64(s, 0);
	s = ct_stmt_release(s);
	return st;
}

static ct_status upsert(struct ct_db *db, const Clinic__V1__DiagnosticReport *r,
			struct ct_bytes body, bool *ret_changed, uint64_t *ret_version)
{
	static const char sql[] =
		"INSERT INTO reports (report_id, study_id, usubjid, kind, category, effective_dtc,"
		" effective_last, body, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)"
		" ON CONFLICT (report_id) DO UPDATE"
		" SET (kind, category, effective_dtc, effective_last, body, version) ="
		" (excluded.kind, excluded.category, excluded.effective_dtc,"
		" excluded.effective_last, excluded.body, reports.version + 1)"
		" WHERE reports.study_id = excluded.study_id AND reports.usubjid = excluded.usubjid"
		" AND reports.body <> excluded.body RETURNING version";
	char last[CLINIC_DATE_SIZE];
	struct ct_stmt *s = NULL;
	ct_status st;

	st = ct_db_prepare(db, sql, &s);
	if (st != CT_OK)
		return st;
	clinic_date_last(r->effective_dtc, last);
	ct_stmt_bind_str(s, 1, r->report_id);
	ct_stmt_bind_str(s, 2, r->study_id);
	ct_stmt_bind_str(s, 3, r->usubjid);
	ct_stmt_bind_i64(s, 4, r->kind);
	ct_stmt_bind_str(s, 5, r->category);
	ct_stmt_bind_str(s, 6, r->effective_dtc);
	ct_stmt_bind_str(s, 7, last);
	ct_stmt_bind_blob(s, 8, body);
	st = ct_stmt_step(s, ret_changed);
	if (st == CT_OK && *ret_changed)
		*ret_version = (uint64_t)ct_stmt_col_i64(s, 0);
	s = ct_stmt_release(s);
	return st;
}

ct_status rsvc_store_put_report(struct ct_db *db, const Clinic__V1__DiagnosticReport *r,
				struct ct_bytes body, Clinic__V1__ItemOutcome__Kind *ret_kind,
				uint64_t *ret_version)
{
	uint64_t version = 0;
	bool changed = false;
	ct_status st;

	st = upsert(db, r, body, &changed, &version);
	if (st == CT_OK && !changed)
		st = look_at(db, r, &version);
	if (st != CT_OK)
		return st;
	if (!changed)
		*ret_kind = CLINIC__V1__ITEM_OUTCOME__KIND__UNCHANGED;
	else
		*ret_kind = version == 1 ? CLINIC__V1__ITEM_OUTCOME__KIND__CREATED
					 : CLINIC__V1__ITEM_OUTCOME__KIND__UPDATED;
	*ret_version = version;
	return CT_OK;
}

static void bind_query(struct ct_stmt *s, const struct rsvc_reports_query *q)
{
	CT_CHECK(q->categories_n <= RSVC_CATEGORIES_MAX);
	ct_stmt_bind_str(s, 1, q->usubjid);
	ct_stmt_bind_str(s, 2, q->after_dtc);
	ct_stmt_bind_str(s, 3, q->after_id);
	ct_stmt_bind_str(s, 4, q->study_id);
	ct_stmt_bind_i64(s, 5, q->kinds);
	ct_stmt_bind_str(s, 6, q->since);
	ct_stmt_bind_i64(s, 7, (int64_t)q->max + 1);
	ct_stmt_bind_i64(s, 8, (int64_t)q->categories_n);
	for (size_t i = 0; i < q->categories_n; i++) /* the others are NULL: equal to nothing */
		ct_stmt_bind_str(s, 9 + (unsigned)i, q->categories[i]);
}

ct_status rsvc_store_reports(struct ct_db *db, const struct rsvc_reports_query *q,
			     rsvc_report_fn *fn, void *arg)
{
	static const char sql[] =
		"SELECT effective_dtc, report_id, body, version FROM reports"
		" WHERE usubjid = $1 AND (effective_dtc, report_id) > ($2, $3)"
		" AND ($4 = '' OR study_id = $4) AND (($5 >> kind) & 1) = 1"
		" AND effective_last >= $6"
		" AND ($8 = 0 OR category IN ($9, $10, $11, $12, $13, $14, $15, $16))"
		" ORDER BY effective_dtc, report_id LIMIT $7";
	struct ct_stmt *s = NULL;
	bool found = false;
	ct_status st;

	st = ct_db_prepare(db, sql, &s);
	if (st != CT_OK)
		return st;
	bind_query(s, q);
	for (;;) {
		struct rsvc_report_row row;

		st = ct_stmt_step(s, &found);
		if (st != CT_OK || !found)
			break;
		row.effective_dtc = (const char *)ct_stmt_col_text(s, 0).ptr;
		row.report_id = (const char *)ct_stmt_col_text(s, 1).ptr;
		row.body = ct_stmt_col_blob(s, 2);
		row.version = (uint64_t)ct_stmt_col_i64(s, 3);
		st = fn(&row, arg);
		if (st != CT_OK)
			break;
	}
	s = ct_stmt_release(s);
	return st;
}
