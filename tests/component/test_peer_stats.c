/* SPDX-License-Identifier: Apache-2.0 */
/* What Stats says of a service's own calls to another. */
#include "tests/component/detail.h"

#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/until.h"

#include "ct/v1/runtime.ct.h"

#include <criterion/criterion.h>

TestSuite(peer_stats, .fini = leak_check, .timeout = 60);

/* In detail_rig.reply until the next call. */
static const Ct__V1__StatsResponse *stats_of(struct ct_client *c)
{
	Ct__V1__StatsRequest req = CT__V1__STATS_REQUEST__INIT;
	const Ct__V1__StatsResponse *resp = NULL;

	cr_assert_eq(runtime_stats(c, NULL, &req, &detail_rig.reply, &resp), CT_OK);
	return resp;
}

static const Ct__V1__PeerStats *report_svc(void)
{
	const Ct__V1__StatsResponse *resp = stats_of(detail_rig.to_patient);
	const Ct__V1__PeerStats *p;

	cr_assert_eq(resp->n_peers, 1);
	p = resp->peers[0];
	cr_assert_str_eq(p->peer, "report");
	cr_assert_eq(p->calls, p->ok + p->failed + p->cancelled + p->expired + p->in_flight);
	return p;
}

Test(peer_stats, each_leg_of_a_view_is_a_call_to_report_svc)
{
	Clinic__V1__GetPatientDetailRequest req = detail_request();
	const Ct__V1__PeerStats *p;

	rig_start(&detail_rig, NULL);
	detail_put_patient();
	cr_assert_eq(report_svc()->calls, 0);
	(void)detail_get(&req);

	p = report_svc();
	cr_assert_geq(p->ok, 3); /* more when a slow machine made it ask twice */
	cr_assert_geq(p->attempts, p->ok);
	cr_assert_gt(p->connections, 0);
	cr_assert_eq(p->throttled, 0);
	cr_assert_eq(stats_of(detail_rig.to_report)->n_peers, 0, "report-svc calls nobody");
	rig_stop(&detail_rig);
}

static bool nobody_is_there(void *arg)
{
	(void)arg;
	return report_svc()->connections == 0;
}

Test(peer_stats, calls_to_a_dead_report_svc_come_to_nothing)
{
	Clinic__V1__GetPatientDetailRequest req = detail_request();
	const Ct__V1__PeerStats *p;
	uint64_t ok;

	rig_start(&detail_rig, NULL);
	detail_put_patient();
	(void)detail_get(&req);
	ok = report_svc()->ok;
	detail_rig.report = ct_service_host_free(detail_rig.report);
	(void)detail_get(&req);

	cr_assert(until(nobody_is_there, NULL));
	p = report_svc();
	cr_assert_eq(p->ok, ok);
	cr_assert_geq(p->failed + p->expired, 3); /* expired where the machine stalls */
	cr_assert_gt(p->connections_lost, 0);
	rig_stop(&detail_rig);
}
