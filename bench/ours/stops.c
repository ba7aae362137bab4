/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measures what becomes of work that nobody wants any more: how soon a cancel stops its
 * handler, how late a caller is at its deadline, and how much of the workers' time is
 * wasted under overload, also with every check switched off. Prints one JSON object.
 *
 *   ours-stops [--quick] [--only cancels | deadlines | waste] [--server PROGRAM]
 *
 * PROGRAM is ours-server, by default the one beside this program.
 */
#include "bench/ours/crowd.h"
#include "bench/ours/measure.h"
#include "load/report.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	LONG_US = 10 * 1000000, /* of calls that end by a cancel */
	QUEUE_SHORT = 16,       /* so that a call that is to be cancelled runs soon */
	QUEUE = 64,             /* the runtime's default */
	PATIENCE_MS = 20,       /* less than the time a call waits in a full queue */
	LOAD_TIMEOUT_MS = 100,
	LOAD_MS_MAX = 600 * 1000, /* a load that is ended when it is not needed any more */
};

/* What the calls of a load do, and how many workers do it. */
static const struct kind {
	const char *name;
	struct work work;
	uint32_t workers;
} kinds[] = {
	{ "spins", { .spin_us = 1000 }, 2 },
	{ "waits", { .sleep_us = 5000 }, 8 },
};

/* How much is measured. */
struct extent {
	uint32_t idle_samples, loaded_samples, late_calls, waste_ms;
};
static const struct extent full = { 1000, 300, 200, 5000 };
static const struct extent quick = { 200, 60, 40, 1500 };

struct program {
	struct stand stand;
	struct extent extent;
	const char *only;  /* NULL: all */
	const char *comma; /* before the next element of an array */
};

static const char *next_comma(struct program *p)
{
	const char *now = p->comma;

	p->comma = ",\n    ";
	return now;
}

static void open_array(struct program *p, const char *name)
{
	printf("  \"%s\": [\n    ", name);
	p->comma = "";
}

static void print_times(const char *name, const struct load_hist *h)
{
	printf(", \"%s\": ", name);
	load_report_json_times(h, stdout);
}

/* ---- cancels ---------------------------------------------------------------------- */

static bool one_cancel(struct program *p, unsigned hops, bool loaded, bool spins)
{
	const struct cancel_opts opts = {
		.hops = hops,
		.work = { .spin_us = spins ? LONG_US : 0, .sleep_us = spins ? 0 : LONG_US },
		.samples = loaded ? p->extent.loaded_samples : p->extent.idle_samples,
	};
	static struct cancel_result r;

	if (!measure_cancel(&p->stand, &opts, &r))
		return false;
	printf("%s{\"hops\": %u, \"load\": \"%s\", \"work\": \"%s\", \"refused\": %" PRIu32
	       ", \"stuck\": %" PRIu32,
	       next_comma(p), hops, loaded ? "2x" : "idle", spins ? "spins" : "waits", r.refused,
	       r.stuck);
	print_times("stop_ns", &r.stop_ns);
	print_times("returned_ns", &r.returned_ns);
	printf("}");
	return true;
}

/* A load of twice what the servers can do; NULL: none, and stderr says so. */
static struct crowd *overload(struct program *p, unsigned hops)
{
	const struct crowd_opts opts = {
		.hops = hops,
		.work = kinds[0].work,
		.rate = 2 * crowd_capacity(&p->stand, hops, kinds[0].work),
		.timeout_ms = LOAD_TIMEOUT_MS,
		.duration_ms = LOAD_MS_MAX,
	};
	struct crowd *c = opts.rate > 0 ? crowd_start(&p->stand, &opts) : NULL;

	if (c == NULL)
		(void)fprintf(stderr, "no load\n");
	return c;
}

static bool cancels(struct program *p)
{
	bool ok = true;

	open_array(p, "cancel_to_stop");
	for (unsigned i = 0; ok && i < 8; i++) {
		const unsigned hops = 1 + (i >> 2);
		const bool loaded = (i & 2) != 0, spins = (i & 1) != 0;
		struct crowd *c = loaded ? overload(p, hops) : NULL;

		ok = (c != NULL || !loaded) && one_cancel(p, hops, loaded, spins);
		if (c != NULL)
			c = crowd_end(c, true, NULL);
	}
	printf("\n  ],\n");
	return ok;
}

/* ---- deadlines -------------------------------------------------------------------- */

static bool one_deadline(struct program *p, bool loaded)
{
	const struct late_opts opts = { .calls = p->extent.late_calls };
	static struct late_result r;

	if (!measure_late(&p->stand, &opts, &r))
		return false;
	printf("%s{\"load\": \"%s\", \"early\": %" PRIu32 ", \"other\": %" PRIu32, next_comma(p),
	       loaded ? "2x" : "idle", r.early, r.other);
	print_times("late_ns", &r.late_ns);
	printf("}");
	return true;
}

