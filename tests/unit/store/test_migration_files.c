/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/help.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

TestSuite(migration_files, .init = help_init, .fini = help_fini, .timeout = 60);

static void script(const char *name, const char *text)
{
	help_spew(help_path(name), text, strlen(text));
}

Test(migration_files, scripts_come_sorted_by_number_and_others_are_left_alone)
{
	const char create[] = "CREATE TABLE item(id INTEGER PRIMARY KEY) STRICT;";
	struct ct_migration_set *set = NULL;
	struct ct_store_opts o = { 0 };
	struct ct_store *s;

	script("0010-third.sql", "INSERT INTO item VALUES (10)");
	script("0002-add-visits.sql", "INSERT INTO item VALUES (2)");
	script("0001-items.sql", create);
	script("README.md", "not a step");
	script("notes.sql", "not a step either");
	script("3-.sql", "nor this");

	cr_assert_eq(ct_migration_set_load(help_dir(), NULL, &set), CT_OK);
	cr_assert_eq(set->steps_n, 3);
	cr_assert_eq(set->steps[0].version, 1);
	cr_assert_str_eq(set->steps[0].name, "items");
	cr_assert_str_eq(set->steps[0].sql, create);
	cr_assert_str_eq(set->steps[1].name, "add-visits");
	cr_assert_eq(set->steps[2].version, 10);

	o.migrations = set->steps;
	o.migrations_n = set->steps_n;
	s = help_open(&o);
	set = ct_migration_set_free(set); /* the store has no more use for it */
	cr_assert_eq(items(s), 2);
	s = ct_store_free(s);
}

static ct_status load(struct ct_store_why *why)
{
	struct ct_migration_set *set = NULL;
	const ct_status st = ct_migration_set_load(help_dir(), why, &set);

	cr_assert((st == CT_OK) == (set != NULL));
	set = ct_migration_set_free(set);
	return st;
}

Test(migration_files, what_cannot_be_meant_is_refused_by_name)
{
	struct ct_store_why why = { "" };
	struct ct_migration_set *set = NULL;

	cr_assert_eq(ct_migration_set_load(help_path("missing"), &why, &set), CT_NOT_FOUND);
	cr_assert_eq(load(&why), CT_NOT_FOUND);

	script("1-a.sql", "SELECT 1");
	cr_assert_eq(load(&why), CT_OK);
	script("001-b.sql", "SELECT 1");
	cr_assert_eq(load(&why), CT_INVALID_ARGUMENT);
	cr_assert(strstr(why.text, "twice") != NULL, "%s", why.text);
	cr_assert_eq(remove(help_path("001-b.sql")), 0);

	script("0-zero.sql", "SELECT 1");
	cr_assert_eq(load(&why), CT_INVALID_ARGUMENT);
	cr_assert(strstr(why.text, "0-zero.sql") != NULL, "%s", why.text);
	cr_assert_eq(remove(help_path("0-zero.sql")), 0);

	script("99999999999-big.sql", "SELECT 1");
	cr_assert_eq(load(&why), CT_INVALID_ARGUMENT);
	cr_assert_eq(remove(help_path("99999999999-big.sql")), 0);

	help_spew(help_path("2-nul.sql"), "SELECT 1;\0 DROP", 15);
	cr_assert_eq(load(&why), CT_INVALID_ARGUMENT);
	cr_assert_eq(remove(help_path("2-nul.sql")), 0);

	cr_assert_eq(mkdir(help_path("3-folder.sql"), 0700), 0);
	cr_assert_eq(load(&why), CT_INVALID_ARGUMENT);
}

Test(migration_files, a_script_may_have_the_most_bytes_and_not_one_more)
{
	char *text = malloc(CT_MIGRATION_BYTES_MAX + 1);

	cr_assert_not_null(text);
	memset(text, ' ', CT_MIGRATION_BYTES_MAX + 1);
	help_spew(help_path("1-most.sql"), text, CT_MIGRATION_BYTES_MAX);
	cr_assert_eq(load(NULL), CT_OK);
	help_spew(help_path("1-most.sql"), text, CT_MIGRATION_BYTES_MAX + 1);
	cr_assert_eq(load(NULL), CT_INVALID_ARGUMENT);
	free(text);
}
