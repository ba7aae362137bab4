/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/component/rig.h"

#include "tests/lib/leak_check.h"

#include "ct/v1/probe.ct.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(probe, .fini = leak_check, .timeout = 60);

static struct rig rig;
static const char *const on[] = { "probe.enabled=true", NULL };
static const struct rig_opts probed = { .patient_settings = on, .report_settings = on };

static ct_status echo(const Ct__V1__EchoRequest *req, const Ct__V1__EchoReply **ret_resp)
{
	return probe_echo(rig.to_patient, NULL, req, &rig.reply, ret_resp);
}

static struct ct_ctx *ctx_of_ms(uint32_t ms)
{
	struct ct_ctx *ctx = NULL;

	cr_assert_eq(
		ct_ctx_new_root(rig.rt.timers, ct_deadline_after_ms(ct_clock_system(), ms), &ctx),
		CT_OK);
	return ctx;
}

Test(probe, it_is_off_unless_the_settings_say_so)
{
	Ct__V1__EchoRequest req = CT__V1__ECHO_REQUEST__INIT;
	const Ct__V1__EchoReply *resp = NULL;

	rig_start(&rig, NULL);
	cr_assert_eq(echo(&req, &resp), CT_UNIMPLEMENTED);
	rig_stop(&rig);
}

Test(probe, echo_gives_back_the_payload_and_says_who_it_is)
{
	Ct__V1__EchoRequest req = CT__V1__ECHO_REQUEST__INIT;
	const Ct__V1__EchoReply *resp = NULL;

	rig_start(&rig, &probed);
	req.payload.data = (uint8_t *)(uintptr_t) "ab\0c";
	req.payload.len = 4;
	cr_assert_eq(echo(&req, &resp), CT_OK);
	cr_assert_eq(resp->payload.len, 4);
	cr_assert_arr_eq(resp->payload.data, "ab\0c", 4);
	cr_assert_str_eq(resp->service, "patient-svc");
	rig_stop(&rig);
}

Test(probe, echo_burns_and_waits_as_long_as_it_is_told)
{
	Ct__V1__EchoRequest req = CT__V1__ECHO_REQUEST__INIT;
	const Ct__V1__EchoReply *resp = NULL;

	rig_start(&rig, &probed);
	req.spin_us = 20000;
	req.sleep_us = 30000;
	cr_assert_eq(echo(&req, &resp), CT_OK);
	cr_assert_geq(ct_reply_meta(&rig.reply)->timing->handler_us, 50000);
	rig_stop(&rig);
}

static uint64_t expired_running(void)
{
	struct ct_server_stats s;

	ct_server_stats(ct_service_host_server(rig.patient), &s);
	return s.calls.expired_running;
}

static bool nothing_is_in_flight(void *arg)
{
	struct ct_server_stats s;

	(void)arg;
	ct_server_stats(ct_service_host_server(rig.patient), &s);
	return s.calls.in_flight == 0;
}

/* With ever longer deadlines: a busy machine may not even begin in a short one. */
static void expect_expired_running(const Ct__V1__EchoRequest *req, uint64_t all)
{
	enum { FIRST_MS = 50, LAST_MS = 6400 };
	const Ct__V1__EchoReply *resp = NULL;

	for (uint32_t ms = FIRST_MS; ms <= LAST_MS && expired_running() < all; ms *= 2) {
		struct ct_ctx *ctx = ctx_of_ms(ms);

		cr_assert_eq(probe_echo(rig.to_patient, ctx, req, &rig.reply, &resp),
			     CT_DEADLINE_EXCEEDED);
		ct_ctx_unref(ctx);
		cr_assert(rig_await(nothing_is_in_flight, NULL));
	}
	cr_assert_eq(expired_running(), all);
}

Test(probe, both_halves_of_echo_end_with_the_deadline)
{
	Ct__V1__EchoRequest spin = CT__V1__ECHO_REQUEST__INIT, wait = CT__V1__ECHO_REQUEST__INIT;

	rig_start(&rig, &probed);
	spin.spin_us = 60000000;
	wait.sleep_us = 60000000;
	expect_expired_running(&spin, 1);
	expect_expired_running(&wait, 2);
	ct_server_drain(ct_service_host_server(rig.patient));
	ct_server_join(ct_service_host_server(rig.patient)); /* nothing of 60 s runs on */
	cr_assert_eq(expired_running(), 2);
	rig_stop(&rig);
}

Test(probe, a_chain_runs_on_its_last_hop_and_its_time_is_told)
{
	Ct__V1__EchoRequest last = CT__V1__ECHO_REQUEST__INIT;
	Ct__V1__ChainRequest req = CT__V1__CHAIN_REQUEST__INIT;
	const Ct__V1__EchoReply *resp = NULL;
	char *hops[] = { "report" };

	rig_start(&rig, &probed);
	req.last = &last;
	last.sleep_us = 10000;
	cr_assert_eq(probe_chain(rig.to_patient, NULL, &req, &rig.reply, &resp), CT_OK);
	cr_assert_str_eq(resp->service, "patient-svc");
	req.hops = hops;
	req.n_hops = 1;
	cr_assert_eq(probe_chain(rig.to_patient, NULL, &req, &rig.reply, &resp), CT_OK);
	cr_assert_str_eq(resp->service, "report-svc");
	cr_assert_eq(ct_reply_meta(&rig.reply)->timing->n_hops, 1);
	cr_assert_str_eq(ct_reply_meta(&rig.reply)->timing->hops[0]->peer, "report");
	cr_assert_geq(ct_reply_meta(&rig.reply)->timing->hops[0]->timing->handler_us, 10000);
	rig_stop(&rig);
}

Test(probe, a_chain_tells_what_went_wrong_where)
{
	Ct__V1__ChainRequest req = CT__V1__CHAIN_REQUEST__INIT;
	const Ct__V1__EchoReply *resp = NULL;
	char *unknown[] = { "nobody" }, *too_far[] = { "report", "nobody" };
	char *many[17];

	rig_start(&rig, &probed);
	req.hops = unknown;
	req.n_hops = 1;
	cr_assert_eq(probe_chain(rig.to_patient, NULL, &req, &rig.reply, &resp),
		     CT_INVALID_ARGUMENT);
	req.hops = too_far;
	req.n_hops = 2;
	cr_assert_eq(probe_chain(rig.to_patient, NULL, &req, &rig.reply, &resp),
		     CT_INVALID_ARGUMENT);
	cr_assert_str_eq(rig.reply.message, "report: the settings have no such peer");
	for (size_t i = 0; i < CT_ARRAY_N(many); i++)
		many[i] = "report";
	req.hops = many;
	req.n_hops = CT_ARRAY_N(many);
	cr_assert_eq(probe_chain(rig.to_patient, NULL, &req, &rig.reply, &resp),
		     CT_INVALID_ARGUMENT);
	rig_stop(&rig);
}
