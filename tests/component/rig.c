/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/component/rig.h"

#include "base/check.h"
#include "patient-svc/app.h"
#include "patient-svc/handlers/psvc.h"
#include "report-svc/app.h"
#include "report-svc/handlers/rsvc.h"
#include "tests/lib/gate.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SETTINGS_MAX = 16, TEXT_SIZE = 128, CALL_MS = 20000 };

/* ---- starting ---------------------------------------------------------------------- */

/* Settings of a service: ours, then the test's. */
struct settings {
	char own[4][TEXT_SIZE];
	const char *v[SETTINGS_MAX];
	size_t n;
};

static void add_own(struct settings *s, size_t i, const char *path, const char *value)
{
	const int len = snprintf(s->own[i], TEXT_SIZE, "%s=%s", path, value);

	CT_CHECK(len > 0 && len < TEXT_SIZE);
	s->v[s->n++] = s->own[i];
}

static void add_theirs(struct settings *s, const char *const *list)
{
	for (; list != NULL && *list != NULL; list++) {
		CT_CHECK(s->n < SETTINGS_MAX);
		s->v[s->n++] = *list;
	}
}

static void load(const struct ct_conf_schema *schema, const struct settings *s, void *conf)
{
	const struct ct_conf_source src = { NULL, s->v, s->n };
	struct ct_conf_report report;

	cr_assert_eq(ct_conf_load(schema, &src, conf, &report), CT_OK, "%s", report.text);
}

static struct ct_service_host *host(const struct ct_service *svc, const void *conf,
				    struct ct_log *log)
{
	struct ct_service_host *h = NULL;
	struct ct_service_why why;

	cr_assert_eq(ct_service_host_new(svc, conf, log, &why, &h), CT_OK, "%s", why.text);
	return h;
}

static const char *url_of(const struct ct_service_host *h)
{
	return ct_server_url(ct_service_host_server(h), 0);
}

static void start_report(struct rig *r, const struct rig_opts *o)
{
	struct settings s = { .n = 0 };
	char path[TEXT_SIZE];

	(void)snprintf(path, sizeof(path), "%s/data/report.db", r->dir);
	add_own(&s, 0, "server.listen", "tcp://127.0.0.1:0");
	add_own(&s, 1, "store.path", path);
	add_theirs(&s, o->report_settings);
	load(&rsvc_conf_schema, &s, &r->report_conf);
	r->report = host(o->report != NULL ? o->report : &rsvc_service, &r->report_conf, r->log);
}

static void start_patient(struct rig *r, const struct rig_opts *o)
{
	struct settings s = { .n = 0 };
	char path[TEXT_SIZE], nobody[TEXT_SIZE];

	(void)snprintf(path, sizeof(path), "%s/data/patient.db", r->dir);
	(void)snprintf(nobody, sizeof(nobody), "ipc://%s/nobody", r->dir);
	add_own(&s, 0, "server.listen", "tcp://127.0.0.1:0");
	add_own(&s, 1, "store.path", path);
	add_own(&s, 2, "peers.report.urls", o->report_dead ? nobody : url_of(r->report));
	add_own(&s, 3, "server.log_calls", "true");
	add_theirs(&s, o->patient_settings);
	load(&psvc_conf_schema, &s, &r->patient_conf);
	r->patient = host(&psvc_service, &r->patient_conf, r->log);
}

static struct ct_client *client_of(struct rig *r, const char *peer, const char *url)
{
	const struct ct_client_opts opts = {
		.rt = &r->rt, .peer = peer, .urls = &url, .urls_n = 1
	};
	struct ct_client *c = NULL;
	struct ct_ctx *ctx = NULL;
	const char *why = "";

	cr_assert_eq(ct_client_new(&opts, &c, &why), CT_OK, "%s", why);
	cr_assert_eq(ct_ctx_new_root(r->rt.timers,
				     ct_deadline_after_ms(ct_clock_system(), AWAIT_MS), &ctx),
		     CT_OK);
	cr_assert_eq(ct_client_wait_ready(c, ctx), CT_OK);
	ct_ctx_unref(ctx);
	return c;
}

/* So that a test of the first call sees a report-svc that is there. */
static void await_peer(struct rig *r)
{
	struct ct_client *c = ct_service_host_peer(r->patient, PSVC_REPORT_PEER);
	struct ct_ctx *ctx = NULL;

	cr_assert_eq(ct_ctx_new_root(r->rt.timers,
				     ct_deadline_after_ms(ct_clock_system(), AWAIT_MS), &ctx),
		     CT_OK);
	cr_assert_eq(ct_client_wait_ready(c, ctx), CT_OK);
	ct_ctx_unref(ctx);
}

