/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/router.h"

#include "base/mem.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(router, .fini = leak_check, .timeout = 60);

enum { MANY = 300 };

static void ignore(struct ct_call *call, const void *handlers, const ProtobufCMessage *req)
{
	(void)call;
	(void)handlers;
	(void)req;
}

static struct ct_method methods[MANY];
static char names[MANY][32];

static void make_methods(void)
{
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "t.v1.Svc/M%d", i);
		methods[i] = (struct ct_method){ .name = names[i],
						 .hash = ct_fnv1a32(ct_bytes_of_str(names[i])) };
	}
}

Test(router, every_method_added_is_found_and_no_other)
{
	struct ct_router r;

	make_methods();
	ct_router_init(&r);
	cr_assert_null(ct_router_find(&r, methods[0].hash));
	for (int i = 0; i < MANY; i++)
		cr_assert_eq(ct_router_add(&r, &methods[i], ignore, NULL, NULL), CT_OK);

	for (int i = 0; i < MANY; i++)
		cr_assert_eq(ct_router_find(&r, methods[i].hash)->method, &methods[i]);
	cr_assert_null(ct_router_find(&r, ct_fnv1a32(ct_bytes_of_str("t.v1.Svc/Other"))));
	cr_assert_null(ct_router_at(&r, MANY));
	ct_router_fini(&r);
}

Test(router, a_method_cannot_be_there_twice)
{
	struct ct_router r;

	make_methods();
	ct_router_init(&r);
	cr_assert_eq(ct_router_add(&r, &methods[0], ignore, NULL, NULL), CT_OK);
	cr_assert_eq(ct_router_add(&r, &methods[0], ignore, NULL, NULL), CT_ALREADY_EXISTS);
	ct_router_fini(&r);
}

Test(router, without_memory_nothing_changes)
{
	struct ct_router r;

	make_methods();
	ct_router_init(&r);
	for (uint64_t n = 1; n <= 2; n++) {
		ct_mem_fail_nth(n);
		cr_assert_eq(ct_router_add(&r, &methods[0], ignore, NULL, NULL),
			     CT_RESOURCE_EXHAUSTED);
	}
	ct_mem_fail_nth(0);
	cr_assert_null(ct_router_find(&r, methods[0].hash));
	cr_assert_eq(ct_router_add(&r, &methods[0], ignore, NULL, NULL), CT_OK);
	ct_router_fini(&r);
}
