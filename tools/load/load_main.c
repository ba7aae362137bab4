/* SPDX-License-Identifier: Apache-2.0 */
#include "load/load_main.h"

#include "base/attrs.h"
#include "base/mem.h"
#include "load/proc.h"
#include "load/report.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, SLOTS_DEFAULT = 4096, COLUMNS = 90 };

struct options {
	const char *url;
	uint32_t outstanding, slots, duration_ms, warmup_ms, payload, connections, timeout_ms;
	double rate;
	int server_pid; /* 0: none */
	bool mark, json;
};

/* One run of the program. */
struct program {
	const struct load_driver *driver;
	struct options opts;
	void *target;
	struct load_proc opened, closed; /* the server's at the window's ends */
	bool server_seen;                /* at both */
	struct load_result result;
};

/* ---- the command line ------------------------------------------------------------------- */

static const char usage[] =
	"--url URL (--outstanding N | --rate R) [--duration-ms N] [--warmup-ms N]\n"
	"       [--payload BYTES] [--connections N] [--timeout-ms N] [--slots N]\n"
	"       [--server-pid PID [--mark]] [--json]\n";

enum opt {
	OPT_OUTSTANDING,
	OPT_SLOTS,
	OPT_DURATION,
	OPT_WARMUP,
	OPT_PAYLOAD,
	OPT_CONNECTIONS,
	OPT_TIMEOUT,
	OPT_NUMBERS, /* those above are whole numbers */
	OPT_URL = OPT_NUMBERS,
	OPT_RATE,
	OPT_SERVER_PID,
	OPT_MARK,
	OPT_JSON,
};

static const struct number_row {
	const char *name;
	uint32_t least, most;
	size_t offset;
} numbers[OPT_NUMBERS] = {
	[OPT_OUTSTANDING] = { "outstanding", 1, LOAD_SLOTS_MAX,
			      offsetof(struct options, outstanding) },
	[OPT_SLOTS] = { "slots", 1, LOAD_SLOTS_MAX, offsetof(struct options, slots) },
	[OPT_DURATION] = { "duration-ms", 1, 3600000, offsetof(struct options, duration_ms) },
	[OPT_WARMUP] = { "warmup-ms", 0, 3600000, offsetof(struct options, warmup_ms) },
	[OPT_PAYLOAD] = { "payload", 0, 16 << 20, offsetof(struct options, payload) },
	[OPT_CONNECTIONS] = { "connections", 1, 16, offsetof(struct options, connections) },
	[OPT_TIMEOUT] = { "timeout-ms", 1, 3600000, offsetof(struct options, timeout_ms) },
};

static bool parse_double(const char *text, double *ret)
{
	char *end;

	errno = 0;
	*ret = strtod(text, &end);
	return end != text && *end == '\0' && errno == 0;
}

static bool parse_number(const struct number_row *row, const char *text, struct options *o)
{
	double v;
	uint32_t n;

	if (!parse_double(text, &v) || !(v >= row->least && v <= row->most))
		return false;
	n = (uint32_t)v;
	memcpy((char *)o + row->offset, &n, sizeof(n));
	return (double)n == v;
}

static bool parse_one(int opt, const char *text, struct options *o)
{
	double v;

	switch (opt) {
	case OPT_URL:
		o->url = text;
		return true;
	case OPT_RATE:
		return parse_double(text, &o->rate) && o->rate > 0;
	case OPT_SERVER_PID:
		if (!parse_double(text, &v) || !(v >= 1 && v <= INT32_MAX))
			return false;
		o->server_pid = (int)v;
		return true;
	case OPT_MARK:
		o->mark = true;
		return true;
	case OPT_JSON:
		o->json = true;
		return true;
	default:
		return opt >= 0 && opt < OPT_NUMBERS && parse_number(&numbers[opt], text, o);
	}
}

