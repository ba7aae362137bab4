/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_COMPONENT_FAKE_REPORT_H
#define TESTS_COMPONENT_FAKE_REPORT_H

#include "rpc/services/service_host.h"

#include "clinic/v1/report.pb-c.h"

#include <semaphore.h>
#include <stdatomic.h>

/*
 * A report-svc that behaves as the test says, for struct rig_opts. It answers
 * vital signs and visits with one item each, of study "S1"; laboratory reports as
 * `lab` says.
 */
enum fake_lab {
	FAKE_LAB_ANSWERS,
	FAKE_LAB_WAITS, /* until its context is tripped */
	FAKE_LAB_FAILS, /* with the status `lab_status` */
};

struct fake_report {
	enum fake_lab lab;
	ct_status lab_status;
	sem_t entered;          /* posted when a laboratory call runs */
	sem_t left;             /* posted when one was stopped */
	atomic_int stop_reason; /* enum ct_cancel_reason it saw */
	/* what the last laboratory call asked for */
	uint64_t budget_us;
	uint32_t page_size;
};

/* The one of this process; set it before rig_start(). */
extern struct fake_report fake_report;
extern const struct ct_service fake_report_service;

#endif
