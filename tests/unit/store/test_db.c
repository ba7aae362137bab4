/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/help.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

TestSuite(db, .init = help_init, .fini = help_fini, .timeout = 60);

/* Each case runs as a write of its own in a fresh database. */
static ct_status in_write(ct_db_fn *fn, struct ct_store_why *why)
{
	struct ct_store *s = help_open(NULL);
	ct_status st = ct_store_write_wait(s, NULL, fn, NULL, why);

	s = ct_store_free(s);
	return st;
}

static bool bytes_equal(struct ct_bytes b, const void *want, size_t len)
{
	return b.len == len && memcmp(b.ptr, want, len) == 0;
}

static ct_status all_types_fn(struct ct_db *db, void *arg)
{
	static const char chinese[] = "受试者 王小明 👩‍⚕️";
	static const uint8_t blob[] = { 0x00, 0xFF, 0x00, 0x01, 0x00 };
	const double half = 0.5;
	struct ct_stmt *s = NULL;
	bool row = false;

	(void)arg;
	cr_assert_eq(ct_db_prepare(db, "SELECT $1, $2, $3, $4, $5, $6, $7, $8", &s), CT_OK);
	ct_stmt_bind_i64(s, 1, INT64_MIN);
	ct_stmt_bind_f64(s, 2, -1.25e-300);
	ct_stmt_bind_str(s, 3, chinese);
	ct_stmt_bind_blob(s, 4, ct_bytes_of(blob, sizeof(blob)));
	ct_stmt_bind_null(s, 5);
	ct_stmt_bind_opt_f64(s, 6, &half);
	ct_stmt_bind_opt_f64(s, 7, NULL);
	cr_assert_eq(ct_stmt_step(s, &row), CT_OK);

	cr_assert(row);
	cr_assert_eq(ct_stmt_columns(s), 8);
	cr_assert_eq(ct_stmt_col_i64(s, 0), INT64_MIN);
	cr_assert(ct_stmt_col_f64(s, 1) == -1.25e-300);
	cr_assert(bytes_equal(ct_stmt_col_text(s, 2), chinese, strlen(chinese)));
	cr_assert_eq(ct_stmt_col_text(s, 2).ptr[strlen(chinese)], '\0');
	cr_assert(bytes_equal(ct_stmt_col_blob(s, 3), blob, sizeof(blob)));
	cr_assert(ct_stmt_col_null(s, 4));
	cr_assert(ct_stmt_col_f64(s, 5) == 0.5);
	cr_assert(ct_stmt_col_null(s, 6));
	cr_assert(ct_stmt_col_null(s, 7)); /* never bound */
	cr_assert_eq(ct_stmt_col_text(s, 7).len, 0);
	cr_assert_null(ct_stmt_col_text(s, 7).ptr);
	cr_assert_eq(ct_stmt_col_i64(s, 7), 0);
	cr_assert_eq(ct_stmt_step(s, &row), CT_OK);
	cr_assert_not(row);
	return CT_OK;
}

Test(db, values_of_every_type_come_back_as_they_went_in)
{
	cr_assert_eq(in_write(all_types_fn, NULL), CT_OK);
}

static ct_status empty_fn(struct ct_db *db, void *arg)
{
	struct ct_stmt *s = NULL;
	bool row = false;

	(void)arg;
	cr_assert_eq(ct_db_prepare(db, "SELECT $1, typeof($1), $2, typeof($2), $3", &s), CT_OK);
	ct_stmt_bind_text(s, 1, CT_BYTES_NONE);
	ct_stmt_bind_blob(s, 2, CT_BYTES_NONE);
	ct_stmt_bind_str(s, 3, NULL);
	cr_assert_eq(ct_stmt_step(s, &row), CT_OK);
	cr_assert_not(ct_stmt_col_null(s, 0));
	cr_assert(bytes_equal(ct_stmt_col_text(s, 1), "text", 4));
	cr_assert_not(ct_stmt_col_null(s, 2));
	cr_assert(bytes_equal(ct_stmt_col_text(s, 3), "blob", 4));
	cr_assert(ct_stmt_col_null(s, 4));
	return CT_OK;
}

Test(db, empty_is_not_null)
{
	cr_assert_eq(in_write(empty_fn, NULL), CT_OK);
}

