/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_GROUP_H
#define SDTM_GROUP_H

#include "base/status.h"
#include "sdtm-import/item.h"
#include "sdtm-import/row.h"

/*
 * Gathers the rows of LB and VS into reports, whatever order the file is in.
 *
 * Two passes. The first announces every row (expect), so that the second knows
 * when a report has all its rows and hands it on at that moment: a file sorted
 * by subject, as SDTM's are, keeps one subject in memory, one sorted by date
 * little more. When too many rows wait (a file sorted by test, say), all that
 * wait are handed on, and rows that come later make further parts of the same
 * report, with ids of their own ("…#2"). So no order loses a row, memory is
 * bounded, and the same file makes the same reports every time.
 *
 * One thread.
 */
struct sdtm_groups;

struct sdtm_group_limits {
	uint32_t reports_max;     /* in a file; about 24 bytes each */
	uint32_t rows_held_max;   /* waiting for their report to be whole */
	size_t bytes_held_max;    /* and their size */
	uint32_t report_rows_max; /* in one report; more make a further part */
	size_t report_bytes_max;
};

extern const struct sdtm_group_limits sdtm_group_limits_default;

/* Takes a sealed item, whatever it returns. Not OK: stop, the status is passed on. */
typedef ct_status(sdtm_item_fn)(void *arg, struct sdtm_item *item);

/* NULL: memory. */
CT_MUST_USE struct sdtm_groups *sdtm_groups_new(const struct sdtm_table *table,
						const struct sdtm_group_limits *limits,
						sdtm_item_fn *fn, void *arg);
struct sdtm_groups *sdtm_groups_free(struct sdtm_groups *g); /* drops what waits; NULL ok */

/* First pass: a row that is to come. Rows that are spoiled need not be
 * announced. OUT_OF_RANGE: more than reports_max. RESOURCE_EXHAUSTED: memory. */
CT_MUST_USE ct_status sdtm_groups_expect(struct sdtm_groups *g, struct sdtm_row *row);

/* Second pass. The row spoils when it cannot be read; then it is in no report
 * and the caller rejects it. Other errors: as expect, and those of fn. */
CT_MUST_USE ct_status sdtm_groups_add(struct sdtm_groups *g, struct sdtm_row *row);

/* After the last row: hands on what still waits. */
CT_MUST_USE ct_status sdtm_groups_finish(struct sdtm_groups *g);

#endif
