/* SPDX-License-Identifier: Apache-2.0 */
#include "conc/thread.h"

#include "base/check.h"

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	STACK_BYTES = 256 * 1024,
	NAME_MAX_LEN = 15,
	PROMPT_SLICE_NS = 100 * 1000, /* the least that the kernel gives */
};

ct_status ct_thread_start(pthread_t *ret_thread, const char *name, ct_thread_fn *main_fn, void *arg)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t t;
	int err;

	CT_CHECK(strlen(name) <= NAME_MAX_LEN);
	CT_CHECK(sigfillset(&all) == 0);
	CT_CHECK(pthread_attr_init(&attr) == 0);
	CT_CHECK(pthread_attr_setstacksize(&attr, STACK_BYTES) == 0);
	CT_CHECK(pthread_sigmask(SIG_BLOCK, &all, &before) == 0); /* the child inherits it */
	err = pthread_create(&t, &attr, main_fn, arg);
	CT_CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	CT_CHECK(pthread_attr_destroy(&attr) == 0);
	if (err != 0)
		return CT_RESOURCE_EXHAUSTED;
	(void)pthread_setname_np(t, name); /* cosmetic */
	*ret_thread = t;
	return CT_OK;
}

void ct_thread_join(pthread_t thread)
{
	CT_CHECK(pthread_join(thread, NULL) == 0);
}

/* struct sched_attr of sched_setattr(2) in its first version; libc does not declare it. */
struct scheduling {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns; /* of SCHED_OTHER: the slice */
	uint64_t deadline_ns, period_ns;
};

void ct_thread_prompt(void)
{
	struct scheduling s = { .size = sizeof(s) };

	if (syscall(SYS_sched_getattr, 0, &s, sizeof(s), 0) != 0 || s.policy != SCHED_OTHER)
		return; /* somebody has chosen another way for this process */
	s.runtime_ns = PROMPT_SLICE_NS;
	(void)syscall(SYS_sched_setattr, 0, &s, 0); /* a hint */
}
