/* SPDX-License-Identifier: Apache-2.0 */
#include "conc/thread.h"

#include "base/check.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

TestSuite(thread, .fini = leak_check, .timeout = 60);

struct look {
	char name[16];
	sigset_t blocked;
	size_t stack_bytes;
};

static void *look_around(void *arg)
{
	struct look *l = arg;
	pthread_attr_t attr;

	CT_CHECK(pthread_getname_np(pthread_self(), l->name, sizeof(l->name)) == 0);
	CT_CHECK(pthread_sigmask(SIG_BLOCK, NULL, &l->blocked) == 0);
	CT_CHECK(pthread_getattr_np(pthread_self(), &attr) == 0);
	CT_CHECK(pthread_attr_getstacksize(&attr, &l->stack_bytes) == 0);
	CT_CHECK(pthread_attr_destroy(&attr) == 0);
	return NULL;
}

static void *wait_for_go(void *arg)
{
	pthread_mutex_t *go = arg;

	CT_CHECK(pthread_mutex_lock(go) == 0); /* named by now: the creator holds it until then */
	CT_CHECK(pthread_mutex_unlock(go) == 0);
	return NULL;
}

Test(thread, signals_are_blocked_in_it_and_left_alone_in_its_creator)
{
	static const int seen_by_main[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGUSR1 };
	sigset_t before, after;
	struct look l;
	pthread_t t;

	cr_assert_eq(pthread_sigmask(SIG_BLOCK, NULL, &before), 0);
	cr_assert_eq(ct_thread_start(&t, "looker", look_around, &l), CT_OK);
	ct_thread_join(t);
	cr_assert_eq(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
	for (size_t i = 0; i < sizeof(seen_by_main) / sizeof(seen_by_main[0]); i++) {
		cr_assert_eq(sigismember(&l.blocked, seen_by_main[i]), 1);
		cr_assert_eq(sigismember(&after, seen_by_main[i]),
			     sigismember(&before, seen_by_main[i]));
	}
	cr_assert_eq(l.stack_bytes, 256 * 1024);
}

Test(thread, it_carries_its_name)
{
	pthread_mutex_t go = PTHREAD_MUTEX_INITIALIZER;
	char name[16];
	pthread_t t;

	cr_assert_eq(pthread_mutex_lock(&go), 0);
	cr_assert_eq(ct_thread_start(&t, "fifteen-letters", wait_for_go, &go), CT_OK);
	cr_assert_eq(pthread_getname_np(t, name, sizeof(name)), 0);
	cr_assert_str_eq(name, "fifteen-letters");
	cr_assert_eq(pthread_mutex_unlock(&go), 0);
	ct_thread_join(t);
}

/* The calling thread's slice, as the kernel has it; 0 where that knows none. */
static uint64_t slice_ns(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime_ns, deadline_ns, period_ns;
	} s = { .size = sizeof(s) };

	CT_CHECK(syscall(SYS_sched_getattr, 0, &s, sizeof(s), 0) == 0);
	return s.runtime_ns;
}

static void *tell_slice(void *arg)
{
	*(uint64_t *)arg = slice_ns();
	return NULL;
}

Test(thread, prompt_one_has_short_turns_and_so_have_those_it_makes)
{
	const uint64_t usual = slice_ns();
	uint64_t inherited = 0;
	pthread_t t;

	if (usual == 0)
		cr_skip_test("this kernel has no slices of a thread's own");
	ct_thread_prompt();
	cr_assert_lt(slice_ns(), usual);
	cr_assert_eq(ct_thread_start(&t, "child", tell_slice, &inherited), CT_OK);
	ct_thread_join(t);
	cr_assert_eq(inherited, slice_ns());
}

Test(thread, whoever_chose_another_policy_keeps_it)
{
	const struct sched_param none = { .sched_priority = 0 };

	cr_assert_eq(sched_setscheduler(0, SCHED_BATCH, &none), 0);
	ct_thread_prompt();
	cr_assert_eq(sched_getscheduler(0), SCHED_BATCH);
}

Test(thread, a_name_that_does_not_fit_is_a_programming_error, .signal = SIGABRT)
{
	struct look l;
	pthread_t t;

	(void)!ct_thread_start(&t, "sixteen-letters-", look_around, &l);
}
