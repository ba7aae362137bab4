/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_LEAK_CHECK_H
#define CT_TESTS_LEAK_CHECK_H

#include <stdlib.h>

/*
 * .fini of every suite. Criterion 2.4.1 counts a test as passed before its
 * process ends, so LeakSanitizer's report at exit would print and fail nothing,
 * and so would a cr_assert here. Abort does turn the run's exit status to 1.
 */
__attribute__((weak)) int __lsan_do_recoverable_leak_check(void);

static inline void leak_check(void)
{
	if (__lsan_do_recoverable_leak_check != NULL && __lsan_do_recoverable_leak_check() != 0)
		abort();
}

#endif
