/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_COMPONENT_PEERS_SCENE_H
#define TESTS_COMPONENT_PEERS_SCENE_H

/* What the tests of strange peers share: a server, a client of ours that must
 * notice nothing, and raw connections to be strange on. */
#include "base/check.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/rpc/raw.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#define SECOND_US UINT64_C(1000000)

/* A hall, and a client of ours that must notice nothing. */
struct scene {
	struct hall h;
	struct ct_client *good;
	unsigned fds; /* open while only the good one is there */
};

static inline void set_up(struct scene *s, const struct hall_opts *opts)
{
	hall_start(&s->h, opts);
	s->good = client_of(&s->h.rt, hall_url(&s->h));
	cr_assert(hall_settled(&s->h, pick_connections, 1));
	s->fds = open_descriptors();
}

static inline void expect_good_served(struct scene *s)
{
	struct ask a;

	ask_init(&a, 10000);
	cr_assert_eq(ask_now(&a, s->good, &hall_tell_method), CT_OK);
	ask_fini(&a);
}

static inline bool descriptors_are_back(void *arg)
{
	const struct scene *s = arg;

	return open_descriptors() <= s->fds;
}

/* Whatever happened: the good one is served, and nothing is left of the others. */
static inline void tear_down(struct scene *s)
{
	expect_good_served(s);
	cr_assert(hall_settled(&s->h, pick_connections, 1));
	cr_assert(until(descriptors_are_back, s), "%u descriptors, not %u", open_descriptors(),
		  s->fds);
	s->good = ct_client_free(s->good);
	cr_assert(hall_stop(&s->h), "the accounting identity does not hold");
}

/* One that the server has counted: it has answered. */
static inline struct raw join(struct scene *s)
{
	const struct ct_wire_header h = { .kind = CT_WIRE_CANCEL,
					  .code = CT_CANCEL_CALLER,
					  .cancel_id = ct_id_new() };
	struct raw r = raw_join(hall_url(&s->h));
	struct raw_msg m;

	cr_assert(raw_send(&r, 0, &h, CT_BYTES_NONE, CT_BYTES_NONE));
	cr_assert(raw_receive(&r, &m));
	return r;
}

static inline uint32_t tell_hash(void)
{
	return hall_tell_method.hash;
}

/* A CALL of Tell, packed. */
static inline bool send_tell(struct raw *r, uint32_t id, uint32_t reply_bytes)
{
	const struct ct_wire_header h = raw_call_header(tell_hash(), 20 * SECOND_US);
	Hall__V1__Ask ask = HALL__V1__ASK__INIT;
	uint8_t packed[64];

	ask.reply_bytes = reply_bytes;
	return raw_send(r, id, &h, CT_BYTES_NONE,
			ct_bytes_of(packed, hall__v1__ask__pack(&ask, packed)));
}

#endif
