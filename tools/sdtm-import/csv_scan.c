/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/csv_scan.h"

#include "base/check.h"
#include "base/text.h"

#include <string.h>

/* Where the scan stands. */
struct scan {
	struct sdtm_csv_row *row;
	const char *begin, *p, *end;
	bool last;
};

enum step {
	STEP_FIELD,  /* the field ended with a comma */
	STEP_ROW,    /* the field ended the row, whose line end is taken */
	STEP_BROKEN, /* row->fault says why */
	STEP_SHORT,
};

static const char FAULT_OPEN[] = "a quoted field is never closed";
static const char FAULT_AFTER[] = "text follows a closing quote";
static const char FAULT_BARE[] = "a quote inside a field that does not begin with one";
static const char FAULT_CR[] = "a carriage return without a line feed";
static const char FAULT_LONG_ROW[] = "the row is longer than 65536 bytes";
static const char FAULT_LONG_FIELD[] = "the field is longer than 16384 bytes";
static const char FAULT_FIELDS[] = "the row has more than 512 fields";
static const char FAULT_NUL[] = "a NUL byte, this is not text";
static const char FAULT_UTF8[] = "not UTF-8; save the file as UTF-8";

static enum step broken(struct scan *s, const char *fault)
{
	s->row->fault = fault;
	return STEP_BROKEN;
}

/* The window ended inside a row. */
static enum step ran_out(struct scan *s)
{
	if (s->end - s->begin > SDTM_CSV_ROW_BYTES_MAX)
		return broken(s, FAULT_LONG_ROW);
	return STEP_SHORT;
}

/* The text buffer is as large as the longest row, so len always fits. */
static void append(struct sdtm_csv_row *row, const char *text, size_t len)
{
	CT_CHECK(row->text_len + len < sizeof(row->text));
	memcpy(row->text + row->text_len, text, len);
	row->text_len += len;
}

/* What stands after a field: a comma, a line end, the end of the text. */
static enum step take_separator(struct scan *s, const char *fault_else)
{
	if (s->p - s->begin > SDTM_CSV_ROW_BYTES_MAX)
		return broken(s, FAULT_LONG_ROW);
	if (s->p == s->end)
		return s->last ? STEP_ROW : ran_out(s);
	switch (*s->p) {
	case ',':
		s->p++;
		return STEP_FIELD;
	case '\n':
		s->p++;
		return STEP_ROW;
	case '\r':
		if (s->p + 1 == s->end)
			return s->last ? broken(s, FAULT_CR) : ran_out(s);
		if (s->p[1] != '\n')
			return broken(s, FAULT_CR);
		s->p += 2;
		return STEP_ROW;
	default:
		return broken(s, fault_else);
	}
}

static enum step take_plain(struct scan *s)
{
	const char *from = s->p;

	while (s->p < s->end && *s->p != ',' && *s->p != '\n' && *s->p != '\r' && *s->p != '"')
		s->p++;
	if (s->p - s->begin > SDTM_CSV_ROW_BYTES_MAX)
		return broken(s, FAULT_LONG_ROW);
	append(s->row, from, (size_t)(s->p - from));
	return take_separator(s, FAULT_BARE);
}

static enum step take_quoted(struct scan *s)
{
	s->p++;
	for (;;) {
		const char *from = s->p;
		const char *quote = memchr(from, '"', (size_t)(s->end - from));

		if (quote == NULL)
			return s->last && s->end - s->begin <= SDTM_CSV_ROW_BYTES_MAX
				       ? broken(s, FAULT_OPEN)
				       : ran_out(s);
		if (quote - s->begin > SDTM_CSV_ROW_BYTES_MAX)
			return broken(s, FAULT_LONG_ROW);
		append(s->row, from, (size_t)(quote - from));
		s->p = quote + 1;
		if (s->p == s->end && !s->last)
			return ran_out(s);
		if (s->p == s->end || *s->p != '"')
			return take_separator(s, FAULT_AFTER);
		append(s->row, "\"", 1);
		s->p++;
	}
}

/* One field with what separates it from the next. */
static enum step take_field(struct scan *s)
{
	struct sdtm_csv_row *row = s->row;
	const size_t from = row->text_len;
	enum step step;

	if (row->fields_n == SDTM_CSV_FIELDS_MAX)
		return broken(s, FAULT_FIELDS);
	if (s->p == s->end && !s->last)
		return ran_out(s);
	step = s->p < s->end && *s->p == '"' ? take_quoted(s) : take_plain(s);
	if (step != STEP_FIELD && step != STEP_ROW)
		return step;
	row->fields[row->fields_n] = (struct sdtm_csv_field){
		.text = row->text + from,
		.len = row->text_len - from,
	};
	row->fields_n++;
	append(row, "", 1);
	return step;
}

/* A row of the right shape may still not be text. */
static enum sdtm_csv_found judge(struct sdtm_csv_row *row)
{
	for (uint32_t i = 0; i < row->fields_n; i++) {
		const struct sdtm_csv_field *f = &row->fields[i];

		if (f->len > SDTM_CSV_FIELD_BYTES_MAX)
			row->fault = FAULT_LONG_FIELD;
		else if (memchr(f->text, '\0', f->len) != NULL)
			row->fault = FAULT_NUL;
		else if (!ct_text_is_utf8(ct_bytes_of(f->text, f->len)))
			row->fault = FAULT_UTF8;
		if (row->fault != NULL) {
			row->fault_at = i + 1;
			return SDTM_CSV_FOUND_UNFIT;
		}
	}
	return SDTM_CSV_FOUND_ROW;
}

static bool blank_line(const struct scan *s)
{
	return s->begin[0] == '\n' ||
	       (s->begin[0] == '\r' && s->end - s->begin > 1 && s->begin[1] == '\n');
}

enum sdtm_csv_found sdtm_csv_scan(struct sdtm_csv_row *row, struct ct_bytes window, bool last,
				  size_t *ret_used)
{
	struct scan s = { .row = row, .last = last };
	enum step step;

	CT_CHECK(window.len > 0);
	s.begin = s.p = (const char *)window.ptr;
	s.end = s.begin + window.len;
	row->fields_n = 0;
	row->text_len = 0;
	row->fault = NULL;
	row->fault_at = 0;
	if (blank_line(&s)) {
		*ret_used = s.begin[0] == '\n' ? 1 : 2;
		return SDTM_CSV_FOUND_BLANK;
	}

	do
		step = take_field(&s);
	while (step == STEP_FIELD);

	if (step == STEP_ROW) {
		*ret_used = (size_t)(s.p - s.begin);
		return judge(row);
	}
	if (step == STEP_BROKEN) {
		const char *eol = memchr(s.begin, '\n', window.len);

		row->fault_at = row->fields_n + 1;
		*ret_used = eol != NULL ? (size_t)(eol - s.begin) + 1 : window.len;
		return SDTM_CSV_FOUND_BROKEN;
	}
	*ret_used = 0;
	return SDTM_CSV_FOUND_SHORT;
}
