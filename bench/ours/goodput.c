/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measures what a server still does in time when it is asked for more than it can do:
 * calls of one kind of work at a rate, in open loop, beside what else may load it. Prints
 * one JSON object: the load's result, and how it went over time.
 *
 *   ours-goodput --url URL (--spin-us N | --wait-us N) (--rate R | --outstanding N)
 *
 *   --timeout-ms N                 of a call (1000)
 *   --warmup-ms N, --duration-ms N (500, 2000)
 *   --attempts N                   of a call, retries included (3)
 *   --throttle                     the client holds calls back, as those of services do
 *   --together-us N                calls that are due within so long start together (0)
 *   --long-every N                 one call in N takes 50 times longer, and is left out of
 *                                  the result
 *   --more-rate R                  from --more-from-ms on for --more-ms, so many more a second
 *   --hang-ms N                    those more are of another method, and take so long
 */
#include "base/check.h"
#include "base/mem.h"
#include "conc/thread.h"
#include "load/corked.h"
#include "load/meter.h"
#include "load/report.h"
#include "rpc/client.h"

#include "ct/v1/probe.ct.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS INT64_C(1000000)

enum {
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	CONNECT_MS = 5000,
	LONG_TIMES = 50,
	BIN_MS = 10,
	BINS_MAX = 6000,
	SLOTS = 16384,
	CALLS_MAX = 32768,
};

struct options {
	const char *url;
	double rate, more_rate;
	uint32_t outstanding, spin_us, wait_us, timeout_ms, warmup_ms, duration_ms, attempts;
	uint32_t together_us, long_every, more_from_ms, more_ms, hang_ms;
	bool throttle;
};

/* A time's worth of calls: of those that were due in it the ones in time, and those whose
 * answer came in it. */
struct bin {
	_Atomic uint32_t due, ok_of_due, ok;
};

struct program {
	struct options opts;
	struct ct_runtime rt;
	struct ct_client *client;
	_Atomic uint64_t calls;
	int64_t zero_ns; /* of the bins: when the load began */
	struct load_meter *shorts;
	struct bin bins[BINS_MAX];
	struct load_result result, more_result;
	bool more_ok;
};

/* ---- the command line ----------------------------------------------------------------- */

static const struct option longs[] = {
	{ "url", required_argument, NULL, 'u' },
	{ "rate", required_argument, NULL, 'r' },
	{ "more-rate", required_argument, NULL, 'm' },
	{ "throttle", no_argument, NULL, 't' },
	{ "outstanding", required_argument, NULL, 0 },
	{ "spin-us", required_argument, NULL, 0 },
	{ "wait-us", required_argument, NULL, 0 },
	{ "timeout-ms", required_argument, NULL, 0 },
	{ "warmup-ms", required_argument, NULL, 0 },
	{ "duration-ms", required_argument, NULL, 0 },
	{ "attempts", required_argument, NULL, 0 },
	{ "together-us", required_argument, NULL, 0 },
	{ "long-every", required_argument, NULL, 0 },
	{ "more-from-ms", required_argument, NULL, 0 },
	{ "more-ms", required_argument, NULL, 0 },
	{ "hang-ms", required_argument, NULL, 0 },
	{ NULL, 0, NULL, 0 },
};

static bool number(const char *text, double most, double *ret)
{
	char *end;

	errno = 0;
	*ret = strtod(text, &end);
	return end != text && *end == '\0' && errno == 0 && *ret >= 0 && *ret <= most;
}

