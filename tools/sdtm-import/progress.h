/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_PROGRESS_H
#define SDTM_PROGRESS_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Tells how far the import is: on a terminal one line that is drawn over and
 * over, elsewhere a plain line every few seconds. Owns nothing. One thread.
 */
struct sdtm_progress {
	FILE *out;
	const struct ct_clock *clk;
	bool terminal;
	bool drawn; /* the line stands on the terminal */
	ct_instant began, next;
	const char *table;
	uint64_t rows; /* read so far, of all tables */
	double share;  /* of all the files' bytes, 0 to 1 */
};

/* out: stderr or a test's file. */
void sdtm_progress_init(struct sdtm_progress *p, FILE *out, bool terminal,
			const struct ct_clock *clk);

/* The state; shown when it is time to. */
void sdtm_progress_set(struct sdtm_progress *p, const char *table, uint64_t rows, double share);

/* Shows the last state again when it is time to. */
void sdtm_progress_tick(struct sdtm_progress *p);

/* Takes the line away before something else is printed; the next tick draws it. */
void sdtm_progress_clear(struct sdtm_progress *p);

double sdtm_progress_seconds(const struct sdtm_progress *p); /* since init */

#endif
