/* SPDX-License-Identifier: Apache-2.0 */
/* No line of the log holds what tells who a patient is. */
#include "tests/component/rig.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(privacy, .fini = leak_check, .timeout = 60);

static struct rig rig;

/* Messages of failed calls go into callers' logs. */
static void check_message(void)
{
	cr_assert_str_neq(rig.reply.message, "");
	cr_assert_null(strstr(rig.reply.message, "张"), "%s", rig.reply.message);
}

static void put_zhang(void)
{
	Clinic__V1__PatientIdentity id = CLINIC__V1__PATIENT_IDENTITY__INIT;
	Clinic__V1__Patient p = rig_patient("S1", "A");

	id.family = "张";
	id.given = "三";
	id.mrn = "MRN-4711";
	id.national_id = "110101199001011234";
	id.address = "北京市东城区";
	id.phone = "+86-139-0000-0000";
	id.email = "zhang.san@example.org";
	p.identity = &id;
	cr_assert_eq(rig_put_patient(&rig, &p)->kind, CREATED);
	id.phone = "\n+86-139-0000-0000"; /* rejected */
	cr_assert_eq(rig_put_patient(&rig, &p)->kind, REJECTED);
	p.usubjid = "张三"; /* put where it does not belong */
	id.phone = "";
	cr_assert_eq(rig_put_patient(&rig, &p)->kind, CREATED);
}

static void ask_for_zhang(void)
{
	Clinic__V1__SearchPatientsRequest search = CLINIC__V1__SEARCH_PATIENTS_REQUEST__INIT;
	Clinic__V1__GetPatientDetailRequest detail = CLINIC__V1__GET_PATIENT_DETAIL_REQUEST__INIT;
	Clinic__V1__GetPatientRequest get = CLINIC__V1__GET_PATIENT_REQUEST__INIT;
	const Clinic__V1__SearchPatientsResponse *hits = NULL;

	search.text = "张三";
	cr_assert_eq(rig_ask(&rig, rig.to_patient, &patient_search_patients_method, &search.base),
		     CT_OK);
	hits = patient_search_patients_response(&rig.reply);
	cr_assert_eq(hits->n_patients, 2);
	search.text = "张三\n";
	cr_assert_eq(rig_ask(&rig, rig.to_patient, &patient_search_patients_method, &search.base),
		     CT_INVALID_ARGUMENT);
	check_message();
	get.usubjid = "张三丰";
	cr_assert_eq(rig_ask(&rig, rig.to_patient, &patient_get_patient_method, &get.base),
		     CT_NOT_FOUND);
	check_message();
	get.usubjid = "张三\xff";
	cr_assert_eq(rig_ask(&rig, rig.to_patient, &patient_get_patient_method, &get.base),
		     CT_INVALID_ARGUMENT);
	check_message();
	detail.usubjid = "A";
	cr_assert_eq(
		rig_ask(&rig, rig.to_patient, &patient_get_patient_detail_method, &detail.base),
		CT_OK);
	detail.usubjid = "张三丰";
	cr_assert_eq(
		rig_ask(&rig, rig.to_patient, &patient_get_patient_detail_method, &detail.base),
		CT_NOT_FOUND);
	check_message();
}

Test(privacy, the_log_at_debug_holds_no_identity)
{
	static const char *const secrets[] = {
		"张", "三", "MRN-4711", "110101199001011234", "东城区", "0000-00", "zhang.san"
	};
	char *log;

	rig_start(&rig, NULL);
	put_zhang();
	ask_for_zhang();
	/* a store that fails says which statement, and nothing that was bound */
	rig_sql(rig_patient_store(&rig), "DROP TABLE case_records");
	rig_sql(rig_patient_store(&rig), "DROP TABLE patient_identity");
	{
		Clinic__V1__SearchPatientsRequest search =
			CLINIC__V1__SEARCH_PATIENTS_REQUEST__INIT;

		search.text = "张三";
		cr_assert_eq(rig_ask(&rig, rig.to_patient, &patient_search_patients_method,
				     &search.base),
			     CT_INTERNAL);
	}
	log = rig_log_text(&rig);
	cr_assert_not_null(strstr(log, "SearchPatients"), "the calls are logged at all");
	cr_assert_not_null(strstr(log, "the store failed"));
	for (size_t i = 0; i < CT_ARRAY_N(secrets); i++)
		cr_assert_null(strstr(log, secrets[i]), "%s", secrets[i]);
	free(log);
	rig_stop(&rig);
}
