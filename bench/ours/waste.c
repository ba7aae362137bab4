/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/ours/crowd.h"
#include "bench/ours/measure.h"

/* What the watch has counted so far. */
static void read_watch(const struct watch *w, struct waste_result *ret)
{
	ret->runs = atomic_load(&w->runs);
	ret->useless = atomic_load(&w->useless);
	ret->worker_ns = atomic_load(&w->worker_ns);
	ret->wasted_ns = atomic_load(&w->wasted_ns);
}

bool measure_waste(struct stand *s, const struct waste_opts *opts, struct waste_result *ret)
{
	const struct crowd_opts crowd = {
		.hops = 1,
		.work = opts->work,
		.rate = opts->rate,
		.timeout_ms = opts->timeout_ms,
		.duration_ms = opts->duration_ms,
		.unchecked = opts->unchecked,
	};
	static struct waste_result before;
	struct crowd *c;

	read_watch(s->watch, &before);
	c = crowd_start(s, &crowd);
	if (c == NULL)
		return false;
	c = crowd_end(c, false, &ret->load);
	read_watch(s->watch, ret);
	ret->runs -= before.runs;
	ret->useless -= before.useless;
	ret->worker_ns -= before.worker_ns;
	ret->wasted_ns -= before.wasted_ns;
	return true;
}