static bool deadlines(struct program *p)
{
	struct crowd *c;
	bool ok;

	open_array(p, "caller_late");
	ok = one_deadline(p, false);
	c = ok ? overload(p, 1) : NULL;
	if (c != NULL) {
		ok = one_deadline(p, true);
		c = crowd_end(c, true, NULL);
	} else {
		ok = false;
	}
	printf("\n  ],\n");
	return ok;
}

/* ---- waste ------------------------------------------------------------------------ */

static bool one_waste(struct program *p, const struct kind *k, double factor, bool checks)
{
	const struct stand_opts checked = { .queue = QUEUE, .workers = k->workers };
	const struct stand_opts servers = { .queue = QUEUE,
					    .workers = k->workers,
					    .forgetful = !checks };
	struct waste_opts opts = {
		.work = k->work,
		.timeout_ms = PATIENCE_MS,
		.duration_ms = p->extent.waste_ms,
		.unchecked = !checks,
	};
	static struct waste_result r;
	bool ok;

	ok = stand_start(&p->stand, &checked);
	opts.rate = ok ? factor * crowd_capacity(&p->stand, 1, k->work) : 0;
	stand_stop(&p->stand);
	ok = opts.rate > 0 && stand_start(&p->stand, &servers) &&
	     measure_waste(&p->stand, &opts, &r);
	stand_stop(&p->stand);
	if (!ok)
		return false;
	printf("%s{\"work\": \"%s\", \"workers\": %" PRIu32 ", \"timeout_ms\": %d"
	       ", \"factor\": %.0f, \"rate\": %.1f, \"checks\": %s, ",
	       next_comma(p), k->name, k->workers, PATIENCE_MS, factor, opts.rate,
	       checks ? "true" : "false");
	printf("\"runs\": %" PRIu64 ", \"useless\": %" PRIu64 ", \"worker_ns\": %" PRIu64
	       ", \"wasted_ns\": %" PRIu64 ", \"wasted_share\": %.5f, ",
	       r.runs, r.useless, r.worker_ns, r.wasted_ns,
	       r.worker_ns > 0 ? (double)r.wasted_ns / (double)r.worker_ns : 0);
	load_report_json(&r.load, stdout);
	printf("}");
	return true;
}

static bool waste(struct program *p)
{
	bool ok = true;

	open_array(p, "wasted_work");
	for (unsigned i = 0; ok && i < 8; i++)
		ok = one_waste(p, &kinds[i >> 2], (i & 2) == 0 ? 2 : 10, (i & 1) == 0);
	printf("\n  ],\n");
	return ok;
}

/* ---- the program ------------------------------------------------------------------ */

static bool wanted(const struct program *p, const char *part)
{
	return p->only == NULL || strcmp(p->only, part) == 0;
}

static bool measure_all(struct program *p)
{
	const struct stand_opts servers = { .queue = QUEUE_SHORT, .workers = kinds[0].workers };
	bool ok = true;

	printf("{\n");
	if (wanted(p, "cancels") || wanted(p, "deadlines")) {
		ok = stand_start(&p->stand, &servers);
		if (ok && wanted(p, "cancels"))
			ok = cancels(p);
		if (ok && wanted(p, "deadlines"))
			ok = deadlines(p);
		stand_stop(&p->stand);
	}
	if (ok && wanted(p, "waste"))
		ok = waste(p);
	printf("  \"complete\": %s\n}\n", ok ? "true" : "false");
	return ok;
}

/* ours-server in the folder of this program. */
static void default_server(const char *self, char *out, size_t size)
{
	const char *slash = strrchr(self, '/');
	const int folder = slash != NULL ? (int)(slash - self) + 1 : 0;

	(void)snprintf(out, size, "%.*sours-server", folder, self);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "quick", no_argument, NULL, 'q' },
		{ "only", required_argument, NULL, 'o' },
		{ "server", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	static struct program p;
	char server[STAND_PATH_MAX];
	bool ok;
	int opt;

	p.extent = full;
	default_server(argv[0], server, sizeof(server));
	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (opt == 'q')
			p.extent = quick;
		else if (opt == 'o')
			p.only = optarg;
		else if (opt == 's')
			(void)snprintf(server, sizeof(server), "%s", optarg);
		else
			return EXIT_USAGE;
	}
	if (optind < argc)
		return EXIT_USAGE;
	ok = stand_open(&p.stand, server) && measure_all(&p);
	stand_close(&p.stand);
	return ok ? 0 : EXIT_FAILED;
}
