/* SPDX-License-Identifier: Apache-2.0 */
/* Properties: rows are the same however the bytes arrive; what reads as a row is
 * valid text and, written with every field quoted, reads as the same row; lines
 * only grow; every input comes to an end. */
#include "base/check.h"
#include "base/text.h"

/* A program's sources, not a layer's: taken in as they are. */
#include "sdtm-import/csv.c"      /* NOLINT(bugprone-suspicious-include) */
#include "sdtm-import/csv_scan.c" /* NOLINT(bugprone-suspicious-include) */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct feed {
	const uint8_t *data;
	size_t size, at, step;
};

static int64_t feed_read(void *arg, void *buf, size_t size, const char **ret_why)
{
	struct feed *f = arg;
	size_t n = f->size - f->at;

	(void)ret_why;
	if (n > size)
		n = size;
	if (n > f->step)
		n = f->step;
	if (n > 0)
		memcpy(buf, f->data + f->at, n);
	f->at += n;
	return (int64_t)n;
}

static struct sdtm_csv *open_feed(struct feed *f)
{
	const struct sdtm_csv_source source = { .read = feed_read, .arg = f };
	struct sdtm_csv *csv = NULL;

	CT_CHECK(sdtm_csv_new(&source, &csv) == CT_OK);
	return csv;
}

static bool same_row(const struct sdtm_csv_row *a, const struct sdtm_csv_row *b)
{
	if (a->fields_n != b->fields_n)
		return false;
	for (uint32_t i = 0; i < a->fields_n; i++) {
		if (a->fields[i].len != b->fields[i].len ||
		    memcmp(a->fields[i].text, b->fields[i].text, a->fields[i].len) != 0)
			return false;
	}
	return true;
}

/* The row with every field quoted; its length. */
static size_t write_quoted(const struct sdtm_csv_row *row, uint8_t *out)
{
	size_t n = 0;

	for (uint32_t i = 0; i < row->fields_n; i++) {
		if (i > 0)
			out[n++] = ',';
		out[n++] = '"';
		for (size_t k = 0; k < row->fields[i].len; k++) {
			if (row->fields[i].text[k] == '"')
				out[n++] = '"';
			out[n++] = (uint8_t)row->fields[i].text[k];
		}
		out[n++] = '"';
	}
	return n;
}

static void check_round_trip(const struct sdtm_csv_row *row)
{
	static uint8_t text[2 * SDTM_CSV_ROW_BYTES_MAX + 4 * SDTM_CSV_FIELDS_MAX];
	static struct sdtm_csv_row again;
	const size_t len = write_quoted(row, text);
	size_t used = 0;

	if (len > SDTM_CSV_ROW_BYTES_MAX)
		return; /* longer than a row may be */
	CT_CHECK(sdtm_csv_scan(&again, ct_bytes_of(text, len), true, &used) == SDTM_CSV_FOUND_ROW);
	CT_CHECK(used == len && same_row(row, &again));
}

static void check_row(enum sdtm_csv_got got, const struct sdtm_csv_row *row)
{
	if (got != SDTM_CSV_ROW) {
		CT_CHECK(row->fault != NULL && row->fault_at > 0);
		return;
	}
	CT_CHECK(row->fault == NULL && row->fields_n > 0);
	for (uint32_t i = 0; i < row->fields_n; i++) {
		CT_CHECK(strlen(row->fields[i].text) == row->fields[i].len);
		CT_CHECK(ct_text_is_utf8(ct_bytes_of(row->fields[i].text, row->fields[i].len)));
	}
	check_round_trip(row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed whole = { data, size, 0, SIZE_MAX };
	struct feed bits = { data, size, 0, 1 + size / 64 + (size > 0 ? data[0] % 7 : 0) };
	struct sdtm_csv *a = open_feed(&whole);
	struct sdtm_csv *b = open_feed(&bits);
	uint64_t line = 0;
	enum sdtm_csv_got got;

	do {
		const struct sdtm_csv_row *x, *y;

		got = sdtm_csv_next(a, &x);
		CT_CHECK(got == sdtm_csv_next(b, &y));
		CT_CHECK(got != SDTM_CSV_FAIL);
		CT_CHECK(x->line == y->line && x->fault == y->fault);
		CT_CHECK(x->line > line || got == SDTM_CSV_END);
		line = x->line;
		if (got == SDTM_CSV_END)
			break;
		CT_CHECK(same_row(x, y));
		check_row(got, x);
	} while (got != SDTM_CSV_END);
	a = sdtm_csv_free(a);
	b = sdtm_csv_free(b);
	return 0;
}
