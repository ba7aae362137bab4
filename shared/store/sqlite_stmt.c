/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_internal.h"

#include "store/sqlite_status.h"

#include "base/check.h"

#include <string.h>

static sqlite3_stmt *handle_of(const struct ct_stmt *s)
{
	return s->handle;
}

/* "$7" -> 7; 0 for anything else: ?1, :name, $01, and PostgreSQL's "$1::text",
 * which SQLite would take for a parameter of that whole name. */
static unsigned param_number(const char *name)
{
	unsigned n = 0;

	if (name == NULL || name[0] != '$' || name[1] < '1' || name[1] > '9')
		return 0;
	for (const char *p = name + 1; *p != '\0'; p++) {
		if (*p < '0' || *p > '9')
			return 0;
		n = n * 10 + (unsigned)(*p - '0');
		if (n > CT_DB_PARAMS_MAX)
			return 0;
	}
	return n;
}

/* SQLite numbers named parameters in the order they appear, so "$2 … $1" needs a
 * table from ours to its. */
static ct_status number_params(struct ct_stmt *s)
{
	sqlite3_stmt *h = handle_of(s);
	const int count = sqlite3_bind_parameter_count(h);

	for (int i = 1; i <= count; i++) {
		const unsigned n = param_number(sqlite3_bind_parameter_name(h, i));

		if (n == 0 || i > CT_DB_PARAMS_MAX)
			return ct_db__fail(s->db, CT_INTERNAL, "parameters are $1 to $%d: %s",
					   CT_DB_PARAMS_MAX, ct_db__sql_head(s->sql).text);
		s->slot[n - 1] = (uint8_t)i;
		if (n > s->params_n)
			s->params_n = n;
	}
	if (s->params_n != (unsigned)count)
		return ct_db__fail(s->db, CT_INTERNAL, "a gap in the parameters: %s",
				   ct_db__sql_head(s->sql).text);
	return CT_OK;
}

ct_status ct_sqlite__prepare(struct ct_stmt *s)
{
	struct ct_sqlite *c = s->db->conn;
	const char *rest = NULL;
	sqlite3_stmt *h = NULL;
	ct_status st;
	int rc;

	rc = sqlite3_prepare_v3(c->h, s->sql, -1, SQLITE_PREPARE_PERSISTENT, &h, &rest);
	if (rc != SQLITE_OK)
		return ct_sqlite__fail(s->db, rc, s->sql);
	s->handle = h;
	if (h == NULL || rest[strspn(rest, " \t\r\n;")] != '\0')
		st = ct_db__fail(s->db, CT_INTERNAL, "not exactly one statement: %s",
				 ct_db__sql_head(s->sql).text);
	else
		st = number_params(s);
	if (st != CT_OK)
		ct_sqlite__finalize(s);
	return st;
}

void ct_sqlite__finalize(struct ct_stmt *s)
{
	(void)sqlite3_finalize(handle_of(s)); /* says again what the last step said */
	s->handle = NULL;
}

ct_status ct_sqlite__bind(struct ct_stmt *s, unsigned param, const struct ct_value *v)
{
	static const char empty[1] = "";
	sqlite3_stmt *h = handle_of(s);
	const int i = s->slot[param - 1];
	const void *ptr = v->bytes.len > 0 ? (const void *)v->bytes.ptr : empty;
	int rc = SQLITE_OK;

	switch (v->kind) {
	case CT_VALUE_NULL:
		rc = sqlite3_bind_null(h, i);
		break;
	case CT_VALUE_I64:
		rc = sqlite3_bind_int64(h, i, v->i64);
		break;
	case CT_VALUE_F64:
		rc = sqlite3_bind_double(h, i, v->f64);
		break;
	case CT_VALUE_TEXT:
		rc = sqlite3_bind_text64(h, i, ptr, v->bytes.len, SQLITE_TRANSIENT, SQLITE_UTF8);
		break;
	case CT_VALUE_BLOB:
		rc = sqlite3_bind_blob64(h, i, ptr, v->bytes.len, SQLITE_TRANSIENT);
		break;
	}
	return rc == SQLITE_OK ? CT_OK : ct_sqlite__fail(s->db, rc, s->sql);
}

ct_status ct_sqlite__step(struct ct_stmt *s, bool *ret_row)
{
	struct ct_sqlite *c = s->db->conn;
	sqlite3_stmt *h = handle_of(s);
	ct_status st = CT_OK;
	int rc;

	c->watched = true;
	rc = sqlite3_step(h);
	c->watched = false;
	*ret_row = rc == SQLITE_ROW;
	if (rc == SQLITE_ROW)
		return CT_OK;
	if (rc == SQLITE_DONE)
		s->changes = sqlite3_stmt_readonly(h) ? 0 : sqlite3_changes64(c->h);
	else
		st = ct_sqlite__fail(s->db, rc, s->sql);
	(void)sqlite3_reset(h); /* says again what the step said */
	return st;
}

void ct_sqlite__reset(struct ct_stmt *s, bool clear_params)
{
	(void)sqlite3_reset(handle_of(s)); /* says again what the last step said */
	if (clear_params)
		(void)sqlite3_clear_bindings(handle_of(s)); /* cannot fail */
}

unsigned ct_sqlite__columns(const struct ct_stmt *s)
{
	return (unsigned)sqlite3_column_count(handle_of(s));
}

bool ct_sqlite__column_null(struct ct_stmt *s, unsigned col)
{
	return sqlite3_column_type(handle_of(s), (int)col) == SQLITE_NULL;
}

struct ct_value ct_sqlite__column(struct ct_stmt *s, unsigned col, enum ct_value_kind want)
{
	sqlite3_stmt *h = handle_of(s);
	const int i = (int)col;
	struct ct_value v = { .kind = want };
	const void *ptr = NULL;

	if (sqlite3_column_type(h, i) == SQLITE_NULL)
		return v;
	switch (want) {
	case CT_VALUE_NULL:
		break;
	case CT_VALUE_I64:
		v.i64 = sqlite3_column_int64(h, i);
		break;
	case CT_VALUE_F64:
		v.f64 = sqlite3_column_double(h, i);
		break;
	case CT_VALUE_TEXT:
	case CT_VALUE_BLOB: /* the pointer first, then its length: it may convert */
		ptr = want == CT_VALUE_TEXT ? (const void *)sqlite3_column_text(h, i)
					    : sqlite3_column_blob(h, i);
		v.bytes = ct_bytes_of(ptr, (size_t)sqlite3_column_bytes(h, i));
		if (ptr == NULL && (want == CT_VALUE_TEXT || v.bytes.len > 0)) {
			(void)ct_db__fail(s->db, CT_RESOURCE_EXHAUSTED, "no memory for a column");
			v.bytes = CT_BYTES_NONE;
		}
		break;
	}
	return v;
}
