/* SPDX-License-Identifier: Apache-2.0 */
/* Times that cannot hold are found in the settings, before a call meets them. */
#include "rpc/services/service_lint.h"

#include "base/check.h"
#include "patient-svc/app.h"
#include "patient-svc/conf.h"
#include "report-svc/app.h"
#include "report-svc/conf.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(lint, .fini = leak_check, .timeout = 60);

static struct ct_conf_report report;

static void load_patient(const char *settings, struct psvc_conf *ret)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "store = { path = \"x.db\"; };\n"
		       "peers = { report = { urls = [ \"tcp://r:1\" ]; }; };\n%s",
		       settings);
	cr_assert_eq(ct_conf_load_text(&psvc_conf_schema, "p.cfg", ct_bytes_of_str(text), NULL, ret,
				       &report),
		     CT_OK, "%s", report.text);
}

/* What is wrong with these settings, and with those of report-svc, unless NULL. */
static const char *wrong(const char *patient_settings, const char *report_settings)
{
	struct ct_service_conf theirs;
	const struct ct_service_lint_peer peer = { "report", "r.cfg", &theirs };
	struct psvc_conf ours;

	load_patient(patient_settings, &ours);
	if (report_settings != NULL)
		cr_assert_eq(ct_conf_load_text(&ct_service_conf_schema, "r.cfg",
					       ct_bytes_of_str(report_settings), NULL, &theirs,
					       &report),
			     CT_OK, "%s", report.text);
	report = (struct ct_conf_report){ 0 };
	ct_service_lint(&psvc_service, &ours, &peer, report_settings != NULL ? 1 : 0, &report);
	ct_conf_fini(&psvc_conf_schema, &ours);
	if (report_settings != NULL)
		ct_conf_fini(&ct_service_conf_schema, &theirs);
	return report.text;
}

Test(lint, defaults_fit_together)
{
	struct rsvc_conf r = { .store = { .path = NULL } };

	cr_assert_str_eq(wrong("", ""), "");

	cr_assert_eq(ct_conf_load_text(&rsvc_conf_schema, "r.cfg",
				       ct_bytes_of_str("store = { path = \"x.db\"; };"), NULL, &r,
				       &report),
		     CT_OK);
	ct_service_lint(&rsvc_service, &r, NULL, 0, &report);
	cr_assert_eq(report.errors_n, 0, "%s", report.text);
	ct_conf_fini(&rsvc_conf_schema, &r);
}

Test(lint, client_that_allows_more_than_the_server_is_named)
{
	const char *text = wrong("server = { max_deadline_ms = 4999; };", NULL);

	cr_assert_not_null(strstr(text, "clinic.v1.PatientService/GetPatientDetail: its clients "
					"allow 5000 ms, the server cuts that to "
					"'server.max_deadline_ms' = 4999\n"),
			   "%s", text);
	cr_assert_null(strstr(text, "GetPatient:"), "300 ms fit");
	cr_assert_str_eq(wrong("server = { max_deadline_ms = 5000; };", NULL), "");
}

Test(lint, chain_that_does_not_fit_is_named_with_its_parts)
{
	const char *text = wrong("detail = { reply_margin_ms = 4500; };", NULL);

	cr_assert_str_eq(text,
			 "clinic.v1.PatientService/GetPatientDetail has 5000 ms, its chain needs "
			 "500 ms for clinic.v1.ReportService/GetReports + 4500 ms "
			 "('detail.reply_margin_ms') + 1000 us ('peers.report.reply_margin_us')\n"
			 "clinic.v1.PatientService/GetPatientDetail has 5000 ms, its chain needs "
			 "500 ms for clinic.v1.ReportService/GetVisits + 4500 ms "
			 "('detail.reply_margin_ms') + 1000 us ('peers.report.reply_margin_us')\n");
	cr_assert_str_eq(wrong("detail = { reply_margin_ms = 4499; };", NULL), "");
}

Test(lint, setting_that_a_methods_own_time_makes_idle_is_named)
{
	const char *text = wrong("detail = { report_timeout_ms = 501; };", NULL);

	cr_assert_not_null(strstr(text, "'detail.report_timeout_ms' is 501, but a call of "
					"clinic.v1.ReportService/GetReports ends after 500 ms\n"),
			   "%s", text);
}

Test(lint, peer_that_allows_less_than_is_waited_for_is_named_with_its_file)
{
	const char *text = wrong("", "server = { max_deadline_ms = 499; };");

	cr_assert_not_null(strstr(text, "clinic.v1.PatientService/GetPatientDetail waits 500 ms "
					"for clinic.v1.ReportService/GetVisits, r.cfg cuts that to "
					"'server.max_deadline_ms' = 499\n"),
			   "%s", text);
	cr_assert_str_eq(wrong("", "server = { max_deadline_ms = 500; };"), "");
	cr_assert_str_eq(wrong("detail = { report_timeout_ms = 400; };",
			       "server = { max_deadline_ms = 400; };"),
			 "", "what is waited counts, not what a method would have");
}

/* ---- a service that is not ours ------------------------------------------------------ */

static const struct ct_method endless = { .name = "x.v1.X/Endless" };
static const struct ct_method outer = { .name = "x.v1.X/Outer", .timeout_ms = 1000 };
static const struct ct_method *const methods[] = { &endless, &outer, NULL };
static const struct ct_service_wait waits[] = {
	{ .method = &outer, .on = &endless, .peer = "report" },
};
static const struct ct_service strange = {
	.name = "strange", .methods = methods, .waits = waits, .waits_n = CT_ARRAY_N(waits)
};

Test(lint, method_without_a_time_of_its_own_is_named_and_has_its_clients)
{
	struct psvc_conf c;

	load_patient("", &c);
	ct_service_lint(&strange, &c, NULL, 0, &report);
	ct_conf_fini(&psvc_conf_schema, &c);

	cr_assert_str_eq(report.text,
			 "x.v1.X/Endless has no timeout_ms of its own in its .proto\n"
			 "x.v1.X/Outer has 1000 ms, its chain needs 2000 ms for x.v1.X/Endless + "
			 "1000 us ('peers.report.reply_margin_us')\n");
}

Test(lint, peer_is_named_as_in_the_settings_or_refused)
{
	static const char *const bad[] = { "report", "nobody=configs/report-svc.cfg", "=x", "" };
	struct psvc_conf c;

	load_patient("", &c);
	for (size_t i = 0; i < CT_ARRAY_N(bad); i++) {
		cr_assert_eq(ct_service_lint_files(&psvc_service, &c, &bad[i], 1, &report),
			     CT_INVALID_ARGUMENT);
		cr_assert_not_null(strstr(report.text, "must be NAME=FILE"), "%s", report.text);
	}
	ct_conf_fini(&psvc_conf_schema, &c);
}

Test(lint, files_that_are_shipped_fit_together)
{
	static const char *const pairs[][2] = {
		{ "configs/patient-svc.cfg", "report=configs/report-svc.cfg" },
		{ "configs/compose/patient-svc.cfg", "report=configs/compose/report-svc.cfg" },
	};

	for (size_t i = 0; i < CT_ARRAY_N(pairs); i++) {
		const struct ct_conf_source src = { .path = pairs[i][0] };
		struct psvc_conf c;

		cr_assert_eq(ct_conf_load(&psvc_conf_schema, &src, &c, &report), CT_OK, "%s",
			     report.text);
		cr_assert_eq(ct_service_lint_files(&psvc_service, &c, &pairs[i][1], 1, &report),
			     CT_OK, "%s", report.text);
		ct_conf_fini(&psvc_conf_schema, &c);
	}
}
