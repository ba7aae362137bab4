/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-svc/store/store_internal.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/*
 * One text for each way into the table: all studies, one study, one site of a
 * study; so that each is a range of an index in the order of the answer, and the
 * page starts where the last one ended. $1 status, $2 arm, $3 pattern, $4 limit,
 * $5 last usubjid, $6 last study or the study, $7 site.
 */
/* A name in three ways, apart by a character that no text may hold. */
#define NAME_MATCHES                                                                         \
	"lower(i.family || i.given || char(31) || i.family || ' ' || i.given || char(31) ||" \
	" i.given || ' ' || i.family) LIKE $3 ESCAPE '\\'"
#define FILTERS                                                                       \
	" AND ($1 = 0 OR patients.status = $1) AND ($2 = '' OR patients.arm_cd = $2)" \
	" AND ($3 = '' OR lower(patients.usubjid) LIKE $3 ESCAPE '\\'"                \
	" OR lower(patients.screening_no) LIKE $3 ESCAPE '\\'"                        \
	" OR lower(patients.site_name) LIKE $3 ESCAPE '\\' OR " NAME_MATCHES ")"
#define JOIN                                                                            \
	" FROM patients LEFT JOIN patient_identity i ON i.study_id = patients.study_id" \
	" AND i.usubjid = patients.usubjid WHERE "
#define FROM_ALL                                                \
	JOIN "(patients.study_id, patients.usubjid) > ($6, $5)" \
	     " AND ($7 = '' OR patients.site_id = $7)" FILTERS  \
	     " ORDER BY patients.study_id, patients.usubjid LIMIT $4"
#define FROM_STUDY                                                      \
	JOIN "patients.study_id = $6 AND patients.usubjid > $5" FILTERS \
	     " ORDER BY patients.usubjid LIMIT $4"
#define FROM_SITE                                                                                 \
	JOIN "patients.study_id = $6 AND patients.site_id = $7 AND patients.usubjid > $5" FILTERS \
	     " ORDER BY patients.usubjid LIMIT $4"

enum { COLUMNS_SIZE = 2048, PATTERN_SIZE = 1024 };

/* "SELECT patients.a, …, patients.version, i.family, i.given" and the rest. */
static char *make(const struct psvc_store *s, const char *rest)
{
	const struct clinic_fields *fields = s->patients.fields;
	char columns[COLUMNS_SIZE];
	size_t n = 0;
	char *sql;

	for (size_t i = 0; i < fields->n; i++) {
		const int len = snprintf(columns + n, sizeof(columns) - n, "patients.%s, ",
					 fields->rows[i].name);

		CT_CHECK(len > 0 && (size_t)len < sizeof(columns) - n);
		n += (size_t)len;
	}
	n += strlen(rest) + 64;
	sql = ct_mem_alloc(n);
	if (sql != NULL)
		(void)snprintf(sql, n, "SELECT %spatients.version, i.family, i.given%s", columns,
			       rest);
	return sql;
}

ct_status psvc_store__make_search(struct psvc_store *s)
{
	s->search_all = make(s, FROM_ALL);
	s->search_study = make(s, FROM_STUDY);
	s->search_site = make(s, FROM_SITE);
	return s->search_all != NULL && s->search_study != NULL && s->search_site != NULL
		       ? CT_OK
		       : CT_RESOURCE_EXHAUSTED;
}

/* "%text%" in lower case, with nothing special left in text. False: too long. */
static bool make_pattern(const char *text, char out[PATTERN_SIZE])
{
	size_t n = 0;

	if (text[0] == '\0') {
		out[0] = '\0';
		return true;
	}
	out[n++] = '%';
	for (; *text != '\0'; text++) {
		if (n + 4 > PATTERN_SIZE)
			return false;
		if (*text == '%' || *text == '_' || *text == '\\')
			out[n++] = '\\';
		out[n++] = (char)(*text >= 'A' && *text <= 'Z' ? *text - 'A' + 'a' : *text);
	}
	out[n++] = '%';
	out[n] = '\0';
	return true;
}

