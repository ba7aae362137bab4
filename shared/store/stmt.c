/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db_internal.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/ctx.h"

#include <math.h>
#include <string.h>

/* ---- the cache of compiled statements ------------------------------------- */

static struct ct_stmt *find_kept(struct ct_db *db, const char *sql, uint32_t hash)
{
	for (unsigned i = 0; i < db->stmts_n; i++) {
		struct ct_stmt *s = db->stmts[i];

		if (s->hash == hash && !s->in_use && strcmp(s->sql, sql) == 0)
			return s;
	}
	return NULL;
}

void ct_stmt__free(struct ct_stmt *s)
{
	s->db->driver->finalize(s);
	ct_mem_free(s->sql);
	ct_mem_free(s);
}

/* Room for one more: throws out the one unused for longest. */
static ct_status make_room(struct ct_db *db)
{
	unsigned oldest = CT_DB_STMTS_MAX;

	if (db->stmts_n < CT_DB_STMTS_MAX)
		return CT_OK;
	for (unsigned i = 0; i < db->stmts_n; i++) {
		if (db->stmts[i]->in_use)
			continue;
		if (oldest == CT_DB_STMTS_MAX || db->stmts[i]->used_at < db->stmts[oldest]->used_at)
			oldest = i;
	}
	if (oldest == CT_DB_STMTS_MAX)
		return ct_db__fail(db, CT_RESOURCE_EXHAUSTED, "%d statements are in use",
				   CT_DB_STMTS_MAX);
	ct_stmt__free(db->stmts[oldest]);
	db->stmts[oldest] = db->stmts[--db->stmts_n];
	return CT_OK;
}

static ct_status compile(struct ct_db *db, const char *sql, uint32_t hash,
			 struct ct_stmt **ret_stmt)
{
	struct ct_stmt *s;
	ct_status st = make_room(db);

	if (st != CT_OK)
		return st;
	s = ct_mem_zalloc(1, sizeof(*s));
	if (s == NULL)
		return ct_db__fail(db, CT_RESOURCE_EXHAUSTED, "no memory for a statement");
	s->db = db;
	s->hash = hash;
	s->sql = ct_mem_strdup(sql);
	if (s->sql == NULL)
		st = ct_db__fail(db, CT_RESOURCE_EXHAUSTED, "no memory for a statement");
	else
		st = db->driver->prepare(s);
	if (st != CT_OK) {
		ct_mem_free(s->sql);
		ct_mem_free(s);
		return st;
	}
	db->stmts[db->stmts_n++] = s;
	*ret_stmt = s;
	return CT_OK;
}

ct_status ct_db_prepare(struct ct_db *db, const char *sql, struct ct_stmt **ret_stmt)
{
	const uint32_t hash = ct_fnv1a32(ct_bytes_of_str(sql));
	struct ct_stmt *s;
	ct_status st;

	CT_CHECK(db->open);
	if (db->failed != CT_OK)
		return db->failed;
	s = find_kept(db, sql, hash);
	if (s == NULL) {
		st = compile(db, sql, hash, &s);
		if (st != CT_OK)
			return st;
	}
	CT_CHECK(s != NULL);
	s->in_use = true;
	s->ended = false;
	s->changes = 0;
	s->used_at = ++db->uses;
	*ret_stmt = s;
	return CT_OK;
}

ct_status ct_db_run(struct ct_db *db, const char *sql)
{
	struct ct_stmt *s = NULL;
	ct_status st = ct_db_prepare(db, sql, &s);

	if (st == CT_OK)
		st = ct_stmt_run(s);
	s = ct_stmt_release(s);
	return st;
}

/* ---- a run ---------------------------------------------------------------- */

void ct_stmt__stop(struct ct_stmt *s)
{
	s->db->driver->reset(s, /* clear_params= */ false);
	s->on_row = false;
	s->ended = true;
}

struct ct_stmt *ct_stmt_release(struct ct_stmt *s)
{
	if (s == NULL || !s->in_use)
		return NULL;
	ct_stmt_reset(s); /* a kept statement holds neither values nor a snapshot */
	s->in_use = false;
	return NULL;
}

void ct_stmt_reset(struct ct_stmt *s)
{
	CT_CHECK(s->in_use);
	s->db->driver->reset(s, /* clear_params= */ true);
	s->on_row = false;
	s->ended = false;
}

/* Before the first step of a run, the clock too is asked; inside one the
 * driver's own watch does that. */
static ct_status may_step(struct ct_stmt *s)
{
	struct ct_db *db = s->db;
	ct_status st;

	CT_CHECK(s->in_use);
	if (db->failed != CT_OK)
		return db->failed;
	if (db->ctx == NULL || (s->on_row && !ct_ctx_done(db->ctx)))
		return CT_OK;
	st = ct_ctx_status(db->ctx);
	return st == CT_OK
		       ? CT_OK
		       : ct_db__fail(db, st, "stopped before: %s", ct_db__sql_head(s->sql).text);
}

ct_status ct_stmt_step(struct ct_stmt *s, bool *ret_row)
{
	ct_status st = may_step(s);
	bool row = false;

	if (st == CT_OK) {
		if (!s->on_row)
			s->depth = s->db->depth;
		st = s->db->driver->step(s, &row);
		s->on_row = row;
		s->ended = !row;
	} else if (s->on_row) {
		ct_stmt__stop(s);
	}
	*ret_row = row;
	return st;
}

