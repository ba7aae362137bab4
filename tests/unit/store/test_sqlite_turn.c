/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_turn.h"

#include "tests/unit/store/help.h"

#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(sqlite_turn, .init = help_init, .fini = help_fini, .timeout = 60);

Test(sqlite_turn, who_waits_is_seen_by_the_others_and_not_by_himself)
{
	struct ct_turn a, b, c;

	ct_turn_init(&a, help_path("db"));
	ct_turn_init(&b, help_path("db"));
	ct_turn_init(&c, help_path("other"));
	cr_assert_not(ct_turn_wanted(&b));

	ct_turn_want(&a, true);
	cr_assert(ct_turn_wanted(&b));
	cr_assert_not(ct_turn_wanted(&a));
	cr_assert_not(ct_turn_wanted(&c));
	ct_turn_want(&b, true); /* two may wait */
	cr_assert(ct_turn_wanted(&a));
	ct_turn_want(&a, false);
	cr_assert_not(ct_turn_wanted(&b));
	cr_assert(ct_turn_wanted(&a));

	ct_turn_fini(&b); /* nobody waits for a program that has gone */
	cr_assert_not(ct_turn_wanted(&a));
	ct_turn_fini(&a);
	ct_turn_fini(&c);
}

Test(sqlite_turn, a_dead_process_does_not_wait)
{
	struct ct_turn a;
	int status = 0;
	pid_t pid;

	ct_turn_init(&a, help_path("db"));
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		struct ct_turn mine;

		ct_turn_init(&mine, help_path("db"));
		ct_turn_want(&mine, true);
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);

	cr_assert_not(ct_turn_wanted(&a));
	ct_turn_fini(&a);
}

Test(sqlite_turn, without_its_file_nobody_waits)
{
	struct ct_turn a;

	ct_turn_init(&a, help_path("no/such/folder"));
	ct_turn_want(&a, true);
	cr_assert_not(ct_turn_wanted(&a));
	ct_turn_fini(&a);
}

static uint64_t puts_us(struct ct_store *s, const char *const *names, int n)
{
	const ct_instant from = ct_now(ct_clock_system());

	for (int i = 0; i < n; i++)
		cr_assert_eq(put(s, names[i]), CT_OK);
	return ct_instant_us_between(from, ct_now(ct_clock_system()));
}

Test(sqlite_turn, the_writer_gives_way_after_each_group_but_not_for_ever)
{
	static const char *const names[] = { "a", "b", "c", "d", "e" };
	struct ct_store *s = help_open(NULL);
	struct ct_turn other;

	ct_turn_init(&other, help_path("db"));
	ct_turn_want(&other, true); /* and never comes */

	/* Between five writes it stands aside four times, some 20 ms each. */
	cr_assert_geq(puts_us(s, names, 5), 4 * 15000u);

	ct_turn_fini(&other);
	cr_assert_eq(items(s), 5);
	s = ct_store_free(s);
}

static ct_status large_fn(struct ct_db *db, void *arg)
{
	(void)arg;
	return ct_db_run(db, "INSERT INTO item(name, data) VALUES ('large', zeroblob(1000000))");
}

/* The clock stands still, so that it waits until the reader has gone. */
Test(sqlite_turn, a_checkpoint_waits_for_readers_and_then_no_longer_wants_the_turn)
{
	const struct ct_store_opts o = { .clk = &help_frozen, .checkpoint_pages = 16 };
	struct ct_store *s = help_open(&o);
	struct ct_store_stats before;
	struct ct_stmt *stmt = NULL;
	struct ct_db *db = NULL;
	struct ct_turn other;
	bool row = false;

	ct_turn_init(&other, help_path("db"));
	cr_assert_eq(put(s, "small"), CT_OK);
	cr_assert_eq(ct_store_read_begin(s, NULL, &db), CT_OK);
	cr_assert_eq(ct_db_prepare(db, "SELECT 1 FROM item", &stmt), CT_OK);
	cr_assert_eq(ct_stmt_step(stmt, &row), CT_OK);
	before = stats_of(s);
	cr_assert_eq(ct_store_write_wait(s, NULL, large_fn, NULL, NULL), CT_OK);
	AWAIT_TRUE(stats_of(s).busy_waits == before.busy_waits + 1);
	AWAIT_TRUE(ct_turn_wanted(&other));
	cr_assert_eq(stats_of(s).checkpoints, before.checkpoints);
	stmt = ct_stmt_release(stmt);
	ct_store_read_end(s, db);

	AWAIT_TRUE(stats_of(s).checkpoints == before.checkpoints + 1);
	cr_assert_not(ct_turn_wanted(&other)); /* though this one writes no more */
	ct_turn_fini(&other);
	s = ct_store_free(s);
}

Test(sqlite_turn, a_writer_that_waits_for_the_lock_says_so)
{
	struct ct_store *s = help_open(NULL);
	struct ct_store *holder = help_open(NULL);
	struct insert in = { .name = "x" };
	struct ct_turn other;
	struct parked p;
	struct ended e;

	ct_turn_init(&other, help_path("db"));
	ended_init(&e);
	park(holder, &p); /* has the lock of the file */
	cr_assert_not(ct_turn_wanted(&other));
	cr_assert_eq(ct_store_write(s, NULL, insert_fn, &in, ended_done, &e), CT_OK);
	AWAIT_TRUE(ct_turn_wanted(&other));
	unpark(&p);

	cr_assert_eq(ended_await(&e), CT_OK);
	cr_assert_not(ct_turn_wanted(&other));
	ct_turn_fini(&other);
	holder = ct_store_free(holder);
	s = ct_store_free(s);
}
