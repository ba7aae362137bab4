/* SPDX-License-Identifier: Apache-2.0 */
#include "conc/lock.h"

#include "conc/thread.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <signal.h>

TestSuite(lock, .fini = leak_check, .timeout = 60);

enum { ALL_RANKS = CT_RANK_LOG };

/* What follows does on purpose what the compiler's analysis would refuse. */
static void hold_all(struct ct_lock l[ALL_RANKS]) CT_NO_TSA
{
	for (int i = 0; i < ALL_RANKS; i++)
		ct_lock_acquire(&l[i]);
	for (int i = 0; i < ALL_RANKS; i++)
		ct_lock_check_held(&l[i]);
	for (int i = ALL_RANKS; i-- > 0;)
		ct_lock_release(&l[i]);
}

static void take(struct ct_lock *l) CT_NO_TSA
{
	ct_lock_acquire(l);
}

static void give(struct ct_lock *l) CT_NO_TSA
{
	ct_lock_release(l);
}

static void wait_unlocked(struct ct_cond *c, struct ct_lock *l) CT_NO_TSA
{
	ct_cond_wait(c, l);
}

Test(lock, one_lock_of_each_rank_can_be_held_in_order)
{
	struct ct_lock l[ALL_RANKS];

	for (int i = 0; i < ALL_RANKS; i++)
		ct_lock_init(&l[i], (enum ct_lock_rank)(i + 1));
	hold_all(l);
	ct_lock_check_none();
	for (int i = 0; i < ALL_RANKS; i++)
		ct_lock_fini(&l[i]);
}

static void take_both(enum ct_lock_rank first, enum ct_lock_rank second)
{
	struct ct_lock a, b;

	ct_lock_init(&a, first);
	ct_lock_init(&b, second);
	take(&a);
	take(&b);
}

Test(lock, the_wrong_order_aborts_without_a_second_thread, .signal = SIGABRT)
{
	take_both(CT_RANK_POOL, CT_RANK_CTX);
}

Test(lock, two_of_one_rank_abort, .signal = SIGABRT)
{
	take_both(CT_RANK_CTX, CT_RANK_CTX);
}

Test(lock, releasing_out_of_order_aborts, .signal = SIGABRT)
{
	struct ct_lock a, b;

	ct_lock_init(&a, CT_RANK_CTX);
	ct_lock_init(&b, CT_RANK_POOL);
	take(&a);
	take(&b);
	give(&a);
}

Test(lock, claiming_a_lock_that_is_not_held_aborts, .signal = SIGABRT)
{
	struct ct_lock a;

	ct_lock_init(&a, CT_RANK_CTX);
	ct_lock_check_held(&a);
}

Test(lock, claiming_none_while_one_is_held_aborts, .signal = SIGABRT)
{
	struct ct_lock a;

	ct_lock_init(&a, CT_RANK_CTX);
	take(&a);
	ct_lock_check_none();
}

Test(lock, waiting_without_the_lock_aborts, .signal = SIGABRT)
{
	struct ct_lock a;
	struct ct_cond c;

	ct_lock_init(&a, CT_RANK_CTX);
	ct_cond_init(&c);
	wait_unlocked(&c, &a);
}

Test(lock, a_wait_ends_at_its_deadline_and_not_before)
{
	const struct ct_clock *clk = ct_clock_system();
	const ct_instant end = ct_deadline_after_ms(clk, 5);
	struct ct_lock l;
	struct ct_cond c;

	ct_lock_init(&l, CT_RANK_LATCH);
	ct_cond_init(&c);
	ct_lock_acquire(&l);
	while (ct_cond_wait_until(&c, &l, end))
		;
	cr_assert(ct_deadline_passed(clk, end));
	ct_lock_check_held(&l); /* has it again */
	ct_lock_release(&l);
	ct_cond_fini(&c);
	ct_lock_fini(&l);
}

struct ping {
	struct ct_lock lock;
	struct ct_cond cond;
	unsigned turn;
};

enum { TURNS = 2000 };

static void play(struct ping *p, unsigned me, bool timed)
{
	const ct_instant end = ct_deadline_after_ms(ct_clock_system(), 8000);

	ct_lock_acquire(&p->lock);
	while (p->turn < TURNS) {
		if (p->turn % 2 == me) {
			p->turn++;
			ct_cond_signal(&p->cond);
		} else if (!timed) {
			ct_cond_wait(&p->cond, &p->lock);
		} else {
			cr_assert(ct_cond_wait_until(&p->cond, &p->lock, end));
		}
	}
	ct_lock_release(&p->lock);
}

static void *player(void *arg)
{
	play(arg, 1, false);
	return NULL;
}

Test(lock, a_signal_wakes_the_waiter)
{
	struct ping p = { .turn = 0 };
	pthread_t th;

	ct_lock_init(&p.lock, CT_RANK_LATCH);
	ct_cond_init(&p.cond);
	cr_assert_eq(ct_thread_start(&th, "player", player, &p), CT_OK);
	play(&p, 0, true);
	ct_thread_join(th);
	ct_cond_fini(&p.cond);
	ct_lock_fini(&p.lock);
}
