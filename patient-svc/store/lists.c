/* SPDX-License-Identifier: Apache-2.0 */
/* A subject and the lists of one subject. */
#include "patient-svc/store/store_internal.h"

#include "patient-svc/domain/case_record.h"
#include "patient-svc/domain/medication.h"
#include "patient-svc/domain/patient.h"

static ct_status read_patient(struct psvc_store *s, struct ct_stmt *row, struct ct_arena *arena,
			      Clinic__V1__Patient **ret_patient)
{
	Clinic__V1__Patient *p = ct_arena_alloc(arena, sizeof(*p));
	ct_status st;

	if (p == NULL)
		return CT_RESOURCE_EXHAUSTED;
	clinic__v1__patient__init(p);
	st = clinic_row_read(row, 0, s->patients.fields, arena, p);
	if (st != CT_OK)
		return st;
	p->version = (uint64_t)ct_stmt_col_i64(row, (unsigned)s->patients.fields->n);
	*ret_patient = p;
	return CT_OK;
}

/* p->identity stays NULL when none is stored. */
static ct_status read_identity(struct ct_db *db, struct ct_arena *arena, Clinic__V1__Patient *p)
{
	static const char sql[] = "SELECT family, given, mrn, national_id, address, phone, email"
				  " FROM patient_identity WHERE study_id = $1 AND usubjid = $2";
	Clinic__V1__PatientIdentity *id;
	struct ct_stmt *row = NULL;
	bool found = false;
	ct_status st;

	st = ct_db_prepare(db, sql, &row);
	if (st != CT_OK)
		return st;
	ct_stmt_bind_str(row, 1, p->study_id);
	ct_stmt_bind_str(row, 2, p->usubjid);
	st = ct_stmt_step(row, &found);
	if (st == CT_OK && found) {
		id = ct_arena_alloc(arena, sizeof(*id));
		st = CT_RESOURCE_EXHAUSTED;
		if (id != NULL) {
			clinic__v1__patient_identity__init(id);
			st = clinic_row_read(row, 0, &psvc_identity_fields, arena, id);
			p->identity = id;
		}
	}
	row = ct_stmt_release(row);
	return st;
}

/* The first row, and whether there is a second. */
static ct_status find(struct psvc_store *s, struct ct_db *db, const char *study_id,
		      const char *usubjid, struct ct_arena *arena,
		      Clinic__V1__Patient **ret_patient)
{
	const bool any = study_id[0] == '\0';
	Clinic__V1__Patient *p = NULL;
	struct ct_stmt *row = NULL;
	bool found = false;
	ct_status st;

	st = ct_db_prepare(db, any ? s->find_any : s->find_in_study, &row);
	if (st != CT_OK)
		return st;
	ct_stmt_bind_str(row, 1, usubjid);
	if (!any)
		ct_stmt_bind_str(row, 2, study_id);
	st = ct_stmt_step(row, &found);
	if (st == CT_OK && !found)
		st = CT_NOT_FOUND;
	if (st == CT_OK)
		st = read_patient(s, row, arena, &p);
	if (st == CT_OK)
		st = ct_stmt_step(row, &found);
	if (st == CT_OK && found)
		st = CT_FAILED_PRECONDITION;
	row = ct_stmt_release(row);
	if (st == CT_OK)
		*ret_patient = p;
	return st;
}

ct_status psvc_store_find_patient(struct psvc_store *s, struct ct_db *db, const char *study_id,
				  const char *usubjid, struct ct_arena *arena,
				  Clinic__V1__Patient **ret_patient)
{
	Clinic__V1__Patient *p = NULL;
	ct_status st;

	st = find(s, db, study_id, usubjid, arena, &p);
	if (st == CT_OK)
		st = read_identity(db, arena, p);
	if (st == CT_OK)
		*ret_patient = p;
	return st;
}

/* One item of a list; NULL: the arena is full. */
typedef void *(read_item_fn)(const struct clinic_table *t, struct ct_stmt *row,
			     struct ct_arena *arena);

