/* SPDX-License-Identifier: Apache-2.0 */
#include "conc/sm.h"

#include "base/attrs.h"
#include "base/check.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <signal.h>

TestSuite(sm, .fini = leak_check, .timeout = 60);

enum state { OPEN, SHUT, GONE };

static const struct ct_sm_row rows[] = {
	[OPEN] = { "open", CT_SM_BIT(SHUT) },
	[SHUT] = { "shut", CT_SM_BIT(OPEN) | CT_SM_BIT(GONE) },
	[GONE] = { "gone", 0 },
};

struct door {
	struct ct_sm sm;
	bool locked;
};

static bool door_holds(const struct ct_sm *sm, int prev)
{
	const struct door *d = CT_CONTAINER_OF(sm, const struct door, sm);

	return CT_IMPLIES(prev == -1, sm->state == OPEN) &&
	       CT_IMPLIES(d->locked, sm->state == SHUT);
}

Test(sm, it_moves_along_the_arrows_of_its_table)
{
	struct door d = { .locked = false };

	ct_sm_init(&d.sm, rows, OPEN, door_holds);
	ct_sm_move(&d.sm, SHUT);
	ct_sm_move(&d.sm, OPEN);
	ct_sm_move(&d.sm, SHUT);
	cr_assert_not(ct_sm_final(&d.sm));
	ct_sm_move(&d.sm, GONE);
	cr_assert(ct_sm_final(&d.sm));
	cr_assert_eq(d.sm.state, GONE);
}

Test(sm, an_invariant_is_optional)
{
	struct ct_sm sm;

	ct_sm_init(&sm, rows, SHUT, NULL);
	ct_sm_move(&sm, GONE);
	cr_assert(ct_sm_final(&sm));
}

Test(sm, a_forbidden_move_aborts, .signal = SIGABRT)
{
	struct ct_sm sm;

	ct_sm_init(&sm, rows, OPEN, NULL);
	ct_sm_move(&sm, GONE);
}

Test(sm, nothing_leaves_a_final_state, .signal = SIGABRT)
{
	struct ct_sm sm;

	ct_sm_init(&sm, rows, GONE, NULL);
	ct_sm_move(&sm, OPEN);
}

Test(sm, a_move_that_breaks_the_invariant_aborts, .signal = SIGABRT)
{
	struct door d = { .locked = false };

	ct_sm_init(&d.sm, rows, OPEN, door_holds);
	ct_sm_move(&d.sm, SHUT);
	d.locked = true;
	ct_sm_move(&d.sm, OPEN);
}

Test(sm, a_first_state_that_breaks_the_invariant_aborts, .signal = SIGABRT)
{
	struct door d = { .locked = false };

	ct_sm_init(&d.sm, rows, SHUT, door_holds);
}
