/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cases.h"

const char *event_name(enum event e)
{
	static const char *const names[] = {
#define X(name, text) [EV_##name] = text,
		EVENTS(X)
#undef X
	};

	return names[e];
}

const char *stage_name(enum stage s)
{
	static const char *const names[] = {
#define X(name, text) [ST_##name] = text,
		STAGES(X)
#undef X
	};

	return names[s];
}

const char *end_name(enum end e)
{
	static const char *const names[] = {
#define X(name, text) [END_##name] = text,
		ENDS(X)
#undef X
	};

	return names[e];
}

/* Shorthands for the table: a server that ... */
#define NOTHING                        \
	{                              \
		END_NOTHING, false, "" \
	}
#define REFUSED                        \
	{                              \
		END_REFUSED, false, "" \
	}
#define EARLY                                \
	{                                    \
		END_EXPIRED_EARLY, false, "" \
	}
#define IS_OK                    \
	{                        \
		END_OK, true, "" \
	}
#define PASSED_ON                       \
	{                               \
		END_APP_ERROR, true, "" \
	} /* handed on what its next server said */
#define QUEUE_EXPIRED                         \
	{                                     \
		END_EXPIRED_QUEUED, false, "" \
	}
#define QUEUE_CANCELLED                         \
	{                                       \
		END_CANCELLED_QUEUED, false, "" \
	}
#define QUEUE_PEER_GONE                  \
	{                                \
		END_PEER_GONE, false, "" \
	}
#define EXPIRED                                       \
	{                                             \
		END_EXPIRED_RUNNING, true, "deadline" \
	}
#define CANCELLED_BY(why)                        \
	{                                        \
		END_CANCELLED_RUNNING, true, why \
	}
#define LOST_PEER                                \
	{                                        \
		END_PEER_GONE, true, "peer_gone" \
	}

#define NA(why)                         \
	{                               \
		.not_applicable = (why) \
	}
#define ONE(status, last_)                           \
	{                                            \
		.caller = CT_##status, .last = last_ \
	}
#define DEAD(last_)                              \
	{                                        \
		.no_caller = true, .last = last_ \
	}
#define TWO(status, front_, last_)                                    \
	{                                                             \
		.caller = CT_##status, .front = front_, .last = last_ \
	}
#define DEAD2(front_, last_)                                      \
	{                                                         \
		.no_caller = true, .front = front_, .last = last_ \
	}

static const char waits_for_nobody[] = "a single server waits for no other";
static const char never_gets_there[] = "a call that is over on arrival gets no further";

static const struct expectation one_hop[EV_N][ST_N] = {
	[EV_DEADLINE] = { [ST_QUEUED] = ONE(DEADLINE_EXCEEDED, QUEUE_EXPIRED),
			  [ST_RUNNING] = ONE(DEADLINE_EXCEEDED, EXPIRED),
			  [ST_WAITING] = NA(waits_for_nobody),
			  [ST_REPLYING] = ONE(DEADLINE_EXCEEDED, IS_OK) },
	[EV_CANCEL] = { [ST_QUEUED] = ONE(CANCELLED, QUEUE_CANCELLED),
			[ST_RUNNING] = ONE(CANCELLED, CANCELLED_BY("caller")),
			[ST_WAITING] = NA(waits_for_nobody),
			[ST_REPLYING] = ONE(CANCELLED, IS_OK) },
	[EV_KILLED] = { [ST_QUEUED] = DEAD(QUEUE_PEER_GONE),
			[ST_RUNNING] = DEAD(LOST_PEER),
			[ST_WAITING] = NA(waits_for_nobody),
			[ST_REPLYING] = DEAD(IS_OK) },
	[EV_CUT] = { [ST_QUEUED] = ONE(UNAVAILABLE, QUEUE_PEER_GONE),
		     [ST_RUNNING] = ONE(UNAVAILABLE, LOST_PEER),
		     [ST_WAITING] = NA(waits_for_nobody),
		     [ST_REPLYING] = ONE(UNAVAILABLE, IS_OK) },
	[EV_DRAIN] = { [ST_QUEUED] = ONE(UNAVAILABLE, QUEUE_CANCELLED),
		       [ST_RUNNING] = ONE(UNAVAILABLE, CANCELLED_BY("drain")),
		       [ST_WAITING] = NA(waits_for_nobody),
		       [ST_REPLYING] = ONE(OK, IS_OK) },
	[EV_OVERTAKE] = { [ST_QUEUED] = ONE(CANCELLED, REFUSED),
			  [ST_RUNNING] = ONE(CANCELLED, REFUSED),
			  [ST_WAITING] = NA(waits_for_nobody),
			  [ST_REPLYING] = NA(never_gets_there) },
	[EV_PASSED] = { [ST_QUEUED] = ONE(DEADLINE_EXCEEDED, EARLY),
			[ST_RUNNING] = ONE(DEADLINE_EXCEEDED, NOTHING),
			[ST_WAITING] = NA(waits_for_nobody),
			[ST_REPLYING] = NA(never_gets_there) },
};

