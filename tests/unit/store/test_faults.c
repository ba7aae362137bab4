/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/fault_vfs.h"
#include "tests/unit/store/help.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(faults, .init = help_init, .fini = help_fini, .timeout = 60);

/* ---- a database that may not grow ----------------------------------------- */

static ct_status big_fn(struct ct_db *db, void *arg)
{
	struct ct_stmt *s = NULL;
	ct_status st = ct_db_prepare(db, "INSERT INTO item(name, data) VALUES ($1, zeroblob($2))",
				     &s);

	if (st != CT_OK)
		return st;
	ct_stmt_bind_str(s, 1, "big");
	ct_stmt_bind_i64(s, 2, *(int64_t *)arg);
	return ct_stmt_run(s);
}

Test(faults, a_full_database_refuses_what_does_not_fit_and_takes_what_does)
{
	const struct ct_store_opts o = { .clk = &help_frozen, .size_max_pages = 32 };
	struct ct_store *s = help_open(&o);
	int64_t too_much = 32 * 4096;
	struct insert small[2] = { { .name = "before" }, { .name = "after" } };
	struct ended ended[3];
	struct ct_store_why why = { "" };
	struct parked p;

	park(s, &p); /* all in one group */
	for (int i = 0; i < 3; i++)
		ended_init(&ended[i]);
	cr_assert_eq(ct_store_write(s, NULL, insert_fn, &small[0], ended_done, &ended[0]), CT_OK);
	cr_assert_eq(ct_store_write(s, NULL, big_fn, &too_much, ended_done, &ended[1]), CT_OK);
	cr_assert_eq(ct_store_write(s, NULL, insert_fn, &small[1], ended_done, &ended[2]), CT_OK);
	cr_assert_eq(sem_post(&p.open), 0);
	cr_assert_eq(sem_post(&p.open), 0); /* should it be run again */
	cr_assert_eq(ended_await(&p.ended), CT_OK);

	cr_assert_eq(ended_await(&ended[0]), CT_OK);
	cr_assert_eq(ended_await(&ended[1]), CT_RESOURCE_EXHAUSTED);
	cr_assert(strstr(ended[1].why.text, "full") != NULL, "%s", ended[1].why.text);
	cr_assert_eq(ended_await(&ended[2]), CT_OK);
	cr_assert_eq(items(s), 2);
	cr_assert_eq(ct_store_write_wait(s, NULL, big_fn, &too_much, &why), CT_RESOURCE_EXHAUSTED);
	too_much = 4096;
	cr_assert_eq(ct_store_write_wait(s, NULL, big_fn, &too_much, NULL), CT_OK);
	cr_assert(identity_holds(s));
	s = ct_store_free(s);
}

/* ---- a disk that fails at the commit --------------------------------------- */

/* Three writes in one group whose commit meets the fault. */
static void group_meets(struct ct_store *s, atomic_int *fault, int rc, ct_status want)
{
	struct insert in[3] = { { .name = "a" },
				{ .name = "b", .then = CT_ABORTED },
				{ .name = "c" } };
	struct ended ended[3];
	struct parked p;

	park(s, &p);
	for (int i = 0; i < 3; i++) {
		ended_init(&ended[i]);
		cr_assert_eq(ct_store_write(s, NULL, insert_fn, &in[i], ended_done, &ended[i]),
			     CT_OK);
	}
	atomic_store(fault, rc);
	cr_assert_eq(sem_post(&p.open), 0);
	cr_assert_eq(ended_await(&p.ended), want);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(ended_await(&ended[i]), want, "%d: %s", i,
			     ct_status_name(ended[i].st));
		cr_assert_neq(ended[i].why.text[0], '\0');
	}
	cr_assert_eq(stats_of(s).commits, 0);
	cr_assert_eq(stats_of(s).commits_failed, 1);
	cr_assert_eq(stats_of(s).failed, 4);

	atomic_store(fault, 0); /* there is room again */
	cr_assert_eq(items(s), 0);
	cr_assert_eq(put(s, "a"), CT_OK);
	cr_assert_eq(items(s), 1);
	cr_assert(identity_holds(s));
}

Test(faults, a_commit_on_a_full_disk_fails_its_whole_group_and_the_writer_goes_on)
{
	struct fault_vfs *v = fault_vfs_install();
	const struct ct_store_opts o = { .clk = &help_frozen };
	struct ct_store *s = help_open(&o);

	group_meets(s, &v->write_rc, SQLITE_FULL, CT_RESOURCE_EXHAUSTED);
	s = ct_store_free(s);
}

Test(faults, a_commit_that_cannot_be_synced_is_not_acknowledged)
{
	struct fault_vfs *v = fault_vfs_install();
	const struct ct_store_opts o = { .clk = &help_frozen };
	struct ct_store *s = help_open(&o);

	group_meets(s, &v->sync_rc, SQLITE_IOERR_FSYNC, CT_DATA_LOSS);
	s = ct_store_free(s);
}

Test(faults, a_commit_with_an_io_error_is_internal)
{
	struct fault_vfs *v = fault_vfs_install();
	const struct ct_store_opts o = { .clk = &help_frozen };
	struct ct_store *s = help_open(&o);

	group_meets(s, &v->write_rc, SQLITE_IOERR_WRITE, CT_INTERNAL);
	s = ct_store_free(s);
}

