/* SPDX-License-Identifier: Apache-2.0 */
/* What Stats says of a service's store. */
#include "tests/component/rig.h"

#include "base/check.h"
#include "tests/lib/gate.h"
#include "tests/lib/leak_check.h"

#include "ct/v1/runtime.ct.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(store_stats, .fini = leak_check, .timeout = 60);

static struct rig rig;

/* It must be there. */
static uint64_t counter(struct ct_client *c, const char *name)
{
	Ct__V1__StatsRequest req = CT__V1__STATS_REQUEST__INIT;
	const Ct__V1__StatsResponse *resp;

	cr_assert_eq(rig_ask(&rig, c, &runtime_stats_method, &req.base), CT_OK);
	resp = runtime_stats_response(&rig.reply);
	for (size_t i = 0; i < resp->n_counters; i++)
		if (strcmp(resp->counters[i]->name, name) == 0)
			return resp->counters[i]->value;
	cr_assert_fail("Stats does not count %s", name);
	return 0;
}

Test(store_stats, writes_and_reads_are_counted)
{
	Clinic__V1__Patient p = rig_patient("S1", "A");
	uint64_t reads;

	rig_start(&rig, NULL);
	cr_assert_eq(counter(rig.to_patient, "store_committed"), 0);
	cr_assert_eq(rig_put_patient(&rig, &p)->kind, CREATED);
	cr_assert_eq(counter(rig.to_patient, "store_accepted"), 1);
	cr_assert_eq(counter(rig.to_patient, "store_committed"), 1);
	reads = counter(rig.to_patient, "store_reads");
	cr_assert_eq(rig_sql_number(rig_patient_store(&rig), "SELECT count(*) FROM patients"), 1);
	cr_assert_eq(counter(rig.to_patient, "store_reads"), reads + 1);
	cr_assert_eq(counter(rig.to_report, "store_accepted"), 0, "each has its own");
	rig_stop(&rig);
}

struct standing {
	sem_t entered, open, ended;
};

static ct_status stand(struct ct_db *db, void *arg)
{
	struct standing *w = arg;

	(void)db;
	CT_CHECK(sem_post(&w->entered) == 0);
	AWAIT(&w->open);
	return CT_OK;
}

static void stood(void *arg, ct_status st, const char *why)
{
	struct standing *w = arg;

	CT_CHECK(st == CT_OK && why != NULL);
	CT_CHECK(sem_post(&w->ended) == 0);
}

Test(store_stats, a_full_queue_shows)
{
	static const char *const settings[] = { "store.write_queue_max=1", NULL };
	Clinic__V1__Patient p = rig_patient("S1", "A"), *list = &p;
	Clinic__V1__PutPatientsRequest req = CLINIC__V1__PUT_PATIENTS_REQUEST__INIT;
	struct standing w;
	struct ct_store *s;

	rig_start(&rig, &(struct rig_opts){ .patient_settings = settings });
	s = rig_patient_store(&rig);
	CT_CHECK(sem_init(&w.entered, 0, 0) == 0 && sem_init(&w.ended, 0, 0) == 0);
	CT_CHECK(sem_init(&w.open, 0, 0) == 0);
	cr_assert_eq(ct_store_write(s, NULL, stand, &w, stood, &w), CT_OK);
	AWAIT(&w.entered);
	cr_assert_eq(ct_store_write(s, NULL, stand, &w, stood, &w), CT_OK);
	req.patients = &list;
	req.n_patients = 1;
	cr_assert_eq(rig_ask(&rig, rig.to_patient, &patient_put_patients_method, &req.base),
		     CT_RESOURCE_EXHAUSTED);
	cr_assert_geq(counter(rig.to_patient, "store_refused"), 1);
	cr_assert_eq(counter(rig.to_patient, "store_queued"), 1);
	cr_assert_eq(counter(rig.to_patient, "store_running"), 1);
	for (int i = 0; i < 2; i++)
		CT_CHECK(sem_post(&w.open) == 0);
	for (int i = 0; i < 2; i++)
		AWAIT(&w.ended);
	rig_stop(&rig);
}
