/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of the services and the committed examples of them. */
#include "patient-svc/conf.h"
#include "report-svc/conf.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(settings, .fini = leak_check, .timeout = 60);

static struct ct_conf_report report;

static ct_status load_text(const struct ct_conf_schema *schema, const char *text, void *conf)
{
	return ct_conf_load_text(schema, "test.cfg", ct_bytes_of_str(text), NULL, conf, &report);
}

/* A committed example is what --print-config prints for it, under its own words:
 * so it names every setting and says what each one means today. */
static void check_example(const char *path, const struct ct_conf_schema *schema, void *conf)
{
	const struct ct_conf_source src = { path, NULL, 0 };
	char *printed = NULL, *text = calloc(1, 1 << 16);
	size_t printed_n = 0, text_n;
	FILE *file = fopen(path, "r"), *out = open_memstream(&printed, &printed_n);

	cr_assert_not_null(file, "%s: run this from the repository's root", path);
	text_n = fread(text, 1, (1 << 16) - 1, file);
	fclose(file);
	cr_assert_eq(ct_conf_load(schema, &src, conf, &report), CT_OK, "%s", report.text);
	cr_assert_eq(ct_conf_print(schema, conf, out), CT_OK);
	fclose(out);
	cr_assert_geq(text_n, printed_n);
	cr_assert_str_eq(text + (text_n - printed_n), printed);
	for (const char *line = text; line < text + (text_n - printed_n);
	     line = strchr(line, '\n') + 1)
		cr_assert(line[0] == '#' || line[0] == '\n');
	ct_conf_fini(schema, conf);
	free(printed);
	free(text);
}

Test(settings, the_examples_are_complete)
{
	struct psvc_conf p = { .store = { .path = NULL } };
	struct rsvc_conf r = { .store = { .path = NULL } };

	check_example("configs/patient-svc.cfg", &psvc_conf_schema, &p);
	check_example("configs/report-svc.cfg", &rsvc_conf_schema, &r);
}

Test(settings, patient_svc_needs_a_store_and_report_svc)
{
	struct psvc_conf p = { .store = { .path = NULL } };

	cr_assert_eq(load_text(&psvc_conf_schema, "", &p), CT_INVALID_ARGUMENT);
	cr_assert_not_null(strstr(report.text, "store.path"), "%s", report.text);
	cr_assert_eq(load_text(&psvc_conf_schema, "store = { path = \"x.db\"; };", &p),
		     CT_INVALID_ARGUMENT);
	cr_assert_not_null(strstr(report.text, "peers.report"), "%s", report.text);
	cr_assert_eq(load_text(&psvc_conf_schema,
			       "store = { path = \"x.db\"; };"
			       "peers = { report = { urls = [ \"tcp://r:1\" ]; }; };",
			       &p),
		     CT_OK, "%s", report.text);
	cr_assert_eq(p.service.server.workers, 8);
	cr_assert_str_eq(p.service.server.listen.v[0], "tcp://127.0.0.1:7001");
	cr_assert_eq(p.detail_report_timeout_ms, 500);
	ct_conf_fini(&psvc_conf_schema, &p);
}

Test(settings, options_of_the_net_are_those_of_the_file)
{
	struct rsvc_conf r = { .store = { .path = NULL } };
	struct ct_net_opts o;

	cr_assert_eq(
		load_text(&rsvc_conf_schema,
			  "store = { path = \"x.db\"; };"
			  "net = { msg_bytes_max = 300001; send_bytes_max = 300002;"
			  "        handshake_ms = 3; idle_ms = 4; stall_ms = 5;"
			  "        slow_reader_ms = 6; backoff_min_ms = 7; backoff_max_ms = 8; };",
			  &r),
		CT_OK, "%s", report.text);
	o = ct_service_net_opts(&r.service);
	cr_assert_eq(o.msg_bytes_max, 300001);
	cr_assert_eq(o.send_bytes_max, 300002);
	cr_assert_eq(o.handshake_ms, 3);
	cr_assert_eq(o.idle_ms, 4);
	cr_assert_eq(o.stall_ms, 5);
	cr_assert_eq(o.slow_reader_ms, 6);
	cr_assert_eq(o.backoff_min_ms, 7);
	cr_assert_eq(o.backoff_max_ms, 8);
	ct_conf_fini(&rsvc_conf_schema, &r);
}

