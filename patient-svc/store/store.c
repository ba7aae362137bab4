/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-svc/store/store_internal.h"

#include "base/mem.h"
#include "clinic/store/open.h"
#include "patient-svc/domain/case_record.h"
#include "patient-svc/domain/medication.h"
#include "patient-svc/domain/patient.h"
#include "patient-svc/store/migrations.h"

static ct_status make_tables(struct psvc_store *s)
{
	ct_status st;

	st = clinic_table_init(&s->patients, "patients", &psvc_patient_fields);
	if (st == CT_OK)
		st = clinic_table_init(&s->cases, "case_records", &psvc_case_fields);
	if (st == CT_OK)
		st = clinic_table_init(&s->medications, "medications", &psvc_medication_fields);
	return st;
}

static ct_status make_selects(struct psvc_store *s)
{
	s->find_in_study = clinic_table_select(&s->patients,
					       "WHERE usubjid = $1 AND study_id = $2");
	s->find_any = clinic_table_select(&s->patients,
					  "WHERE usubjid = $1 ORDER BY study_id LIMIT 2");
	s->list_cases = clinic_table_select(
		&s->cases, "WHERE study_id = $1 AND usubjid = $2 ORDER BY kind, seq LIMIT $3");
	s->list_medications = clinic_table_select(
		&s->medications, "WHERE study_id = $1 AND usubjid = $2 ORDER BY seq LIMIT $3");
	return s->find_in_study != NULL && s->find_any != NULL && s->list_cases != NULL &&
			       s->list_medications != NULL
		       ? CT_OK
		       : CT_RESOURCE_EXHAUSTED;
}

ct_status psvc_store_open(const struct ct_store_opts *opts, struct ct_store_why *why,
			  struct psvc_store **ret_store)
{
	struct psvc_store *s = ct_mem_zalloc(1, sizeof(*s));
	struct ct_store_opts base = *opts;
	ct_status st = CT_RESOURCE_EXHAUSTED;

	if (s != NULL)
		st = make_tables(s);
	if (st == CT_OK)
		st = make_selects(s);
	if (st == CT_OK)
		st = psvc_store__make_search(s);
	if (st == CT_OK) {
		base.migrations = psvc_migrations;
		base.migrations_n = PSVC_MIGRATIONS_N;
		base.application_id = PSVC_APPLICATION_ID;
		st = clinic_store_open(&base, why, &s->base);
	}
	if (st != CT_OK) {
		s = psvc_store_free(s);
		return st;
	}
	*ret_store = s;
	return CT_OK;
}

struct psvc_store *psvc_store_free(struct psvc_store *s)
{
	if (s == NULL)
		return NULL;
	s->base = ct_store_free(s->base); /* first: its statements go by our texts */
	ct_mem_free(s->find_in_study);
	ct_mem_free(s->find_any);
	ct_mem_free(s->list_cases);
	ct_mem_free(s->list_medications);
	ct_mem_free(s->search_all);
	ct_mem_free(s->search_study);
	ct_mem_free(s->search_site);
	clinic_table_fini(&s->patients);
	clinic_table_fini(&s->cases);
	clinic_table_fini(&s->medications);
	ct_mem_free(s);
	return NULL;
}

struct ct_store *psvc_store_base(const struct psvc_store *s)
{
	return s->base;
}

