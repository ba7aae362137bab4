/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/csv.h"

#include "base/check.h"
#include "base/mem.h"

#include <string.h>

/* Large enough that a scan which needs more bytes always finds room for them. */
enum { WINDOW_BYTES = 3 * SDTM_CSV_ROW_BYTES_MAX };

struct sdtm_csv {
	struct sdtm_csv_source source;
	size_t from, to; /* of the window: bytes read and not yet scanned */
	bool ended;      /* the source has no more, or failed */
	bool begun;      /* the byte order mark was looked for */
	bool skipping;   /* to the end of a line too long for the window */
	const char *failure;
	uint64_t line; /* of the byte at `from` */
	struct sdtm_csv_row row;
	uint8_t window[WINDOW_BYTES];
};

ct_status sdtm_csv_new(const struct sdtm_csv_source *source, struct sdtm_csv **ret_csv)
{
	struct sdtm_csv *c = ct_mem_zalloc(1, sizeof(*c));

	if (c == NULL)
		return CT_RESOURCE_EXHAUSTED;
	c->source = *source;
	c->line = 1;
	*ret_csv = c;
	return CT_OK;
}

struct sdtm_csv *sdtm_csv_free(struct sdtm_csv *c)
{
	ct_mem_free(c);
	return NULL;
}

/* Fills the window as far as the source allows. */
static void fill(struct sdtm_csv *c)
{
	if (c->from > 0) {
		memmove(c->window, c->window + c->from, c->to - c->from);
		c->to -= c->from;
		c->from = 0;
	}
	while (!c->ended && c->to < WINDOW_BYTES) {
		const char *why = "cannot be read";
		const int64_t n = c->source.read(c->source.arg, c->window + c->to,
						 WINDOW_BYTES - c->to, &why);

		CT_CHECK(n <= (int64_t)(WINDOW_BYTES - c->to));
		if (n > 0) {
			c->to += (size_t)n;
			continue;
		}
		c->ended = true;
		if (n < 0)
			c->failure = why;
	}
}

static void begin(struct sdtm_csv *c)
{
	c->begun = true;
	fill(c);
	if (c->to >= 3 && memcmp(c->window, "\xef\xbb\xbf", 3) == 0)
		c->from = 3;
}

static void take(struct sdtm_csv *c, size_t n)
{
	const uint8_t *p = c->window + c->from;

	for (size_t i = 0; i < n; i++)
		c->line += p[i] == '\n';
	c->from += n;
}

/* Drops the rest of a line that did not fit. */
static void skip(struct sdtm_csv *c)
{
	const uint8_t *p = c->window + c->from;
	const uint8_t *eol = memchr(p, '\n', c->to - c->from);

	c->skipping = eol == NULL;
	take(c, eol != NULL ? (size_t)(eol - p) + 1 : c->to - c->from);
}

static enum sdtm_csv_got stop(struct sdtm_csv *c)
{
	c->row.line = c->line;
	c->row.fields_n = 0;
	c->row.fault = c->failure;
	c->row.fault_at = 0;
	return c->failure != NULL ? SDTM_CSV_FAIL : SDTM_CSV_END;
}

/* What a scan found, as the caller hears of it; false: nothing to tell. */
static bool accept(struct sdtm_csv *c, enum sdtm_csv_found found, size_t used,
		   enum sdtm_csv_got *ret_got)
{
	c->row.line = c->line;
	c->skipping = found == SDTM_CSV_FOUND_BROKEN && c->window[c->from + used - 1] != '\n';
	take(c, used);
	if (found == SDTM_CSV_FOUND_BLANK)
		return false;
	*ret_got = found == SDTM_CSV_FOUND_ROW ? SDTM_CSV_ROW : SDTM_CSV_BAD;
	return true;
}

enum sdtm_csv_got sdtm_csv_next(struct sdtm_csv *c, const struct sdtm_csv_row **ret_row)
{
	enum sdtm_csv_got got;

	*ret_row = &c->row;
	if (!c->begun)
		begin(c);
	for (;;) {
		enum sdtm_csv_found found;
		size_t used = 0;

		if (c->from == c->to) {
			fill(c);
			if (c->from == c->to)
				return stop(c);
		}
		if (c->skipping) {
			skip(c);
			continue;
		}
		found = sdtm_csv_scan(&c->row, ct_bytes_of(c->window + c->from, c->to - c->from),
				      c->ended && c->failure == NULL, &used);
		if (found != SDTM_CSV_FOUND_SHORT) {
			if (accept(c, found, used, &got))
				return got;
			continue;
		}
		if (c->ended) /* failed in the middle of this row */
			return stop(c);
		fill(c);
	}
}
