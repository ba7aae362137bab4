/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/load/world.h"

#include "base/attrs.h"
#include "base/check.h"

static int64_t now_ns(struct load_clock *clock)
{
	return CT_CONTAINER_OF(clock, struct world, clock)->now_ns;
}

/* Which pending call ends first; under_way of them: none. */
static unsigned first_to_end(const struct world *w)
{
	unsigned first = w->under_way;

	for (unsigned i = 0; i < w->under_way; i++)
		if (first == w->under_way || w->ends_ns[i] < w->ends_ns[first])
			first = i;
	return first;
}

static void wait_until_ns(struct load_clock *clock, int64_t ns)
{
	struct world *w = CT_CONTAINER_OF(clock, struct world, clock);

	while (!w->never) {
		const unsigned i = first_to_end(w);
		struct load_call *call;

		if (i == w->under_way || w->ends_ns[i] > ns)
			break;
		call = w->pending[i];
		w->now_ns = w->ends_ns[i];
		w->under_way--;
		w->pending[i] = w->pending[w->under_way];
		w->ends_ns[i] = w->ends_ns[w->under_way];
		w->ended++;
		load_call_ended(call, w->status);
	}
	if (ns > w->now_ns)
		w->now_ns = ns;
}

void world_start(void *target, struct load_call *call)
{
	struct world *w = target;
	int64_t end = w->now_ns + w->service_ns;

	w->started++;
	w->depth++;
	w->depth_max = w->depth > w->depth_max ? w->depth : w->depth_max;
	if (w->inside) {
		w->ended++;
		load_call_ended(call, w->status);
	} else {
		if (end >= w->stall_from_ns && end < w->stall_to_ns)
			end = w->stall_to_ns;
		CT_CHECK(w->under_way < WORLD_CALLS_MAX);
		w->pending[w->under_way] = call;
		w->ends_ns[w->under_way] = end;
		w->under_way++;
		if (w->under_way > w->under_way_max)
			w->under_way_max = w->under_way;
	}
	w->depth--;
}

static bool prepare(void *arg, struct load_call *call)
{
	struct world *w = arg;

	CT_CHECK(call->user == NULL);
	call->user = w;
	w->prepared++;
	return true;
}

static bool stopped(void *arg)
{
	const struct world *w = arg;

	return w->stop_after > 0 && w->ended >= w->stop_after;
}

static void window(void *arg, bool open)
{
	struct world *w = arg;

	w->opened += open;
	w->closed += !open;
}

static void progress(void *arg, const struct load_result *so_far)
{
	struct world *w = arg;

	CT_CHECK(so_far->elapsed_ns >= w->told_ns);
	w->told_ns = so_far->elapsed_ns;
	w->told++;
}

void world_init(struct world *w)
{
	*w = (struct world){
		.clock = { now_ns, wait_until_ns },
		.now_ns = FIRST_NS,
		.zero_ns = FIRST_NS,
		.service_ns = MS,
	};
}

struct load_plan world_plan(struct world *w)
{
	return (struct load_plan){
		.duration_ms = 1000,
		.timeout_ms = 100,
		.arg = w,
		.prepare = prepare,
		.stopped = stopped,
		.window = window,
		.progress = progress,
		.clock = &w->clock,
	};
}
