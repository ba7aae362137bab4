/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_CONC_SM_H
#define CT_CONC_SM_H

#include <stdbool.h>
#include <stdint.h>

/* One row per state: its name and the set of states it may move to. */
struct ct_sm_row {
	const char *name;
	uint32_t next; /* CT_SM_BIT() of each allowed next state; 0 is final */
};

#define CT_SM_BIT(state) (UINT32_C(1) << (state))

struct ct_sm {
	const struct ct_sm_row *rows;
	bool (*invariant)(const struct ct_sm *sm, int prev); /* may be NULL */
	int state;
};

void ct_sm_init(struct ct_sm *sm, const struct ct_sm_row *rows, int first,
		bool (*invariant)(const struct ct_sm *, int));

/* Aborts on a move the table forbids or that breaks the invariant. The lock
 * that protects the embedding object must be held. */
void ct_sm_move(struct ct_sm *sm, int next);

bool ct_sm_final(const struct ct_sm *sm);

#endif
