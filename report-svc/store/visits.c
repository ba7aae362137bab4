/* SPDX-License-Identifier: Apache-2.0 */
#include "report-svc/store/store_internal.h"

ct_status rsvc_store_put_visit(struct rsvc_store *s, struct ct_db *db, const Clinic__V1__Visit *v,
			       Clinic__V1__ItemOutcome__Kind *ret_kind, uint64_t *ret_version)
{
	return clinic_table_put(&s->visits, db, v, ret_kind, ret_version);
}

static ct_status read_visit(const struct clinic_table *t, struct ct_stmt *row,
			    struct ct_arena *arena, Clinic__V1__Visit **ret_visit)
{
	Clinic__V1__Visit *v = ct_arena_alloc(arena, sizeof(*v));
	ct_status st;

	if (v == NULL)
		return CT_RESOURCE_EXHAUSTED;
	clinic__v1__visit__init(v);
	st = clinic_row_read(row, 0, t->fields, arena, v);
	if (st != CT_OK)
		return st;
	v->version = (uint64_t)ct_stmt_col_i64(row, (unsigned)t->fields->n);
	*ret_visit = v;
	return CT_OK;
}

static void bind_query(struct ct_stmt *s, const struct rsvc_visits_query *q)
{
	ct_stmt_bind_str(s, 1, q->usubjid);
	ct_stmt_bind_str(s, 2, q->study_id);
	ct_stmt_bind_i64(s, 3, q->from_start);
	ct_stmt_bind_f64(s, 4, q->after_num);
	ct_stmt_bind_str(s, 5, q->after_dtc);
	ct_stmt_bind_str(s, 6, q->after_study_id);
	ct_stmt_bind_i64(s, 7, (int64_t)q->max + 1);
}

ct_status rsvc_store_visits(struct rsvc_store *s, struct ct_db *db,
			    const struct rsvc_visits_query *q, struct ct_arena *arena,
			    Clinic__V1__Visit ***ret_list, size_t *ret_n, bool *ret_more)
{
	Clinic__V1__Visit **list = ct_arena_alloc(arena, ((size_t)q->max + 1) * sizeof(*list));
	struct ct_stmt *row = NULL;
	bool found = false, more = false;
	size_t n = 0;
	ct_status st;

	if (list == NULL)
		return CT_RESOURCE_EXHAUSTED;
	st = ct_db_prepare(db, s->list_visits, &row);
	if (st != CT_OK)
		return st;
	bind_query(row, q);
	for (;;) {
		st = ct_stmt_step(row, &found);
		more = found && n == q->max;
		if (st != CT_OK || !found || more)
			break;
		st = read_visit(&s->visits, row, arena, &list[n]);
		if (st != CT_OK)
			break;
		n++;
	}
	row = ct_stmt_release(row);
	if (st != CT_OK)
		return st;
	*ret_list = list;
	*ret_n = n;
	*ret_more = more;
	return CT_OK;
}
