/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

#include <stdio.h>

TestSuite(study, .fini = leak_check, .timeout = 60);

/* The genuine study, read from end to end; its figures are in its own documents. */
static const struct {
	enum sdtm_table_id id;
	uint64_t rows, items;
} tables[] = {
	{ SDTM_DM, 306, 306 },   { SDTM_AE, 1191, 1191 },  { SDTM_MH, 1818, 1818 },
	{ SDTM_CM, 7510, 7510 }, { SDTM_LB, 59580, 4802 }, { SDTM_VS, 29643, 2741 },
	{ SDTM_SV, 3559, 3559 },
};

Test(study, genuine_study_is_read_to_the_last_row_where_it_is_present)
{
	const char *dir = study_dir();

	if (dir == NULL)
		cr_skip_test("no study at ../shared/data/cdiscpilot01");
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		const struct sdtm_table *table = sdtm_table(tables[i].id);
		struct sdtm_load_result r;
		struct tally t;
		char path[512];
		struct sdtm_load_opts opts = { .table = table, .path = path };

		snprintf(path, sizeof(path), "%s/%s.csv.gz", dir, table->name);
		tally_init(&t);
		opts.sink = &t.sink;
		cr_assert_eq(sdtm_load(&opts, &r), CT_OK, "%s: %s", table->name, r.why);
		cr_assert_eq(r.rows, tables[i].rows, "%s: %d rows", table->name, (int)r.rows);
		cr_assert_eq(t.rejects, 0, "%s:%d:%s: %s", table->name, (int)t.last.line,
			     t.last.column, t.last.reason);
		cr_assert_eq(t.items, tables[i].items, "%s: %d items", table->name, (int)t.items);
		cr_assert_eq(t.item_rows, tables[i].rows);
		tally_fini(&t);
	}
}
