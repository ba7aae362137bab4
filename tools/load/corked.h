/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOAD_CORKED_H
#define LOAD_CORKED_H

#include "rpc/cork.h"

/* load_plan.together for calls through Cascade's client. */
static inline void load_corked(void *arg, bool begin)
{
	(void)arg;
	if (begin)
		ct_cork_calls();
	else
		ct_uncork_calls();
}

#endif
