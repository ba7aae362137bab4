/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_COMPONENT_ASK_SCENE_H
#define TESTS_COMPONENT_ASK_SCENE_H

/* What tests of a single call share: a hall, a client of it, and one question. */
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"

#include <criterion/criterion.h>

enum { PATIENT_MS = 20000 };

struct scene {
	struct hall h;
	struct ct_client *c;
	struct ask a;
};

static inline void set_up(struct scene *s, const struct hall_opts *opts)
{
	hall_start(&s->h, opts);
	s->c = client_of(&s->h.rt, hall_url(&s->h));
	ask_init(&s->a, PATIENT_MS);
}

static inline void tear_down(struct scene *s)
{
	ask_fini(&s->a);
	s->c = ct_client_free(s->c);
	cr_assert(hall_stop(&s->h), "the accounting identity does not hold");
}

static inline ct_status tell(struct scene *s)
{
	return ask_now(&s->a, s->c, &hall_tell_method);
}

#endif
