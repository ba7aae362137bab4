/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_STUDY_H
#define SDTM_STUDY_H

#include "sdtm-import/table.h"

/* Which files a study's folder has. Pure but for looking. */
enum { SDTM_PATH_SIZE = 1024 };

struct sdtm_file {
	bool present;
	uint64_t bytes; /* as it lies on the disk */
	char path[SDTM_PATH_SIZE];
	const char *name; /* the last part of path */
};

struct sdtm_study {
	struct sdtm_file files[SDTM_TABLES_N];
	uint64_t bytes; /* of all */
};

/* Finds the tables and reads their headers. False: the folder has none, both
 * forms of one, or one with a bad header; all complaints are on stderr. */
CT_MUST_USE bool sdtm_study_find(const char *dir, struct sdtm_study *ret_study);

#endif
