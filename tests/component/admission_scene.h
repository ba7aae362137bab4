/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_COMPONENT_ADMISSION_SCENE_H
#define TESTS_COMPONENT_ADMISSION_SCENE_H

/* What the tests of admission share: a hall, and a connection to it by hand. */
#include "base/check.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/rpc/raw.h"
#include "tests/lib/rpc/until.h"

#include <criterion/criterion.h>

enum { PATIENT_MS = 20000 };
#define PATIENT_US (PATIENT_MS * UINT64_C(1000))
#define NO_SUCH_METHOD UINT32_C(0x12345678)

struct scene {
	struct fake_clock clock; /* of those whose time the test makes */
	struct hall h;
	struct raw r;
	uint32_t next_id;
};

static inline void set_up(struct scene *s, const struct hall_opts *opts)
{
	fake_clock_init(&s->clock);
	hall_start(&s->h, opts);
	s->r = raw_join(hall_url(&s->h));
	s->next_id = 1;
}

static inline void tear_down(struct scene *s)
{
	raw_close(&s->r);
	cr_assert(hall_stop(&s->h), "the accounting identity does not hold");
}

static inline void send_call(struct scene *s, const struct ct_wire_header *h,
			     const Hall__V1__Ask *ask)
{
	uint8_t packed[512];
	struct ct_bytes payload = CT_BYTES_NONE;

	if (ask != NULL) {
		cr_assert_leq(hall__v1__ask__get_packed_size(ask), sizeof(packed));
		payload = ct_bytes_of(packed, hall__v1__ask__pack(ask, packed));
	}
	cr_assert(raw_send(&s->r, s->next_id++, h, CT_BYTES_NONE, payload));
}

static inline void send_cancel(struct scene *s, const struct ct_id *id)
{
	const struct ct_wire_header h = { .kind = CT_WIRE_CANCEL,
					  .code = CT_CANCEL_CALLER,
					  .cancel_id = *id };

	cr_assert(raw_send(&s->r, s->next_id++, &h, CT_BYTES_NONE, CT_BYTES_NONE));
}

/* The next reply must be this. */
static inline void expect_reply(struct scene *s, ct_status st, bool not_processed)
{
	struct raw_msg m;

	cr_assert(raw_receive(&s->r, &m));
	cr_assert_eq(m.h.kind, CT_WIRE_REPLY);
	cr_assert_eq(m.h.code, st, "%s, not %s", ct_status_name(ct_status_from_wire(m.h.code)),
		     ct_status_name(st));
	cr_assert_eq((m.h.flags & CT_WIRE_NOT_PROCESSED) != 0, not_processed);
}

/* The next two replies, in any order: a cancel's own and its call's. */
static inline void expect_both(struct scene *s, ct_status a, ct_status b)
{
	struct raw_msg first, second;

	cr_assert(raw_receive(&s->r, &first));
	cr_assert(raw_receive(&s->r, &second));
	cr_assert((first.h.code == a && second.h.code == b) ||
			  (first.h.code == b && second.h.code == a),
		  "%d and %d", first.h.code, second.h.code);
}

static inline uint64_t refused_by(struct scene *s, enum ct_refusal why)
{
	return hall_stats(&s->h).refused_by[why];
}

/* Keeps that many workers busy behind the gate. */
static inline void occupy(struct scene *s, unsigned n)
{
	const unsigned before = hall_get(&s->h, &s->h.entered);

	for (unsigned i = 0; i < n; i++) {
		const struct ct_wire_header h = raw_call_header(hall_hold_method.hash, PATIENT_US);

		send_call(s, &h, NULL);
	}
	cr_assert(hall_waited(&s->h, &s->h.entered, before + n));
}

static inline void call_for(struct scene *s, const struct ct_method *m, uint64_t budget_us)
{
	const struct ct_wire_header h = raw_call_header(m->hash, budget_us);

	send_call(s, &h, NULL);
}

#endif