ct_status ct_stmt_run(struct ct_stmt *s)
{
	bool row = true;
	ct_status st = CT_OK;

	while (st == CT_OK && row)
		st = ct_stmt_step(s, &row);
	return st;
}

ct_status ct_stmt_each(struct ct_stmt *s, ct_stmt_row_fn *fn, void *arg)
{
	bool row = false;
	ct_status st = ct_stmt_step(s, &row);

	while (st == CT_OK && row) {
		st = fn(s, arg);
		if (st != CT_OK)
			ct_stmt__stop(s);
		else
			st = ct_stmt_step(s, &row);
	}
	return st;
}

int64_t ct_stmt_changes(const struct ct_stmt *s)
{
	return s->changes;
}

/* ---- values in ------------------------------------------------------------ */

static void bind(struct ct_stmt *s, unsigned param, const struct ct_value *v)
{
	struct ct_db *db = s->db;

	CT_CHECK(s->in_use);
	if (db->failed != CT_OK)
		return;
	if (s->ended)
		ct_stmt_reset(s);
	if (s->on_row)
		(void)ct_db__fail(db, CT_INTERNAL, "bind in the middle of a run: %s",
				  ct_db__sql_head(s->sql).text);
	else if (param < 1 || param > s->params_n)
		(void)ct_db__fail(db, CT_INTERNAL, "no parameter $%u: %s", param,
				  ct_db__sql_head(s->sql).text);
	else if (v->bytes.len > CT_DB_VALUE_MAX)
		(void)ct_db__fail(db, CT_RESOURCE_EXHAUSTED,
				  "value of $%u is larger than %d bytes: %s", param,
				  CT_DB_VALUE_MAX, ct_db__sql_head(s->sql).text);
	else if (v->kind == CT_VALUE_TEXT && !ct_utf8__clean(v->bytes))
		(void)ct_db__fail(db, CT_INVALID_ARGUMENT, "text of $%u is not clean UTF-8: %s",
				  param, ct_db__sql_head(s->sql).text);
	else if (v->kind == CT_VALUE_F64 && isnan(v->f64))
		(void)ct_db__fail(db, CT_INVALID_ARGUMENT, "$%u is not a number: %s", param,
				  ct_db__sql_head(s->sql).text);
	else
		(void)db->driver->bind(s, param, v); /* a failure is the scope's from now on */
}

void ct_stmt_bind_i64(struct ct_stmt *s, unsigned param, int64_t value)
{
	bind(s, param, &(struct ct_value){ .kind = CT_VALUE_I64, .i64 = value });
}

void ct_stmt_bind_f64(struct ct_stmt *s, unsigned param, double value)
{
	bind(s, param, &(struct ct_value){ .kind = CT_VALUE_F64, .f64 = value });
}

void ct_stmt_bind_opt_f64(struct ct_stmt *s, unsigned param, const double *value)
{
	if (value == NULL)
		ct_stmt_bind_null(s, param);
	else
		ct_stmt_bind_f64(s, param, *value);
}

void ct_stmt_bind_str(struct ct_stmt *s, unsigned param, const char *text)
{
	if (text == NULL)
		ct_stmt_bind_null(s, param);
	else
		ct_stmt_bind_text(s, param, ct_bytes_of_str(text));
}

void ct_stmt_bind_text(struct ct_stmt *s, unsigned param, struct ct_bytes utf8)
{
	bind(s, param, &(struct ct_value){ .kind = CT_VALUE_TEXT, .bytes = utf8 });
}

void ct_stmt_bind_blob(struct ct_stmt *s, unsigned param, struct ct_bytes bytes)
{
	bind(s, param, &(struct ct_value){ .kind = CT_VALUE_BLOB, .bytes = bytes });
}

void ct_stmt_bind_null(struct ct_stmt *s, unsigned param)
{
	bind(s, param, &(struct ct_value){ .kind = CT_VALUE_NULL });
}

/* ---- values out ----------------------------------------------------------- */

unsigned ct_stmt_columns(const struct ct_stmt *s)
{
	return s->db->driver->columns(s);
}

static void check_column(const struct ct_stmt *s, unsigned col)
{
	CT_CHECK(s->on_row);
	CT_CHECK(col < s->db->driver->columns(s));
}

bool ct_stmt_col_null(struct ct_stmt *s, unsigned col)
{
	check_column(s, col);
	return s->db->driver->column_null(s, col);
}

int64_t ct_stmt_col_i64(struct ct_stmt *s, unsigned col)
{
	check_column(s, col);
	return s->db->driver->column(s, col, CT_VALUE_I64).i64;
}

double ct_stmt_col_f64(struct ct_stmt *s, unsigned col)
{
	check_column(s, col);
	return s->db->driver->column(s, col, CT_VALUE_F64).f64;
}

struct ct_bytes ct_stmt_col_text(struct ct_stmt *s, unsigned col)
{
	check_column(s, col);
	return s->db->driver->column(s, col, CT_VALUE_TEXT).bytes;
}

struct ct_bytes ct_stmt_col_blob(struct ct_stmt *s, unsigned col)
{
	check_column(s, col);
	return s->db->driver->column(s, col, CT_VALUE_BLOB).bytes;
}
