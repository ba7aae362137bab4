/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include "sdtm-import/gz.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(gz, .fini = leak_check, .timeout = 60);

enum { ROWS = 20000 };

/* Rows that do not compress to nothing. */
static char *rows_of(size_t *ret_len)
{
	char *text = malloc(ROWS * 32);
	uint32_t x = 1;
	size_t len = 0;

	cr_assert_not_null(text);
	for (int i = 0; i < ROWS; i++) {
		x = x * 1664525u + 1013904223u;
		len += (size_t)snprintf(text + len, 32, "%d,%08x\n", i, x);
	}
	*ret_len = len;
	return text;
}

/* Rows read; *ret_why: NULL at a plain end. */
static uint64_t count_rows(const char *path, const char **ret_why)
{
	const struct sdtm_csv_row *row;
	struct sdtm_gz *gz;
	struct sdtm_csv *csv;
	struct sdtm_csv_source source;
	enum sdtm_csv_got got;
	uint64_t n = 0;

	cr_assert_eq(sdtm_gz_open(path, &gz, ret_why), CT_OK);
	source = sdtm_gz_source(gz);
	cr_assert_eq(sdtm_csv_new(&source, &csv), CT_OK);
	while ((got = sdtm_csv_next(csv, &row)) == SDTM_CSV_ROW) {
		n++;
		cr_assert_eq(strtoull(row->fields[0].text, NULL, 10), n - 1, "rows are in order");
		cr_assert_eq(row->line, n);
	}
	*ret_why = got == SDTM_CSV_FAIL ? row->fault : NULL;
	if (got == SDTM_CSV_FAIL)
		cr_assert_eq(row->line, n + 1);
	else
		cr_assert_eq(sdtm_gz_offset(gz), sdtm_gz_size(gz));
	csv = sdtm_csv_free(csv);
	gz = sdtm_gz_close(gz);
	return n;
}

Test(gz, plain_and_compressed_files_read_the_same)
{
	size_t len;
	char *text = rows_of(&len);
	const char *why;
	const char *path = file_of(text, len);

	cr_assert_eq(count_rows(path, &why), ROWS);
	cr_assert_null(why);
	file_remove(path);
	path = gz_file_of(text, len, 0);
	cr_assert_eq(count_rows(path, &why), ROWS);
	cr_assert_null(why);

	file_remove(path);
	free(text);
}

Test(gz, truncated_stream_gives_the_rows_before_the_cut_and_then_says_so)
{
	size_t len;
	char *text = rows_of(&len);
	const char *why;
	const char *path = gz_file_of(text, len, 60000);
	const uint64_t n = count_rows(path, &why);

	cr_assert_gt(n, ROWS / 2);
	cr_assert_lt(n, ROWS);
	cr_assert_str_eq(why, "the gzip data end early, the file is truncated");

	file_remove(path);
	free(text);
}

Test(gz, stream_that_lost_only_its_last_byte_is_truncated_too)
{
	size_t len;
	char *text = rows_of(&len);
	const char *why;
	const char *path = gz_file_of(text, len, 1);

	cr_assert_eq(count_rows(path, &why), ROWS);
	cr_assert_str_eq(why, "the gzip data end early, the file is truncated");

	file_remove(path);
	free(text);
}

Test(gz, damaged_stream_is_told_from_a_truncated_one)
{
	size_t len;
	char *text = rows_of(&len);
	const char *path = gz_file_of(text, len, 0);
	const char *why;
	FILE *f = fopen(path, "r+b");
	uint64_t n;

	cr_assert_not_null(f);
	cr_assert_eq(fseek(f, -6, SEEK_END), 0); /* in the check sum */
	cr_assert_eq(fwrite("\x5a\xa5", 1, 2, f), 2);
	cr_assert_eq(fclose(f), 0);
	n = count_rows(path, &why);

	cr_assert_gt(n, ROWS - 2000); /* all but the last piece asked of zlib */
	cr_assert_str_eq(why, "the gzip data are damaged");
	file_remove(path);
	free(text);
}

Test(gz, what_is_no_file_is_refused_with_a_reason)
{
	struct sdtm_gz *gz = NULL;
	const char *why = "";

	cr_assert_eq(sdtm_gz_open("/nonexistent/dm.csv", &gz, &why), CT_NOT_FOUND);
	cr_assert_str_eq(why, "No such file or directory");
	cr_assert_eq(sdtm_gz_open("/tmp", &gz, &why), CT_FAILED_PRECONDITION);
	cr_assert_str_eq(why, "not a regular file");
	cr_assert_null(gz);
}
