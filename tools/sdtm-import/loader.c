/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/loader.h"

#include "base/check.h"
#include "sdtm-import/csv.h"
#include "sdtm-import/gz.h"
#include "sdtm-import/keymap.h"
#include "sdtm-import/map.h"

#include <stdio.h>
#include <string.h>

enum { ROWS_MAX = 4 * 1000 * 1000, PROGRESS_ROWS = 256 };

/* An open file with its header read. */
struct file {
	struct sdtm_gz *gz;
	struct sdtm_csv_source source;
	struct sdtm_csv *csv;
	struct sdtm_binding binding;
};

struct load {
	const struct sdtm_load_opts *opts;
	struct file file;
	struct sdtm_groups *groups; /* NULL: rows are items by themselves */
	struct sdtm_keymap *seen;   /* natural keys of good rows -> their line */
	struct sdtm_load_result *result;
};

static ct_status stop_at(struct sdtm_load_result *r, uint64_t line, const char *why)
{
	r->line = line;
	snprintf(r->why, sizeof(r->why), "%s", why);
	return CT_FAILED_PRECONDITION;
}

static void file_close(struct file *f)
{
	f->csv = sdtm_csv_free(f->csv);
	f->gz = sdtm_gz_close(f->gz);
}

static ct_status read_header(struct file *f, const struct sdtm_table *table,
			     struct sdtm_load_result *r)
{
	const struct sdtm_csv_row *row;
	char why[256];

	switch (sdtm_csv_next(f->csv, &row)) {
	case SDTM_CSV_ROW:
		break;
	case SDTM_CSV_BAD:
		snprintf(why, sizeof(why), "header, field %u: %s", row->fault_at, row->fault);
		return stop_at(r, row->line, why);
	case SDTM_CSV_END:
		return stop_at(r, 1, "the file is empty, it has no header");
	case SDTM_CSV_FAIL:
		return stop_at(r, row->line, row->fault);
	}
	if (!sdtm_bind(table, row, &f->binding, why, sizeof(why)))
		return stop_at(r, row->line, why);
	return CT_OK;
}

/* On failure everything is closed again. */
static ct_status file_open(struct file *f, const struct sdtm_table *table, const char *path,
			   struct sdtm_load_result *r)
{
	const char *why = "";
	ct_status st;

	*f = (struct file){ 0 };
	st = sdtm_gz_open(path, &f->gz, &why);
	if (st != CT_OK) {
		(void)stop_at(r, 0, why);
		return st == CT_RESOURCE_EXHAUSTED ? st : CT_FAILED_PRECONDITION;
	}
	f->source = sdtm_gz_source(f->gz);
	st = sdtm_csv_new(&f->source, &f->csv);
	if (st == CT_OK)
		st = read_header(f, table, r);
	if (st != CT_OK)
		file_close(f);
	return st;
}

ct_status sdtm_load_check(const struct sdtm_table *table, const char *path,
			  struct sdtm_load_result *ret_result)
{
	struct file f;
	ct_status st;

	memset(ret_result, 0, sizeof(*ret_result));
	st = file_open(&f, table, path, ret_result);
	if (st == CT_OK)
		file_close(&f);
	return st;
}

static ct_status tell(struct load *l, double share)
{
	if (l->opts->sink->progress == NULL)
		return CT_OK;
	return l->opts->sink->progress(l->opts->sink->arg, l->result->rows, share);
}

static ct_status tell_progress(struct load *l)
{
	const uint64_t size = sdtm_gz_size(l->file.gz);

	return tell(l, size > 0 ? (double)sdtm_gz_offset(l->file.gz) / (double)size : 1.0);
}

