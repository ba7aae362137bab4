/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_THROTTLE_H
#define CT_RPC_THROTTLE_H

#include "base/clock.h"
#include "base/criticality.h"

#include <stdbool.h>

/*
 * Which calls a client does not even send, because the service would refuse them for
 * load (docs/overload.md). Values and pure functions; the owner's lock protects them.
 *
 * Of the calls of one kind that were asked for lately, those count as taken in that were
 * neither refused for load nor held back here. The next one is held back with probability
 *
 *   (asked - CT_THROTTLE_TIMES * taken in) / (asked + 1)
 *
 * or not at all where that is below zero. So the service meets that many times what it
 * takes in, which keeps it busy and shows when it takes in more again. Fewer than
 * CT_THROTTLE_LEAST a window go out in any case: a handful of refusals holds nothing back,
 * and there is always something that can be taken in. Once as many have gone out in a slice
 * of the window, and none was refused, what was before is forgotten.
 *
 * A kind is a method and a criticality, for that is what servers refuse by. Each has an
 * account: a method that hangs is no reason to hold back another one, nor what can be
 * done without a reason to hold back what matters most. Zeroed memory: all is well.
 */
enum {
	CT_THROTTLE_TIMES = 2,
	CT_THROTTLE_LEAST = 10,
	CT_THROTTLE_SLICE_MS = 100,
	CT_THROTTLE_SLICES = 4, /* of a window: the newest is not over yet */
	CT_THROTTLE_ACCOUNTS = 32,
};

/* refused is of those asked and not held. */
struct ct_throttle_counts {
	uint32_t asked, held, refused;
};

struct ct_throttle_account {
	uint64_t kind;  /* 0: of none yet */
	int64_t newest; /* number of the newest slice */
	struct ct_throttle_counts slices[CT_THROTTLE_SLICES], sum;
};

struct ct_throttle {
	struct ct_throttle_account accounts[CT_THROTTLE_ACCOUNTS];
};

/* The account of a kind, the same one each time. Where there are more kinds than accounts,
 * some share one. */
struct ct_throttle_account *ct_throttle_account(struct ct_throttle *t, uint32_t method_hash,
						enum ct_criticality criticality);

/* One more is asked for. False: it is held back. random: 32 bits of it count. */
bool ct_throttle_ask(struct ct_throttle_account *a, ct_instant now, uint64_t random);
/* One more goes out that does not ask: a retry, which has its own budget. */
void ct_throttle_sent(struct ct_throttle_account *a, ct_instant now);
/* One of those that went out was refused for load. */
void ct_throttle_refused(struct ct_throttle_account *a, ct_instant now);

#endif
