/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_STORE_MIGRATION_H
#define CT_STORE_MIGRATION_H

#include "base/attrs.h"
#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The steps that bring a schema up to date, oldest first. At open each one that
 * the database has not seen is applied in a transaction of its own and recorded
 * in ct_schema(version, name, applied_at, checksum). A step that was ever
 * released is never edited: a database that recorded another text for it is
 * refused, and so is one that knows a step this program does not.
 */
struct ct_migration {
	uint32_t version; /* 1 and up, ascending; gaps are fine */
	const char *name; /* for operators: "add visits" */
	const char *sql;  /* a script: statements ended by ';', no BEGIN or COMMIT */
};

/* For steps kept as files. Life: load -> (use) -> free; one thread. */
struct ct_migration_set {
	const struct ct_migration *steps; /* borrowed until free */
	size_t steps_n;
};

enum {
	CT_MIGRATIONS_MAX = 1000,
	CT_MIGRATION_BYTES_MAX = 1024 * 1024, /* of one script */
};

struct ct_store_why;

/* Reads every "<number>-<name>.sql" of a folder, sorted by number: "0002-add-
 * visits.sql" is version 2, "add-visits". Other files are left alone. Blocks on
 * the disk. NOT_FOUND: no such folder, or no such file in it. INVALID_ARGUMENT:
 * a number twice or out of range, a script with a NUL, too many or too big.
 * RESOURCE_EXHAUSTED: no memory. why (NULL ok) says which. */
CT_MUST_USE ct_status ct_migration_set_load(const char *folder, struct ct_store_why *why,
					    struct ct_migration_set **ret_set);
struct ct_migration_set *ct_migration_set_free(struct ct_migration_set *set);

#endif