/* First pass over a grouped table: which reports will there be. */
static ct_status announce(struct load *l)
{
	uint64_t rows = 0;
	struct file f;
	ct_status st = file_open(&f, l->opts->table, l->opts->path, l->result);

	if (st != CT_OK)
		return st;
	while (st == CT_OK) {
		const struct sdtm_csv_row *csv;
		const enum sdtm_csv_got got = sdtm_csv_next(f.csv, &csv);
		struct sdtm_row row;

		if (got == SDTM_CSV_END || got == SDTM_CSV_FAIL) /* told by the second pass */
			break;
		if (++rows > l->opts->rows_max)
			break; /* so is this */
		if (rows % PROGRESS_ROWS == 0)
			st = tell(l, 0); /* it is not taken yet, but people may want to stop */
		if (st != CT_OK || got == SDTM_CSV_BAD)
			continue;
		sdtm_row_begin(&row, &f.binding, csv, NULL);
		st = sdtm_groups_expect(l->groups, &row);
	}
	file_close(&f);
	return st;
}

static struct sdtm_key natural_key(struct sdtm_row *row)
{
	const struct sdtm_table *table = row->binding->table;
	struct sdtm_key key;

	sdtm_key_init(&key);
	for (uint32_t i = 0; i < table->columns_n; i++) {
		double value = 0;
		char text[32];

		if (table->columns[i].need == SDTM_NEED_KEY) {
			sdtm_key_add(&key, sdtm_row_text(row, i));
		} else if (table->columns[i].need == SDTM_NEED_KEYNUM &&
			   sdtm_row_number(row, i, &value)) {
			snprintf(text, sizeof(text), "%.15g", value);
			sdtm_key_add(&key, text);
		}
	}
	return key;
}

/* STUDYID and USUBJID are the first two columns of every table. */
static ct_status check_subject(struct load *l, struct sdtm_row *row)
{
	enum { STUDYID, USUBJID };
	bool known = false;
	ct_status st;

	if (l->opts->sink->known == NULL || row->spoiled)
		return CT_OK;
	st = l->opts->sink->known(l->opts->sink->arg, sdtm_row_text(row, STUDYID),
				  sdtm_row_text(row, USUBJID), &known);
	if (st == CT_OK && !known)
		sdtm_row_spoil(row, USUBJID, "no such subject in this study");
	return st;
}

static void check_repeated(struct load *l, struct sdtm_row *row, const struct sdtm_key *key)
{
	const uint64_t *line = row->spoiled ? NULL : sdtm_keymap_get(l->seen, key);

	if (line == NULL)
		return;
	sdtm_reject_set(&row->why, row->csv->line, NULL, 0, "has the same key as line %llu",
			(unsigned long long)*line);
	row->spoiled = true;
}

static ProtobufCMessage *map_row(const struct sdtm_table *table, struct sdtm_row *row)
{
	switch (table->id) {
	case SDTM_DM:
		return (ProtobufCMessage *)sdtm_map_dm(row);
	case SDTM_AE:
		return (ProtobufCMessage *)sdtm_map_ae(row);
	case SDTM_MH:
		return (ProtobufCMessage *)sdtm_map_mh(row);
	case SDTM_CM:
		return (ProtobufCMessage *)sdtm_map_cm(row);
	case SDTM_SV:
		return (ProtobufCMessage *)sdtm_map_sv(row);
	case SDTM_LB:
	case SDTM_VS:
	case SDTM_TABLES_N:
		break;
	}
	ct_check_failed(__FILE__, __LINE__, __func__, "a table whose rows are items");
}

/* A row that is an item by itself. The row may spoil. */
static ct_status add_single(struct load *l, struct sdtm_row *row)
{
	struct sdtm_item *item = sdtm_item_new(l->opts->table);

	if (item == NULL)
		return CT_RESOURCE_EXHAUSTED;
	row->mem = &item->mem;
	item->msg = map_row(l->opts->table, row);
	if (item->msg == NULL) {
		(void)sdtm_item_free(item);
		return CT_OK;
	}
	if (!sdtm_item_add_line(item, row->csv->line)) {
		(void)sdtm_item_free(item);
		return CT_RESOURCE_EXHAUSTED;
	}
	sdtm_item_seal(item);
	return l->opts->sink->item(l->opts->sink->arg, item);
}

static ct_status remember(struct load *l, const struct sdtm_key *key, uint64_t line)
{
	bool fresh;
	uint64_t *value = sdtm_keymap_put(l->seen, key, &fresh);

	if (value == NULL)
		return CT_RESOURCE_EXHAUSTED;
	*value = line;
	return CT_OK;
}

