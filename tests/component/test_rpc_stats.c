/* SPDX-License-Identifier: Apache-2.0 */
/* What Stats says while the counters move. */
#include "base/check.h"
#include "conc/thread.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/rpc/until.h"

#include <criterion/criterion.h>

TestSuite(rpc_stats, .fini = leak_check, .timeout = 60);

enum { READINGS = 2000, AT_ONCE = 16 };

struct traffic {
	struct ct_client *client;
	atomic_bool over;
	uint64_t calls;
};

static void *keep_calling(void *arg)
{
	struct traffic *t = arg;

	while (!atomic_load(&t->over)) {
		unsigned counts[CT_STATUS_N];
		struct ask *asks = asks_start(t->client, &hall_tell_method, AT_ONCE, 20000);

		CT_CHECK(asks_wait(asks, AT_ONCE, counts) && counts[CT_OK] == AT_ONCE);
		asks_free(asks, AT_ONCE);
		t->calls += AT_ONCE;
	}
	return NULL;
}

static bool adds_up(void *arg)
{
	return hall_stats(arg).identity_ok;
}

/* A reading may meet a thread that the machine stalls while it counts a call; the
 * counters say the same as soon as it goes on. */
Test(rpc_stats, identity_holds_at_every_reading_under_load)
{
	struct traffic t = { .calls = 0 };
	unsigned wrong = 0;
	pthread_t thread;
	struct hall h;

	hall_start(&h, NULL);
	t.client = client_of(&h.rt, hall_url(&h));
	cr_assert_eq(ct_thread_start(&thread, "traffic", keep_calling, &t), CT_OK);
	for (unsigned i = 0; i < READINGS || hall_stats(&h).calls.ok < READINGS; i++)
		wrong += !until(adds_up, &h);
	atomic_store(&t.over, true);
	ct_thread_join(thread);

	cr_assert_eq(wrong, 0);
	cr_assert_geq(t.calls, READINGS);
	t.client = ct_client_free(t.client);
	cr_assert(hall_stop(&h), "the accounting identity does not hold");
}