static ct_status any_order_fn(struct ct_db *db, void *arg)
{
	struct ct_stmt *s = NULL;
	bool row = false;

	(void)arg;
	cr_assert_eq(ct_db_prepare(db, "SELECT $2 * 10 + $1, $2", &s), CT_OK);
	ct_stmt_bind_i64(s, 1, 3);
	ct_stmt_bind_i64(s, 2, 4);
	cr_assert_eq(ct_stmt_step(s, &row), CT_OK);
	cr_assert_eq(ct_stmt_col_i64(s, 0), 43);
	cr_assert_eq(ct_stmt_col_i64(s, 1), 4);
	return CT_OK;
}

Test(db, placeholders_mean_their_number_not_their_place)
{
	cr_assert_eq(in_write(any_order_fn, NULL), CT_OK);
}

static const char *wrong_sql;

static ct_status wrong_sql_fn(struct ct_db *db, void *arg)
{
	struct ct_stmt *s = NULL;
	ct_status st = ct_db_prepare(db, wrong_sql, &s);

	(void)arg;
	cr_assert_eq(st, CT_INTERNAL);
	cr_assert_null(s);
	return CT_OK;
}

Test(db, wrong_sql_is_told_apart_from_wrong_data)
{
	static const char *const wrong[] = {
		"SELEKT 1",
		"",
		"SELECT 1; SELECT 2",
		"SELECT ?1",
		"SELECT :name",
		"SELECT $1, $3",
		"SELECT $01",
		"SELECT $1::text",
		"SELECT $65",
		"SELECT nothing FROM item",
		"SELECT \"no such column\" FROM item",
	};

	for (size_t i = 0; i < CT_ARRAY_N(wrong); i++) {
		struct ct_store_why why = { "" };

		wrong_sql = wrong[i];
		cr_assert_eq(in_write(wrong_sql_fn, &why), CT_INTERNAL, "%s", wrong[i]);
		cr_assert_neq(why.text[0], '\0');
	}
}

static ct_status returning_fn(struct ct_db *db, void *arg)
{
	static const char upsert[] =
		"INSERT INTO item(id, name, value) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE"
		" SET value = excluded.value WHERE item.value <> excluded.value"
		" RETURNING id, value";
	struct ct_stmt *s = NULL;
	bool row = false;

	(void)arg;
	cr_assert_eq(ct_db_prepare(db, upsert, &s), CT_OK);
	for (int i = 0; i < 3; i++) {
		ct_stmt_bind_i64(s, 1, 7);
		ct_stmt_bind_str(s, 2, "seven");
		ct_stmt_bind_f64(s, 3, i < 2 ? 1.0 : 2.0);
		cr_assert_eq(ct_stmt_step(s, &row), CT_OK);
		cr_assert_eq(row, i != 1); /* nothing changes the second time */
		if (row) {
			cr_assert_eq(ct_stmt_col_i64(s, 0), 7);
			cr_assert_eq(ct_stmt_run(s), CT_OK);
		}
		cr_assert_eq(ct_stmt_changes(s), i != 1);
	}
	return CT_OK;
}

Test(db, on_conflict_and_returning_say_what_changed)
{
	cr_assert_eq(in_write(returning_fn, NULL), CT_OK);
}

static ct_status unique_fn(struct ct_db *db, void *arg)
{
	(void)arg;
	cr_assert_eq(ct_db_run(db, "INSERT INTO item(name) VALUES ('x')"), CT_OK);
	return ct_db_run(db, "INSERT INTO item(name) VALUES ('x')");
}

static ct_status check_fn(struct ct_db *db, void *arg)
{
	(void)arg;
	return ct_db_run(db, "INSERT INTO item(name, value) VALUES ('x', -1.0)");
}

static ct_status reference_fn(struct ct_db *db, void *arg)
{
	(void)arg;
	return ct_db_run(db, "INSERT INTO note(item, body) VALUES (42, 'of nothing')");
}

static ct_status strict_fn(struct ct_db *db, void *arg)
{
	(void)arg;
	return ct_db_run(db, "INSERT INTO item(name, value) VALUES ('x', 'not a number')");
}

