/* SPDX-License-Identifier: Apache-2.0 */
#include "clinic/store/table.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- texts of statements -------------------------------------------------------- */

enum { SQL_SIZE = 8192 };

struct text {
	char *buf; /* SQL_SIZE */
	size_t len;
};

static void put(struct text *t, const char *fmt, ...) CT_PRINTF(2, 3);
static void put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, SQL_SIZE - t->len, fmt, ap);
	va_end(ap);
	CT_CHECK(n >= 0 && (size_t)n < SQL_SIZE - t->len); /* our own tables are not that wide */
	t->len += (size_t)n;
}

/* "a, b" of all fields, or of those that are not the key, each after a prefix. */
static void put_names(struct text *t, const struct clinic_fields *fields, bool with_key,
		      const char *prefix)
{
	const char *comma = "";

	for (size_t i = 0; i < fields->n; i++) {
		if (!with_key && (fields->rows[i].flags & CLINIC_KEY) != 0)
			continue;
		put(t, "%s%s%s", comma, prefix, fields->rows[i].name);
		comma = ", ";
	}
}

static void put_key(struct text *t, const struct clinic_fields *fields, bool with_params)
{
	unsigned param = 0;

	for (size_t i = 0; i < fields->n; i++) {
		if ((fields->rows[i].flags & CLINIC_KEY) == 0)
			continue;
		if (param > 0)
			put(t, "%s", with_params ? " AND " : ", ");
		put(t, "%s", fields->rows[i].name);
		if (with_params)
			put(t, " = $%u", param + 1);
		param++;
	}
}

static void put_upsert(struct text *t, const char *name, const struct clinic_fields *fields)
{
	put(t, "INSERT INTO %s (", name);
	put_names(t, fields, true, "");
	put(t, ", version) VALUES (");
	for (size_t i = 0; i < fields->n; i++)
		put(t, "$%zu, ", i + 1);
	put(t, "1) ON CONFLICT (");
	put_key(t, fields, false);
	put(t, ") DO UPDATE SET (");
	put_names(t, fields, false, "");
	put(t, ", version) = (");
	put_names(t, fields, false, "excluded.");
	put(t, ", %s.version + 1) WHERE (", name);
	put_names(t, fields, false, "excluded.");
	put(t, ") IS DISTINCT FROM (");
	for (size_t i = 0, n = 0; i < fields->n; i++)
		if ((fields->rows[i].flags & CLINIC_KEY) == 0)
			put(t, "%s%s.%s", n++ > 0 ? ", " : "", name, fields->rows[i].name);
	put(t, ") RETURNING version");
}

ct_status clinic_table_init(struct clinic_table *t, const char *name,
			    const struct clinic_fields *fields)
{
	struct clinic_table fresh = { .name = name, .fields = fields };
	struct text text = { .buf = ct_mem_alloc(SQL_SIZE) };
	ct_status st = CT_RESOURCE_EXHAUSTED;

	if (text.buf == NULL)
		goto out;
	put_names(&text, fields, true, "");
	put(&text, ", version");
	fresh.columns = ct_mem_strdup(text.buf);

	text.len = 0;
	put_upsert(&text, name, fields);
	fresh.upsert = ct_mem_strdup(text.buf);

	text.len = 0;
	put(&text, "SELECT version FROM %s WHERE ", name);
	put_key(&text, fields, true);
	fresh.version_of = ct_mem_strdup(text.buf);

	if (fresh.columns == NULL || fresh.upsert == NULL || fresh.version_of == NULL)
		goto out;
	*t = fresh;
	fresh = (struct clinic_table){ .name = NULL }; /* handed over */
	st = CT_OK;
out:
	clinic_table_fini(&fresh);
	ct_mem_free(text.buf);
	return st;
}

void clinic_table_fini(struct clinic_table *t)
{
	ct_mem_free(t->columns);
	ct_mem_free(t->upsert);
	ct_mem_free(t->version_of);
	*t = (struct clinic_table){ .name = NULL };
}

char *clinic_table_select(const struct clinic_table *t, const char *tail)
{
	const size_t size = strlen(t->columns) + strlen(t->name) + strlen(tail) + 32;
	char *sql = ct_mem_alloc(size);

	if (sql != NULL)
		(void)snprintf(sql, size, "SELECT %s FROM %s %s", t->columns, t->name, tail);
	return sql;
}

/* ---- rows --------------------------------------------------------------------------- */

