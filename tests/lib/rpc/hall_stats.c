/* SPDX-License-Identifier: Apache-2.0 */
/* What a hall's server counts, and waiting until it counts so much. */
#include "tests/lib/rpc/hall.h"
#include "tests/lib/rpc/until.h"

struct ct_server_stats hall_stats(struct hall *h)
{
	struct ct_server_stats s;

	ct_server_stats(h->server, &s);
	return s;
}

struct ct_net_stats hall_net_stats(struct hall *h)
{
	struct ct_net_stats s;

	ct_net_stats(h->rt.net, &s);
	return s;
}

struct looking {
	struct hall *h;
	hall_pick_fn *pick;
	uint64_t n;
};

static bool at_least(void *arg)
{
	const struct looking *l = arg;
	const struct ct_server_stats s = hall_stats(l->h);

	return l->pick(&s) >= l->n;
}

static bool exactly(void *arg)
{
	const struct looking *l = arg;
	const struct ct_server_stats s = hall_stats(l->h);

	return l->pick(&s) == l->n;
}

bool hall_reached(struct hall *h, hall_pick_fn *pick, uint64_t n)
{
	return until(at_least, &(struct looking){ h, pick, n });
}

bool hall_settled(struct hall *h, hall_pick_fn *pick, uint64_t n)
{
	return until(exactly, &(struct looking){ h, pick, n });
}

uint64_t pick_in_flight(const struct ct_server_stats *s)
{
	return s->calls.in_flight;
}

uint64_t pick_running(const struct ct_server_stats *s)
{
	return s->running;
}

uint64_t pick_queued(const struct ct_server_stats *s)
{
	return s->queued;
}

uint64_t pick_connections(const struct ct_server_stats *s)
{
	return s->connections;
}

uint64_t pick_received(const struct ct_server_stats *s)
{
	return s->calls.received;
}
