/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least program that serves ct.v1.Probe on the runtime. Prints "listening URL" and
 * "ready"; SIGUSR1 begins counting anew; SIGTERM prints one JSON object with what was
 * counted since, and ends it.
 */
#include "rpc/server.h"
#include "bench/ours/mallocs.h"
#include "bench/ours/watched.h"
#include "rpc/client.h"
#include "rpc/services/probe.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, WORKERS_MAX = 256, CALLS_MAX = 65536 };

struct options {
	const char *listen, *watch_path, *peer_url; /* of the peer "next"; NULL: none */
	uint16_t workers;
	uint32_t queue, method_calls;
	bool forgetful;
};

struct program {
	struct options opts;
	struct watched watched;
	struct ct_runtime rt;
	struct ct_client *next; /* NULL: no peer */
	struct ct_server *server;
	struct ct_probe probe;
	/* when counting began */
	struct mallocs mallocs;
	struct ct_server_stats stats;
};

static int usage(const char *name)
{
	(void)fprintf(stderr,
		      "usage: %s --listen URL [--workers N] [--queue N] [--peer URL]\n"
		      "       [--method-calls N] [--watch FILE] [--forgetful]\n"
		      "  --peer URL    what Probe/Chain knows as \"next\"\n"
		      "  --watch FILE  note there when handlers ran\n"
		      "  --forgetful   handlers do not see that their caller gave up\n",
		      name);
	return EXIT_USAGE;
}