Test(db, constraints_have_their_own_status)
{
	struct ct_store_why why = { "" };

	cr_assert_eq(in_write(unique_fn, &why), CT_ALREADY_EXISTS);
	cr_assert(strstr(why.text, "item.name") != NULL, "%s", why.text);
	cr_assert_eq(in_write(check_fn, NULL), CT_FAILED_PRECONDITION);
	cr_assert_eq(in_write(reference_fn, NULL), CT_FAILED_PRECONDITION);
	cr_assert_eq(in_write(strict_fn, NULL), CT_FAILED_PRECONDITION);
}

static struct ct_bytes hostile;

static ct_status hostile_text_fn(struct ct_db *db, void *arg)
{
	struct ct_stmt *s = NULL;

	(void)arg;
	cr_assert_eq(ct_db_prepare(db, "INSERT INTO item(name) VALUES ($1)", &s), CT_OK);
	ct_stmt_bind_text(s, 1, hostile);
	return ct_stmt_run(s);
}

Test(db, text_that_is_not_clean_utf8_is_refused)
{
	hostile = ct_bytes_of("a\0b", 3);
	cr_assert_eq(in_write(hostile_text_fn, NULL), CT_INVALID_ARGUMENT);
	hostile = ct_bytes_of("\xC0\x80", 2);
	cr_assert_eq(in_write(hostile_text_fn, NULL), CT_INVALID_ARGUMENT);
	hostile = ct_bytes_of("'); DROP TABLE item; --", 23);
	cr_assert_eq(in_write(hostile_text_fn, NULL), CT_OK);
}

static ct_status nan_fn(struct ct_db *db, void *arg)
{
	struct ct_stmt *s = NULL;

	(void)arg;
	cr_assert_eq(ct_db_prepare(db, "SELECT $1", &s), CT_OK);
	ct_stmt_bind_f64(s, 1, (double)NAN);
	return ct_stmt_run(s);
}

Test(db, a_nan_is_refused_and_does_not_become_null)
{
	cr_assert_eq(in_write(nan_fn, NULL), CT_INVALID_ARGUMENT);
}

static ct_status wrong_param_fn(struct ct_db *db, void *arg)
{
	struct ct_stmt *s = NULL;

	(void)arg;
	cr_assert_eq(ct_db_prepare(db, "SELECT $1", &s), CT_OK);
	ct_stmt_bind_i64(s, 2, 1);
	return ct_stmt_run(s);
}

static ct_status too_big_fn(struct ct_db *db, void *arg)
{
	struct ct_stmt *s = NULL;

	(void)arg;
	cr_assert_eq(ct_db_prepare(db, "SELECT $1", &s), CT_OK);
	/* Refused by its length alone: the bytes are not read. */
	ct_stmt_bind_blob(s, 1, (struct ct_bytes){ (const uint8_t *)"", CT_DB_VALUE_MAX + 1 });
	return ct_stmt_run(s);
}

static ct_status bind_in_run_fn(struct ct_db *db, void *arg)
{
	struct ct_stmt *s = NULL;
	bool row = false;

	(void)arg;
	cr_assert_eq(ct_db_prepare(db, "SELECT $1 UNION ALL SELECT 2", &s), CT_OK);
	cr_assert_eq(ct_stmt_step(s, &row), CT_OK);
	ct_stmt_bind_i64(s, 1, 1);
	return ct_stmt_step(s, &row);
}