static void *read_case(const struct clinic_table *t, struct ct_stmt *row, struct ct_arena *arena)
{
	Clinic__V1__CaseRecord *c = ct_arena_alloc(arena, sizeof(*c));

	if (c == NULL)
		return NULL;
	clinic__v1__case_record__init(c);
	if (clinic_row_read(row, 0, t->fields, arena, c) != CT_OK)
		return NULL;
	c->version = (uint64_t)ct_stmt_col_i64(row, (unsigned)t->fields->n);
	return c;
}

static void *read_medication(const struct clinic_table *t, struct ct_stmt *row,
			     struct ct_arena *arena)
{
	Clinic__V1__Medication *m = ct_arena_alloc(arena, sizeof(*m));

	if (m == NULL)
		return NULL;
	clinic__v1__medication__init(m);
	if (clinic_row_read(row, 0, t->fields, arena, m) != CT_OK)
		return NULL;
	m->version = (uint64_t)ct_stmt_col_i64(row, (unsigned)t->fields->n);
	return m;
}

struct list {
	void **v; /* max + 1 */
	size_t n;
	bool more;
};

/* Runs a bound list statement. One row more than max says whether there is more. */
static ct_status collect(const struct clinic_table *t, struct ct_stmt *row, read_item_fn *read_item,
			 uint32_t max, struct ct_arena *arena, struct list *ret_list)
{
	struct list list = { .v = ct_arena_alloc(arena, ((size_t)max + 1) * sizeof(void *)) };
	bool found = true;
	ct_status st = CT_OK;

	if (list.v == NULL)
		return CT_RESOURCE_EXHAUSTED;
	for (;;) {
		st = ct_stmt_step(row, &found);
		if (st != CT_OK || !found)
			break;
		if (list.n == max) {
			list.more = true;
			break;
		}
		list.v[list.n] = read_item(t, row, arena);
		if (list.v[list.n] == NULL)
			return CT_RESOURCE_EXHAUSTED;
		list.n++;
	}
	if (st == CT_OK)
		*ret_list = list;
	return st;
}

static ct_status list_of_subject(struct ct_db *db, const struct clinic_table *t, const char *sql,
				 read_item_fn *read_item, const char *study_id, const char *usubjid,
				 uint32_t max, struct ct_arena *arena, struct list *ret_list)
{
	struct ct_stmt *row = NULL;
	ct_status st;

	st = ct_db_prepare(db, sql, &row);
	if (st != CT_OK)
		return st;
	ct_stmt_bind_str(row, 1, study_id);
	ct_stmt_bind_str(row, 2, usubjid);
	ct_stmt_bind_i64(row, 3, (int64_t)max + 1);
	st = collect(t, row, read_item, max, arena, ret_list);
	row = ct_stmt_release(row);
	return st;
}

ct_status psvc_store_cases(struct psvc_store *s, struct ct_db *db, const char *study_id,
			   const char *usubjid, uint32_t max, struct ct_arena *arena,
			   Clinic__V1__CaseRecord ***ret_list, size_t *ret_n, bool *ret_more)
{
	struct list list;
	const ct_status st = list_of_subject(db, &s->cases, s->list_cases, read_case, study_id,
					     usubjid, max, arena, &list);

	if (st != CT_OK)
		return st;
	*ret_list = (Clinic__V1__CaseRecord **)list.v;
	*ret_n = list.n;
	*ret_more = list.more;
	return CT_OK;
}

ct_status psvc_store_medications(struct psvc_store *s, struct ct_db *db, const char *study_id,
				 const char *usubjid, uint32_t max, struct ct_arena *arena,
				 Clinic__V1__Medication ***ret_list, size_t *ret_n, bool *ret_more)
{
	struct list list;
	const ct_status st = list_of_subject(db, &s->medications, s->list_medications,
					     read_medication, study_id, usubjid, max, arena, &list);

	if (st != CT_OK)
		return st;
	*ret_list = (Clinic__V1__Medication **)list.v;
	*ret_n = list.n;
	*ret_more = list.more;
	return CT_OK;
}
