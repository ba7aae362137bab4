/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_TALLY_H
#define SDTM_TALLY_H

#include "sdtm-import/batch.h"

#include <stdio.h>

/* What became of a table's rows. Each row is counted once, by the fate of the
 * item it went into; a row that went into none is rejected. */
struct sdtm_tally {
	bool present;                /* the study has such a table */
	uint64_t read;               /* data rows */
	uint64_t rows[SDTM_FATES_N]; /* they add up to `read` */
	uint64_t items;              /* made of them */
	char broke[512];             /* why reading stopped early; "": it did not */
};

void sdtm_tally_add(struct sdtm_tally *t, enum sdtm_fate fate, uint64_t rows);

/* Rows that were read and then neither sent nor rejected, when a load was
 * stopped: they are LEFT. After it the rows add up. */
void sdtm_tally_close(struct sdtm_tally *t);

/* The table people read: a line for each table that is present, and their sum. */
void sdtm_tally_print(const struct sdtm_tally tallies[SDTM_TABLES_N], double seconds, FILE *out);

/* All rows stored and all files read to their ends? */
bool sdtm_tally_all_stored(const struct sdtm_tally tallies[SDTM_TABLES_N]);

#endif