static uint32_t *whole_option(struct options *o, const char *name)
{
	const struct {
		const char *name;
		uint32_t *at;
	} rows[] = {
		{ "outstanding", &o->outstanding },   { "spin-us", &o->spin_us },
		{ "wait-us", &o->wait_us },           { "timeout-ms", &o->timeout_ms },
		{ "warmup-ms", &o->warmup_ms },       { "duration-ms", &o->duration_ms },
		{ "attempts", &o->attempts },         { "long-every", &o->long_every },
		{ "more-from-ms", &o->more_from_ms }, { "more-ms", &o->more_ms },
		{ "hang-ms", &o->hang_ms },           { "together-us", &o->together_us },
	};
	uint32_t *at = NULL;

	for (size_t i = 0; i < CT_ARRAY_N(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			at = rows[i].at;
	return at;
}

static bool parse(int argc, char **argv, struct options *ret)
{
	struct options o = {
		.timeout_ms = 1000, .warmup_ms = 500, .duration_ms = 2000, .attempts = 3
	};
	int opt, which;
	double v;

	while ((opt = getopt_long(argc, argv, "", longs, &which)) != -1) {
		if (opt == 'u')
			o.url = optarg;
		else if (opt == 't')
			o.throttle = true;
		else if (opt == '?' || !number(optarg, 1e9, &v))
			return false;
		else if (opt == 'r')
			o.rate = v;
		else if (opt == 'm')
			o.more_rate = v;
		else
			*whole_option(&o, longs[which].name) = (uint32_t)v;
	}
	*ret = o;
	return optind == argc && o.url != NULL && (o.rate > 0) != (o.outstanding > 0) &&
	       (o.spin_us > 0) != (o.wait_us > 0) && o.attempts > 0 && o.attempts <= UINT8_MAX;
}

/* ---- calls ------------------------------------------------------------------------------ */

static struct bin *bin_of(struct program *p, int64_t at_ns)
{
	const int64_t i = (at_ns - p->zero_ns) / (BIN_MS * NS_PER_MS);

	return &p->bins[i < 0 ? 0 : i < BINS_MAX ? i : BINS_MAX - 1];
}

static int64_t now_ns(void)
{
	return ct_now(ct_clock_system()).ns;
}

static void note_end(struct program *p, const struct load_call *call, const struct ct_reply *reply)
{
	const int64_t now = now_ns();

	if (reply->status == CT_OK) {
		atomic_fetch_add(&bin_of(p, call->due_ns)->ok_of_due, 1);
		atomic_fetch_add(&bin_of(p, now)->ok, 1);
	}
	if (call->due_ns >= p->zero_ns + p->opts.warmup_ms * NS_PER_MS)
		load_meter_record(p->shorts, (int)reply->status, (uint64_t)(now - call->due_ns));
}

static void done(void *arg, struct ct_reply *reply)
{
	struct load_call *call = arg;

	note_end(call->user, call, reply);
	load_call_ended(call, (int)reply->status);
}

static void done_long(void *arg, struct ct_reply *reply)
{
	load_call_ended(arg, (int)reply->status);
}

/* Chain without a hop does what Echo does, and is a method of its own. */
static void start(void *target, struct load_call *call)
{
	struct program *p = target;
	const struct options *o = &p->opts;
	const uint64_t n = atomic_fetch_add(&p->calls, 1) + 1;
	const bool is_long = o->long_every > 0 && n % o->long_every == 0;
	const uint32_t times = is_long ? LONG_TIMES : 1;
	const struct ct_call_opts co = { .timeout_ms = o->timeout_ms * times };
	Ct__V1__EchoRequest echo = CT__V1__ECHO_REQUEST__INIT;
	Ct__V1__ChainRequest chain = CT__V1__CHAIN_REQUEST__INIT;

	echo.spin_us = o->spin_us * times;
	echo.sleep_us = o->wait_us * times;
	chain.last = &echo;
	call->user = p;
	if (!is_long)
		atomic_fetch_add(&bin_of(p, call->due_ns)->due, 1);
	ct_client_start(p->client, NULL, &probe_chain_method, &chain.base, &co,
			is_long ? done_long : done, call);
}

static void start_hanging(void *target, struct load_call *call)
{
	const struct program *p = target;
	const struct ct_call_opts co = { .timeout_ms = p->opts.hang_ms };
	Ct__V1__EchoRequest echo = CT__V1__ECHO_REQUEST__INIT;

	echo.sleep_us = p->opts.hang_ms * 1000;
	ct_client_start(p->client, NULL, &probe_echo_method, &echo.base, &co, done_long, call);
}

/* ---- the load ------------------------------------------------------------------------------ */

static void *load_more(void *arg)
{
	struct program *p = arg;
	const struct options *o = &p->opts;
	const struct load_plan plan = {
		.rate = o->more_rate,
		.together = load_corked,
		.slots_max = SLOTS,
		.duration_ms = o->more_ms,
		.timeout_ms = o->hang_ms > 0 ? o->hang_ms : o->timeout_ms,
	};
	struct ct_ctx *ctx = NULL;

	if (ct_ctx_new_root(p->rt.timers, CT_NEVER, &ctx) != CT_OK)
		return NULL;
	if (ct_ctx_sleep_until(ctx, ct_deadline_after_ms(ct_clock_system(), o->more_from_ms)) ==
	    CT_OK)
		p->more_ok = load_run(&plan, o->hang_ms > 0 ? start_hanging : start, p,
				      &p->more_result) == 0;
	ct_ctx_unref(ctx);
	return NULL;
}

static bool load_all(struct program *p)
{
	const struct options *o = &p->opts;
	const struct load_plan plan = {
		.rate = o->rate,
		.outstanding = o->outstanding,
		.slots_max = SLOTS,
		.together_us = o->together_us,
		.together = load_corked,
		.warmup_ms = o->warmup_ms,
		.duration_ms = o->duration_ms,
		.timeout_ms = o->timeout_ms * (o->long_every > 0 ? LONG_TIMES : 1),
	};
	const bool two = o->more_rate > 0;
	pthread_t more;
	bool ok;

	p->zero_ns = now_ns();
	p->more_ok = !two;
	if (two && ct_thread_start(&more, "more", load_more, p) != CT_OK)
		return false;
	ok = load_run(&plan, start, p, &p->result) == 0;
	if (two)
		ct_thread_join(more);
	return ok && p->more_ok && p->result.lost == 0 && p->more_result.lost == 0;
}

static ct_status connect_to(struct program *p, const char **ret_why)
{
	const struct ct_runtime_opts ro = { .service = "bench" };
	const struct ct_client_opts co = {
		.rt = &p->rt,
		.peer = "server",
		.urls = &p->opts.url,
		.urls_n = 1,
		.outstanding_max = CALLS_MAX,
		.attempts_max = (uint8_t)p->opts.attempts,
		.throttle = p->opts.throttle,
	};
	struct ct_ctx *ctx = NULL;
	ct_status st;

	st = ct_runtime_init(&p->rt, &ro);
	if (st == CT_OK)
		st = ct_client_new(&co, &p->client, ret_why);
	if (st == CT_OK)
		st = ct_ctx_new_root(p->rt.timers,
				     ct_deadline_after_ms(ct_clock_system(), CONNECT_MS), &ctx);
	if (st == CT_OK)
		st = ct_client_wait_ready(p->client, ctx);
	ct_ctx_unref(ctx);
	return st;
}

/* ---- what came of it ------------------------------------------------------------------------ */

static void print_bins(struct program *p)
{
	const uint32_t ms = p->opts.warmup_ms + p->opts.duration_ms;
	uint32_t n = ms / BIN_MS;

	if (n > BINS_MAX)
		n = BINS_MAX;
	printf(", \"bin_ms\": %d, \"bins\": [", BIN_MS);
	for (uint32_t i = 0; i < n; i++)
		printf("%s[%" PRIu32 ", %" PRIu32 ", %" PRIu32 "]", i > 0 ? ", " : "",
		       atomic_load(&p->bins[i].due), atomic_load(&p->bins[i].ok_of_due),
		       atomic_load(&p->bins[i].ok));
	printf("]");
}

static void print_result(struct program *p)
{
	struct ct_client_stats stats;
	struct load_result shorts = { .elapsed_ns = p->result.elapsed_ns };

	ct_client_stats(p->client, &stats);
	load_meter_read(p->shorts, &shorts);
	printf("{");
	load_report_json(&p->result, stdout);
	printf(", \"short_ns\": ");
	load_report_json_times(&shorts.ok_ns, stdout);
	printf(", \"attempts\": %" PRIu64 ", \"retries\": %" PRIu64 ", \"throttled\": %" PRIu64,
	       stats.attempts, stats.retries, stats.throttled);
	print_bins(p);
	printf("}\n");
}

int main(int argc, char **argv)
{
	struct program *p = ct_mem_zalloc(1, sizeof(*p));
	const char *why = "";
	int rc = EXIT_FAILED;
	ct_status st;

	if (p == NULL)
		return EXIT_FAILED;
	if (!parse(argc, argv, &p->opts)) {
		(void)fprintf(stderr, "usage: see the head of bench/ours/goodput.c\n");
		ct_mem_free(p);
		return EXIT_USAGE;
	}
	p->shorts = load_meter_new();
	st = p->shorts != NULL ? connect_to(p, &why) : CT_RESOURCE_EXHAUSTED;
	if (st != CT_OK)
		(void)fprintf(stderr, "%s: %s %s\n", argv[0], ct_status_text(st), why);
	else if (load_all(p))
		rc = 0;
	if (rc == 0)
		print_result(p);
	p->client = ct_client_free(p->client);
	ct_runtime_fini(&p->rt);
	p->shorts = load_meter_free(p->shorts);
	ct_mem_free(p);
	return rc;
}
