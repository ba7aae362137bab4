/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/row.h"

#include "base/check.h"
#include "base/text.h"
#include "clinic/domain/iso_date.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SHOWN_BYTES_MAX = 48,
	NUMBER_BYTES_MAX = 64,
	REASON_BYTES_MAX = 1024, /* before it is cut: so much that no character shown is cut */
};

static char blank[1]; /* never written to */
static const struct sdtm_csv_field BLANK = { blank, 0 };

void sdtm_reject_set(struct sdtm_reject *why, uint64_t line, const char *column, uint32_t field,
		     const char *fmt, ...)
{
	char text[REASON_BYTES_MAX];
	va_list ap;

	why->line = line;
	why->column = column;
	why->field = field;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut is fine */
	va_end(ap);
	(void)ct_text_show(why->reason, sizeof(why->reason), text);
}

static const struct sdtm_csv_field *field_of(const struct sdtm_row *row, uint32_t column)
{
	int32_t i;

	CT_CHECK(column < row->binding->table->columns_n);
	i = row->binding->field[column];
	return row->spoiled || i < 0 ? &BLANK : &row->csv->fields[i];
}

/* At most SHOWN_BYTES_MAX, without half a character at the end. */
static int shown_len(const struct sdtm_csv_field *f)
{
	size_t len = f->len < SHOWN_BYTES_MAX ? f->len : SHOWN_BYTES_MAX;

	while (!ct_text_is_utf8(ct_bytes_of(f->text, len)))
		len--;
	return (int)len;
}

void sdtm_row_spoil(struct sdtm_row *row, uint32_t column, const char *reason)
{
	const struct sdtm_column *c = &row->binding->table->columns[column];
	const struct sdtm_csv_field *f = field_of(row, column);
	const uint32_t field = (uint32_t)(row->binding->field[column] + 1);

	if (row->spoiled)
		return;
	if (c->need == SDTM_NEED_PRIVATE || f->len == 0)
		sdtm_reject_set(&row->why, row->csv->line, c->name, field, "%s", reason);
	else
		sdtm_reject_set(&row->why, row->csv->line, c->name, field, "%s: \"%.*s%s\"", reason,
				shown_len(f), f->text, f->len > SHOWN_BYTES_MAX ? "..." : "");
	row->spoiled = true;
}

void sdtm_row_begin(struct sdtm_row *row, const struct sdtm_binding *binding,
		    const struct sdtm_csv_row *csv, struct ct_arena *mem)
{
	*row = (struct sdtm_row){ .binding = binding, .csv = csv, .mem = mem };
	if (csv->fields_n != binding->fields_n) {
		sdtm_reject_set(&row->why, csv->line, NULL, 0,
				"the row has %u fields, the header has %u", csv->fields_n,
				binding->fields_n);
		row->spoiled = true;
		return;
	}
	for (uint32_t i = 0; i < binding->table->columns_n; i++) {
		const enum sdtm_need need = binding->table->columns[i].need;

		if (need <= SDTM_NEED_FILLED && field_of(row, i)->len == 0)
			sdtm_row_spoil(row, i, "must not be blank");
	}
}

static void run_out(struct sdtm_row *row)
{
	sdtm_row_spoil(row, 0, "out of memory");
	row->no_memory = true;
}

void *sdtm_row_new(struct sdtm_row *row, size_t size)
{
	void *p = row->spoiled ? NULL : ct_arena_alloc(row->mem, size);

	if (p != NULL)
		memset(p, 0, size);
	else if (!row->spoiled)
		run_out(row);
	return p;
}

char *sdtm_row_text(struct sdtm_row *row, uint32_t column)
{
	const struct sdtm_csv_field *f = field_of(row, column);
	char *copy;

	if (f->len == 0)
		return blank;
	if (row->mem == NULL)
		return (char *)(uintptr_t)f->text;
	copy = ct_arena_copy(row->mem, ct_bytes_of(f->text, f->len + 1));
	if (copy == NULL) {
		run_out(row);
		return blank;
	}
	return copy;
}

char *sdtm_row_date(struct sdtm_row *row, uint32_t column)
{
	const struct sdtm_csv_field *f = field_of(row, column);
	const char *why = NULL;

	if (f->len > 0)
		why = strlen(f->text) == f->len ? clinic_date_fault(f->text) : "holds a NUL byte";

	if (why != NULL) {
		sdtm_row_spoil(row, column, why);
		return blank;
	}
	return sdtm_row_text(row, column);
}

/* [+-]digits[.digits][e[+-]digits]: strtod() alone would take "inf" and "0x1p3". */
static bool looks_decimal(const char *p)
{
	size_t digits = 0;

	if (*p == '+' || *p == '-')
		p++;
	for (; *p >= '0' && *p <= '9'; p++)
		digits++;
	if (*p == '.')
		p++;
	for (; *p >= '0' && *p <= '9'; p++)
		digits++;
	if (digits == 0)
		return false;
	if (*p == 'e' || *p == 'E') {
		p++;
		if (*p == '+' || *p == '-')
			p++;
		if (*p < '0' || *p > '9')
			return false;
		while (*p >= '0' && *p <= '9')
			p++;
	}
	return *p == '\0';
}

bool sdtm_row_number(struct sdtm_row *row, uint32_t column, double *ret_value)
{
	const struct sdtm_csv_field *f = field_of(row, column);
	double value;

	if (f->len == 0)
		return false;
	if (f->len > NUMBER_BYTES_MAX || !looks_decimal(f->text)) {
		sdtm_row_spoil(row, column, "not a number");
		return false;
	}
	value = strtod(f->text, NULL); /* the C locale: nobody calls setlocale() here */
	if (!isfinite(value)) {
		sdtm_row_spoil(row, column, "the number is too large");
		return false;
	}
	*ret_value = value;
	return true;
}

/* A whole number within [min, max]; "12.0" is one, "12.5" is not. */
static bool take_whole(struct sdtm_row *row, uint32_t column, double min, double max,
		       double *ret_value)
{
	double value = 0;

	if (!sdtm_row_number(row, column, &value))
		return false;
	if (value < min || value > max || floor(value) < value) {
		sdtm_row_spoil(row, column, "not a whole number of a sensible size");
		return false;
	}
	*ret_value = value;
	return true;
}

bool sdtm_row_day(struct sdtm_row *row, uint32_t column, int32_t *ret_day)
{
	double value;

	if (!take_whole(row, column, -100000, 100000, &value))
		return false;
	*ret_day = (int32_t)value;
	return true;
}

bool sdtm_row_count(struct sdtm_row *row, uint32_t column, uint32_t *ret_count)
{
	double value;

	if (!take_whole(row, column, 0, UINT32_MAX, &value))
		return false;
	*ret_count = (uint32_t)value;
	return true;
}

bool sdtm_row_is(struct sdtm_row *row, uint32_t column, const char *value)
{
	return strcmp(field_of(row, column)->text, value) == 0;
}
