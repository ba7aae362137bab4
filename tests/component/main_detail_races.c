/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Full views by the hundred while everything that can end one races: a report-svc
 * that answers, fails or never does, callers that cancel, deadlines that pass,
 * subjects that do not exist. Each call ends once, the accounts add up, nothing
 * is left. Runs under the thread sanitizer.
 *   component-detail_races [CALLS] [SEED]
 */
#include "base/check.h"
#include "patient-svc/app.h"
#include "patient-svc/conf.h"
#include "report-svc/conf.h"
#include "rpc/services/service_host.h"
#include "tests/lib/gate.h"
#include "tests/lib/tally.h"

#include "clinic/v1/patient.ct.h"
#include "clinic/v1/report.ct.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AT_ONCE = 24, CALLS = 2000, SUBJECTS = 4, TEXT_SIZE = 128 };

/* ---- a report-svc of moods ------------------------------------------------------------ */

static _Atomic uint64_t mood = 88172645463325252U;

static uint64_t next_mood(void)
{
	return atomic_fetch_add(&mood, UINT64_C(0x9e3779b97f4a7c15)) >> 32;
}

/* True: the call has been answered, badly. */
static bool moody(struct ct_call *call)
{
	const uint64_t m = next_mood() % 8;

	if (m == 0)
		ct_call_fail(call, CT_INTERNAL, "in a mood");
	else if (m == 1) /* until it is stopped */
		ct_call_fail(call, ct_ctx_sleep_until(ct_call_ctx(call), CT_NEVER), "stopped");
	return m <= 1;
}

static void get_reports(struct ct_call *call, const Clinic__V1__GetReportsRequest *req)
{
	Clinic__V1__GetReportsResponse resp = CLINIC__V1__GET_REPORTS_RESPONSE__INIT;
	Clinic__V1__DiagnosticReport d = CLINIC__V1__DIAGNOSTIC_REPORT__INIT, *list = &d;

	if (moody(call))
		return;
	d.study_id = "S1";
	d.usubjid = req->usubjid;
	resp.reports = &list;
	resp.n_reports = 1;
	report_get_reports_reply(call, &resp);
}

static void get_visits(struct ct_call *call, const Clinic__V1__GetVisitsRequest *req)
{
	Clinic__V1__GetVisitsResponse resp = CLINIC__V1__GET_VISITS_RESPONSE__INIT;

	(void)req;
	if (!moody(call))
		report_get_visits_reply(call, &resp);
}

static const struct report_handlers handlers = { .get_reports = get_reports,
						 .get_visits = get_visits };

static ct_status start_moody(const struct ct_service_env *env, struct ct_service_why *why,
			     void **ret_app)
{
	(void)why;
	*ret_app = NULL;
	return report_register(env->server, &handlers, NULL);
}

static void stop_moody(void *app)
{
	(void)app;
}

static const struct ct_service moody_service = {
	.name = "moody-report",
	.version = "0",
	.summary = "",
	.schema = &rsvc_conf_schema,
	.start = start_moody,
	.stop = stop_moody,
};

/* ---- the pair ------------------------------------------------------------------------------ */

struct pair {
	char dir[64];
	struct rsvc_conf report_conf;
	struct psvc_conf patient_conf;
	struct ct_service_host *report, *patient;
	struct ct_runtime rt;
	struct ct_client *client;
};

static struct ct_service_host *host(const struct ct_service *svc, const char *const *settings,
				    size_t n, void *conf)
{
	const struct ct_conf_source src = { NULL, settings, n };
	struct ct_service_host *h = NULL;
	struct ct_conf_report report;
	struct ct_service_why why;

	CT_CHECK(ct_conf_load(svc->schema, &src, conf, &report) == CT_OK);
	CT_CHECK(ct_service_host_new(svc, conf, NULL, &why, &h) == CT_OK);
	return h;
}

