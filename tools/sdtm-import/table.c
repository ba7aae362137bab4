/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/table.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COLUMN_ROW(table, column, need) { #column, SDTM_NEED_##need },
static const struct sdtm_column dm_columns[] = { SDTM_DM_COLUMNS(COLUMN_ROW) };
static const struct sdtm_column ae_columns[] = { SDTM_AE_COLUMNS(COLUMN_ROW) };
static const struct sdtm_column mh_columns[] = { SDTM_MH_COLUMNS(COLUMN_ROW) };
static const struct sdtm_column cm_columns[] = { SDTM_CM_COLUMNS(COLUMN_ROW) };
static const struct sdtm_column lb_columns[] = { SDTM_LB_COLUMNS(COLUMN_ROW) };
static const struct sdtm_column vs_columns[] = { SDTM_VS_COLUMNS(COLUMN_ROW) };
static const struct sdtm_column sv_columns[] = { SDTM_SV_COLUMNS(COLUMN_ROW) };

static const struct sdtm_table tables[SDTM_TABLES_N] = {
	[SDTM_DM] = { SDTM_DM, "dm", "patients", dm_columns, DM_COLUMNS_N, false },
	[SDTM_AE] = { SDTM_AE, "ae", "case records", ae_columns, AE_COLUMNS_N, false },
	[SDTM_MH] = { SDTM_MH, "mh", "case records", mh_columns, MH_COLUMNS_N, false },
	[SDTM_CM] = { SDTM_CM, "cm", "medications", cm_columns, CM_COLUMNS_N, false },
	[SDTM_LB] = { SDTM_LB, "lb", "reports", lb_columns, LB_COLUMNS_N, true },
	[SDTM_VS] = { SDTM_VS, "vs", "reports", vs_columns, VS_COLUMNS_N, true },
	[SDTM_SV] = { SDTM_SV, "sv", "visits", sv_columns, SV_COLUMNS_N, false },
};

const struct sdtm_table *sdtm_table(enum sdtm_table_id id)
{
	CT_CHECK((unsigned)id < SDTM_TABLES_N);
	return &tables[id];
}

static bool name_is(const struct sdtm_csv_field *f, const char *name)
{
	const char *text = f->text;
	size_t len = f->len;

	while (len > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		len--;
	}
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	return len == strlen(name) && strncasecmp(text, name, len) == 0;
}

static bool must_exist(const struct sdtm_column *column)
{
	return column->need != SDTM_NEED_EXTRA && column->need != SDTM_NEED_PRIVATE;
}

/* The field of that name; -1: none; -2: more than one. */
static int32_t find(const struct sdtm_csv_row *header, const char *name)
{
	int32_t found = -1;

	for (uint32_t i = 0; i < header->fields_n; i++) {
		if (!name_is(&header->fields[i], name))
			continue;
		if (found >= 0)
			return -2;
		found = (int32_t)i;
	}
	return found;
}

bool sdtm_bind(const struct sdtm_table *table, const struct sdtm_csv_row *header,
	       struct sdtm_binding *ret_binding, char *why, size_t why_size)
{
	struct sdtm_binding b = { .table = table, .fields_n = header->fields_n };
	size_t missing_len = 0;
	char missing[192] = "";

	CT_CHECK(table->columns_n <= SDTM_COLUMNS_MAX);
	for (uint32_t i = 0; i < table->columns_n; i++) {
		const struct sdtm_column *column = &table->columns[i];

		b.field[i] = find(header, column->name);
		if (b.field[i] == -2) {
			snprintf(why, why_size, "column %s comes twice", column->name);
			return false;
		}
		if (b.field[i] < 0 && must_exist(column) && missing_len < sizeof(missing))
			missing_len += (size_t)snprintf(missing + missing_len,
							sizeof(missing) - missing_len, "%s%s",
							missing_len > 0 ? ", " : "", column->name);
	}
	if (missing_len > 0) {
		snprintf(why, why_size, "required column missing: %s", missing);
		return false;
	}
	*ret_binding = b;
	return true;
}
