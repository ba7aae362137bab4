/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/retry.h"

#define US_PER_MS UINT64_C(1000)

enum {
	FULL_MILLI = CT_RETRY_TOKENS * 1000,
	STEP_MILLI = 1000,
	REFILL_MILLI = 100,
	BACKOFF_MS_MAX = 5000,
	DOUBLINGS_MAX = 10,
};

void ct_retry_budget_init(struct ct_retry_budget *b)
{
	b->tokens_milli = b->share_milli = FULL_MILLI;
}

static uint32_t up_to_full(uint32_t milli)
{
	return milli < FULL_MILLI - REFILL_MILLI ? milli + REFILL_MILLI : FULL_MILLI;
}

void ct_retry_budget_call(struct ct_retry_budget *b)
{
	b->share_milli = up_to_full(b->share_milli);
}

void ct_retry_budget_success(struct ct_retry_budget *b)
{
	b->tokens_milli = up_to_full(b->tokens_milli);
}

void ct_retry_budget_failure(struct ct_retry_budget *b)
{
	b->tokens_milli = b->tokens_milli > STEP_MILLI ? b->tokens_milli - STEP_MILLI : 0;
}

bool ct_retry_budget_take(struct ct_retry_budget *b)
{
	if (b->tokens_milli < FULL_MILLI / 2 || b->share_milli < STEP_MILLI)
		return false;
	b->share_milli -= STEP_MILLI;
	return true;
}

bool ct_retry_worth(const struct ct_retry_case *c)
{
	if (c->no_retry || c->attempts >= c->attempts_max)
		return false;
	switch (c->status) {
	case CT_UNAVAILABLE:
		return c->not_processed || c->method->idempotent;
	case CT_RESOURCE_EXHAUSTED:
		return c->not_processed;
	case CT_OK:
	case CT_CANCELLED:         /* the caller does not want it any more */
	case CT_DEADLINE_EXCEEDED: /* there is no time for it */
	case CT_UNIMPLEMENTED:     /* it would be answered the same again, as all below */
	case CT_UNKNOWN:
	case CT_INVALID_ARGUMENT:
	case CT_NOT_FOUND:
	case CT_ALREADY_EXISTS:
	case CT_PERMISSION_DENIED:
	case CT_FAILED_PRECONDITION:
	case CT_ABORTED:
	case CT_OUT_OF_RANGE:
	case CT_INTERNAL:
	case CT_DATA_LOSS:
	case CT_UNAUTHENTICATED:
		return false;
	}
	return false;
}

uint64_t ct_retry_backoff_us(uint32_t base_ms, uint8_t next, uint32_t retry_after_ms,
			     uint64_t random)
{
	const unsigned doublings = next < 2 ? 0 : (unsigned)next - 2;
	uint64_t hint,
		us = base_ms * US_PER_MS << (doublings < DOUBLINGS_MAX ? doublings : DOUBLINGS_MAX);

	if (us > BACKOFF_MS_MAX * US_PER_MS)
		us = BACKOFF_MS_MAX * US_PER_MS;
	us = us * (800 + random % 401) / 1000;
	/* those who got the same hint do not come back in one wave */
	hint = retry_after_ms * US_PER_MS * (1000 + random % 201) / 1000;
	return us > hint ? us : hint;
}