Test(settings, options_of_the_server_are_those_of_the_file)
{
	struct rsvc_conf r = { .store = { .path = NULL } };
	struct ct_server_opts o;

	cr_assert_eq(
		load_text(&rsvc_conf_schema,
			  "store = { path = \"x.db\"; };"
			  "server = { workers = 9; batch_workers_max = 2; queue_max = 3;"
			  "           sheddable_queue_percent = 4; critical_reserve_percent = 5;"
			  "           calls_max = 6; method_calls_max = 7;"
			  "           connection_calls_max = 8; connections_max = 10;"
			  "           max_deadline_ms = 11; drain_ms = 12; retry_after_ms = 13;"
			  "           slow_call_ms = 14; log_calls = true; };",
			  &r),
		CT_OK, "%s", report.text);
	o = ct_service_server_opts(&r.service, NULL, "1.2");
	cr_assert_eq(o.workers, 9);
	cr_assert_eq(o.batch_workers_max, 2);
	cr_assert_eq(o.queue_max, 3);
	cr_assert_eq(o.sheddable_queue_percent, 4);
	cr_assert_eq(o.critical_reserve_percent, 5);
	cr_assert_eq(o.calls_max, 6);
	cr_assert_eq(o.method_calls_max, 7);
	cr_assert_eq(o.connection_calls_max, 8);
	cr_assert_eq(o.connections_max, 10);
	cr_assert_eq(o.max_deadline_ms, 11);
	cr_assert_eq(o.drain_ms, 12);
	cr_assert_eq(o.retry_after_ms, 13);
	cr_assert_eq(o.slow_call_ms, 14);
	cr_assert(o.log_calls);
	cr_assert_str_eq(o.version, "1.2");
	ct_conf_fini(&rsvc_conf_schema, &r);
}

Test(settings, options_of_a_client_are_those_of_the_file)
{
	struct rsvc_conf r = { .store = { .path = NULL } };
	struct ct_client_opts o;

	cr_assert_eq(
		load_text(
			&rsvc_conf_schema,
			"store = { path = \"x.db\"; };"
			"peers = { usual = { urls = [ \"tcp://r:1\" ]; };"
			"          x = { urls = [ \"tcp://r:1\", \"tcp://r:2\" ]; connections = 3;"
			"                timeout_ms = 4; reply_margin_us = 5; outstanding_max = 6;"
			"                attempts_max = 7; retry_backoff_ms = 8; resolve_ms = 109;"
			"                throttle = false; wait = \"ready\"; }; };",
			&r),
		CT_OK, "%s", report.text);
	cr_assert(ct_service_client_opts(ct_service_conf_peer(&r.service, "usual"), NULL).throttle);
	o = ct_service_client_opts(ct_service_conf_peer(&r.service, "x"), NULL);
	cr_assert_str_eq(o.peer, "x");
	cr_assert_eq(o.urls_n, 2);
	cr_assert_str_eq(o.urls[1], "tcp://r:2");
	cr_assert_eq(o.connections, 3);
	cr_assert_eq(o.timeout_ms, 4);
	cr_assert_eq(o.reply_margin_us, 5);
	cr_assert_eq(o.outstanding_max, 6);
	cr_assert_eq(o.attempts_max, 7);
	cr_assert_eq(o.retry_backoff_ms, 8);
	cr_assert_eq(o.resolve_ms, 109);
	cr_assert_not(o.throttle);
	cr_assert_eq(o.wait, CT_WAIT_READY);
	ct_conf_fini(&rsvc_conf_schema, &r);
}

static void refused(const char *setting, const char *words)
{
	struct rsvc_conf r = { .store = { .path = NULL } };
	char text[256];

	(void)snprintf(text, sizeof(text), "store = { path = \"x.db\"; };\n%s\n", setting);
	cr_assert_eq(load_text(&rsvc_conf_schema, text, &r), CT_INVALID_ARGUMENT, "%s", setting);
	cr_assert_not_null(strstr(report.text, words), "%s", report.text);
}

Test(settings, what_contradicts_itself_is_refused_by_name)
{
	refused("server = { workers = 2; batch_workers_max = 2; };", "server.batch_workers_max");
	refused("net = { backoff_min_ms = 3000; };", "net.backoff_min_ms");
	refused("net = { send_bytes_max = 1000; };", "net.send_bytes_max");
	refused("page = { size = 500; size_max = 100; };", "page.size");
	refused("server = { worker = 2; };", "server.worker");
	refused("server = { workers = \"many\"; };", "server.workers");
	refused("server = { workers = 257; };", "server.workers");
	refused("peers = { x = { url = [ \"tcp://r:1\" ]; }; };", "url");
}
