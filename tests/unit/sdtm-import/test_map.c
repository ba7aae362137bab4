/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include "sdtm-import/map.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

#include <stdio.h>

TestSuite(map, .fini = leak_check, .timeout = 60);

static const char DM[] = "STUDYID,USUBJID,SUBJID,SITEID,SEX,AGE,AGEU,COUNTRY,ARMCD,ARM,RFSTDTC,"
			 "RFENDTC,RFXSTDTC,RFXENDTC,DTHDTC,DTHFL,DSDECOD,SITENAME,BRTHDTC,FAMILY,"
			 "GIVEN,SCRNNO,PHONE\n";

/* The one message a one-row table becomes. */
static const void *only(struct tally *t, enum sdtm_table_id id, const char *header, const char *row)
{
	struct sdtm_load_result result;
	char text[2048];

	tally_init(t);
	snprintf(text, sizeof(text), "%s%s\n", header, row);
	cr_assert_eq(load_text(id, text, t, NULL, &result), CT_OK, "%s", result.why);
	cr_assert_eq(t->items, 1, "%s: %s", t->last.column, t->last.reason);
	return t->kept[0]->msg;
}

Test(map, patient_has_its_identity_apart_and_chinese_names_intact)
{
	struct tally t;
	const Clinic__V1__Patient *p = only(
		&t, SDTM_DM, DM,
		"ST,ST-101-0001,0001,101,F,,YEARS,CHN,LOW,Low Dose,2021-03-05,,2021-03-05,,,,,"
		"协和医院,1958-07,张,三,S-0001,000-0001");

	cr_assert_str_eq(p->study_id, "ST");
	cr_assert_str_eq(p->usubjid, "ST-101-0001");
	cr_assert_str_eq(p->subjid, "0001");
	cr_assert_str_eq(p->site_id, "101");
	cr_assert_str_eq(p->site_name, "协和医院");
	cr_assert_str_eq(p->screening_no, "S-0001");
	cr_assert_str_eq(p->birth_date, "1958-07");
	cr_assert_eq(p->maybe_age_case, CLINIC__V1__PATIENT__MAYBE_AGE__NOT_SET);
	cr_assert_str_eq(p->arm_cd, "LOW");
	cr_assert_str_eq(p->rfstdtc, "2021-03-05");
	cr_assert_not_null(p->identity);
	cr_assert_str_eq(p->identity->family, "张");
	cr_assert_str_eq(p->identity->given, "三");
	cr_assert_str_eq(p->identity->phone, "000-0001");
	cr_assert_eq(p->status, CLINIC__V1__PATIENT__STATUS__ON_TREATMENT);
	tally_fini(&t);
}