void rig_start(struct rig *r, const struct rig_opts *opts)
{
	static const struct rig_opts all_real;
	const struct rig_opts *o = opts != NULL ? opts : &all_real;
	struct ct_log_opts log = { .level = CT_LOG_DEBUG };
	char path[TEXT_SIZE];

	*r = (struct rig){ .dir = "/tmp/ct-component-XXXXXX" };
	cr_assert_not_null(mkdtemp(r->dir));
	(void)snprintf(path, sizeof(path), "%s/log", r->dir);
	r->log_fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	cr_assert_geq(r->log_fd, 0);
	log.fd = r->log_fd;
	cr_assert_eq(ct_log_new(&log, &r->log), CT_OK);
	if (!o->report_dead)
		start_report(r, o);
	start_patient(r, o);
	cr_assert_eq(ct_runtime_init(&r->rt,
				     &(struct ct_runtime_opts){ .service = "test", .log = r->log }),
		     CT_OK);
	ct_reply_init(&r->reply);
	r->to_patient = client_of(r, "patient", url_of(r->patient));
	if (!o->report_dead) {
		r->to_report = client_of(r, "report", url_of(r->report));
		await_peer(r);
	}
}

static void remove_database(const char *dir, const char *name)
{
	static const char *const endings[] = { "", "-wal", "-shm", "-turn" };
	char path[TEXT_SIZE];

	for (size_t i = 0; i < CT_ARRAY_N(endings); i++) {
		(void)snprintf(path, sizeof(path), "%s/data/%s.db%s", dir, name, endings[i]);
		(void)unlink(path);
	}
}

