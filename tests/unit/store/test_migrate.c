/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/help.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(migrate, .init = help_init, .fini = help_fini, .timeout = 60);

static const struct ct_migration steps[] = {
	{ 1, "items", "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT) STRICT;" },
	{ 3, "first item", "INSERT INTO item(name) VALUES ('one;'); -- a ';' in a text\n" },
	{ 4, "colour",
	  "ALTER TABLE item ADD COLUMN colour TEXT; CREATE INDEX ic ON item(colour);" },
};

static ct_status open_with(const struct ct_migration *m, size_t n, struct ct_store_why *why)
{
	const struct ct_store_opts o = { .migrations = m, .migrations_n = n };

	return help_try_open(&o, why);
}

static int64_t applied(void)
{
	const struct ct_store_opts o = { .migrations = steps, .migrations_n = 3 };
	struct ct_store *s = help_open(&o);
	int64_t n = ask(s, "SELECT count(*) FROM ct_schema");

	cr_assert_eq(stats_of(s).schema_version, 4);
	cr_assert_eq(ask(s, "SELECT count(*) FROM ct_schema WHERE applied_at > 0"
			    " AND length(checksum) = 16"),
		     n);
	cr_assert_eq(ask(s, "SELECT count(*) FROM item"), 1);
	s = ct_store_free(s);
	return n;
}

Test(migrate, a_fresh_database_gets_every_step_once)
{
	cr_assert_eq(open_with(steps, 3, NULL), CT_OK);

	cr_assert_eq(applied(), 3);
	cr_assert_eq(applied(), 3);
}

Test(migrate, an_older_database_gets_only_what_it_lacks)
{
	cr_assert_eq(open_with(steps, 1, NULL), CT_OK);
	cr_assert_eq(open_with(steps, 2, NULL), CT_OK);

	cr_assert_eq(applied(), 3);
}

Test(migrate, a_newer_database_is_refused_by_name)
{
	struct ct_store_why why = { "" };

	cr_assert_eq(open_with(steps, 3, NULL), CT_OK);

	cr_assert_eq(open_with(steps, 2, &why), CT_FAILED_PRECONDITION);
	cr_assert(strstr(why.text, "step 4 (colour)") != NULL, "%s", why.text);
	cr_assert(strstr(why.text, "newer") != NULL, "%s", why.text);
	cr_assert_eq(applied(), 3);
}

Test(migrate, a_changed_step_is_refused_by_name)
{
	struct ct_migration changed[3];
	struct ct_store_why why = { "" };

	memcpy(changed, steps, sizeof(steps));
	changed[1].sql = "INSERT INTO item(name) VALUES ('two')";
	cr_assert_eq(open_with(steps, 2, NULL), CT_OK);

	cr_assert_eq(open_with(changed, 3, &why), CT_FAILED_PRECONDITION);
	cr_assert(strstr(why.text, "step 3 (first item)") != NULL, "%s", why.text);
	cr_assert_eq(applied(), 3);
}

Test(migrate, a_step_slipped_in_below_an_applied_one_is_refused)
{
	const struct ct_migration with_two[] = { steps[0], { 2, "late", "SELECT 1" }, steps[1] };
	struct ct_store_why why = { "" };

	cr_assert_eq(open_with(steps, 2, NULL), CT_OK);

	cr_assert_eq(open_with(with_two, 3, &why), CT_FAILED_PRECONDITION);
	cr_assert(strstr(why.text, "step 2") != NULL, "%s", why.text);
}

Test(migrate, a_failing_step_leaves_nothing_and_says_which)
{
	const struct ct_migration bad[] = {
		steps[0],
		{ 2, "half",
		  "INSERT INTO item(name) VALUES ('x'); INSERT INTO nowhere VALUES (1)" },
	};
	struct ct_store_why why = { "" };

	cr_assert_eq(open_with(bad, 2, &why), CT_INTERNAL);
	cr_assert(strstr(why.text, "step 2 (half)") != NULL, "%s", why.text);
	cr_assert(strstr(why.text, "nowhere") != NULL, "%s", why.text);
	cr_assert_eq(applied(), 3); /* 'x' would make two items */
}

Test(migrate, a_step_may_not_commit_by_itself)
{
	const struct ct_migration bad[] = {
		steps[0], { 2, "sly", "INSERT INTO item(name) VALUES ('x'); COMMIT; SELECT 1" }
	};

	cr_assert_eq(open_with(bad, 2, NULL), CT_PERMISSION_DENIED);
	cr_assert_eq(applied(), 3);
}

