/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The places that calls take from their admission to their end: of their method,
 * of their connection, and of the server. There, INLINE calls have places of their
 * own: most are short, but some are kept, and neither sort may shut the other out.
 */
#include "rpc/server_internal.h"

#include "base/mem.h"

enum { INLINE_SHARE = 8, INLINE_CALLS_MIN = 16 };

bool ct_srv__is_inline(const struct ct_route *r)
{
	return r->method->lane == CT_LANE_INLINE;
}

/* One place more, unless max are taken. Exact, whatever the other threads do. */
static bool reserve(_Atomic uint64_t *taken, uint64_t max)
{
	uint64_t n = atomic_load_explicit(taken, memory_order_relaxed);

	while (n < max)
		if (atomic_compare_exchange_weak_explicit(taken, &n, n + 1, memory_order_relaxed,
							  memory_order_relaxed))
			return true;
	return false;
}

static void give_back(_Atomic uint64_t *taken)
{
	atomic_fetch_sub_explicit(taken, 1, memory_order_relaxed);
}

static uint64_t inline_calls_max(const struct ct_server *s)
{
	const uint64_t share = s->opts.calls_max / INLINE_SHARE;

	return share > INLINE_CALLS_MIN ? share : INLINE_CALLS_MIN;
}

static bool reserve_in_server(struct ct_server *s, const struct ct_route *r)
{
	if (ct_srv__is_inline(r))
		return reserve(&s->inline_in_flight, inline_calls_max(s));
	return reserve(&s->in_flight, s->opts.calls_max);
}

static void give_back_in_server(struct ct_server *s, const struct ct_route *r)
{
	give_back(ct_srv__is_inline(r) ? &s->inline_in_flight : &s->in_flight);
}

/* One of the places is the connection's own. */
static bool reserve_in_session(const struct ct_server *s, struct ct_session *session)
{
	const uint64_t max = s->opts.connection_calls_max;

	return reserve(&session->taken, max != 0 ? max + 1 : UINT64_MAX);
}

void ct_srv__leave_session(struct ct_session *session)
{
	if (atomic_fetch_sub_explicit(&session->taken, 1, memory_order_acq_rel) == 1)
		ct_mem_free(session);
}

enum ct_refusal ct_srv__take_places(struct ct_server *s, struct ct_route *r,
				    struct ct_session *session)
{
	if (!reserve(&r->in_flight, s->opts.method_calls_max))
		return CT_REFUSAL_METHOD_LIMIT;
	if (reserve_in_server(s, r)) {
		if (reserve_in_session(s, session))
			return CT_REFUSALS_N;
		give_back_in_server(s, r);
	}
	give_back(&r->in_flight);
	return CT_REFUSAL_CALL_LIMIT;
}

void ct_srv__leave_places(struct ct_server *s, struct ct_route *r, struct ct_session *session)
{
	ct_srv__leave_session(session);
	give_back_in_server(s, r);
	give_back(&r->in_flight);
}

uint64_t ct_srv__in_flight(const struct ct_server *s)
{
	return ct_srv__get(&s->in_flight) + ct_srv__get(&s->inline_in_flight);
}
