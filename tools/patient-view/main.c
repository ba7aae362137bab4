/* SPDX-License-Identifier: Apache-2.0 */
/* patient-view: one patient's full view, for people. Also the smallest program
 * that calls a service: a runtime, a client, one call through its typed stub. */
#include "patient-view/args.h"
#include "patient-view/show.h"
#include "rpc/client.h"

#include "clinic/v1/patient.ct.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_INCOMPLETE = 3 };

/* The exit status. */
static int show_view_of(struct ct_client *client, const struct view_args *args)
{
	Clinic__V1__GetPatientDetailRequest req = CLINIC__V1__GET_PATIENT_DETAIL_REQUEST__INIT;
	const struct ct_call_opts opts = { .timeout_ms = args->timeout_ms };
	const Clinic__V1__GetPatientDetailResponse *view;
	int status = EXIT_FAILURE;
	struct ct_reply reply;
	ct_status st;

	req.usubjid = (char *)(uintptr_t)args->usubjid; /* packing only reads it */
	req.study_id = (char *)(uintptr_t)args->study_id;
	if (args->must_be_whole)
		req.maybe_allow_partial_case =
			CLINIC__V1__GET_PATIENT_DETAIL_REQUEST__MAYBE_ALLOW_PARTIAL_ALLOW_PARTIAL;
	ct_reply_init(&reply);
	st = ct_client_call(client, NULL, &patient_get_patient_detail_method, &req.base, &opts,
			    &reply);
	if (st == CT_OK) {
		view = patient_get_patient_detail_response(&reply);
		view_show(view, args->rows_max);
		status = view->complete ? EXIT_SUCCESS : EXIT_INCOMPLETE;
	} else {
		fprintf(stderr, "patient-view: %s after %llu us: %s\n", ct_status_name(st),
			(unsigned long long)reply.elapsed_us, reply.message);
	}
	ct_reply_fini(&reply);
	return status;
}

static int run(const struct view_args *args)
{
	const struct ct_runtime_opts runtime_opts = { .service = "patient-view" };
	struct ct_client_opts client_opts = { .peer = "patient-svc",
					      .urls = args->urls,
					      .urls_n = args->urls_n };
	const char *why = "no memory or threads";
	struct ct_client *client = NULL;
	int status = EXIT_FAILURE;
	struct ct_runtime rt;

	if (ct_runtime_init(&rt, &runtime_opts) != CT_OK) {
		fprintf(stderr, "patient-view: %s\n", why);
		return EXIT_FAILURE;
	}
	client_opts.rt = &rt;
	if (ct_client_new(&client_opts, &client, &why) == CT_OK)
		status = show_view_of(client, args);
	else
		fprintf(stderr, "patient-view: %s: %s\n", args->urls[0], why);
	client = ct_client_free(client);
	ct_runtime_fini(&rt);
	if (fflush(stdout) != 0 && status != EXIT_FAILURE) {
		perror("patient-view: stdout");
		status = EXIT_FAILURE;
	}
	return status;
}

int main(int argc, char **argv)
{
	struct view_args args;
	const int done = view_args_parse(argc, argv, &args);

	if (done >= 0)
		return done;
	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* for the width of characters, wherever we run */
	return run(&args);
}