static void bind_one(struct ct_stmt *s, unsigned param, const struct clinic_field *f,
		     const void *msg)
{
	if (!clinic_field_present(f, msg)) {
		ct_stmt_bind_null(s, param);
		return;
	}
	switch (f->type) {
	case CLINIC_TEXT:
	case CLINIC_DATE:
		ct_stmt_bind_str(s, param, clinic_field_text(f, msg));
		break;
	case CLINIC_ENUM:
	case CLINIC_UINT:
	case CLINIC_INT:
	case CLINIC_BOOL:
		ct_stmt_bind_i64(s, param, clinic_field_int(f, msg));
		break;
	case CLINIC_REAL:
		ct_stmt_bind_f64(s, param, clinic_field_real(f, msg));
		break;
	}
}

void clinic_row_bind(struct ct_stmt *s, unsigned first, const struct clinic_fields *fields,
		     const void *msg)
{
	for (size_t i = 0; i < fields->n; i++)
		bind_one(s, first + (unsigned)i, &fields->rows[i], msg);
}

static void set(void *msg, size_t offset, const void *value, size_t size)
{
	memcpy((char *)msg + offset, value, size);
}

static ct_status read_text(struct ct_stmt *row, unsigned col, const struct clinic_field *f,
			   struct ct_arena *arena, void *msg)
{
	const struct ct_bytes text = ct_stmt_col_text(row, col);
	char *copy;

	if (text.len == 0)
		return CT_OK; /* an initialised message holds "" */
	copy = ct_arena_alloc(arena, text.len + 1);
	if (copy == NULL)
		return CT_RESOURCE_EXHAUSTED;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	set(msg, f->offset, &copy, sizeof(copy));
	return CT_OK;
}

static ct_status read_one(struct ct_stmt *row, unsigned col, const struct clinic_field *f,
			  struct ct_arena *arena, void *msg)
{
	if (f->case_offset != 0) {
		if (ct_stmt_col_null(row, col))
			return CT_OK;
		set(msg, f->case_offset, &f->case_value, sizeof(f->case_value));
	}
	switch (f->type) {
	case CLINIC_TEXT:
	case CLINIC_DATE:
		return read_text(row, col, f, arena, msg);
	case CLINIC_ENUM:
	case CLINIC_INT:
	case CLINIC_BOOL: {
		const int32_t v = (int32_t)ct_stmt_col_i64(row, col);

		set(msg, f->offset, &v, sizeof(v));
		break;
	}
	case CLINIC_UINT: {
		const uint32_t v = (uint32_t)ct_stmt_col_i64(row, col);

		set(msg, f->offset, &v, sizeof(v));
		break;
	}
	case CLINIC_REAL: {
		const double v = ct_stmt_col_f64(row, col);

		set(msg, f->offset, &v, sizeof(v));
		break;
	}
	}
	return CT_OK;
}

ct_status clinic_row_read(struct ct_stmt *row, unsigned first, const struct clinic_fields *fields,
			  struct ct_arena *arena, void *msg)
{
	for (size_t i = 0; i < fields->n; i++) {
		const ct_status st = read_one(row, first + (unsigned)i, &fields->rows[i], arena,
					      msg);

		if (st != CT_OK)
			return st;
	}
	return CT_OK;
}

/* ---- put ------------------------------------------------------------------------------ */

static ct_status version_of(const struct clinic_table *t, struct ct_db *db, const void *msg,
			    uint64_t *ret_version)
{
	struct ct_stmt *s = NULL;
	unsigned param = 1;
	bool found = false;
	ct_status st;

	st = ct_db_prepare(db, t->version_of, &s);
	if (st != CT_OK)
		return st;
	for (size_t i = 0; i < t->fields->n; i++)
		if ((t->fields->rows[i].flags & CLINIC_KEY) != 0)
			bind_one(s, param++, &t->fields->rows[i], msg);
	st = ct_stmt_step(s, &found);
	if (st == CT_OK && !found)
		st = CT_INTERNAL; /* the upsert left alone what is not there */
	if (st == CT_OK)
		*ret_version = (uint64_t)ct_stmt_col_i64(s, 0);
	s = ct_stmt_release(s);
	return st;
}

ct_status clinic_table_put(const struct clinic_table *t, struct ct_db *db, const void *msg,
			   Clinic__V1__ItemOutcome__Kind *ret_kind, uint64_t *ret_version)
{
	struct ct_stmt *s = NULL;
	uint64_t version = 0;
	bool changed = false;
	ct_status st;

	st = ct_db_prepare(db, t->upsert, &s);
	if (st != CT_OK)
		return st;
	clinic_row_bind(s, 1, t->fields, msg);
	st = ct_stmt_step(s, &changed);
	if (st == CT_OK && changed)
		version = (uint64_t)ct_stmt_col_i64(s, 0);
	s = ct_stmt_release(s);
	if (st == CT_OK && !changed)
		st = version_of(t, db, msg, &version);
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