static const struct expectation two_hops[EV_N][ST_N] = {
	[EV_DEADLINE] = { [ST_QUEUED] = TWO(DEADLINE_EXCEEDED, EXPIRED, QUEUE_EXPIRED),
			  [ST_RUNNING] = TWO(DEADLINE_EXCEEDED, EXPIRED, EXPIRED),
			  [ST_WAITING] = TWO(DEADLINE_EXCEEDED, EXPIRED, IS_OK),
			  [ST_REPLYING] = TWO(DEADLINE_EXCEEDED, IS_OK, IS_OK) },
	[EV_CANCEL] = { [ST_QUEUED] = TWO(CANCELLED, CANCELLED_BY("caller"), QUEUE_CANCELLED),
			[ST_RUNNING] = TWO(CANCELLED, CANCELLED_BY("caller"),
					   CANCELLED_BY("parent")),
			[ST_WAITING] = TWO(CANCELLED, CANCELLED_BY("caller"), IS_OK),
			[ST_REPLYING] = TWO(CANCELLED, IS_OK, IS_OK) },
	[EV_KILLED] = { [ST_QUEUED] = DEAD2(LOST_PEER, QUEUE_CANCELLED),
			[ST_RUNNING] = DEAD2(LOST_PEER, CANCELLED_BY("parent")),
			[ST_WAITING] = DEAD2(LOST_PEER, IS_OK),
			[ST_REPLYING] = DEAD2(IS_OK, IS_OK) },
	[EV_CUT] = { [ST_QUEUED] = TWO(UNAVAILABLE, LOST_PEER, QUEUE_CANCELLED),
		     [ST_RUNNING] = TWO(UNAVAILABLE, LOST_PEER, CANCELLED_BY("parent")),
		     [ST_WAITING] = TWO(UNAVAILABLE, LOST_PEER, IS_OK),
		     [ST_REPLYING] = TWO(UNAVAILABLE, IS_OK, IS_OK) },
	[EV_DRAIN] = { [ST_QUEUED] = TWO(UNAVAILABLE, PASSED_ON, QUEUE_CANCELLED),
		       [ST_RUNNING] = TWO(UNAVAILABLE, PASSED_ON, CANCELLED_BY("drain")),
		       [ST_WAITING] = TWO(UNAVAILABLE, CANCELLED_BY("drain"), IS_OK),
		       [ST_REPLYING] = TWO(OK, IS_OK, IS_OK) },
	[EV_OVERTAKE] = { [ST_QUEUED] = TWO(CANCELLED, REFUSED, NOTHING),
			  [ST_RUNNING] = TWO(CANCELLED, REFUSED, NOTHING),
			  [ST_WAITING] = NA(never_gets_there),
			  [ST_REPLYING] = NA(never_gets_there) },
	[EV_PASSED] = { [ST_QUEUED] = TWO(DEADLINE_EXCEEDED, EARLY, NOTHING),
			[ST_RUNNING] = TWO(DEADLINE_EXCEEDED, NOTHING, NOTHING),
			[ST_WAITING] = TWO(DEADLINE_EXCEEDED, PASSED_ON, NOTHING),
			[ST_REPLYING] = NA(never_gets_there) },
};

struct expectation expect(const struct combination *c)
{
	return c->two_hops ? two_hops[c->event][c->stage] : one_hop[c->event][c->stage];
}
