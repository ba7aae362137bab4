/* SPDX-License-Identifier: Apache-2.0 */
#include "conc/latch.h"

#include "base/mem.h"
#include "conc/thread.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <signal.h>

TestSuite(latch, .fini = leak_check, .timeout = 60);

static void *count_down(void *arg)
{
	ct_latch_count_down(arg);
	return NULL;
}

Test(latch, it_opens_when_all_have_counted_down)
{
	enum { N = 4 };
	const struct ct_clock *clk = ct_clock_system();
	struct ct_latch l;
	pthread_t th[N];

	ct_latch_init(&l, N + 1);
	for (int i = 0; i < N; i++)
		cr_assert_eq(ct_thread_start(&th[i], "t", count_down, &l), CT_OK);
	for (int i = 0; i < N; i++)
		ct_thread_join(th[i]);
	cr_assert_not(ct_latch_wait_until(&l, ct_deadline_after_ms(clk, 1))); /* one is missing */
	ct_latch_count_down(&l);
	cr_assert(ct_latch_wait_until(&l, ct_now(clk))); /* open is open, even late */
	ct_latch_wait(&l);
	ct_latch_fini(&l);
}

Test(latch, of_none_it_is_open_from_the_start)
{
	struct ct_latch l;

	ct_latch_init(&l, 0);
	ct_latch_wait(&l);
	ct_latch_fini(&l);
}

struct waiters {
	struct ct_latch gate, through;
};

static void *wait_and_tell(void *arg)
{
	struct waiters *w = arg;

	ct_latch_wait(&w->gate);
	ct_latch_count_down(&w->through);
	return NULL;
}

Test(latch, all_waiters_are_let_through)
{
	enum { N = 4 };
	const struct ct_clock *clk = ct_clock_system();
	struct waiters w;
	pthread_t th[N];

	ct_latch_init(&w.gate, 1);
	ct_latch_init(&w.through, N);
	for (int i = 0; i < N; i++)
		cr_assert_eq(ct_thread_start(&th[i], "t", wait_and_tell, &w), CT_OK);
	cr_assert_not(ct_latch_wait_until(&w.through, ct_deadline_after_ms(clk, 1)));
	ct_latch_count_down(&w.gate);
	cr_assert(ct_latch_wait_until(&w.through, ct_deadline_after_ms(clk, 8000)));
	for (int i = 0; i < N; i++)
		ct_thread_join(th[i]);
	ct_latch_fini(&w.through);
	ct_latch_fini(&w.gate);
}

Test(latch, the_one_it_wakes_may_free_it)
{
	for (int i = 0; i < 500; i++) {
		struct ct_latch *l = ct_mem_alloc(sizeof(*l));
		pthread_t th;

		cr_assert_not_null(l);
		ct_latch_init(l, 1);
		cr_assert_eq(ct_thread_start(&th, "t", count_down, l), CT_OK);
		ct_latch_wait(l);
		ct_latch_fini(l);
		ct_mem_free(l);
		ct_thread_join(th);
	}
}

Test(latch, counting_down_below_zero_aborts, .signal = SIGABRT)
{
	struct ct_latch l;

	ct_latch_init(&l, 1);
	ct_latch_count_down(&l);
	ct_latch_count_down(&l);
}