static ct_status read_name(struct ct_stmt *row, unsigned col, struct ct_arena *arena,
			   Clinic__V1__Patient *p)
{
	Clinic__V1__PatientIdentity *id;

	if (ct_stmt_col_null(row, col))
		return CT_OK;
	id = ct_arena_alloc(arena, sizeof(*id));
	if (id == NULL)
		return CT_RESOURCE_EXHAUSTED;
	clinic__v1__patient_identity__init(id);
	id->family = ct_arena_strdup(arena, (const char *)ct_stmt_col_text(row, col).ptr);
	id->given = ct_arena_strdup(arena, (const char *)ct_stmt_col_text(row, col + 1).ptr);
	p->identity = id;
	return id->family != NULL && id->given != NULL ? CT_OK : CT_RESOURCE_EXHAUSTED;
}

static ct_status read_hit(const struct psvc_store *s, struct ct_stmt *row, struct ct_arena *arena,
			  Clinic__V1__Patient **ret_patient)
{
	const unsigned version = (unsigned)s->patients.fields->n;
	Clinic__V1__Patient *p = ct_arena_alloc(arena, sizeof(*p));
	ct_status st;

	if (p == NULL)
		return CT_RESOURCE_EXHAUSTED;
	clinic__v1__patient__init(p);
	st = clinic_row_read(row, 0, s->patients.fields, arena, p);
	if (st == CT_OK)
		st = read_name(row, version + 1, arena, p);
	if (st != CT_OK)
		return st;
	p->version = (uint64_t)ct_stmt_col_i64(row, version);
	*ret_patient = p;
	return CT_OK;
}

static ct_status prepare(const struct psvc_store *s, struct ct_db *db, const struct psvc_search *q,
			 struct ct_stmt **ret_stmt)
{
	const bool study = q->study_id[0] != '\0', site = q->site_id[0] != '\0';
	const char *sql = !study ? s->search_all : site ? s->search_site : s->search_study;
	char pattern[PATTERN_SIZE];
	struct ct_stmt *row = NULL;
	ct_status st;

	if (!make_pattern(q->text, pattern))
		return CT_INVALID_ARGUMENT;
	st = ct_db_prepare(db, sql, &row);
	if (st != CT_OK)
		return st;
	ct_stmt_bind_i64(row, 1, q->status);
	ct_stmt_bind_str(row, 2, q->arm_cd);
	ct_stmt_bind_str(row, 3, pattern);
	ct_stmt_bind_i64(row, 4, (int64_t)q->max + 1);
	ct_stmt_bind_str(row, 5, q->after_usubjid != NULL ? q->after_usubjid : "");
	ct_stmt_bind_str(row, 6,
			 study                       ? q->study_id
			 : q->after_study_id != NULL ? q->after_study_id
						     : "");
	if (!study || site)
		ct_stmt_bind_str(row, 7, q->site_id);
	*ret_stmt = row;
	return CT_OK;
}

ct_status psvc_store_search(struct psvc_store *s, struct ct_db *db, const struct psvc_search *q,
			    struct ct_arena *arena, Clinic__V1__Patient ***ret_list, size_t *ret_n,
			    bool *ret_more)
{
	Clinic__V1__Patient **list = ct_arena_alloc(arena, ((size_t)q->max + 1) * sizeof(*list));
	struct ct_stmt *row = NULL;
	size_t n = 0, bytes = 0;
	bool found = false, more = false;
	ct_status st;

	if (list == NULL)
		return CT_RESOURCE_EXHAUSTED;
	st = prepare(s, db, q, &row);
	while (st == CT_OK) {
		st = ct_stmt_step(row, &found);
		if (st != CT_OK || !found)
			break;
		st = read_hit(s, row, arena, &list[n]);
		if (st != CT_OK)
			break;
		bytes += clinic__v1__patient__get_packed_size(list[n]) + 8;
		more = n == q->max || (n > 0 && bytes > q->bytes_max);
		if (more)
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
