/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/tally.h"

#include "base/check.h"

static uint64_t settled(const struct sdtm_tally *t)
{
	uint64_t sum = 0;

	for (int i = 0; i < SDTM_FATES_N; i++)
		sum += t->rows[i];
	return sum;
}

void sdtm_tally_add(struct sdtm_tally *t, enum sdtm_fate fate, uint64_t rows)
{
	t->rows[fate] += rows;
}

void sdtm_tally_close(struct sdtm_tally *t)
{
	CT_CHECK(settled(t) <= t->read);
	t->rows[SDTM_LEFT] += t->read - settled(t);
}

static bool stored(const struct sdtm_tally *t)
{
	return t->rows[SDTM_REJECTED] == 0 && t->rows[SDTM_LEFT] == 0 && t->broke[0] == '\0';
}

bool sdtm_tally_all_stored(const struct sdtm_tally tallies[SDTM_TABLES_N])
{
	for (int i = 0; i < SDTM_TABLES_N; i++) {
		if (!stored(&tallies[i]))
			return false;
	}
	return true;
}

static void print_line(const char *name, const struct sdtm_tally *t, const char *items, bool left,
		       FILE *out)
{
	fprintf(out, "%-6s %11llu", name, (unsigned long long)t->read);
	for (int i = 0; i < (left ? SDTM_FATES_N : SDTM_LEFT); i++)
		fprintf(out, " %11llu", (unsigned long long)t->rows[i]);
	if (items != NULL)
		fprintf(out, "   %llu %s", (unsigned long long)t->items, items);
	fputc('\n', out);
}

void sdtm_tally_print(const struct sdtm_tally tallies[SDTM_TABLES_N], double seconds, FILE *out)
{
	struct sdtm_tally sum = { .read = 0 };

	for (int i = 0; i < SDTM_TABLES_N; i++) {
		CT_CHECK(settled(&tallies[i]) == tallies[i].read);
		sum.read += tallies[i].read;
		for (int k = 0; k < SDTM_FATES_N; k++)
			sum.rows[k] += tallies[i].rows[k];
	}
	CT_CHECK(settled(&sum) == sum.read);

	fprintf(out, "%-6s %11s %11s %11s %11s %11s%s   %s\n", "table", "rows read", "created",
		"updated", "unchanged", "rejected", sum.rows[SDTM_LEFT] > 0 ? "    not sent" : "",
		"sent as");
	for (int i = 0; i < SDTM_TABLES_N; i++) {
		const struct sdtm_table *table = sdtm_table((enum sdtm_table_id)i);

		if (tallies[i].present)
			print_line(table->name, &tallies[i], table->items, sum.rows[SDTM_LEFT] > 0,
				   out);
	}
	print_line("total", &sum, NULL, sum.rows[SDTM_LEFT] > 0, out);
	fprintf(out, "%.1f s, %.0f rows/s; each row is counted once\n", seconds,
		seconds > 0 ? (double)sum.read / seconds : 0.0);
}