Test(faults, a_checkpoint_that_fails_costs_no_write)
{
	struct fault_vfs *v = fault_vfs_install();
	const struct ct_store_opts o = { .checkpoint_pages = 16 };
	struct ct_store *s = help_open(&o);
	char name[16];

	/* Only the log can be synced: checkpoints fail, commits do not. */
	atomic_store(&v->database_sync_rc, SQLITE_IOERR_FSYNC);
	for (int i = 0; i < 60; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		cr_assert_eq(put(s, name), CT_OK);
	}
	cr_assert_eq(stats_of(s).checkpoints, 0);
	atomic_store(&v->database_sync_rc, 0);
	for (int i = 60; i < 90; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		cr_assert_eq(put(s, name), CT_OK);
	}

	cr_assert_gt(stats_of(s).checkpoints, 0);
	cr_assert_eq(items(s), 90);
	s = ct_store_free(s);
}

Test(faults, a_disk_too_full_to_open_says_so)
{
	struct fault_vfs *v = fault_vfs_install();
	struct ct_store_why why = { "" };

	atomic_store(&v->write_rc, SQLITE_FULL);

	cr_assert_eq(help_try_open(NULL, &why), CT_RESOURCE_EXHAUSTED);
	cr_assert(strstr(why.text, "full") != NULL, "%s", why.text);
	atomic_store(&v->write_rc, 0);
	cr_assert_eq(help_try_open(NULL, NULL), CT_OK);
}

Test(faults, a_file_that_may_only_be_read_is_refused_at_open)
{
	struct fault_vfs *v = fault_vfs_install();
	struct ct_store_why why = { "" };

	cr_assert_eq(help_try_open(NULL, NULL), CT_OK);
	atomic_store(&v->read_only, true);

	cr_assert_eq(help_try_open(NULL, &why), CT_PERMISSION_DENIED);
	cr_assert(strstr(why.text, "only be read") != NULL, "%s", why.text);
}

Test(faults, a_disk_that_turns_read_only_denies_writes_and_still_reads)
{
	struct fault_vfs *v = fault_vfs_install();
	struct ct_store *s = help_open(NULL);
	struct ct_store_why why = { "" };
	struct insert in = { .name = "b" };

	cr_assert_eq(put(s, "a"), CT_OK);
	atomic_store(&v->write_rc, SQLITE_READONLY);

	cr_assert_eq(ct_store_write_wait(s, NULL, insert_fn, &in, &why), CT_PERMISSION_DENIED);
	cr_assert_eq(items(s), 1);
	atomic_store(&v->write_rc, 0);
	cr_assert_eq(put(s, "b"), CT_OK);
	s = ct_store_free(s);
}

/* ---- a power cut ------------------------------------------------------------ */

static void copy(const char *from, const char *to)
{
	FILE *f = fopen(from, "rb");
	char *bytes;
	size_t len;

	if (f == NULL)
		return; /* never synced: gone */
	CT_CHECK(fclose(f) == 0);
	bytes = help_slurp(from, &len);
	help_spew(to, bytes, len);
	free(bytes);
}

/* What is on the disk for sure when a write is acknowledged; on the writer thread. */
static void cut_done(void *arg, ct_status st, const char *why)
{
	const int *n = arg;
	char name[32];

	cr_assert_eq(st, CT_OK, "%s", why);
	(void)snprintf(name, sizeof(name), "cut%d", *n);
	copy(help_path("db.synced"), help_path(name));
	(void)snprintf(name, sizeof(name), "cut%d-wal", *n);
	copy(help_path("db-wal.synced"), help_path(name));
}

Test(faults, at_the_moment_of_its_acknowledgement_a_write_survives_a_power_cut)
{
	enum { N = 40 };
	struct fault_vfs *v = fault_vfs_install();
	const struct ct_store_opts o = { .checkpoint_pages = 16 };
	struct ct_store *s = help_open(&o);
	struct insert in[N];
	char names[N][16];
	int number[N];
	unsigned syncs = atomic_load(&v->log_syncs);

	for (int i = 0; i < N; i++) {
		number[i] = i;
		(void)snprintf(names[i], sizeof(names[i]), "n%d", i);
		in[i] = (struct insert){ .name = names[i] };
		cr_assert_eq(ct_store_write(s, NULL, insert_fn, &in[i], cut_done, &number[i]),
			     CT_OK);
		if (i % 4 != 0) /* some alone in their group, some not */
			AWAIT_TRUE(stats_of(s).committed == (uint64_t)i + 1);
	}
	AWAIT_TRUE(stats_of(s).committed == N);
	s = ct_store_free(s);
	cr_assert_gt(atomic_load(&v->log_syncs), syncs);

	for (int i = 0; i < N; i++) {
		struct ct_store_opts cut = { 0 };
		char name[32], sql[64];

		(void)snprintf(name, sizeof(name), "cut%d", i);
		cut.path = help_path(name);
		s = help_open(&cut);
		(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM item WHERE id <= %d", i + 1);
		cr_assert_eq(ask(s, sql), i + 1, "after the cut at %d", i);
		s = ct_store_free(s);
	}
}