Test(db, binds_that_cannot_be_right_fail_the_next_step)
{
	cr_assert_eq(in_write(wrong_param_fn, NULL), CT_INTERNAL);
	cr_assert_eq(in_write(too_big_fn, NULL), CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(in_write(bind_in_run_fn, NULL), CT_INTERNAL);
}

static ct_status reuse_fn(struct ct_db *db, void *arg)
{
	static const char sql[] = "SELECT $1, $2";
	struct ct_stmt *a = NULL, *b = NULL, *again = NULL;
	bool row = false;

	(void)arg;
	cr_assert_eq(ct_db_prepare(db, sql, &a), CT_OK);
	cr_assert_eq(ct_db_prepare(db, sql, &b), CT_OK);
	cr_assert_neq(a, b); /* both in use */
	ct_stmt_bind_i64(a, 1, 1);
	ct_stmt_bind_i64(a, 2, 2);
	cr_assert_eq(ct_stmt_run(a), CT_OK);
	ct_stmt_bind_i64(a, 1, 3); /* begins afresh */
	cr_assert_eq(ct_stmt_step(a, &row), CT_OK);
	cr_assert_eq(ct_stmt_col_i64(a, 0), 3);
	cr_assert(ct_stmt_col_null(a, 1));
	a = ct_stmt_release(a);
	cr_assert_null(a);
	cr_assert_eq(ct_db_prepare(db,
				   "SELECT $1, "
				   "$2",
				   &again),
		     CT_OK); /* same text */
	cr_assert_eq(ct_stmt_step(again, &row), CT_OK);
	cr_assert(ct_stmt_col_null(again, 0)); /* nothing of the last user is left */
	return CT_OK;
}

Test(db, a_compiled_statement_is_reused_without_its_last_values)
{
	cr_assert_eq(in_write(reuse_fn, NULL), CT_OK);
}

static ct_status many_fn(struct ct_db *db, void *arg)
{
	static char sql[CT_DB_STMTS_MAX * 3][16];
	struct ct_stmt *s = NULL;

	(void)arg;
	for (size_t i = 0; i < CT_ARRAY_N(sql); i++) {
		(void)snprintf(sql[i], sizeof(sql[i]), "SELECT %zu", i);
		cr_assert_eq(ct_db_run(db, sql[i]), CT_OK); /* the oldest go */
	}
	for (size_t i = 0; i < CT_DB_STMTS_MAX; i++)
		cr_assert_eq(ct_db_prepare(db, sql[i], &s), CT_OK);
	return ct_db_prepare(db, sql[CT_DB_STMTS_MAX], &s);
}

Test(db, statements_kept_and_in_use_are_bounded)
{
	cr_assert_eq(in_write(many_fn, NULL), CT_RESOURCE_EXHAUSTED);
}

static ct_status stop_at_two(struct ct_stmt *row, void *arg)
{
	int64_t *sum = arg;

	*sum += ct_stmt_col_i64(row, 0);
	return ct_stmt_col_i64(row, 0) == 2 ? CT_OUT_OF_RANGE : CT_OK;
}

static ct_status each_fn(struct ct_db *db, void *arg)
{
	struct ct_stmt *s = NULL;
	int64_t sum = 0;

	(void)arg;
	cr_assert_eq(ct_db_prepare(db, "VALUES (1), (2), (3)", &s), CT_OK);
	cr_assert_eq(ct_stmt_each(s, stop_at_two, &sum), CT_OUT_OF_RANGE);
	cr_assert_eq(sum, 3);
	cr_assert_eq(ct_db_status(db), CT_OK);
	return ct_db_run(db, "INSERT INTO item(name) VALUES ('goes on')");
}

Test(db, a_row_callback_may_stop_without_failing_the_scope)
{
	cr_assert_eq(in_write(each_fn, NULL), CT_OK);
}

static ct_status column_out_of_row_fn(struct ct_db *db, void *arg)
{
	struct ct_stmt *s = NULL;

	(void)arg;
	cr_assert_eq(ct_db_prepare(db, "SELECT 1", &s), CT_OK);
	return ct_stmt_col_i64(s, 0) == 1 ? CT_OK : CT_INTERNAL;
}

Test(db, a_column_without_a_row_is_a_programming_error, .signal = SIGABRT)
{
	(void)!in_write(column_out_of_row_fn, NULL);
}

static ct_status nested_rows_fn(struct ct_db *db, void *arg)
{
	return ct_db_run(db, arg);
}

static ct_status iterate_and_nest_fn(struct ct_db *db, void *arg)
{
	struct ct_stmt *s = NULL;
	bool row = true;
	int rows = 0;

	(void)arg;
	cr_assert_eq(ct_db_run(db, "INSERT INTO item(name) VALUES ('a'), ('b'), ('c')"), CT_OK);
	cr_assert_eq(ct_db_prepare(db, "SELECT name FROM item ORDER BY name", &s), CT_OK);
	for (; ct_stmt_step(s, &row) == CT_OK && row; rows++) {
		char note[] = "INSERT INTO note(item, body) VALUES (99, 'nobody')";

		cr_assert_eq(ct_db_nested(db, nested_rows_fn, note), CT_FAILED_PRECONDITION);
	}
	cr_assert_eq(rows, 3);
	return ct_db_status(db);
}

Test(db, a_query_goes_on_over_nested_failures)
{
	cr_assert_eq(in_write(iterate_and_nest_fn, NULL), CT_OK);
}
