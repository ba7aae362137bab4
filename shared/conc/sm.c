/* SPDX-License-Identifier: Apache-2.0 */
#include "conc/sm.h"

#include "base/check.h"

#include <stddef.h>

void ct_sm_init(struct ct_sm *sm, const struct ct_sm_row *rows, int first,
		bool (*invariant)(const struct ct_sm *, int))
{
	*sm = (struct ct_sm){ .rows = rows, .invariant = invariant, .state = first };
	CT_CHECK(invariant == NULL || invariant(sm, -1));
}

void ct_sm_move(struct ct_sm *sm, int next)
{
	const int prev = sm->state;

	CT_CHECK((sm->rows[prev].next & CT_SM_BIT(next)) != 0);
	sm->state = next;
	CT_CHECK(sm->invariant == NULL || sm->invariant(sm, prev));
}

bool ct_sm_final(const struct ct_sm *sm)
{
	return sm->rows[sm->state].next == 0;
}
