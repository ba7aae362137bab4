/* SPDX-License-Identifier: Apache-2.0 */
#include "report-svc/store/migrations.h"

/*
 * A report is read as a whole and found by a few of its fields: those are columns,
 * the whole is `body`, the packed message without its version. effective_last is
 * the last second effective_dtc may mean. The index holds all that a list filters
 * by, so only reports that are answered are fetched, and its range is one subject
 * in the order of the answer, however large the database grows.
 */
static const char first_tables[] =
	"CREATE TABLE reports (\n"
	"  report_id TEXT PRIMARY KEY, study_id TEXT NOT NULL, usubjid TEXT NOT NULL,\n"
	"  kind INTEGER NOT NULL, category TEXT NOT NULL, effective_dtc TEXT NOT NULL,\n"
	"  effective_last TEXT NOT NULL, body BLOB NOT NULL, version INTEGER NOT NULL\n"
	") STRICT;\n"
	"CREATE INDEX reports_by_subject ON reports\n"
	"  (usubjid, effective_dtc, report_id, kind, category, effective_last, study_id);\n"

	"CREATE TABLE visits (\n"
	"  usubjid TEXT NOT NULL, visit_num REAL NOT NULL, start_dtc TEXT NOT NULL,\n"
	"  study_id TEXT NOT NULL, visit TEXT NOT NULL, visit_dy INTEGER,\n"
	"  end_dtc TEXT NOT NULL, start_dy INTEGER, end_dy INTEGER,\n"
	"  unplanned TEXT NOT NULL, version INTEGER NOT NULL,\n"
	"  PRIMARY KEY (usubjid, visit_num, start_dtc, study_id)\n"
	") STRICT, WITHOUT ROWID;\n";

const struct ct_migration rsvc_migrations[RSVC_MIGRATIONS_N] = {
	{ 1, "reports and visits", first_tables },
};
