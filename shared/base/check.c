/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void ct_check_failed(const char *file, int line, const char *func, const char *what)
{
	fprintf(stderr, "%s:%d: %s: check failed: %s\n", file, line, func, what);
	abort();
}
