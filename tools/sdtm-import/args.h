/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_ARGS_H
#define SDTM_ARGS_H

#include <stddef.h>
#include <stdint.h>

enum { SDTM_URLS_MAX = 16 };

/* The command line. Pointers into argv. */
struct sdtm_args {
	const char *dir;
	const char *patient[SDTM_URLS_MAX],
		*report[SDTM_URLS_MAX]; /* several: one service's endpoints */
	size_t patient_n, report_n;
	uint32_t concurrency; /* calls at once */
	uint32_t batch;       /* items in a call */
	uint32_t deadline_ms; /* of a call; 0: the method's own */
	uint32_t retry_ms;    /* how long something is sent again */
	const char *rejects;  /* NULL: no file */
};

/* -1: go on with *ret_args. Else the exit status: help and version were shown,
 * or stderr says what is wrong. */
int sdtm_args_parse(int argc, char **argv, struct sdtm_args *ret_args);

#endif
