/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_CSV_H
#define SDTM_CSV_H

#include "base/attrs.h"
#include "base/status.h"
#include "sdtm-import/csv_scan.h"

/*
 * Reads CSV row by row from a source of bytes, in bounded memory (about 300
 * KiB). A row that is broken costs itself alone: reading goes on at the line
 * after the one it began on, so an unclosed quote does not swallow the file.
 * A byte order mark is skipped, empty lines are no rows. One thread.
 */
struct sdtm_csv;

/* Up to `size` bytes into buf; 0: the end; -1: failed, *ret_why says how. */
struct sdtm_csv_source {
	int64_t (*read)(void *arg, void *buf, size_t size, const char **ret_why);
	void *arg;
};

enum sdtm_csv_got {
	SDTM_CSV_ROW,  /* a good row */
	SDTM_CSV_BAD,  /* a row with a fault: row->line, fault, fault_at */
	SDTM_CSV_END,  /* no more rows */
	SDTM_CSV_FAIL, /* the source failed; every whole row before that was handed on */
};

/* The source outlives the reader. RESOURCE_EXHAUSTED: memory. */
CT_MUST_USE ct_status sdtm_csv_new(const struct sdtm_csv_source *source, struct sdtm_csv **ret_csv);
struct sdtm_csv *sdtm_csv_free(struct sdtm_csv *c); /* NULL ok; returns NULL */

/* *ret_row is set for every result and valid until the next call. After FAIL
 * its fault is the source's reason and its line the first that was not read;
 * after END its line is that of the end. Both results repeat. */
enum sdtm_csv_got sdtm_csv_next(struct sdtm_csv *c, const struct sdtm_csv_row **ret_row);

#endif
