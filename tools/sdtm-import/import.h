/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_IMPORT_H
#define SDTM_IMPORT_H

#include "sdtm-import/args.h"

/*
 * The import as a whole: finds the tables, refuses a study with a bad header
 * before anything is sent, loads table by table, and prints the summary to
 * stdout. Returns the exit status. Blocks until it is done.
 */
int sdtm_import_run(const struct sdtm_args *args);

enum { SDTM_EXIT_STORED = 0, SDTM_EXIT_REJECTED = 1, SDTM_EXIT_FAILED = 2 };

#endif
