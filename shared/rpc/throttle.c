/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/throttle.h"

#include <string.h>

#define SLICE_NS (CT_THROTTLE_SLICE_MS * INT64_C(1000000))

enum { CRITICALITY_BITS = 2 };

struct ct_throttle_account *ct_throttle_account(struct ct_throttle *t, uint32_t method_hash,
						enum ct_criticality criticality)
{
	const uint64_t used = UINT64_C(1) << 63;
	const uint64_t kind = used | (uint64_t)method_hash << CRITICALITY_BITS | criticality;
	const unsigned home = method_hash % CT_THROTTLE_ACCOUNTS;

	for (unsigned i = 0; i < CT_THROTTLE_ACCOUNTS; i++) {
		struct ct_throttle_account *a = &t->accounts[(home + i) % CT_THROTTLE_ACCOUNTS];

		if (a->kind == 0)
			a->kind = kind;
		if (a->kind == kind)
			return a;
	}
	return &t->accounts[home];
}

static void forget(struct ct_throttle_account *a, struct ct_throttle_counts *slice)
{
	a->sum.asked -= slice->asked;
	a->sum.held -= slice->held;
	a->sum.refused -= slice->refused;
	*slice = (struct ct_throttle_counts){ 0 };
}

/* While half of what goes out is refused, as in any overload, that is no chance. */
static bool shows_an_end(const struct ct_throttle_counts *slice)
{
	return slice->refused == 0 && slice->asked - slice->held >= CT_THROTTLE_LEAST;
}

/* The next slice begins. */
static void turn(struct ct_throttle_account *a)
{
	if (shows_an_end(&a->slices[a->newest % CT_THROTTLE_SLICES])) {
		memset(a->slices, 0, sizeof(a->slices));
		a->sum = (struct ct_throttle_counts){ 0 };
	}
	forget(a, &a->slices[++a->newest % CT_THROTTLE_SLICES]);
}

/* The slice of now, once those before the window are forgotten. Instants that were read
 * before another thread's may come behind them: they count as the newest. */
static struct ct_throttle_counts *slice_of(struct ct_throttle_account *a, ct_instant now)
{
	const int64_t slice = now.ns / SLICE_NS;

	if (slice - a->newest > CT_THROTTLE_SLICES)
		a->newest = slice - CT_THROTTLE_SLICES;
	while (a->newest < slice)
		turn(a);
	return &a->slices[a->newest % CT_THROTTLE_SLICES];
}

/* A refusal comes later than its call was counted, and may be forgotten later. */
static uint32_t taken_in(const struct ct_throttle_counts *c)
{
	const uint32_t sent = c->asked - c->held;

	return sent > c->refused ? sent - c->refused : 0;
}

static bool to_be_held(const struct ct_throttle_counts *c, uint64_t random)
{
	const uint64_t passes = (uint64_t)CT_THROTTLE_TIMES * taken_in(c);

	if (c->asked - c->held < CT_THROTTLE_LEAST || c->asked <= passes)
		return false;
	return (random & UINT32_MAX) * (c->asked + UINT64_C(1)) >> 32 < c->asked - passes;
}

bool ct_throttle_ask(struct ct_throttle_account *a, ct_instant now, uint64_t random)
{
	struct ct_throttle_counts *slice = slice_of(a, now);
	const bool held = to_be_held(&a->sum, random);

	slice->asked++;
	a->sum.asked++;
	slice->held += held;
	a->sum.held += held;
	return !held;
}

void ct_throttle_sent(struct ct_throttle_account *a, ct_instant now)
{
	slice_of(a, now)->asked++;
	a->sum.asked++;
}

void ct_throttle_refused(struct ct_throttle_account *a, ct_instant now)
{
	slice_of(a, now)->refused++;
	a->sum.refused++;
}