Test(migrate, a_table_may_be_rebuilt_under_its_references_but_not_lose_them)
{
	static const char rebuild[] = "CREATE TABLE item2(id INTEGER PRIMARY KEY) STRICT;"
				      "INSERT INTO item2 SELECT id FROM item;"
				      "DROP TABLE item; ALTER TABLE item2 RENAME TO item;";
	const struct ct_migration good[] = {
		{ 1, "tables",
		  "CREATE TABLE item(id INTEGER PRIMARY KEY, x TEXT) STRICT;"
		  "CREATE TABLE note(item INTEGER REFERENCES item(id)) STRICT;"
		  "INSERT INTO item(id) VALUES (1); INSERT INTO note VALUES (1);" },
		{ 2, "rebuild", rebuild },
		{ 3, "lose", "DELETE FROM item" },
	};
	struct ct_store_why why = { "" };

	cr_assert_eq(open_with(good, 2, NULL), CT_OK);
	cr_assert_eq(open_with(good, 3, &why), CT_FAILED_PRECONDITION);
	cr_assert(strstr(why.text, "1 references lead nowhere") != NULL, "%s", why.text);
}

Test(migrate, steps_out_of_order_are_a_bad_option)
{
	const struct ct_migration down[] = { steps[1], steps[0] };
	const struct ct_migration zero[] = { { 0, "none", "SELECT 1" } };

	cr_assert_eq(open_with(down, 2, NULL), CT_INVALID_ARGUMENT);
	cr_assert_eq(open_with(zero, 1, NULL), CT_INVALID_ARGUMENT);
}

Test(migrate, the_file_of_another_program_is_refused_and_left_alone)
{
	const struct ct_store_opts ours = { .application_id = 0x43540001 };
	const struct ct_store_opts theirs = { .application_id = 0x43540002 };
	struct ct_store_why why = { "" };
	char *before, *after;
	size_t len[2];
	sqlite3 *h;

	cr_assert_eq(help_try_open(&ours, NULL), CT_OK);
	cr_assert_eq(help_try_open(&ours, NULL), CT_OK);
	before = help_slurp(help_path("db"), &len[0]);
	cr_assert_eq(help_try_open(&theirs, &why), CT_FAILED_PRECONDITION);
	after = help_slurp(help_path("db"), &len[1]);
	cr_assert(strstr(why.text, "another program") != NULL, "%s", why.text);
	cr_assert(len[0] == len[1] && memcmp(before, after, len[0]) == 0);
	free(before);
	free(after);

	/* Not marked, but not empty either. */
	cr_assert_eq(sqlite3_open(help_path("foreign"), &h), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(h, "CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_close(h), SQLITE_OK);
	cr_assert_eq(help_try_open(&(struct ct_store_opts){ .path = help_path("foreign"),
							    .application_id = 0x43540001 },
				   &why),
		     CT_FAILED_PRECONDITION);
}

Test(migrate, programs_that_start_at_once_agree)
{
	enum { N = 4, ROUNDS = 5 };
	const struct ct_store_opts o = { .migrations = steps,
					 .migrations_n = 3,
					 .application_id = 0x43540001 };

	for (int round = 0; round < ROUNDS; round++) {
		pid_t pids[N];
		int start[2];
		int64_t rows;
		struct ct_store *s;
		struct ct_store_opts mine = o;
		char name[8] = { 'd', 'b', (char)('0' + round), '\0' };

		mine.path = help_path(name);
		cr_assert_eq(pipe(start), 0);
		for (int i = 0; i < N; i++) {
			pids[i] = fork();
			cr_assert_geq(pids[i], 0);
			if (pids[i] == 0) {
				char c;

				(void)close(start[1]);
				(void)!read(start[0], &c, 1); /* ends when all may begin */
				_exit(help_try_open(&mine, NULL) == CT_OK ? 0 : 1);
			}
		}
		(void)close(start[0]);
		(void)close(start[1]);
		for (int i = 0; i < N; i++) {
			int status = -1;

			cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
			cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		}
		s = help_open(&mine);
		rows = ask(s, "SELECT count(*) FROM item");
		s = ct_store_free(s);
		cr_assert_eq(rows, 1);
	}
}
