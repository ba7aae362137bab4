/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-svc/store/migrations.h"

/*
 * patients_by_usubjid finds a subject when no study is named. The other lists of
 * one subject are ranges of their primary keys, so they cost the same however
 * large the database grows.
 */
static const char first_tables[] =
	"CREATE TABLE patients (\n"
	"  study_id TEXT NOT NULL, usubjid TEXT NOT NULL, subjid TEXT NOT NULL,\n"
	"  site_id TEXT NOT NULL, site_name TEXT NOT NULL, screening_no TEXT NOT NULL,\n"
	"  sex TEXT NOT NULL, birth_date TEXT NOT NULL, age INTEGER, age_unit TEXT NOT NULL,\n"
	"  race TEXT NOT NULL, ethnic TEXT NOT NULL, country TEXT NOT NULL,\n"
	"  arm_cd TEXT NOT NULL, arm TEXT NOT NULL, actarm_cd TEXT NOT NULL,\n"
	"  status INTEGER NOT NULL, consent_dtc TEXT NOT NULL, rfstdtc TEXT NOT NULL,\n"
	"  rfendtc TEXT NOT NULL, dth_dtc TEXT NOT NULL, disposition TEXT NOT NULL,\n"
	"  locale TEXT NOT NULL, tz TEXT NOT NULL, version INTEGER NOT NULL,\n"
	"  PRIMARY KEY (study_id, usubjid)\n"
	") STRICT;\n"
	"CREATE INDEX patients_by_usubjid ON patients (usubjid, study_id);\n"
	"CREATE INDEX patients_by_site ON patients (study_id, site_id, usubjid);\n"

	"CREATE TABLE patient_identity (\n"
	"  study_id TEXT NOT NULL, usubjid TEXT NOT NULL,\n"
	"  family TEXT NOT NULL, given TEXT NOT NULL, mrn TEXT NOT NULL,\n"
	"  national_id TEXT NOT NULL, address TEXT NOT NULL, phone TEXT NOT NULL,\n"
	"  email TEXT NOT NULL,\n"
	"  PRIMARY KEY (study_id, usubjid),\n"
	"  FOREIGN KEY (study_id, usubjid) REFERENCES patients (study_id, usubjid)\n"
	") STRICT, WITHOUT ROWID;\n"

	"CREATE TABLE case_records (\n"
	"  study_id TEXT NOT NULL, usubjid TEXT NOT NULL, kind INTEGER NOT NULL,\n"
	"  seq INTEGER NOT NULL, term TEXT NOT NULL, decod TEXT NOT NULL,\n"
	"  category TEXT NOT NULL, body_system TEXT NOT NULL, severity TEXT NOT NULL,\n"
	"  serious TEXT NOT NULL, outcome TEXT NOT NULL, relation TEXT NOT NULL,\n"
	"  action TEXT NOT NULL, start_dtc TEXT NOT NULL, end_dtc TEXT NOT NULL,\n"
	"  visit_num REAL, visit TEXT NOT NULL, version INTEGER NOT NULL,\n"
	"  PRIMARY KEY (study_id, usubjid, kind, seq),\n"
	"  FOREIGN KEY (study_id, usubjid) REFERENCES patients (study_id, usubjid)\n"
	") STRICT, WITHOUT ROWID;\n"

	"CREATE TABLE medications (\n"
	"  study_id TEXT NOT NULL, usubjid TEXT NOT NULL, seq INTEGER NOT NULL,\n"
	"  trt TEXT NOT NULL, decod TEXT NOT NULL, med_class TEXT NOT NULL,\n"
	"  indication TEXT NOT NULL, dose REAL, dose_text TEXT NOT NULL,\n"
	"  dose_unit TEXT NOT NULL, freq TEXT NOT NULL, route TEXT NOT NULL,\n"
	"  start_dtc TEXT NOT NULL, end_dtc TEXT NOT NULL, ongoing INTEGER NOT NULL,\n"
	"  status TEXT NOT NULL, is_study_drug INTEGER NOT NULL, visit_num REAL,\n"
	"  visit TEXT NOT NULL, version INTEGER NOT NULL,\n"
	"  PRIMARY KEY (study_id, usubjid, seq),\n"
	"  FOREIGN KEY (study_id, usubjid) REFERENCES patients (study_id, usubjid)\n"
	") STRICT, WITHOUT ROWID;\n";

const struct ct_migration psvc_migrations[PSVC_MIGRATIONS_N] = {
	{ 1, "patients, identity, case records, medications", first_tables },
};