static void remove_files(const char *dir)
{
	char path[TEXT_SIZE];

	remove_database(dir, "patient");
	remove_database(dir, "report");
	(void)snprintf(path, sizeof(path), "%s/log", dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/data", dir);
	(void)rmdir(path);
	cr_assert_eq(rmdir(dir), 0, "something is left in %s", dir);
}

static void check_identity(struct ct_service_host *h)
{
	struct ct_server_stats s;

	if (h == NULL)
		return;
	ct_server_stop(ct_service_host_server(h));
	ct_server_join(ct_service_host_server(h));
	ct_server_stats(ct_service_host_server(h), &s);
	cr_assert(s.identity_ok);
	cr_assert_eq(s.calls.in_flight, 0);
}

void rig_stop(struct rig *r)
{
	r->to_patient = ct_client_free(r->to_patient);
	r->to_report = ct_client_free(r->to_report);
	ct_reply_fini(&r->reply);
	ct_runtime_fini(&r->rt);
	check_identity(r->patient);
	check_identity(r->report);
	r->patient = ct_service_host_free(r->patient);
	r->report = ct_service_host_free(r->report);
	ct_conf_fini(&psvc_conf_schema, &r->patient_conf);
	ct_conf_fini(&rsvc_conf_schema, &r->report_conf);
	r->log = ct_log_free(r->log);
	(void)close(r->log_fd);
	remove_files(r->dir);
}

/* ---- looking inside -------------------------------------------------------------------- */

char *rig_log_text(struct rig *r)
{
	struct stat st;
	char *text;

	cr_assert_eq(ct_log_flush(r->log, AWAIT_MS), CT_OK);
	cr_assert_eq(fstat(r->log_fd, &st), 0);
	text = calloc(1, (size_t)st.st_size + 1);
	cr_assert_not_null(text);
	cr_assert_eq(pread(r->log_fd, text, (size_t)st.st_size, 0), st.st_size);
	return text;
}

struct ct_store *rig_patient_store(const struct rig *r)
{
	const struct psvc *app = ct_service_host_app(r->patient);

	return psvc_store_base(app->store);
}

struct ct_store *rig_report_store(const struct rig *r)
{
	const struct rsvc *app = ct_service_host_app(r->report);

	return rsvc_store_base(app->store);
}

struct query {
	const char *sql;
	int64_t number;
};

static ct_status run_sql(struct ct_db *db, void *arg)
{
	const struct query *q = arg;

	return ct_db_run(db, q->sql);
}

void rig_sql(struct ct_store *s, const char *sql)
{
	struct query q = { sql, 0 };
	struct ct_store_why why = { "" };

	cr_assert_eq(ct_store_write_wait(s, NULL, run_sql, &q, &why), CT_OK, "%s", why.text);
}

static ct_status read_number(struct ct_db *db, void *arg)
{
	struct query *q = arg;
	struct ct_stmt *s = NULL;
	bool row = false;
	ct_status st = ct_db_prepare(db, q->sql, &s);

	if (st == CT_OK)
		st = ct_stmt_step(s, &row);
	if (st == CT_OK && row)
		q->number = ct_stmt_col_i64(s, 0);
	return st;
}

int64_t rig_sql_number(struct ct_store *s, const char *sql)
{
	struct query q = { sql, -1 };
	struct ct_store_why why = { "" };

	cr_assert_eq(ct_store_read(s, NULL, read_number, &q, &why), CT_OK, "%s", why.text);
	return q.number;
}

bool rig_await(bool (*fn)(void *arg), void *arg)
{
	const ct_instant until = ct_deadline_after_ms(ct_clock_system(), AWAIT_MS);

	while (!fn(arg)) {
		if (ct_deadline_passed(ct_clock_system(), until))
			return false;
		(void)sched_yield();
	}
	return true;
}

ct_status rig_ask(struct rig *r, struct ct_client *c, const struct ct_method *m,
		  const ProtobufCMessage *req)
{
	const struct ct_call_opts opts = { .timeout_ms = CALL_MS };

	return ct_client_call(c, NULL, m, req, &opts, &r->reply);
}

/* ---- things to put ------------------------------------------------------------------------ */

Clinic__V1__Patient rig_patient(const char *study, const char *usubjid)
{
	Clinic__V1__Patient p = CLINIC__V1__PATIENT__INIT;

	p.study_id = (char *)(uintptr_t)study; /* only read, as all below */
	p.usubjid = (char *)(uintptr_t)usubjid;
	p.site_id = "101";
	return p;
}

Clinic__V1__CaseRecord rig_case(const char *study, const char *usubjid, uint32_t seq)
{
	Clinic__V1__CaseRecord c = CLINIC__V1__CASE_RECORD__INIT;

	c.study_id = (char *)(uintptr_t)study;
	c.usubjid = (char *)(uintptr_t)usubjid;
	c.kind = CLINIC__V1__CASE_RECORD__KIND__ADVERSE_EVENT;
	c.seq = seq;
	c.term = "头痛";
	return c;
}

Clinic__V1__Medication rig_medication(const char *study, const char *usubjid, uint32_t seq)
{
	Clinic__V1__Medication m = CLINIC__V1__MEDICATION__INIT;

	m.study_id = (char *)(uintptr_t)study;
	m.usubjid = (char *)(uintptr_t)usubjid;
	m.seq = seq;
	m.trt = "阿司匹林";
	return m;
}

Clinic__V1__DiagnosticReport rig_report(const char *study, const char *usubjid, const char *id)
{
	Clinic__V1__DiagnosticReport d = CLINIC__V1__DIAGNOSTIC_REPORT__INIT;

	d.report_id = (char *)(uintptr_t)id;
	d.study_id = (char *)(uintptr_t)study;
	d.usubjid = (char *)(uintptr_t)usubjid;
	d.kind = CLINIC__V1__REPORT_KIND__LABORATORY;
	d.category = "CHEMISTRY";
	d.effective_dtc = "2014-01-16T13:17";
	return d;
}

Clinic__V1__Visit rig_visit(const char *study, const char *usubjid, double num, const char *start)
{
	Clinic__V1__Visit v = CLINIC__V1__VISIT__INIT;

	v.study_id = (char *)(uintptr_t)study;
	v.usubjid = (char *)(uintptr_t)usubjid;
	v.visit_num = num;
	v.start_dtc = (char *)(uintptr_t)start;
	return v;
}

#define DEFINE_PUT(name, Item, Rpc, RPC, field, service, client)                               \
	const Clinic__V1__ItemOutcome *rig_put_##name(struct rig *r, Clinic__V1__##Item *item) \
	{                                                                                      \
		Clinic__V1__##Rpc##Request req = CLINIC__V1__##RPC##_REQUEST__INIT;            \
		const Clinic__V1__##Rpc##Response *resp = NULL;                                \
		req.field = &item;                                                             \
		req.n_##field = 1;                                                             \
		cr_assert_eq(rig_ask(r, client, &service##_method, &req.base), CT_OK, "%s",    \
			     r->reply.message);                                                \
		resp = service##_response(&r->reply);                                          \
		cr_assert_eq(resp->n_outcomes, 1);                                             \
		return resp->outcomes[0];                                                      \
	}
DEFINE_PUT(patient, Patient, PutPatients, PUT_PATIENTS, patients, patient_put_patients,
	   r->to_patient)
DEFINE_PUT(case, CaseRecord, PutCaseRecords, PUT_CASE_RECORDS, records, patient_put_case_records,
	   r->to_patient)
DEFINE_PUT(medication, Medication, PutMedications, PUT_MEDICATIONS, medications,
	   patient_put_medications, r->to_patient)
DEFINE_PUT(report, DiagnosticReport, PutReports, PUT_REPORTS, reports, report_put_reports,
	   r->to_report)
DEFINE_PUT(visit, Visit, PutVisits, PUT_VISITS, visits, report_put_visits, r->to_report)