static void start(struct pair *p)
{
	const struct ct_runtime_opts opts = { .service = "races" };
	const char *report[] = { "server.listen=tcp://127.0.0.1:0", "store.path=unused" };
	char path[TEXT_SIZE], peer[TEXT_SIZE];
	const char *patient[] = { "server.listen=tcp://127.0.0.1:0", path, peer,
				  "detail.report_timeout_ms=40" };
	const char *url, *why;

	*p = (struct pair){ .dir = "/tmp/ct-races-XXXXXX" };
	CT_CHECK(mkdtemp(p->dir) != NULL);
	p->report = host(&moody_service, report, CT_ARRAY_N(report), &p->report_conf);
	(void)snprintf(path, sizeof(path), "store.path=%s/patient.db", p->dir);
	(void)snprintf(peer, sizeof(peer), "peers.report.urls=%s",
		       ct_server_url(ct_service_host_server(p->report), 0));
	p->patient = host(&psvc_service, patient, CT_ARRAY_N(patient), &p->patient_conf);
	CT_CHECK(ct_runtime_init(&p->rt, &opts) == CT_OK);
	url = ct_server_url(ct_service_host_server(p->patient), 0);
	CT_CHECK(ct_client_new(
			 &(struct ct_client_opts){
				 .rt = &p->rt, .peer = "patient", .urls = &url, .urls_n = 1 },
			 &p->client, &why) == CT_OK);
}

static void put_subjects(struct pair *p)
{
	Clinic__V1__PutPatientsRequest req = CLINIC__V1__PUT_PATIENTS_REQUEST__INIT;
	const Clinic__V1__PutPatientsResponse *resp = NULL;
	static Clinic__V1__Patient subjects[SUBJECTS], *list[SUBJECTS];
	static char names[SUBJECTS][8];
	struct ct_reply reply;

	for (unsigned i = 0; i < SUBJECTS; i++) {
		clinic__v1__patient__init(&subjects[i]);
		(void)snprintf(names[i], sizeof(names[i]), "P%u", i % 100);
		subjects[i].study_id = "S1";
		subjects[i].usubjid = names[i];
		subjects[i].site_id = "101";
		list[i] = &subjects[i];
	}
	req.patients = list;
	req.n_patients = SUBJECTS;
	ct_reply_init(&reply);
	CT_CHECK(patient_put_patients(p->client, NULL, &req, &reply, &resp) == CT_OK);
	ct_reply_fini(&reply);
}

static bool accounts_add_up(struct ct_service_host *h)
{
	struct ct_server_stats s;

	ct_server_stop(ct_service_host_server(h));
	ct_server_join(ct_service_host_server(h));
	ct_server_stats(ct_service_host_server(h), &s);
	printf("received %" PRIu64 " ok %" PRIu64 " errors %" PRIu64 " expired %" PRIu64
	       " cancelled %" PRIu64 " gone %" PRIu64 "\n",
	       s.calls.received, s.calls.ok, s.calls.app_error,
	       s.calls.expired_queued + s.calls.expired_running,
	       s.calls.cancelled_queued + s.calls.cancelled_running, s.calls.peer_gone);
	return s.identity_ok && s.calls.in_flight == 0;
}

static void stop(struct pair *p)
{
	static const char *const endings[] = { "", "-wal", "-shm", "-turn" };
	char path[TEXT_SIZE];

	p->client = ct_client_free(p->client);
	ct_runtime_fini(&p->rt);
	expect(accounts_add_up(p->patient), "patient-svc: every call received is accounted for");
	expect(accounts_add_up(p->report), "report-svc: every call received is accounted for");
	p->patient = ct_service_host_free(p->patient);
	p->report = ct_service_host_free(p->report);
	ct_conf_fini(&psvc_conf_schema, &p->patient_conf);
	ct_conf_fini(&rsvc_conf_schema, &p->report_conf);
	for (size_t i = 0; i < CT_ARRAY_N(endings); i++) {
		(void)snprintf(path, sizeof(path), "%s/patient.db%s", p->dir, endings[i]);
		(void)unlink(path);
	}
	expect(rmdir(p->dir) == 0, "no file is left");
}

/* ---- calls ----------------------------------------------------------------------------------- */

static struct {
	sem_t slots;
	_Atomic unsigned ended, by_status[CT_STATUS_N], whole, partial, wrong;
} calls;

struct one {
	struct ct_ctx *ctx;
	char usubjid[8];
	bool known, partial;
};

