/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_CSV_SCAN_H
#define SDTM_CSV_SCAN_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One row of RFC 4180 text out of a window of bytes. Pure: no I/O, no heap.
 * A row ends with LF, CRLF or the end of the text; a field may be quoted, and
 * then may hold commas, line ends and doubled quotes. Stricter than most
 * readers where leniency would shift data into the wrong column: a quote in an
 * unquoted field, text after a closing quote and a lone CR are faults.
 */

/* More than any of these is a fault of the row. */
enum {
	SDTM_CSV_FIELDS_MAX = 512,
	SDTM_CSV_FIELD_BYTES_MAX = 16 * 1024,
	SDTM_CSV_ROW_BYTES_MAX = 64 * 1024, /* as written, with quotes, without the line end */
};

struct sdtm_csv_field {
	const char *text; /* unquoted, valid UTF-8, no NUL inside, NUL after it */
	size_t len;
};

/* A row and the memory its fields live in: about 72 KiB, to be used again. */
struct sdtm_csv_row {
	uint64_t line; /* physical line the row began on, from 1; set by the reader */
	uint32_t fields_n;
	struct sdtm_csv_field fields[SDTM_CSV_FIELDS_MAX];
	const char *fault; /* why the row is bad, static; NULL: it is good */
	uint32_t fault_at; /* the field at fault, from 1 */
	size_t text_len;
	char text[SDTM_CSV_ROW_BYTES_MAX + SDTM_CSV_FIELDS_MAX + 1];
};

enum sdtm_csv_found {
	SDTM_CSV_FOUND_ROW,    /* good */
	SDTM_CSV_FOUND_BLANK,  /* an empty line: no row */
	SDTM_CSV_FOUND_UNFIT,  /* shaped as a row, but its content is not text: fault is set */
	SDTM_CSV_FOUND_BROKEN, /* where it ends cannot be trusted: fault is set */
	SDTM_CSV_FOUND_SHORT,  /* the window ends before the row does */
};

/*
 * Scans the row at the start of `window`, which is not empty. `last`: nothing
 * follows the window. Never SHORT when last, nor when the window holds more
 * than SDTM_CSV_ROW_BYTES_MAX + 2 bytes. *ret_used: bytes of the row with its
 * line end; after BROKEN those to the end of its first line, or the whole
 * window when no line end is in it; 0 after SHORT.
 */
enum sdtm_csv_found sdtm_csv_scan(struct sdtm_csv_row *row, struct ct_bytes window, bool last,
				  size_t *ret_used);

#endif
