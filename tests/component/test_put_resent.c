/* SPDX-License-Identifier: Apache-2.0 */
/* The connection is cut between the commit of a batch and its answer, and the client
 * sends it again: it runs twice, and has the effect of once. */
#include "tests/component/rig.h"

#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/proxy.h"

#include <criterion/criterion.h>

TestSuite(put_resent, .fini = leak_check, .timeout = 60);

/* A proxy in front of each service, and clients that go through them. */
static struct rig rig;
static struct proxy *to_patient, *to_report;

static struct ct_client *go_through(const struct proxy *p, struct ct_client *direct)
{
	const char *url = proxy_url(p), *why = "";
	const struct ct_client_opts o = { .rt = &rig.rt, .peer = "cut", .urls = &url, .urls_n = 1 };
	struct ct_client *c = NULL;
	struct ct_ctx *ctx = NULL;

	ct_client_free(direct);
	cr_assert_eq(ct_client_new(&o, &c, &why), CT_OK, "%s", why);
	cr_assert_eq(ct_ctx_new_root(rig.rt.timers, ct_deadline_after_ms(ct_clock_system(), 10000),
				     &ctx),
		     CT_OK);
	cr_assert_eq(ct_client_wait_ready(c, ctx), CT_OK);
	ct_ctx_unref(ctx);
	return c;
}

static void set_up(void)
{
	rig_start(&rig, NULL);
	to_patient = proxy_new(ct_server_url(ct_service_host_server(rig.patient), 0), rig.dir);
	to_report = proxy_new(ct_server_url(ct_service_host_server(rig.report), 0), rig.dir);
	rig.to_patient = go_through(to_patient, rig.to_patient);
	rig.to_report = go_through(to_report, rig.to_report);
}

static void tear_down(void)
{
	rig.to_patient = ct_client_free(rig.to_patient);
	rig.to_report = ct_client_free(rig.to_report);
	to_patient = proxy_free(to_patient);
	to_report = proxy_free(to_report);
	rig_stop(&rig);
}

/* The first attempt stored it, the second found it. */
static void check_resent(const Clinic__V1__ItemOutcome *o, uint64_t version)
{
	cr_assert_eq(rig.reply.attempts, 2);
	cr_assert_eq(o->kind, UNCHANGED, "%d %s", (int)o->kind, o->message);
	cr_assert_eq(o->version, version);
}

static int64_t rows(const struct rig *r, bool of_report, const char *sql)
{
	return rig_sql_number(of_report ? rig_report_store(r) : rig_patient_store(r), sql);
}

Test(put_resent, every_put_that_lost_its_answer_is_stored_once)
{
	Clinic__V1__Patient p = rig_patient("S1", "S1-001");
	Clinic__V1__CaseRecord c = rig_case("S1", "S1-001", 1);
	Clinic__V1__Medication m = rig_medication("S1", "S1-001", 1);
	Clinic__V1__DiagnosticReport d = rig_report("S1", "S1-001", "LB/1");
	Clinic__V1__Visit v = rig_visit("S1", "S1-001", 1.1, "2014-01");

	set_up();

	proxy_cut_at_reply(to_patient);
	check_resent(rig_put_patient(&rig, &p), 1);
	proxy_cut_at_reply(to_patient);
	check_resent(rig_put_case(&rig, &c), 1);
	proxy_cut_at_reply(to_patient);
	check_resent(rig_put_medication(&rig, &m), 1);
	proxy_cut_at_reply(to_report);
	check_resent(rig_put_report(&rig, &d), 1);
	proxy_cut_at_reply(to_report);
	check_resent(rig_put_visit(&rig, &v), 1);

	cr_assert_eq(rows(&rig, false, "SELECT count(*) FROM patients"), 1);
	cr_assert_eq(rows(&rig, false, "SELECT count(*) FROM case_records"), 1);
	cr_assert_eq(rows(&rig, false, "SELECT count(*) FROM medications"), 1);
	cr_assert_eq(rows(&rig, true, "SELECT count(*) FROM reports"), 1);
	cr_assert_eq(rows(&rig, true, "SELECT count(*) FROM visits"), 1);
	tear_down();
}

Test(put_resent, update_that_lost_its_answer_counts_one_version)
{
	Clinic__V1__Patient p = rig_patient("S1", "S1-001");

	set_up();
	cr_assert_eq(rig_put_patient(&rig, &p)->kind, CREATED);
	p.arm_cd = "PBO";

	proxy_cut_at_reply(to_patient);
	check_resent(rig_put_patient(&rig, &p), 2);

	cr_assert_eq(rows(&rig, false, "SELECT version FROM patients"), 2);
	tear_down();
}
