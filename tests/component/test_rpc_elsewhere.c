/* SPDX-License-Identifier: Apache-2.0 */
/* Where the next attempt goes, seen by two servers that the test plays. */
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/raw.h"

#include <criterion/criterion.h>

TestSuite(rpc_elsewhere, .fini = leak_check, .timeout = 60);

enum { PATIENT_MS = 20000 };

/* Two servers that the test plays, and a client that is ready at both. */
struct two {
	struct ct_runtime rt;
	struct raw listeners[2], peers[2];
	struct ct_client *c;
};

static bool two_are_ready(void *arg)
{
	struct two *t = arg;

	return client_stats(t->c).ready == 2;
}

static void two_init(struct two *t)
{
	const struct ct_runtime_opts ro = { .service = "test" };
	char urls[2][64];
	const struct ct_client_opts co = { .rt = &t->rt,
					   .peer = "raw",
					   .urls = (const char *[]){ urls[0], urls[1] },
					   .urls_n = 2,
					   .attempts_max = 2,
					   .retry_backoff_ms = 1 };

	cr_assert_eq(ct_runtime_init(&t->rt, &ro), CT_OK);
	for (unsigned i = 0; i < 2; i++)
		t->listeners[i] = raw_listen(urls[i]);
	t->c = client_with(&co);
	for (unsigned i = 0; i < 2; i++)
		t->peers[i] = raw_accept(&t->listeners[i]);
	cr_assert(until(two_are_ready, t));
}

static void two_fini(struct two *t)
{
	t->c = ct_client_free(t->c);
	ct_runtime_fini(&t->rt);
	for (unsigned i = 0; i < 2; i++) {
		raw_close(&t->peers[i]);
		raw_close(&t->listeners[i]);
	}
}

/* Which of the two has something to read. */
static unsigned who_hears(struct two *t)
{
	for (unsigned i = 0; i < PATIENT_MS; i++)
		if (raw_readable(&t->peers[i % 2], 1))
			return i % 2;
	cr_assert(false, "neither of the two was asked");
	return 0;
}

/* Whoever is asked refuses. Returns which it was. */
static unsigned refuse(struct two *t, uint8_t flags)
{
	const unsigned asked = who_hears(t);
	struct ct_wire_header h;
	struct raw_msg m;

	cr_assert(raw_receive(&t->peers[asked], &m));
	h = raw_reply_header(&m.h, CT_UNAVAILABLE);
	h.flags = flags;
	cr_assert(raw_send(&t->peers[asked], m.id, &h, CT_BYTES_NONE, CT_BYTES_NONE));
	return asked;
}

Test(rpc_elsewhere, next_attempt_goes_to_another_server)
{
	enum { ROUNDS = 12 };

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct ct_wire_header h;
		struct raw_msg m;
		unsigned first;
		struct two t;
		struct ask a;

		two_init(&t);
		ask_init(&a, PATIENT_MS);
		ask_start(&a, t.c, &hall_tell_again_method);
		first = refuse(&t, 0);

		cr_assert_eq(who_hears(&t), 1 - first);

		cr_assert(raw_receive(&t.peers[1 - first], &m));
		cr_assert_eq(m.h.attempt, 2);
		h = raw_reply_header(&m.h, CT_OK);
		cr_assert(raw_send(&t.peers[1 - first], m.id, &h, CT_BYTES_NONE, CT_BYTES_NONE));
		cr_assert(ask_wait(&a));
		cr_assert_eq(a.reply.status, CT_OK);
		ask_fini(&a);
		two_fini(&t);
	}
}

Test(rpc_elsewhere, refusal_that_says_no_retry_is_kept_from_a_draining_server_too)
{
	struct two t;
	struct ask a;

	two_init(&t);
	ask_init(&a, PATIENT_MS);
	ask_start(&a, t.c, &hall_tell_again_method);
	(void)refuse(&t, CT_WIRE_NOT_PROCESSED | CT_WIRE_NO_RETRY);

	cr_assert(ask_wait(&a));
	cr_assert_eq(a.reply.status, CT_UNAVAILABLE);
	cr_assert_eq(a.reply.attempts, 1);
	ask_fini(&a);
	two_fini(&t);
}
