/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/rig.h"

#include "conc/latch.h"
#include "net/lookup.h"
#include "tests/lib/leak_check.h"

#include <stdio.h>
#include <string.h>

TestSuite(names, .fini = leak_check, .timeout = 60);

struct answer {
	struct ct_latch done;
	ct_status st;
	size_t n;
	char urls[CT_LOOKUP_MAX][CT_ADDRESS_URL_SIZE];
};

static void keep_answer(void *arg, ct_status st, const char *const *urls, size_t n)
{
	struct answer *a = arg;

	a->st = st;
	a->n = n;
	for (size_t i = 0; i < n; i++)
		snprintf(a->urls[i], sizeof(a->urls[i]), "%s", urls[i]);
	ct_latch_count_down(&a->done);
}

static void resolve(struct rig *r, const char *url, struct answer *a)
{
	ct_latch_init(&a->done, 1);
	cr_assert_eq(ct_net_resolve(r->net, url, keep_answer, a), CT_OK);
	cr_assert(ct_latch_wait_until(&a->done, ct_deadline_after_ms(ct_clock_system(), 50000)));
	ct_latch_fini(&a->done);
}

static bool has(const struct answer *a, const char *url)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->urls[i], url) == 0)
			return true;
	return false;
}

Test(names, localhost_has_numeric_addresses_sorted_without_doubles)
{
	static struct answer a;
	struct rig r;

	rig_init(&r, NULL);
	resolve(&r, "tcp://localhost:7001", &a);

	cr_assert_eq(a.st, CT_OK);
	cr_assert(has(&a, "tcp://127.0.0.1:7001") || has(&a, "tcp://[::1]:7001"));
	for (size_t i = 1; i < a.n; i++)
		cr_assert_lt(strcmp(a.urls[i - 1], a.urls[i]), 0);
	rig_fini(&r);
}

Test(names, number_is_its_own_address)
{
	static struct answer a;
	struct rig r;

	rig_init(&r, NULL);
	resolve(&r, "tcp://10.1.2.3:80", &a);
	cr_assert_eq(a.st, CT_OK);
	cr_assert_eq(a.n, 1);
	cr_assert_str_eq(a.urls[0], "tcp://10.1.2.3:80");
	resolve(&r, "tcp://[::1]:80", &a);
	cr_assert_eq(a.n, 1);
	cr_assert_str_eq(a.urls[0], "tcp://[::1]:80");
	resolve(&r, "ipc:///run/x", &a);
	cr_assert_eq(a.n, 1);
	cr_assert_str_eq(a.urls[0], "ipc:///run/x");
	rig_fini(&r);
}

Test(names, unknown_name_is_unavailable)
{
	static struct answer a;
	struct rig r;

	rig_init(&r, NULL);
	resolve(&r, "tcp://no-such-host.invalid:80", &a);
	cr_assert_eq(a.st, CT_UNAVAILABLE);
	cr_assert_eq(a.n, 0);
	rig_fini(&r);
}

Test(names, url_that_is_none_is_refused_at_once)
{
	struct rig r;

	rig_init(&r, NULL);
	cr_assert_eq(ct_net_resolve(r.net, "udp://x:1", keep_answer, NULL), CT_INVALID_ARGUMENT);
	cr_assert_eq(ct_net_resolve(r.net, "tcp://x:0", keep_answer, NULL), CT_INVALID_ARGUMENT);
	rig_fini(&r);
}

Test(names, freed_net_answers_every_lookup_once)
{
	enum { LOOKUPS = 50 };
	static struct answer a[LOOKUPS];
	struct rig r;

	rig_init(&r, NULL);
	for (int i = 0; i < LOOKUPS; i++) {
		ct_latch_init(&a[i].done, 1);
		cr_assert_eq(
			ct_net_resolve(r.net, "tcp://no-such-host.invalid:80", keep_answer, &a[i]),
			CT_OK);
	}

	rig_fini(&r);

	for (int i = 0; i < LOOKUPS; i++) {
		cr_assert_eq(a[i].done.count, 0, "lookup %d has no answer", i);
		cr_assert(a[i].st == CT_CANCELLED || a[i].st == CT_UNAVAILABLE);
		ct_latch_fini(&a[i].done);
	}
}