/* One row of the right shape: into an item, or rejected. */
static ct_status take_row(struct load *l, const struct sdtm_csv_row *csv)
{
	struct sdtm_row row;
	struct sdtm_key key;
	ct_status st;

	sdtm_row_begin(&row, &l->file.binding, csv, NULL);
	key = natural_key(&row);
	st = check_subject(l, &row);
	if (st != CT_OK)
		return st;
	check_repeated(l, &row, &key);
	if (!row.spoiled) {
		/* Before it is handed on: what becomes of it is no longer ours to know. */
		st = l->groups != NULL ? sdtm_groups_add(l->groups, &row) : add_single(l, &row);
		if (st == CT_OK && !row.spoiled)
			st = remember(l, &key, csv->line);
	}
	if (st == CT_OK && row.no_memory)
		st = CT_RESOURCE_EXHAUSTED;
	if (st == CT_OK && row.spoiled)
		st = l->opts->sink->reject(l->opts->sink->arg, &row.why);
	return st;
}

static ct_status reject_bad(struct load *l, const struct sdtm_csv_row *csv)
{
	struct sdtm_reject why;

	sdtm_reject_set(&why, csv->line, NULL, csv->fault_at, "%s", csv->fault);
	return l->opts->sink->reject(l->opts->sink->arg, &why);
}

static ct_status read_rows(struct load *l)
{
	for (;;) {
		const struct sdtm_csv_row *csv;
		const enum sdtm_csv_got got = sdtm_csv_next(l->file.csv, &csv);
		ct_status st;

		if (got == SDTM_CSV_END)
			return CT_OK;
		if (got == SDTM_CSV_FAIL)
			return stop_at(l->result, csv->line, csv->fault);
		if (l->result->rows == l->opts->rows_max) {
			(void)stop_at(l->result, csv->line,
				      "the table has too many rows, split it");
			return CT_OUT_OF_RANGE;
		}
		l->result->rows++;
		st = got == SDTM_CSV_BAD ? reject_bad(l, csv) : take_row(l, csv);
		if (st == CT_OK && l->result->rows % PROGRESS_ROWS == 0)
			st = tell_progress(l);
		if (st != CT_OK)
			return st;
	}
}

static ct_status run(struct load *l)
{
	ct_status st = CT_OK;
	ct_status end;

	if (l->groups != NULL)
		st = announce(l);
	if (st != CT_OK)
		return st;
	st = file_open(&l->file, l->opts->table, l->opts->path, l->result);
	if (st != CT_OK)
		return st;
	st = read_rows(l);
	/* What was read before a file broke off is good. */
	if (l->groups != NULL && (st == CT_OK || l->result->line > 0)) {
		end = sdtm_groups_finish(l->groups);
		st = st == CT_OK ? end : st;
	}
	if (st == CT_OK)
		st = tell_progress(l);
	file_close(&l->file);
	return st;
}

ct_status sdtm_load(const struct sdtm_load_opts *opts, struct sdtm_load_result *ret_result)
{
	struct sdtm_load_opts o = *opts;
	struct load l = { .opts = &o, .result = ret_result };
	ct_status st = CT_RESOURCE_EXHAUSTED;

	memset(ret_result, 0, sizeof(*ret_result));
	if (o.rows_max == 0)
		o.rows_max = ROWS_MAX;
	if (o.limits == NULL)
		o.limits = &sdtm_group_limits_default;
	l.seen = sdtm_keymap_new(o.rows_max);
	if (l.seen == NULL)
		goto out;
	if (o.table->grouped) {
		l.groups = sdtm_groups_new(o.table, o.limits, o.sink->item, o.sink->arg);
		if (l.groups == NULL)
			goto out;
	}
	st = run(&l);
out:
	l.groups = sdtm_groups_free(l.groups);
	l.seen = sdtm_keymap_free(l.seen);
	if (st == CT_OUT_OF_RANGE && ret_result->why[0] == '\0')
		(void)stop_at(ret_result, 0, "the table makes too many reports, split it");
	return st;
}
