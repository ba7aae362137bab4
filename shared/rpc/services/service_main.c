/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/services/service_main.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/thread.h"
#include "rpc/services/service_args.h"
#include "rpc/services/service_lint.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	STOP_MS = 3000, /* calls that were cancelled must end within it */
	FLUSH_MS = 1000,
	GRACE_MS = 3000, /* beyond server.drain_ms, for cancelled calls to end */
};

/* A program that serves. */
struct run {
	const struct ct_service *svc;
	struct ct_service_host *host;
	struct ct_log *log;
	int signals; /* signalfd of SIGTERM and SIGINT */
	int stopped; /* eventfd: the server has stopped */
	pthread_t joiner;
};

/* ---- settings --------------------------------------------------------------- */

static void usage(const struct ct_service *svc, FILE *out)
{
	(void)fprintf(
		out,
		"usage: %s [-c FILE] [-s PATH=VALUE]... [--check-config | --print-config]\n"
		"%s\n\n"
		"  -c FILE         read the settings from FILE (else the defaults)\n"
		"  -s PATH=VALUE   one setting over the file's, such as -s server.workers=16\n"
		"  --check-config  only say whether the settings are in order, and whether the\n"
		"                  times of methods, waits and limits fit together\n"
		"  -p NAME=FILE    the settings of the peer NAME, for --check-config\n"
		"  --print-config  only print all settings with meaning, range and default\n"
		"  --print-docs    the same as a table in markdown\n"
		"  --help          this text\n"
		"  --version       name and version\n\n"
		"SIGTERM or SIGINT: finish the running calls, then exit.\n"
		"A second one: exit at once.\n",
		svc->name, svc->summary);
}

static ct_status load(const struct ct_service *svc, const struct ct_service_args *args,
		      void **ret_conf)
{
	const struct ct_conf_source src = { args->path, args->overrides, args->overrides_n };
	struct ct_conf_report report;
	void *conf = ct_mem_zalloc(1, svc->schema->size);
	ct_status st = CT_RESOURCE_EXHAUSTED;

	if (conf != NULL)
		st = ct_conf_load(svc->schema, &src, conf, &report);
	if (st == CT_OK) {
		*ret_conf = conf;
		return CT_OK;
	}
	(void)fprintf(stderr, "%s: the settings are not in order\n%s", svc->name,
		      conf != NULL ? report.text : "out of memory\n");
	ct_mem_free(conf);
	return st;
}

/* What no single setting can say. */
static int check(const struct ct_service *svc, const struct ct_service_args *args, const void *conf)
{
	struct ct_conf_report report;

	if (ct_service_lint_files(svc, conf, args->peers, args->peers_n, &report) != CT_OK) {
		(void)fprintf(stderr, "%s: the settings do not fit together\n%s", svc->name,
			      report.text);
		return EXIT_FAILED;
	}
	return printf("%s: the settings are in order\n",
		      args->path != NULL ? args->path : svc->name) < 0;
}

/* What needs no running service. */
static int show(const struct ct_service *svc, const struct ct_service_args *args, const void *conf)
{
	switch (args->mode) {
	case CT_SERVICE_CHECK_CONFIG:
		return check(svc, args, conf);
	case CT_SERVICE_PRINT_CONFIG:
		return ct_conf_print(svc->schema, conf, stdout) != CT_OK;
	case CT_SERVICE_PRINT_DOCS:
		return ct_conf_print_docs(svc->schema, stdout) != CT_OK;
	case CT_SERVICE_HELP:
		usage(svc, stdout);
		break;
	case CT_SERVICE_VERSION:
		return printf("%s %s\n", svc->name, svc->version) < 0;
	case CT_SERVICE_RUN:
		break;
	}
	return 0;
}

/* ---- serving ------------------------------------------------------------------ */

static void *joiner_main(void *arg)
{
	struct run *r = arg;
	const uint64_t one = 1;

	ct_server_join(ct_service_host_server(r->host));
	CT_CHECK(write(r->stopped, &one, sizeof(one)) == (ssize_t)sizeof(one));
	return NULL;
}

/* Waits for the next signal or the server's end. The signal; 0: the server has
 * stopped; -1: neither within the time. */
static int next_event(const struct run *r, bool ending, int timeout_ms)
{
	struct pollfd fds[2] = { { .fd = r->signals, .events = POLLIN },
				 { .fd = ending ? r->stopped : -1, .events = POLLIN } };
	struct signalfd_siginfo si;
	int n;

	do
		n = poll(fds, CT_ARRAY_N(fds), timeout_ms);
	while (n < 0 && errno == EINTR);
	CT_CHECK(n >= 0);
	if (n == 0)
		return -1;
	if (fds[1].revents != 0)
		return 0;
	CT_CHECK(read(r->signals, &si, sizeof(si)) == (ssize_t)sizeof(si));
	return (int)si.ssi_signo;
}

