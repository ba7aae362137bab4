/* SPDX-License-Identifier: Apache-2.0 */
#include "conc/thread.h"

#include "base/check.h"

#include <signal.h>
#include <string.h>

enum { STACK_BYTES = 256 * 1024, NAME_MAX_LEN = 15 };

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