Test(map, status_follows_from_arm_dates_death_and_disposition)
{
	static const struct {
		const char *arm, *dates; /* ARMCD,ARM / RFSTDTC to DSDECOD */
		Clinic__V1__Patient__Status status;
	} rows[] = {
		{ ",", ",,,,,,", CLINIC__V1__PATIENT__STATUS__SCREENED },
		{ "Scrnfail,Screen Failure", ",,,,,,", CLINIC__V1__PATIENT__STATUS__SCREEN_FAILED },
		{ "SCRNFAIL,", ",,,,,,", CLINIC__V1__PATIENT__STATUS__SCREEN_FAILED },
		{ ",", ",,,,,,SCREEN FAILURE", CLINIC__V1__PATIENT__STATUS__SCREEN_FAILED },
		{ "A,A", "2020-01-01,,,,,,", CLINIC__V1__PATIENT__STATUS__ENROLLED },
		{ "A,A", "2020-01-01,,2020-01-01,,,,", CLINIC__V1__PATIENT__STATUS__ON_TREATMENT },
		{ "A,A", "2020-01-01,2020-02-01,2020-01-01,2020-02-01,,,",
		  CLINIC__V1__PATIENT__STATUS__ENROLLED },
		{ "A,A", "2020-01-01,2020-02-01,2020-01-01,2020-02-01,,,COMPLETED",
		  CLINIC__V1__PATIENT__STATUS__COMPLETED },
		{ "A,A", "2020-01-01,2020-02-01,2020-01-01,2020-02-01,,,ADVERSE EVENT",
		  CLINIC__V1__PATIENT__STATUS__DISCONTINUED },
		{ "A,A", "2020-01-01,,2020-01-01,,2020-02-02,Y,DEATH",
		  CLINIC__V1__PATIENT__STATUS__DIED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const Clinic__V1__Patient *p;
		struct tally t;
		char text[256];

		snprintf(text, sizeof(text), "ST,P,1,101,M,70,YEARS,CHN,%s,%s,,,,,,", rows[i].arm,
			 rows[i].dates);
		p = only(&t, SDTM_DM, DM, text);
		cr_assert_eq(p->status, rows[i].status, "row %zu", i);
		cr_assert_eq(p->age, 70);
		cr_assert_null(p->identity);
		tally_fini(&t);
	}
}

Test(map, adverse_event_and_history_are_two_kinds_of_case_record)
{
	struct tally t;
	const Clinic__V1__CaseRecord *c = only(
		&t, SDTM_AE,
		"STUDYID,USUBJID,AESEQ,AETERM,AEDECOD,AEBODSYS,AESEV,AESER,AEACN,AEREL,AEOUT,"
		"AESTDTC,AEENDTC\n",
		"ST,P,3,\"头痛, \"\"重\"\"\",Headache,Nerves,MILD,N,NONE,POSSIBLE,RECOVERED,"
		"2020-03,");

	cr_assert_eq(c->kind, CLINIC__V1__CASE_RECORD__KIND__ADVERSE_EVENT);
	cr_assert_eq(c->seq, 3);
	cr_assert_str_eq(c->term, "头痛, \"重\"");
	cr_assert_str_eq(c->decod, "Headache");
	cr_assert_str_eq(c->body_system, "Nerves");
	cr_assert_str_eq(c->severity, "MILD");
	cr_assert_str_eq(c->serious, "N");
	cr_assert_str_eq(c->outcome, "RECOVERED");
	cr_assert_str_eq(c->relation, "POSSIBLE");
	cr_assert_str_eq(c->action, "NONE");
	cr_assert_str_eq(c->start_dtc, "2020-03");
	cr_assert_str_eq(c->end_dtc, "");
	cr_assert_eq(c->maybe_visit_num_case, CLINIC__V1__CASE_RECORD__MAYBE_VISIT_NUM__NOT_SET);
	tally_fini(&t);

	c = only(&t, SDTM_MH, "STUDYID,USUBJID,MHSEQ,MHTERM,MHCAT,VISITNUM,VISIT,MHSTDTC\n",
		 "ST,P,1,GOUT,HISTORY,1,SCREENING,1999");
	cr_assert_eq(c->kind, CLINIC__V1__CASE_RECORD__KIND__HISTORY);
	cr_assert_str_eq(c->category, "HISTORY");
	cr_assert_str_eq(c->visit, "SCREENING");
	cr_assert_float_eq(c->visit_num, 1.0, 1e-12);
	cr_assert_str_eq(c->start_dtc, "1999");
	tally_fini(&t);
}

Test(map, medication_keeps_dose_only_when_there_is_one)
{
	static const char header[] = "STUDYID,USUBJID,CMSEQ,CMTRT,CMDECOD,CMCLAS,CMINDC,CMDOSE,"
				     "CMDOSU,CMDOSFRQ,CMROUTE,VISITNUM,CMSTDTC,CMENDTC,CMENRF\n";
	struct tally t;
	const Clinic__V1__Medication *m = only(
		&t, SDTM_CM, header, "ST,P,9,TEA,HERBAL,OTHER,NA,0.5,g,QD,ORAL,1.1,2003,,ONGOING");

	cr_assert_eq(m->seq, 9);
	cr_assert_str_eq(m->trt, "TEA");
	cr_assert_str_eq(m->decod, "HERBAL");
	cr_assert_str_eq(m->med_class, "OTHER");
	cr_assert_str_eq(m->indication, "NA", "a literal NA is text like any other");
	cr_assert_eq(m->maybe_dose_case, CLINIC__V1__MEDICATION__MAYBE_DOSE_DOSE);
	cr_assert_float_eq(m->dose, 0.5, 1e-12);
	cr_assert_str_eq(m->dose_unit, "g");
	cr_assert_str_eq(m->freq, "QD");
	cr_assert_str_eq(m->route, "ORAL");
	cr_assert_float_eq(m->visit_num, 1.1, 1e-12);
	cr_assert_str_eq(m->start_dtc, "2003");
	cr_assert(m->ongoing);
	tally_fini(&t);

	m = only(&t, SDTM_CM, header, "ST,P,10,TEA,,,,,,,,,,,");
	cr_assert_eq(m->maybe_dose_case, CLINIC__V1__MEDICATION__MAYBE_DOSE__NOT_SET);
	cr_assert_eq(m->maybe_visit_num_case, CLINIC__V1__MEDICATION__MAYBE_VISIT_NUM__NOT_SET);
	cr_assert_not(m->ongoing);
	tally_fini(&t);
}

Test(map, visit_tells_day_zero_from_no_day)
{
	struct tally t;
	const Clinic__V1__Visit *v = only(
		&t, SDTM_SV,
		"STUDYID,USUBJID,VISITNUM,VISIT,VISITDY,SVSTDTC,SVENDTC,SVSTDY,SVENDY,SVUPDES\n",
		"ST,P,1.1,UNSCHEDULED 1.1,,2020-01-02,2020-01-03,0,-1,dizzy");

	cr_assert_float_eq(v->visit_num, 1.1, 1e-12);
	cr_assert_str_eq(v->visit, "UNSCHEDULED 1.1");
	cr_assert_eq(v->maybe_visit_dy_case, CLINIC__V1__VISIT__MAYBE_VISIT_DY__NOT_SET);
	cr_assert_eq(v->maybe_start_dy_case, CLINIC__V1__VISIT__MAYBE_START_DY_START_DY);
	cr_assert_eq(v->start_dy, 0);
	cr_assert_eq(v->end_dy, -1);
	cr_assert_str_eq(v->unplanned, "dizzy");
	tally_fini(&t);
}

Test(map, result_keeps_original_text_and_number_apart)
{
	static const char header[] =
		"STUDYID,USUBJID,LBSEQ,LBTESTCD,LBTEST,LBCAT,LBORRES,LBORRESU,LBSTRESC,LBSTRESN,"
		"LBSTRESU,LBSTNRLO,LBSTNRHI,LBNRIND,LBBLFL,VISITNUM,VISIT,LBDTC,LBSPEC\n";
	struct tally t;
	const Clinic__V1__DiagnosticReport *r = only(
		&t, SDTM_LB, header,
		"ST,P,5,BILI,Bilirubin,CHEMISTRY,<0.2,mg/dL,<3.4,,umol/L,3,21,LOW,Y,2,DAY 1,"
		"2020-01-02T08:30,BLOOD");
	const Clinic__V1__Observation *o = r->results[0];

	cr_assert_str_eq(r->report_id, "LB/ST/P/CHEMISTRY/2/2020-01-02T08:30");
	cr_assert_eq(r->kind, CLINIC__V1__REPORT_KIND__LABORATORY);
	cr_assert_eq(r->status, CLINIC__V1__DIAGNOSTIC_REPORT__STATUS__FINAL);
	cr_assert_str_eq(r->category, "CHEMISTRY");
	cr_assert_str_eq(r->effective_dtc, "2020-01-02T08:30");
	cr_assert_str_eq(r->visit, "DAY 1");
	cr_assert_float_eq(r->visit_num, 2, 1e-12);
	cr_assert_str_eq(o->orres, "<0.2");
	cr_assert_str_eq(o->stresc, "<3.4");
	cr_assert_eq(o->maybe_stresn_case, CLINIC__V1__OBSERVATION__MAYBE_STRESN__NOT_SET);
	cr_assert_float_eq(o->nrlo, 3, 1e-12);
	cr_assert_float_eq(o->nrhi, 21, 1e-12);
	cr_assert_str_eq(o->nrind, "LOW");
	cr_assert_str_eq(o->blfl, "Y");
	cr_assert_str_eq(o->specimen, "BLOOD");
	cr_assert_str_eq(o->position, "");
	tally_fini(&t);
}

Test(map, vital_sign_has_position_status_and_leading_zeros)
{
	static const char header[] =
		"STUDYID,USUBJID,VSSEQ,VSTESTCD,VSTEST,VSPOS,VSORRES,VSORRESU,VSSTRESC,VSSTRESN,"
		"VSSTRESU,VSSTAT,VSLOC,VISITNUM,VISIT,VSDTC,VSTPT\n";
	struct tally t;
	const Clinic__V1__DiagnosticReport *r = only(
		&t, SDTM_VS, header,
		"ST,P,5,TEMP,Temperature,SUPINE,098.6,F,37.0,37,C,,EAR,,,2020,AFTER 5 MIN");
	const Clinic__V1__Observation *o = r->results[0];

	cr_assert_str_eq(r->report_id, "VS/ST/P///2020");
	cr_assert_eq(r->kind, CLINIC__V1__REPORT_KIND__VITAL_SIGNS);
	cr_assert_eq(r->maybe_visit_num_case,
		     CLINIC__V1__DIAGNOSTIC_REPORT__MAYBE_VISIT_NUM__NOT_SET);
	cr_assert_str_eq(o->orres, "098.6");
	cr_assert_eq(o->maybe_stresn_case, CLINIC__V1__OBSERVATION__MAYBE_STRESN_STRESN);
	cr_assert_float_eq(o->stresn, 37.0, 1e-12);
	cr_assert_str_eq(o->position, "SUPINE");
	cr_assert_str_eq(o->location, "EAR");
	cr_assert_str_eq(o->timepoint, "AFTER 5 MIN");
	cr_assert_str_eq(o->specimen, "");
	tally_fini(&t);

	r = only(&t, SDTM_VS, header, "ST,P,6,TEMP,,,,,,,,NOT DONE,,1,,2020-01-01,");
	cr_assert_str_eq(r->results[0]->orres, "");
	cr_assert_str_eq(r->results[0]->status, "NOT DONE");
	tally_fini(&t);
}

Test(map, report_ids_of_different_keys_differ_even_with_slashes_in_them)
{
	struct sdtm_report_key x = { "S", "P/1", "A", "2020", 1, true };
	struct sdtm_report_key y = { "S/P", "1", "A", "2020", 1, true };
	struct ct_arena mem;

	ct_arena_init(&mem, 1024, 65536);
	cr_assert_str_eq(sdtm_report_id(&mem, sdtm_table(SDTM_LB), &x, 1), "LB/S/P%2F1/A/1/2020");
	cr_assert_str_eq(sdtm_report_id(&mem, sdtm_table(SDTM_LB), &y, 1), "LB/S%2FP/1/A/1/2020");
	x.visit_num = 1.1;
	x.category = "50%#";
	cr_assert_str_eq(sdtm_report_id(&mem, sdtm_table(SDTM_VS), &x, 3),
			 "VS/S/P%2F1/50%25%23/1.1/2020#3");
	ct_arena_fini(&mem);
}
