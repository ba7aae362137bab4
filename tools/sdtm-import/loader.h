/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_LOADER_H
#define SDTM_LOADER_H

#include "base/status.h"
#include "sdtm-import/group.h"

/*
 * Reads one table's file and turns it into items: csv -> row -> message ->
 * sink. Every row read ends in exactly one item or is rejected exactly once.
 * Knows nothing of calls. One thread.
 */

/* Where items and rejected rows go. */
struct sdtm_sink {
	void *arg;
	sdtm_item_fn *item;
	/* Not OK: stop, the status is passed on. */
	ct_status (*reject)(void *arg, const struct sdtm_reject *why);
	/* May rows of this subject be stored? NULL: all may. Not OK: stop. */
	ct_status (*known)(void *arg, const char *study_id, const char *usubjid, bool *ret_known);
	/* Now and then: rows read, and the share of the file taken, 0 to 1; both 0 while
	 * a file that is read twice is read first. Not OK: stop. NULL ok. */
	ct_status (*progress)(void *arg, uint64_t rows, double share);
};

struct sdtm_load_opts {
	const struct sdtm_table *table;
	const char *path;
	const struct sdtm_sink *sink;
	const struct sdtm_group_limits *limits; /* NULL: the default ones */
	uint32_t rows_max;                      /* in a table; 0: 4,000,000. About 24 bytes each */
};

/* What a load came to, whatever its status. */
struct sdtm_load_result {
	uint64_t rows; /* data rows read, good and bad; without the header */
	uint64_t line; /* where reading stopped, 0: it did not stop early */
	char why[280]; /* why the file is to blame for that; "": it is not */
};

/* OK: to the end. FAILED_PRECONDITION: the file cannot be read (from result's
 * line on), or is not such a table; whole rows before that were handed on.
 * OUT_OF_RANGE: larger than rows_max or the limits. Others: the sink's, or
 * RESOURCE_EXHAUSTED. *ret_result is always set. */
CT_MUST_USE ct_status sdtm_load(const struct sdtm_load_opts *opts,
				struct sdtm_load_result *ret_result);

/* The header alone, to refuse a study before anything is stored: OK, or as above. */
CT_MUST_USE ct_status sdtm_load_check(const struct sdtm_table *table, const char *path,
				      struct sdtm_load_result *ret_result);

#endif