static bool number(const char *text, unsigned most, uint32_t *ret)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || v == 0 || v > most)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static bool parse(int argc, char **argv, struct options *ret)
{
	static const struct option longs[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "workers", required_argument, NULL, 'w' },
		{ "queue", required_argument, NULL, 'q' },
		{ "method-calls", required_argument, NULL, 'm' },
		{ "peer", required_argument, NULL, 'p' },
		{ "watch", required_argument, NULL, 'f' },
		{ "forgetful", no_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = { .queue = 4096 };
	uint32_t workers = 2;
	bool ok = true;
	int opt;

	while (ok && (opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (opt) {
		case 'l':
			o.listen = optarg;
			break;
		case 'w':
			ok = number(optarg, WORKERS_MAX, &workers);
			break;
		case 'q':
			ok = number(optarg, CALLS_MAX, &o.queue);
			break;
		case 'm':
			ok = number(optarg, CALLS_MAX, &o.method_calls);
			break;
		case 'p':
			o.peer_url = optarg;
			break;
		case 'f':
			o.watch_path = optarg;
			break;
		case 'x':
			o.forgetful = true;
			break;
		default:
			ok = false;
		}
	}
	o.workers = (uint16_t)workers;
	*ret = o;
	return ok && optind == argc && o.listen != NULL;
}

/* ---- life --------------------------------------------------------------------------- */

static struct ct_client *find(void *arg, const char *peer)
{
	const struct program *p = arg;

	return strcmp(peer, "next") == 0 ? p->next : NULL;
}

static ct_status make_watched(struct program *p)
{
	if (p->opts.watch_path != NULL) {
		p->watched.watch = watch_open(p->opts.watch_path);
		if (p->watched.watch == NULL)
			return ct_status_from_errno(errno);
	}
	watched_set(&p->watched);
	if (!p->opts.forgetful)
		return CT_OK;
	return ct_ctx_new_root(p->rt.timers, CT_NEVER, &p->watched.forgetful);
}

static ct_status make_next(struct program *p, const char **ret_why)
{
	const struct ct_client_opts opts = {
		.rt = &p->rt,
		.peer = "next",
		.urls = &p->opts.peer_url,
		.urls_n = 1,
		.outstanding_max = 32768,
	};

	return p->opts.peer_url != NULL ? ct_client_new(&opts, &p->next, ret_why) : CT_OK;
}

static ct_status make_server(struct program *p, const char **ret_why)
{
	const struct ct_server_opts opts = {
		.rt = &p->rt,
		.version = CT_VERSION,
		.workers = p->opts.workers,
		.queue_max = p->opts.queue,
		.calls_max = CALLS_MAX,
		.method_calls_max = p->opts.method_calls,
	};
	ct_status st = ct_server_new(&opts, &p->server);

	p->probe = (struct ct_probe){ find, p };
	if (st == CT_OK)
		st = ct_server_add_standard(p->server);
	if (st == CT_OK)
		st = ct_probe_add(p->server, &p->probe);
	if (st == CT_OK)
		st = ct_server_listen(p->server, p->opts.listen, ret_why);
	return st;
}

static void close_all(struct program *p)
{
	p->server = ct_server_free(p->server);
	p->next = ct_client_free(p->next);
	p->watched.forgetful = ct_ctx_unref(p->watched.forgetful);
	ct_runtime_fini(&p->rt);
	watch_close(p->watched.watch);
}

/* ---- counting ------------------------------------------------------------------------- */

static void begin_counting(struct program *p)
{
	mallocs_read(&p->mallocs);
	ct_server_stats(p->server, &p->stats);
}

static void print_refusals(const struct ct_server_stats *from, const struct ct_server_stats *to)
{
	static const char *const names[CT_REFUSALS_N] = {
#define X(name, text, status) [CT_REFUSAL_##name] = (text),
		CT_REFUSALS(X)
#undef X
	};

	printf(", \"refused_by\": {");
	for (unsigned i = 0; i < CT_REFUSALS_N; i++)
		printf("%s\"%s\": %" PRIu64, i > 0 ? ", " : "", names[i],
		       to->refused_by[i] - from->refused_by[i]);
	printf("}, \"looked_at\": %" PRIu64 ", \"in_time\": %" PRIu64 ", \"unused\": %" PRIu64,
	       to->infeasible_looked_at - from->infeasible_looked_at,
	       to->infeasible_in_time - from->infeasible_in_time,
	       to->infeasible_unused - from->infeasible_unused);
}

static void print_counts(const struct program *p)
{
	struct ct_server_stats now;
	struct mallocs mallocs;
	uint64_t calls;

	mallocs_read(&mallocs);
	ct_server_stats(p->server, &now);
	calls = now.calls.received - p->stats.calls.received;
	printf("{\"server\": \"ours\", \"calls\": %" PRIu64 ", \"ok\": %" PRIu64
	       ", \"refused\": %" PRIu64 ", \"expired_queued\": %" PRIu64
	       ", \"expired_running\": %" PRIu64 ", \"cancelled_queued\": %" PRIu64
	       ", \"cancelled_running\": %" PRIu64 ", \"wasted_us\": %" PRIu64,
	       calls, now.calls.ok - p->stats.calls.ok, now.calls.refused - p->stats.calls.refused,
	       now.calls.expired_queued - p->stats.calls.expired_queued,
	       now.calls.expired_running - p->stats.calls.expired_running,
	       now.calls.cancelled_queued - p->stats.calls.cancelled_queued,
	       now.calls.cancelled_running - p->stats.calls.cancelled_running,
	       now.wasted_us - p->stats.wasted_us);
	print_refusals(&p->stats, &now);
	printf(", \"mallocs\": ");
	mallocs_json(&p->mallocs, &mallocs, calls, stdout);
	printf("}\n");
	(void)fflush(stdout);
}

static void block_signals(sigset_t *ret)
{
	(void)sigemptyset(ret);
	(void)sigaddset(ret, SIGTERM);
	(void)sigaddset(ret, SIGINT);
	(void)sigaddset(ret, SIGUSR1);
	(void)pthread_sigmask(SIG_BLOCK, ret, NULL);
}

static void serve(struct program *p, const sigset_t *signals)
{
	int sig;

	begin_counting(p);
	printf("listening %s\nready\n", ct_server_url(p->server, 0));
	(void)fflush(stdout);
	while (sigwait(signals, &sig) == 0 && sig == SIGUSR1)
		begin_counting(p);
	print_counts(p);
}

int main(int argc, char **argv)
{
	const struct ct_runtime_opts ro = { .service = "bench" };
	static struct program p;
	const char *why = "";
	sigset_t signals;
	ct_status st;

	mallocs_init();
	if (!parse(argc, argv, &p.opts))
		return usage(argv[0]);
	block_signals(&signals);
	st = ct_runtime_init(&p.rt, &ro);
	if (st == CT_OK)
		st = make_watched(&p);
	if (st == CT_OK)
		st = make_next(&p, &why);
	if (st == CT_OK)
		st = make_server(&p, &why);
	if (st == CT_OK)
		serve(&p, &signals);
	else
		(void)fprintf(stderr, "%s: %s %s\n", argv[0], ct_status_text(st), why);
	close_all(&p);
	return st == CT_OK ? 0 : EXIT_FAILED;
}