static bool parse(int argc, char **argv, struct options *ret)
{
	static const struct option longs[] = {
		{ "outstanding", required_argument, NULL, OPT_OUTSTANDING },
		{ "slots", required_argument, NULL, OPT_SLOTS },
		{ "duration-ms", required_argument, NULL, OPT_DURATION },
		{ "warmup-ms", required_argument, NULL, OPT_WARMUP },
		{ "payload", required_argument, NULL, OPT_PAYLOAD },
		{ "connections", required_argument, NULL, OPT_CONNECTIONS },
		{ "timeout-ms", required_argument, NULL, OPT_TIMEOUT },
		{ "url", required_argument, NULL, OPT_URL },
		{ "rate", required_argument, NULL, OPT_RATE },
		{ "server-pid", required_argument, NULL, OPT_SERVER_PID },
		{ "mark", no_argument, NULL, OPT_MARK },
		{ "json", no_argument, NULL, OPT_JSON },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = {
		.slots = SLOTS_DEFAULT,
		.duration_ms = 3000,
		.warmup_ms = 500,
		.payload = 128,
		.connections = 1,
		.timeout_ms = 5000,
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (parse_one(opt, optarg, &o))
			continue;
		if (opt != '?')
			(void)fprintf(stderr, "%s: not possible: %s\n", argv[0], optarg);
		return false;
	}
	if (optind < argc || o.url == NULL || (o.outstanding > 0) == (o.rate > 0))
		return false;
	*ret = o;
	return true;
}

/* ---- the run ------------------------------------------------------------------------------ */

static bool prepare(void *arg, struct load_call *call)
{
	const struct program *p = arg;

	return p->driver->prepare == NULL || p->driver->prepare(p->target, call);
}

static void together(void *arg, bool begin)
{
	const struct program *p = arg;

	if (p->driver->together != NULL)
		p->driver->together(p->target, begin);
}

static void window(void *arg, bool open)
{
	struct program *p = arg;
	const int pid = p->opts.server_pid;

	if (pid > 0 && open && p->opts.mark)
		(void)kill(pid, SIGUSR1); /* one that is gone shows in load_proc_read() */
	if (pid > 0 && open)
		p->server_seen = load_proc_read(pid, &p->opened);
	if (pid > 0 && !open)
		p->server_seen = p->server_seen && load_proc_read(pid, &p->closed);
	if (p->driver->window != NULL)
		p->driver->window(p->target, open);
}

static bool measure(struct program *p)
{
	const struct options *o = &p->opts;
	const struct load_plan plan = {
		.outstanding = o->outstanding,
		.rate = o->rate,
		.slots_max = o->slots,
		.connections = o->connections,
		.warmup_ms = o->warmup_ms,
		.duration_ms = o->duration_ms,
		.timeout_ms = o->timeout_ms,
		.arg = p,
		.prepare = prepare,
		.together = together,
		.window = window,
	};

	return load_run(&plan, p->driver->start, p->target, &p->result) == 0;
}

static void print_json(struct program *p)
{
	const struct options *o = &p->opts;

	printf("{\"driver\": ");
	load_report_json_string(p->driver->name, stdout);
	printf(", \"url\": ");
	load_report_json_string(o->url, stdout);
	printf(", \"mode\": \"%s\", \"outstanding\": %" PRIu32 ", \"rate\": %.1f"
	       ", \"slots\": %" PRIu32 ", \"payload\": %" PRIu32 ", \"connections\": %" PRIu32
	       ", \"timeout_ms\": %" PRIu32 ", \"warmup_ms\": %" PRIu32 ", ",
	       o->rate > 0 ? "open" : "closed", o->outstanding, o->rate,
	       o->rate > 0 ? o->slots : o->outstanding, o->payload, o->connections, o->timeout_ms,
	       o->warmup_ms);
	load_report_json(&p->result, stdout);
	if (p->server_seen)
		printf(", \"server\": {\"cpu_ns\": %" PRId64 ", \"rss_kib\": %" PRIu64
		       ", \"threads\": %" PRIu32 "}",
		       p->closed.cpu_ns - p->opened.cpu_ns, p->closed.rss_kib, p->closed.threads);
	if (p->driver->json != NULL)
		p->driver->json(p->target, &p->result, stdout);
	printf("}\n");
}

static int run(struct program *p)
{
	const struct options *o = &p->opts;
	const struct load_target_opts to = {
		.url = o->url,
		.payload_bytes = o->payload,
		.connections = o->connections,
		.timeout_ms = o->timeout_ms,
		.slots = o->rate > 0 ? o->slots : o->outstanding,
	};
	const char *why = "cannot connect";
	int rc = EXIT_FAILED;

	p->target = p->driver->open(&to, &why);
	if (p->target == NULL) {
		(void)fprintf(stderr, "%s: %s: %s\n", p->driver->name, o->url, why);
		return EXIT_FAILED;
	}
	if (!measure(p)) {
		(void)fprintf(stderr, "%s: a number is out of its range, or no memory\n",
			      p->driver->name);
		goto out;
	}
	if (o->json)
		print_json(p);
	else
		load_report_text(&p->result, stdout, COLUMNS);
	rc = p->result.ok > 0 && p->result.lost == 0 && (o->server_pid == 0 || p->server_seen)
		     ? 0
		     : EXIT_FAILED;
out:
	if (p->result.lost == 0) /* else its calls may still come */
		p->driver->close(p->target);
	return rc;
}

int load_main(int argc, char **argv, const struct load_driver *driver)
{
	struct program *p = ct_mem_zalloc(1, sizeof(*p));
	int rc;

	if (p == NULL)
		return EXIT_FAILED;
	p->driver = driver;
	if (!parse(argc, argv, &p->opts)) {
		(void)fprintf(stderr, "usage: %s %s", argv[0], usage);
		rc = EXIT_USAGE;
	} else {
		rc = run(p);
	}
	ct_mem_free(p);
	return rc;
}
