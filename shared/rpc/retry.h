/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_RETRY_H
#define CT_RPC_RETRY_H

#include "base/status.h"
#include "rpc/method.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * When a failed attempt may be made again (semantics: docs/deadlines.md).
 * Values and pure functions; the owner's lock protects a budget.
 *
 * Two buckets, both must have something: failures drain the first quickly and
 * successes fill it slowly (gRPC's retry throttling), the second lets retries
 * be at most a tenth of all calls.
 */
struct ct_retry_budget {
	uint32_t tokens_milli; /* 0..CT_RETRY_TOKENS * 1000; retries stop below half */
	uint32_t
		share_milli; /* 0..CT_RETRY_TOKENS * 1000; a call puts in 100, a retry takes 1000 */
};
enum { CT_RETRY_TOKENS = 10 };

void ct_retry_budget_init(struct ct_retry_budget *b);
void ct_retry_budget_call(struct ct_retry_budget *b);
void ct_retry_budget_success(struct ct_retry_budget *b);
/* Of any kind that could be worth a retry. */
void ct_retry_budget_failure(struct ct_retry_budget *b);
/* True: one retry is paid for. */
bool ct_retry_budget_take(struct ct_retry_budget *b);

/* How an attempt failed. */
struct ct_retry_case {
	const struct ct_method *method;
	ct_status status;
	uint8_t attempts, attempts_max;
	bool not_processed, no_retry;
};
/* Whether the rules allow another attempt, budget and time aside. */
bool ct_retry_worth(const struct ct_retry_case *c);

/* Wait before attempt number `next` (2, 3, …): doubled each time, ±20 % by the
 * random bits, at least the server's hint, which is stretched by up to 20 %. */
uint64_t ct_retry_backoff_us(uint32_t base_ms, uint8_t next, uint32_t retry_after_ms,
			     uint64_t random);

#endif
