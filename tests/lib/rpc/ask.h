/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_LIB_RPC_ASK_H
#define CT_TESTS_LIB_RPC_ASK_H

#include "conc/latch.h"
#include "rpc/client.h"
#include "tests/lib/rpc/until.h"

#include "hall/v1/hall.ct.h"

#include <stdatomic.h>

/*
 * One call of ours to a hall, and how it ended. That it ended once, and not inside
 * its start, is checked here for every test.
 */
struct ask {
	/* the caller's wishes, before ask_start(); zero: none */
	struct ct_ctx *parent;
	struct ct_call_opts opts;
	Hall__V1__Ask req;

	struct ct_reply reply; /* once it ended */
	ct_instant started, returned;
	struct ct_latch ended;
	atomic_uint ends;
	atomic_bool over; /* all of the above is as it stays */
};

/* With opts.timeout_ms, 0: the method's. */
void ask_init(struct ask *a, uint32_t timeout_ms);
void ask_start(struct ask *a, struct ct_client *c, const struct ct_method *m);
/* Until it ended. False: it did not, in PATIENCE_MS. */
bool ask_wait(struct ask *a);
bool ask_ended(struct ask *a);
/* start, wait: the status. */
ct_status ask_now(struct ask *a, struct ct_client *c, const struct ct_method *m);
/* It must have ended, or never have been started. */
void ask_fini(struct ask *a);
const Hall__V1__Answer *ask_answer(const struct ask *a); /* NULL unless OK */

/* n of them, started. */
struct ask *asks_start(struct ct_client *c, const struct ct_method *m, unsigned n,
		       uint32_t timeout_ms);
/* Waits for all; how many ended with each status goes to counts[CT_STATUS_N]. */
bool asks_wait(struct ask *asks, unsigned n, unsigned counts[CT_STATUS_N]);
void asks_free(struct ask *asks, unsigned n);

/* A client of one URL with defaults, but no retries and quick look-ups; ready. */
struct ct_client *client_of(const struct ct_runtime *rt, const char *url);
/* As the options say (rt, urls and peer included), without waiting. */
struct ct_client *client_with(const struct ct_client_opts *opts);
void client_wait_ready(struct ct_client *c, const struct ct_runtime *rt);
struct ct_client_stats client_stats(struct ct_client *c);
/* calls = ok + failed + cancelled + expired + in_flight. */
bool client_adds_up(struct ct_client *c);

#endif
