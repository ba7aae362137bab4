/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/outlook.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

TestSuite(outlook, .fini = leak_check);

#define MS INT64_C(1000000)

static ct_instant at_ms(int64_t ms)
{
	return (ct_instant){ .ns = 1000 * MS + ms * MS };
}

/* Two workers, of which lane BATCH may have one. */
static void set_up(struct ct_outlook *o)
{
	cr_assert_eq(ct_outlook_init(o, 2, 1), CT_OK);
}

static void join(struct ct_outlook *o, enum ct_lane lane, unsigned calls, int64_t each_ms)
{
	for (unsigned i = 0; i < calls; i++)
		ct_outlook_join(o, lane, (uint64_t)(each_ms * MS));
}

static bool within_ms(const struct ct_outlook *o, enum ct_lane lane, int64_t now_ms, int64_t ms)
{
	return ct_outlook_within(o, lane, at_ms(now_ms), (uint64_t)(ms * MS));
}

Test(outlook, free_workers_take_a_call_each_at_once)
{
	struct ct_outlook o;

	set_up(&o);

	join(&o, CT_LANE_INTERACTIVE, 1, 10);
	cr_assert(within_ms(&o, CT_LANE_INTERACTIVE, 0, 0));
	join(&o, CT_LANE_INTERACTIVE, 1, 10);
	cr_assert_not(within_ms(&o, CT_LANE_INTERACTIVE, 0, 9));
	cr_assert(within_ms(&o, CT_LANE_INTERACTIVE, 0, 10));
	ct_outlook_fini(&o);
}

/* Free at 10 and 20 ms, so the line moves at 10, 20, 40 and 50. */
Test(outlook, worker_takes_the_next_call_whenever_it_is_done)
{
	struct ct_outlook o;

	set_up(&o);
	ct_outlook_begin(&o, 0, at_ms(0), 10 * MS);
	ct_outlook_begin(&o, 1, at_ms(0), 20 * MS);

	join(&o, CT_LANE_INTERACTIVE, 3, 30);

	cr_assert_not(within_ms(&o, CT_LANE_INTERACTIVE, 0, 49));
	cr_assert(within_ms(&o, CT_LANE_INTERACTIVE, 0, 50));
	cr_assert(within_ms(&o, CT_LANE_INTERACTIVE, 5, 45), "time has passed");
	ct_outlook_fini(&o);
}

Test(outlook, who_left_the_line_and_who_ended_is_not_waited_for)
{
	struct ct_outlook o;

	set_up(&o);
	ct_outlook_begin(&o, 0, at_ms(0), 10 * MS);
	ct_outlook_begin(&o, 1, at_ms(0), 20 * MS);
	join(&o, CT_LANE_INTERACTIVE, 2, 30);
	cr_assert_not(within_ms(&o, CT_LANE_INTERACTIVE, 0, 39));

	ct_outlook_leave(&o, CT_LANE_INTERACTIVE, 30 * MS);
	cr_assert_not(within_ms(&o, CT_LANE_INTERACTIVE, 0, 19));
	cr_assert(within_ms(&o, CT_LANE_INTERACTIVE, 0, 20));
	ct_outlook_end(&o, 1);
	cr_assert(within_ms(&o, CT_LANE_INTERACTIVE, 0, 10));
	ct_outlook_fini(&o);
}

/* Both should have been free at 10 ms. At 500 ms one still is not, and nobody knows why. */
Test(outlook, hung_worker_is_none)
{
	struct ct_outlook o;

	set_up(&o);
	ct_outlook_begin(&o, 0, at_ms(0), 10 * MS);
	ct_outlook_begin(&o, 1, at_ms(490), 10 * MS);
	join(&o, CT_LANE_INTERACTIVE, 1, 10);

	cr_assert_not(within_ms(&o, CT_LANE_INTERACTIVE, 500, 9));
	cr_assert(within_ms(&o, CT_LANE_INTERACTIVE, 500, 10));
	join(&o, CT_LANE_INTERACTIVE, 1, 10);
	cr_assert_not(within_ms(&o, CT_LANE_INTERACTIVE, 500, 19));
	cr_assert(within_ms(&o, CT_LANE_INTERACTIVE, 500, 20));
	ct_outlook_fini(&o);
}

Test(outlook, batch_has_its_share_of_the_workers)
{
	struct ct_outlook o;

	set_up(&o);

	join(&o, CT_LANE_BATCH, 2, 10);
	cr_assert_not(within_ms(&o, CT_LANE_BATCH, 0, 19));
	cr_assert(within_ms(&o, CT_LANE_BATCH, 0, 20));
	ct_outlook_fini(&o);
}

Test(outlook, calls_of_which_nothing_is_known_keep_nobody_out)
{
	struct ct_outlook o;

	set_up(&o);
	ct_outlook_begin(&o, 0, at_ms(0), 0);
	ct_outlook_begin(&o, 1, at_ms(0), 0);

	join(&o, CT_LANE_INTERACTIVE, 1000, 0);

	cr_assert(within_ms(&o, CT_LANE_INTERACTIVE, 0, 1));
	ct_outlook_fini(&o);
}
