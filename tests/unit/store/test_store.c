/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "tests/unit/store/help.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(store, .init = help_init, .fini = help_fini, .timeout = 60);

Test(store, options_out_of_range_are_refused_by_name)
{
	static const struct {
		struct ct_store_opts o;
		const char *name;
	} rows[] = {
		{ { .readers = 65 }, "readers" },
		{ { .group_max = 4097 }, "group_max" },
		{ { .group_ms = 1001 }, "group_ms" },
		{ { .write_queue_max = 65537 }, "write_queue_max" },
		{ { .busy_ms = 60001 }, "busy_ms" },
		{ { .cache_kib = 63 }, "cache_kib" },
		{ { .checkpoint_pages = 15 }, "checkpoint_pages" },
		{ { .path = "" }, "path" },
		{ { .path = ":memory:" }, "path" },
	};

	for (size_t i = 0; i < CT_ARRAY_N(rows); i++) {
		struct ct_store_why why = { "" };

		cr_assert_eq(help_try_open(&rows[i].o, &why), CT_INVALID_ARGUMENT, "%s",
			     rows[i].name);
		cr_assert(strstr(why.text, rows[i].name) != NULL, "%s", why.text);
	}
}

Test(store, the_database_has_a_write_ahead_log)
{
	struct ct_store *s = help_open(NULL);
	sqlite3 *h = NULL;
	sqlite3_stmt *q = NULL;

	cr_assert_eq(put(s, "x"), CT_OK);
	cr_assert_eq(sqlite3_open(help_path("db"), &h), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(h, "PRAGMA journal_mode", -1, &q, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_step(q), SQLITE_ROW);
	cr_assert_str_eq((const char *)sqlite3_column_text(q, 0), "wal");
	cr_assert_eq(sqlite3_finalize(q), SQLITE_OK);
	cr_assert_eq(sqlite3_close(h), SQLITE_OK);
	s = ct_store_free(s);
}

Test(store, a_file_that_is_no_database_is_data_loss_and_left_alone)
{
	char junk[8192];
	struct ct_store_why why = { "" };
	char *after;
	size_t len;

	memset(junk, 'j', sizeof(junk));
	help_spew(help_path("db"), junk, sizeof(junk));

	cr_assert_eq(help_try_open(NULL, &why), CT_DATA_LOSS);

	cr_assert_neq(why.text[0], '\0');
	after = help_slurp(help_path("db"), &len);
	cr_assert_eq(len, sizeof(junk));
	cr_assert_eq(memcmp(after, junk, len), 0);
	free(after);
}

Test(store, a_file_with_corrupt_pages_is_data_loss)
{
	struct ct_store *s = help_open(NULL);
	char *bytes;
	size_t len;

	for (int i = 0; i < 20; i++) {
		char name[300];

		memset(name, 'a' + i, sizeof(name) - 1);
		name[sizeof(name) - 1] = '\0';
		cr_assert_eq(put(s, name), CT_OK);
	}
	s = ct_store_free(s);
	bytes = help_slurp(help_path("db"), &len);
	memset(bytes + 4096, 0x5A, len - 4096); /* all but the first page, which has the schema */
	help_spew(help_path("db"), bytes, len);
	free(bytes);

	cr_assert_eq(ct_store_new(&(struct ct_store_opts){ .path = help_path("db") }, NULL, &s),
		     CT_DATA_LOSS); /* ct_schema lies there too */
}

Test(store, a_folder_that_is_not_there_is_not_found)
{
	const struct ct_store_opts o = { .path = help_path("missing/db") };
	struct ct_store_why why = { "" };

	cr_assert_eq(help_try_open(&o, &why), CT_NOT_FOUND);
	cr_assert_neq(why.text[0], '\0');
}

Test(store, closing_moves_the_log_into_the_file)
{
	struct ct_store *s = help_open(NULL);
	char *bytes;
	size_t len;

	cr_assert_eq(put(s, "find-me-in-the-file"), CT_OK);
	s = ct_store_free(s);

	bytes = help_slurp(help_path("db"), &len);
	cr_assert(memmem(bytes, len, "find-me-in-the-file", 19) != NULL);
	free(bytes);
	cr_assert_null(fopen(help_path("db-wal"), "rb"));
}

Test(store, the_log_is_moved_into_the_file_while_running_too)
{
	const struct ct_store_opts o = { .checkpoint_pages = 16 };
	struct ct_store *s = help_open(&o);
	char name[16];
	size_t len;

	for (int i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		cr_assert_eq(put(s, name), CT_OK);
	}

	cr_assert_gt(stats_of(s).checkpoints, 1);
	free(help_slurp(help_path("db-wal"), &len));
	cr_assert_lt(len, 200u * 4096u); /* it began anew in between */
	cr_assert_eq(items(s), 200);
	s = ct_store_free(s);
}

Test(store, any_allocation_may_fail_while_opening)
{
	bool failed = true;
	uint64_t n = 0;

	while (failed) {
		struct ct_store_why why = { "" };
		ct_status st;

		ct_mem_fail_nth(++n);
		st = help_try_open(NULL, &why);
		ct_mem_fail_nth(0);
		failed = st != CT_OK;
		if (failed) {
			cr_assert_eq(st, CT_RESOURCE_EXHAUSTED, "allocation %u", (unsigned)n);
			cr_assert_neq(why.text[0], '\0');
		}
		cr_assert_lt(n, 200);
	}
	cr_assert_gt(n, 10);
}

/* ---- SQLite's own memory -------------------------------------------------- */

static sqlite3_mem_methods real_mem;
static atomic_llong sqlite_left = -1; /* allocations until one fails; negative: none does */

static bool sqlite_fails(void)
{
	return atomic_load(&sqlite_left) >= 0 && atomic_fetch_sub(&sqlite_left, 1) == 0;
}

static void *failing_malloc(int n)
{
	return sqlite_fails() ? NULL : real_mem.xMalloc(n);
}

static void *failing_realloc(void *p, int n)
{
	return sqlite_fails() ? NULL : real_mem.xRealloc(p, n);
}

Test(store, any_allocation_of_sqlite_may_fail_while_opening_and_writing)
{
	sqlite3_mem_methods mem;
	bool failed = true;
	int64_t n;

	cr_assert_eq(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_mem), SQLITE_OK);
	mem = real_mem;
	mem.xMalloc = failing_malloc;
	mem.xRealloc = failing_realloc;
	cr_assert_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &mem), SQLITE_OK);
	cr_assert_eq(help_try_open(NULL, NULL), CT_OK); /* initialises the library */

	for (n = 0; failed; n += 1 + n / 40) {
		const struct ct_store_opts o = { .path = help_path("db"), .readers = 1 };
		struct insert in = { .name = "x", .then = CT_ABORTED };
		struct ct_store *s = NULL;
		struct ct_store_opts with = o;
		ct_status st;

		with.migrations = help_schema;
		with.migrations_n = 1;
		atomic_store(&sqlite_left, n);
		st = ct_store_new(&with, NULL, &s);
		if (st == CT_OK)
			st = ct_store_write_wait(s, NULL, insert_fn, &in, NULL);
		failed = atomic_load(&sqlite_left) < 0; /* it came to pass */
		atomic_store(&sqlite_left, -1);
		/* Some failures only cost SQLite a cache or a spare page. */
		cr_assert(st == CT_RESOURCE_EXHAUSTED || st == CT_ABORTED, "allocation %d: %s",
			  (int)n, ct_status_name(st));
		if (s != NULL)
			cr_assert_eq(items(s), 0);
		s = ct_store_free(s);
		cr_assert_lt(n, 100000);
	}
	cr_assert_gt(n, 100);
}