/* What must be true of an answer, whatever raced. */
static bool right(const struct one *one, const struct ct_reply *reply)
{
	const Clinic__V1__GetPatientDetailResponse *view;

	if (reply->status != CT_OK)
		return true;
	view = patient_get_patient_detail_response(reply);
	atomic_fetch_add(view->complete ? &calls.whole : &calls.partial, 1);
	if (!one->known || (!one->partial && !view->complete) || view->n_sections != 6)
		return false;
	if (view->n_lab_reports > 0 && strcmp(view->lab_reports[0]->usubjid, one->usubjid) != 0)
		return false;
	return strcmp(view->patient->usubjid, one->usubjid) == 0;
}

static void done(void *arg, struct ct_reply *reply)
{
	struct one *one = arg;

	if (!right(one, reply))
		atomic_fetch_add(&calls.wrong, 1);
	atomic_fetch_add(&calls.by_status[reply->status], 1);
	atomic_fetch_add(&calls.ended, 1);
	ct_ctx_unref(one->ctx);
	free(one);
	CT_CHECK(sem_post(&calls.slots) == 0);
}

static void call_one(struct pair *p, uint64_t *seed)
{
	Clinic__V1__GetPatientDetailRequest req = CLINIC__V1__GET_PATIENT_DETAIL_REQUEST__INIT;
	const uint32_t ms = (uint32_t)(rnd(seed) % 4 == 0 ? rnd(seed) % 30 + 1 : 5000);
	const bool cancel = rnd(seed) % 5 == 0;
	struct one *one = calloc(1, sizeof(*one));
	struct ct_ctx *ctx = NULL;

	CT_CHECK(one != NULL);
	CT_CHECK(ct_ctx_new_root(p->rt.timers, ct_deadline_after_ms(ct_clock_system(), ms), &ctx) ==
		 CT_OK);
	one->ctx = ct_ctx_ref(ctx);
	one->known = rnd(seed) % 8 != 0;
	one->partial = rnd(seed) % 3 != 0;
	(void)snprintf(one->usubjid, sizeof(one->usubjid), "%c%u", one->known ? 'P' : 'X',
		       (unsigned)(rnd(seed) % SUBJECTS));
	req.usubjid = one->usubjid;
	req.maybe_allow_partial_case =
		CLINIC__V1__GET_PATIENT_DETAIL_REQUEST__MAYBE_ALLOW_PARTIAL_ALLOW_PARTIAL;
	req.allow_partial = one->partial;
	patient_get_patient_detail_async(p->client, ctx, &req, done, one);
	if (cancel) {
		for (uint64_t i = rnd(seed) % 3000; i > 0; i--)
			(void)ct_ctx_done(ctx); /* somewhere in the middle */
		(void)ct_ctx_cancel(ctx, CT_CANCEL_CALLER);
	}
	ct_ctx_unref(ctx);
}

int main(int argc, char **argv)
{
	const unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : CALLS;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 42;
	struct pair p;

	start(&p);
	put_subjects(&p);
	CT_CHECK(sem_init(&calls.slots, 0, AT_ONCE) == 0);
	for (unsigned i = 0; i < n; i++) {
		AWAIT(&calls.slots);
		call_one(&p, &seed);
	}
	for (unsigned i = 0; i < AT_ONCE; i++)
		AWAIT(&calls.slots);
	for (int st = 0; st < CT_STATUS_N; st++)
		if (calls.by_status[st] > 0)
			printf("%s: %u\n", ct_status_name((ct_status)st), calls.by_status[st]);
	printf("whole %u, partial %u\n", calls.whole, calls.partial);
	expect(calls.ended == n, "every call ended once");
	expect(calls.wrong == 0, "every view is its caller's and says what it lacks");
	expect(calls.whole > 0 && calls.partial > 0, "some views were whole and some were not");
	expect(calls.by_status[CT_NOT_FOUND] > 0 && calls.by_status[CT_CANCELLED] > 0 &&
		       calls.by_status[CT_DEADLINE_EXCEEDED] > 0,
	       "calls ended in every way meant");
	stop(&p);
	return tally_end();
}
