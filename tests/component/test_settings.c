/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of the services and the committed examples of them. */
#include "patient-svc/conf.h"
#include "report-svc/conf.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(settings, .fini = leak_check, .timeout = 10);

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
	refused("server = { workers = 2; batch_workers_max = 3; };", "server.batch_workers_max");
	refused("net = { backoff_min_ms = 3000; };", "net.backoff_min_ms");
	refused("net = { send_bytes_max = 1000; };", "net.send_bytes_max");
	refused("page = { size = 500; size_max = 100; };", "page.size");
	refused("server = { worker = 2; };", "server.worker");
	refused("server = { workers = \"many\"; };", "server.workers");
	refused("server = { workers = 257; };", "server.workers");
	refused("peers = { x = { url = [ \"tcp://r:1\" ]; }; };", "url");
}
