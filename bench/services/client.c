/* SPDX-License-Identifier: Apache-2.0 */
/* Drives the services with the calls of one kind, over the endpoints of --url URL[,URL]…:
 *
 *   service-client detail --subjects FILE …   GetPatientDetail of one subject after the other
 *   service-client echo --sleep-us N …        Probe/Echo with handlers that wait
 *
 * What follows is load_main()'s. */
#include "load/load_main.h"

#include "clinic/v1/patient.ct.h"
#include "ct/v1/probe.ct.h"
#include "rpc/client.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	URLS_MAX = 8,
	SUBJECT_MAX = 64,
	CONNECT_MS = 5000,
	LOOK_US = 1000,
	OWN_ARGS = 3, /* the kind, and an option with its value */
};

struct target {
	struct ct_runtime rt;
	struct ct_client *client;
	struct ct_call_opts call;
	_Atomic size_t turn;
};

/* What to call; set by main, then constant. */
static char (*subjects)[SUBJECT_MAX];
static size_t subjects_n;
static uint32_t sleep_us;

/* ---- the calls ----------------------------------------------------------------------------- */

static void on_echo(void *arg, struct ct_reply *reply)
{
	load_call_ended(arg, (int)reply->status);
}

static void start_echo(void *target, struct load_call *call)
{
	struct target *t = target;
	Ct__V1__EchoRequest req = CT__V1__ECHO_REQUEST__INIT;

	req.sleep_us = sleep_us;
	ct_client_start(t->client, NULL, &probe_echo_method, &req.base, &t->call, on_echo, call);
}

/* A view with a hole in it is not what was to be measured. */
static void on_detail(void *arg, struct ct_reply *reply)
{
	int status = (int)reply->status;

	if (reply->status == CT_OK && !patient_get_patient_detail_response(reply)->complete)
		status = (int)CT_INTERNAL;
	load_call_ended(arg, status);
}

/* Neighbours in the list are far apart in time: the stride is a prime. */
static void start_detail(void *target, struct load_call *call)
{
	enum { STRIDE = 7919 };
	struct target *t = target;
	const size_t turn = atomic_fetch_add_explicit(&t->turn, 1, memory_order_relaxed);
	Clinic__V1__GetPatientDetailRequest req = CLINIC__V1__GET_PATIENT_DETAIL_REQUEST__INIT;

	req.usubjid = subjects[turn * STRIDE % subjects_n];
	ct_client_start(t->client, NULL, &patient_get_patient_detail_method, &req.base, &t->call,
			on_detail, call);
}

/* ---- the target ---------------------------------------------------------------------------- */

static void close_target(void *target)
{
	struct target *t = target;

	t->client = ct_client_free(t->client);
	ct_runtime_fini(&t->rt);
	free(t);
}

/* Cuts text at its commas. */
static size_t split(char *text, const char **urls)
{
	size_t n = 0;
	char *rest = NULL;

	for (char *url = strtok_r(text, ",", &rest); url != NULL && n < URLS_MAX;
	     url = strtok_r(NULL, ",", &rest))
		urls[n++] = url;
	return n;
}

/* Waits until every connection of every endpoint is ready. */
static ct_status wait_ready(struct target *t, uint32_t connections)
{
	struct ct_client_stats stats;
	struct ct_ctx *ctx = NULL;
	ct_status st = ct_ctx_new_root(t->rt.timers,
				       ct_deadline_after_ms(ct_clock_system(), CONNECT_MS), &ctx);

	for (; st == CT_OK;
	     st = ct_ctx_sleep_until(ctx, ct_instant_add_us(ct_ctx_now(ctx), LOOK_US))) {
		ct_client_stats(t->client, &stats);
		if (stats.ready >= connections)
			break;
	}
	ct_ctx_unref(ctx);
	return st;
}

static ct_status connect_all(struct target *t, const struct load_target_opts *opts,
			     const char **ret_why)
{
	const struct ct_runtime_opts ro = { .service = "bench" };
	const char *urls[URLS_MAX];
	char *text = strdup(opts->url);
	struct ct_client_opts co = {
		.rt = &t->rt,
		.peer = "service",
		.urls = urls,
		.connections = (uint16_t)opts->connections,
		.outstanding_max = opts->slots,
	};
	ct_status st = text != NULL ? ct_runtime_init(&t->rt, &ro) : CT_RESOURCE_EXHAUSTED;

	if (st == CT_OK) {
		co.urls_n = split(text, urls);
		st = ct_client_new(&co, &t->client, ret_why);
	}
	if (st == CT_OK) {
		*ret_why = "no connection";
		st = wait_ready(t, (uint32_t)co.urls_n * opts->connections);
	}
	free(text);
	return st;
}

static void *open_target(const struct load_target_opts *opts, const char **ret_why)
{
	struct target *t = calloc(1, sizeof(*t));

	*ret_why = "no memory or threads";
	if (t == NULL)
		return NULL;
	t->call.timeout_ms = opts->timeout_ms;
	if (connect_all(t, opts, ret_why) == CT_OK)
		return t;
	close_target(t);
	return NULL;
}

/* ---- the program --------------------------------------------------------------------------- */

static bool read_subjects(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[SUBJECT_MAX];
	size_t room = 0;

	if (f == NULL)
		return false;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (subjects_n == room) {
			void *more;

			room = room == 0 ? 1024 : 2 * room;
			more = realloc(subjects, room * sizeof(*subjects));
			if (more == NULL)
				break;
			subjects = more;
		}
		line[strcspn(line, "\n")] = '\0';
		memcpy(subjects[subjects_n++], line, sizeof(line));
	}
	(void)fclose(f);
	return subjects_n > 0;
}

int main(int argc, char **argv)
{
	struct load_driver driver = { .name = "services",
				      .open = open_target,
				      .close = close_target };
	bool ok = argc > OWN_ARGS;

	if (ok && strcmp(argv[1], "detail") == 0 && strcmp(argv[2], "--subjects") == 0) {
		driver.start = start_detail;
		ok = read_subjects(argv[3]);
	} else if (ok && strcmp(argv[1], "echo") == 0 && strcmp(argv[2], "--sleep-us") == 0) {
		driver.start = start_echo;
		sleep_us = (uint32_t)strtoul(argv[3], NULL, 10);
	} else {
		ok = false;
	}
	if (!ok) {
		fprintf(stderr, "usage: %s detail --subjects FILE | echo --sleep-us N ...\n",
			argv[0]);
		return 2;
	}
	argv[OWN_ARGS] = argv[0];
	return load_main(argc - OWN_ARGS, argv + OWN_ARGS, &driver);
}