/* *ret_changed: it was not there, or differed. */
static ct_status put_identity(struct ct_db *db, const Clinic__V1__Patient *p, bool *ret_changed)
{
	static const char sql[] =
		"INSERT INTO patient_identity (study_id, usubjid, family, given, mrn, national_id,"
		" address, phone, email) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
		" ON CONFLICT (study_id, usubjid) DO UPDATE"
		" SET (family, given, mrn, national_id, address, phone, email) = (excluded.family,"
		" excluded.given, excluded.mrn, excluded.national_id, excluded.address,"
		" excluded.phone, excluded.email)"
		" WHERE (excluded.family, excluded.given, excluded.mrn, excluded.national_id,"
		" excluded.address, excluded.phone, excluded.email) IS DISTINCT FROM"
		" (patient_identity.family, patient_identity.given, patient_identity.mrn,"
		" patient_identity.national_id, patient_identity.address, patient_identity.phone,"
		" patient_identity.email) RETURNING 1";
	struct ct_stmt *s = NULL;
	ct_status st;

	st = ct_db_prepare(db, sql, &s);
	if (st != CT_OK)
		return st;
	ct_stmt_bind_str(s, 1, p->study_id);
	ct_stmt_bind_str(s, 2, p->usubjid);
	clinic_row_bind(s, 3, &psvc_identity_fields, p->identity);
	st = ct_stmt_step(s, ret_changed);
	s = ct_stmt_release(s);
	return st;
}

static ct_status bump_version(struct ct_db *db, const Clinic__V1__Patient *p, uint64_t *ret_version)
{
	static const char sql[] = "UPDATE patients SET version = version + 1"
				  " WHERE study_id = $1 AND usubjid = $2 RETURNING version";
	struct ct_stmt *s = NULL;
	bool row = false;
	ct_status st;

	st = ct_db_prepare(db, sql, &s);
	if (st != CT_OK)
		return st;
	ct_stmt_bind_str(s, 1, p->study_id);
	ct_stmt_bind_str(s, 2, p->usubjid);
	st = ct_stmt_step(s, &row);
	if (st == CT_OK && row)
		*ret_version = (uint64_t)ct_stmt_col_i64(s, 0);
	s = ct_stmt_release(s);
	return st;
}

ct_status psvc_store_put_patient(struct psvc_store *s, struct ct_db *db,
				 const Clinic__V1__Patient *p,
				 Clinic__V1__ItemOutcome__Kind *ret_kind, uint64_t *ret_version)
{
	Clinic__V1__ItemOutcome__Kind kind;
	bool changed = false;
	uint64_t version;
	ct_status st;

	st = clinic_table_put(&s->patients, db, p, &kind, &version);
	if (st == CT_OK && p->identity != NULL)
		st = put_identity(db, p, &changed);
	if (st == CT_OK && changed && kind == CLINIC__V1__ITEM_OUTCOME__KIND__UNCHANGED) {
		kind = CLINIC__V1__ITEM_OUTCOME__KIND__UPDATED;
		st = bump_version(db, p, &version);
	}
	if (st != CT_OK)
		return st;
	*ret_kind = kind;
	*ret_version = version;
	return CT_OK;
}

ct_status psvc_store_has_subject(struct psvc_store *s, struct ct_db *db, const char *study_id,
				 const char *usubjid, bool *ret_known)
{
	struct ct_stmt *stmt = NULL;
	ct_status st;

	(void)s;
	st = ct_db_prepare(db, "SELECT 1 FROM patients WHERE study_id = $1 AND usubjid = $2",
			   &stmt);
	if (st != CT_OK)
		return st;
	ct_stmt_bind_str(stmt, 1, study_id);
	ct_stmt_bind_str(stmt, 2, usubjid);
	st = ct_stmt_step(stmt, ret_known);
	stmt = ct_stmt_release(stmt);
	return st;
}

ct_status psvc_store_put_case(struct psvc_store *s, struct ct_db *db,
			      const Clinic__V1__CaseRecord *c,
			      Clinic__V1__ItemOutcome__Kind *ret_kind, uint64_t *ret_version)
{
	return clinic_table_put(&s->cases, db, c, ret_kind, ret_version);
}

ct_status psvc_store_put_medication(struct psvc_store *s, struct ct_db *db,
				    const Clinic__V1__Medication *m,
				    Clinic__V1__ItemOutcome__Kind *ret_kind, uint64_t *ret_version)
{
	return clinic_table_put(&s->medications, db, m, ret_kind, ret_version);
}
