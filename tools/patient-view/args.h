/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATIENT_VIEW_ARGS_H
#define PATIENT_VIEW_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VIEW_URLS_MAX = 16 };

/* What the command line said. Strings point into argv. */
struct view_args {
	const char *urls[VIEW_URLS_MAX];
	size_t urls_n;
	uint32_t timeout_ms; /* 0: the method's own */
	size_t rows_max;     /* shown of each section; 0: all */
	bool must_be_whole;  /* a missing section is an error */
	const char *study_id, *usubjid;
};

/* -1: go on; else the exit status, and what there is to say was said. */
int view_args_parse(int argc, char **argv, struct view_args *ret_args);

#endif
