/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_ROW_H
#define SDTM_ROW_H

#include "base/arena.h"
#include "sdtm-import/table.h"

/*
 * One row of a bound file, read column by column. The first column that cannot
 * be read spoils the row: what follows gives blanks, and the caller looks at
 * `spoiled` once, at the end. Text is copied into `mem`. One thread.
 */

/* Why a row was not stored, and where it stands. */
struct sdtm_reject {
	uint64_t line;      /* physical, from 1 */
	const char *column; /* static name; NULL: see field */
	uint32_t field;     /* from 1; 0: the row as a whole */
	char reason[240];   /* one line of valid UTF-8 without control characters */
};

struct sdtm_row {
	const struct sdtm_binding *binding;
	const struct sdtm_csv_row *csv;
	struct ct_arena *mem; /* NULL: text is not copied and valid as long as the csv row */
	bool spoiled;
	bool no_memory;         /* spoiled by us, not by what it says */
	struct sdtm_reject why; /* when spoiled */
};

/* A wrong number of fields, and keys or required columns left blank, spoil it
 * from the start. */
void sdtm_row_begin(struct sdtm_row *row, const struct sdtm_binding *binding,
		    const struct sdtm_csv_row *csv, struct ct_arena *mem);

/* Zeroed memory for what the row becomes; NULL spoils it. */
void *sdtm_row_new(struct sdtm_row *row, size_t size);

/* column: the table's enumerator. Never NULL; "" when blank or no such column.
 * Not const for protobuf-c's sake: not to be written to. */
char *sdtm_row_text(struct sdtm_row *row, uint32_t column);
char *sdtm_row_date(struct sdtm_row *row, uint32_t column);

/* Finite decimal numbers. False: blank (or spoiled). */
bool sdtm_row_number(struct sdtm_row *row, uint32_t column, double *ret_value);
bool sdtm_row_day(struct sdtm_row *row, uint32_t column, int32_t *ret_day);
bool sdtm_row_count(struct sdtm_row *row, uint32_t column, uint32_t *ret_count);

/* Blank means false, of course. */
bool sdtm_row_is(struct sdtm_row *row, uint32_t column, const char *value);

/* Spoils the row with a reason of the caller's; the value is quoted after it
 * unless the column is private. A row that is spoiled already stays as it is. */
void sdtm_row_spoil(struct sdtm_row *row, uint32_t column, const char *reason);

/* Fills a reject from printf-like text: control characters become '?', what
 * does not fit is cut at a whole character. column, field: as in the struct. */
void sdtm_reject_set(struct sdtm_reject *why, uint64_t line, const char *column, uint32_t field,
		     const char *fmt, ...) CT_PRINTF(5, 6);

#endif
