/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "bench/ours/stand.h"
#include "load/hist.h"
#include "load/load.h"

/* What is measured of cancels and deadlines; one file each. The stand has been started. */

/* cancel.c: from the caller's cancel until the handler has returned, on the clock that both
 * share, of handlers that run. One call after the other. */
struct cancel_opts {
	unsigned hops;    /* 1 or 2 */
	struct work work; /* long enough not to end by itself */
	uint32_t samples;
};
struct cancel_result {
	struct load_hist stop_ns;     /* cancel -> the handler has returned */
	struct load_hist returned_ns; /* cancel -> the caller has its answer */
	uint32_t refused;             /* calls that did not come to run, and do not count */
	uint32_t stuck;               /* handlers that went on for 2 s */
};
/* False: no memory. */
bool measure_cancel(struct stand *s, const struct cancel_opts *opts, struct cancel_result *ret);

/* late.c: how long after its deadline a caller that waits has its answer. */
struct late_opts {
	uint32_t calls; /* of each of the eight threads */
};
struct late_result {
	struct load_hist late_ns;
	uint32_t early, other; /* before the deadline; not DEADLINE_EXCEEDED */
};
bool measure_late(struct stand *s, const struct late_opts *opts, struct late_result *ret);

/* waste.c: what share of the workers' time went to calls whose callers had given up. */
struct waste_opts {
	double rate;
	struct work work;
	uint32_t timeout_ms, duration_ms;
	bool unchecked; /* as struct crowd_opts; the leaf is to be forgetful too */
};
struct waste_result {
	uint64_t runs, useless; /* useless: begun after the caller had given up */
	uint64_t worker_ns, wasted_ns;
	struct load_result load;
};
bool measure_waste(struct stand *s, const struct waste_opts *opts, struct waste_result *ret);

#endif