static void log_counts(const struct run *r, bool clean)
{
	struct ct_server_stats s;

	ct_server_stats(ct_service_host_server(r->host), &s);
	CT_LOG(r->log, clean ? CT_LOG_INFO : CT_LOG_ERROR,
	       clean ? "stopped" : "calls would not end", CT_UINT("received", s.calls.received),
	       CT_UINT("ok", s.calls.ok), CT_UINT("app_error", s.calls.app_error),
	       CT_UINT("refused", s.calls.refused),
	       CT_UINT("expired", s.calls.expired_queued + s.calls.expired_running),
	       CT_UINT("cancelled", s.calls.cancelled_queued + s.calls.cancelled_running),
	       CT_UINT("peer_gone", s.calls.peer_gone), CT_UINT("in_flight", s.calls.in_flight),
	       CT_BOOL("identity_ok", s.identity_ok));
}

/* From the first signal until the server has stopped. False: calls would not end. */
static bool drain(struct run *r, uint32_t drain_ms)
{
	struct ct_server *server = ct_service_host_server(r->host);
	int event;

	ct_server_drain(server);
	if (ct_thread_start(&r->joiner, "ct-joiner", joiner_main, r) != CT_OK) {
		ct_server_stop(server);
		ct_server_join(server);
		return true;
	}
	event = next_event(r, true, (int)(drain_ms + GRACE_MS));
	if (event > 0) {
		CT_LOG(r->log, CT_LOG_WARN, "stopping at once", CT_INT("signal", event));
		ct_server_stop(server);
		event = next_event(r, true, STOP_MS);
	}
	if (event != 0)
		return false;
	ct_thread_join(r->joiner);
	return true;
}

static int serve(struct run *r, const struct ct_service_conf *conf)
{
	int signal_no;

	CT_LOG(r->log, CT_LOG_INFO, "started", CT_STR("version", r->svc->version),
	       CT_INT("pid", getpid()));
	signal_no = next_event(r, false, -1);
	CT_LOG(r->log, CT_LOG_INFO, "stop asked for", CT_INT("signal", signal_no),
	       CT_UINT("drain_ms", conf->server.drain_ms));
	if (!drain(r, conf->server.drain_ms)) {
		log_counts(r, false);
		if (ct_log_flush(r->log, FLUSH_MS) != CT_OK)
			(void)fprintf(stderr, "%s: log lines are lost\n", r->svc->name);
		_exit(EXIT_FAILED); /* threads still run: nothing may be released */
	}
	log_counts(r, true);
	r->host = ct_service_host_free(r->host);
	return 0;
}

/* Signals come through a descriptor: blocked before the first thread is made. */
static bool open_events(struct run *r)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	r->signals = signalfd(-1, &set, SFD_CLOEXEC);
	r->stopped = eventfd(0, EFD_CLOEXEC);
	return r->signals >= 0 && r->stopped >= 0;
}

static int run_service(const struct ct_service *svc, const void *conf)
{
	const struct ct_service_conf *common = conf;
	struct ct_log_opts log_opts = ct_log_conf_opts(&common->log, svc->name);
	struct run r = { .svc = svc, .signals = -1, .stopped = -1 };
	struct ct_service_why why;
	int rc = EXIT_FAILED;

	(void)umask(S_IRWXG | S_IRWXO); /* databases hold identities: this user's alone */
	if (!open_events(&r) || ct_log_new(&log_opts, &r.log) != CT_OK) {
		(void)fprintf(stderr, "%s: no descriptor, memory or thread to start with\n",
			      svc->name);
		goto out;
	}
	if (ct_service_host_new(svc, conf, r.log, &why, &r.host) != CT_OK) {
		CT_LOG(r.log, CT_LOG_ERROR, "not started", CT_STR("why", why.text));
		goto out;
	}
	rc = serve(&r, common);
out:
	r.log = ct_log_free(r.log);
	if (r.signals >= 0)
		(void)close(r.signals);
	if (r.stopped >= 0)
		(void)close(r.stopped);
	return rc;
}

int ct_service_main(const struct ct_service *svc, int argc, char **argv)
{
	const char *why = "", *what = "";
	struct ct_service_args args;
	void *conf = NULL;
	int rc;

	if (ct_service_args_parse(argc, argv, &args, &why, &what) != CT_OK) {
		(void)fprintf(stderr, "%s: '%s' %s; see --help\n", svc->name, what, why);
		return EXIT_USAGE;
	}
	if (args.mode == CT_SERVICE_HELP || args.mode == CT_SERVICE_VERSION ||
	    args.mode == CT_SERVICE_PRINT_DOCS)
		return show(svc, &args, NULL);
	if (load(svc, &args, &conf) != CT_OK)
		return EXIT_FAILED;
	rc = args.mode == CT_SERVICE_RUN ? run_service(svc, conf) : show(svc, &args, conf);
	ct_conf_fini(svc->schema, conf);
	ct_mem_free(conf);
	return rc;
}
