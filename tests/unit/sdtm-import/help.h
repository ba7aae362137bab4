/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SDTM_HELP_H
#define TESTS_SDTM_HELP_H

#include "sdtm-import/csv.h"
#include "sdtm-import/loader.h"

#include <stddef.h>

/* What the tests of the importer share. */

/* Text as a source of bytes, given out `step` bytes at a time. */
struct text_source {
	const char *text;
	size_t len, at, step;
	const char *fails; /* at the end: the reason; NULL: it just ends */
};
struct sdtm_csv_source text_source_of(struct text_source *t);

/* A file of these bytes in a directory of its own, plain or gzip'd. The path
 * is valid until the next call; the file is removed by file_remove(). */
const char *file_of(const char *text, size_t len);
const char *gz_file_of(const char *text, size_t len, size_t drop_at_end);
void file_remove(const char *file);

/* A sink that keeps count. */
struct tally {
	uint64_t items, item_rows, rejects;
	uint64_t line_last;
	struct sdtm_reject last;
	struct sdtm_item *kept[64]; /* the first items; freed by tally_fini() */
	size_t kept_n;
	const char *unknown;   /* a subject nobody knows; NULL: none */
	uint64_t stop_at_item; /* the sink refuses this one; 0: none */
	char lines_seen[4096]; /* how often each of the first lines was settled */
	struct sdtm_sink sink;
};
void tally_init(struct tally *t);
void tally_fini(struct tally *t);

ct_status load_text(enum sdtm_table_id id, const char *text, struct tally *t,
		    const struct sdtm_group_limits *limits, struct sdtm_load_result *ret_result);

/* What goes to stderr in between; `out` is cut to size. Not nested. */
void capture_begin(void);
void capture_end(char *out, size_t size);

/* Where the genuine study lies, when the machine has it; NULL: it has not. */
const char *study_dir(void);

#endif
