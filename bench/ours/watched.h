/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_WATCHED_H
#define BENCH_WATCHED_H

#include "bench/ours/watch.h"
#include "conc/ctx.h"

/*
 * The handlers of ct.v1.Probe, as the product has them, under watch: this program links
 * with --wrap=probe_register and --wrap=ct_call_ctx, so that they are registered inside
 * others that note when they ran, and can be given a context that nobody trips instead
 * of the call's: then they never see that their caller gave up.
 */
struct watched {
	struct watch *watch;      /* NULL: nobody watches */
	struct ct_ctx *forgetful; /* what handlers see as their call's context; NULL: that */
};

/* Before the probe is added; w outlives the server. Once. */
void watched_set(const struct watched *w);

#endif
