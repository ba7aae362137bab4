/* SPDX-License-Identifier: Apache-2.0 */
/* rpcctl bench METHOD JSON: many calls, and how long they took. */
#include "rpcctl/commands.h"

#include "base/mem.h"
#include "load/corked.h"
#include "load/load.h"
#include "load/report.h"
#include "rpcctl/request.h"

#include <inttypes.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	TIMEOUT_MS = 2000, /* of a client's call whose method has none */
	COLUMNS = 80,
	LINES_MS = 1000,
	LIVE_MS = 200, /* on a terminal */
};

struct bench {
	struct session *session;
	const struct ct_method *method;
	const ProtobufCMessage *req; /* every call's */
	struct ct_call_opts opts;
	bool live; /* stderr is a terminal: progress is one line, written again and again */
	struct load_result result;
};

/* ---- calls ---------------------------------------------------------------------------- */

static void done(void *arg, struct ct_reply *reply)
{
	load_call_ended(arg, (int)reply->status);
}

static void start(void *target, struct load_call *call)
{
	const struct bench *b = target;

	ct_client_start(b->session->client, b->session->ctx, b->method, b->req, &b->opts, done,
			call);
}

/* The interrupt key has cancelled all calls. */
static bool stopped(void *arg)
{
	const struct bench *b = arg;

	return ct_ctx_done(b->session->ctx);
}

/* ---- what people see ------------------------------------------------------------------ */

static void progress(void *arg, const struct load_result *so_far)
{
	const struct bench *b = arg;

	if (b->live)
		fputs("\r\033[K", stderr);
	load_report_line(so_far, stderr);
	if (!b->live)
		fputc('\n', stderr);
	(void)fflush(stderr); /* progress that cannot be shown is no reason to stop */
}

static unsigned columns_of(int fd)
{
	struct winsize w;

	return ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : (unsigned)COLUMNS;
}

static void print_text(const struct bench *b, const struct ct_client_stats *stats)
{
	load_report_text(&b->result, stdout, columns_of(STDOUT_FILENO));
	if (stats->retries > 0)
		printf("\n%" PRIu64 " attempts were retries\n", stats->retries);
}

static void print_json(const struct bench *b, const struct ct_client_stats *stats)
{
	const struct rpcctl_bench_args *a = &b->session->args->bench;

	printf("{\"method\": ");
	load_report_json_string(b->method->name, stdout);
	printf(", \"mode\": \"%s\", \"outstanding\": %" PRIu32 ", \"rate\": %.3f"
	       ", \"connections\": %u, \"duration_ms\": %" PRIu32 ", \"timeout_ms\": %" PRIu32
	       ", \"retries\": %" PRIu64 ", ",
	       a->rate > 0 ? "open" : "closed", a->outstanding, a->rate,
	       a->connections > 0 ? a->connections : 1U, a->duration_ms, b->opts.timeout_ms,
	       stats->retries);
	load_report_json(&b->result, stdout);
	printf("}\n");
}

/* ---- the run -------------------------------------------------------------------------- */

/* One call that does not count. False: nobody is there to measure, and stderr says so. An
 * error that a server answers is shown as well, but it can be measured. */
static bool try_once(struct bench *b)
{
	struct session *s = b->session;

	if (session_call(s, b->method, b->req) == CT_OK)
		return true;
	(void)rpcctl_show_error(s);
	return s->reply.attempts > 0 && s->reply.status != CT_UNAVAILABLE && !stopped(b);
}

static int run(struct bench *b)
{
	const struct rpcctl_bench_args *a = &b->session->args->bench;
	const bool tells = b->live || !a->json;
	const struct load_plan plan = {
		.outstanding = a->outstanding,
		.rate = a->rate,
		.duration_ms = a->duration_ms,
		.timeout_ms = b->opts.timeout_ms,
		.arg = b,
		.stopped = stopped,
		.together = load_corked,
		.progress = progress,
		.progress_ms = !tells    ? 0
			       : b->live ? LIVE_MS
					 : LINES_MS,
	};
	struct ct_client_stats stats;

	if (!try_once(b))
		return RPCCTL_EXIT_FAILED;
	if (load_run(&plan, start, b, &b->result) != 0) {
		fputs("rpcctl: no memory\n", stderr);
		return RPCCTL_EXIT_FAILED;
	}
	if (b->live)
		fputs("\r\033[K", stderr);
	ct_client_stats(b->session->client, &stats);
	if (a->json)
		print_json(b, &stats);
	else
		print_text(b, &stats);
	return b->result.ok > 0 ? 0 : RPCCTL_EXIT_FAILED;
}

static uint32_t timeout_of(const struct rpcctl_args *args, const struct ct_method *m)
{
	if (args->timeout_ms > 0)
		return args->timeout_ms;
	return m->timeout_ms > 0 ? m->timeout_ms : (uint32_t)TIMEOUT_MS;
}

/* b->method and b->req are there. */
static int open_and_run(struct bench *b, const struct rpcctl_args *args)
{
	struct session s;
	int status;

	if (session_open(&s, args, args->urls, args->urls_n) != CT_OK)
		return RPCCTL_EXIT_USAGE;
	b->session = &s;
	b->live = isatty(STDERR_FILENO) == 1;
	b->opts = session_call_opts(&s);
	b->opts.timeout_ms = timeout_of(args, b->method);
	status = run(b);
	session_close(&s);
	return status;
}

int rpcctl_bench(const struct rpcctl_args *args)
{
	struct bench *b = ct_mem_zalloc(1, sizeof(*b));
	int status = RPCCTL_EXIT_USAGE;
	ProtobufCMessage *req;

	if (b == NULL) {
		fputs("rpcctl: no memory\n", stderr);
		return RPCCTL_EXIT_FAILED;
	}
	if (rpcctl_request_read(args, &b->method, &req) == CT_OK) {
		b->req = req;
		status = open_and_run(b, args);
		protobuf_c_message_free_unpacked(req, NULL);
	}
	ct_mem_free(b);
	return status;
}
