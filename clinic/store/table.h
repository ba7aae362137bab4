/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLINIC_STORE_TABLE_H
#define CLINIC_STORE_TABLE_H

#include "base/arena.h"
#include "clinic/domain/fields.h"
#include "store/store.h"

#include "clinic/v1/common.pb-c.h"

/*
 * A message kept as one row: a column for each row of its field table, in that
 * order, and `version` (1 when made, one more at each change). The schema itself
 * is written by hand in the migrations; what is made here are the statements that
 * name every column, so that table and statement cannot differ.
 *
 * The texts live until fini, which must come after the store is freed: they are
 * what the connections' statement caches go by. Statements run in a scope of the
 * store (store/db.h): the first failure decides it.
 */
struct clinic_table {
	const char *name;
	const struct clinic_fields *fields;
	char *columns;    /* "study_id, usubjid, …, version" */
	char *upsert;     /* $1… the fields; a row with the version when something changed */
	char *version_of; /* $1… the key fields; the version of that row */
};

/* RESOURCE_EXHAUSTED: no memory. */
CT_MUST_USE ct_status clinic_table_init(struct clinic_table *t, const char *name,
					const struct clinic_fields *fields);
void clinic_table_fini(struct clinic_table *t); /* zeroed is fine */

/* "SELECT <columns> FROM <name> <tail>"; free with ct_mem_free(). NULL: no memory. */
CT_MUST_USE char *clinic_table_select(const struct clinic_table *t, const char *tail);

/* Makes the row, changes it, or leaves it alone when it is the same. */
CT_MUST_USE ct_status clinic_table_put(const struct clinic_table *t, struct ct_db *db,
				       const void *msg, Clinic__V1__ItemOutcome__Kind *ret_kind,
				       uint64_t *ret_version);

/* Binds every field of msg to the parameters from `first` on. */
void clinic_row_bind(struct ct_stmt *s, unsigned first, const struct clinic_fields *fields,
		     const void *msg);

/* Sets every field of msg, which is initialised, from the columns from `first` on;
 * texts are copied into the arena. RESOURCE_EXHAUSTED: it is full. */
CT_MUST_USE ct_status clinic_row_read(struct ct_stmt *row, unsigned first,
				      const struct clinic_fields *fields, struct ct_arena *arena,
				      void *msg);

#endif
