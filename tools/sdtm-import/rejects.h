/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_REJECTS_H
#define SDTM_REJECTS_H

#include "base/attrs.h"
#include "base/status.h"
#include "sdtm-import/row.h"

/* The list of rows that were not stored: the first of each table for people,
 * on stderr, and all of them as CSV in a file when one is asked for. No value
 * of a private column gets here. One thread. */
struct sdtm_rejects;

/* path NULL: no file. FAILED_PRECONDITION: it cannot be created, *ret_why says
 * why. RESOURCE_EXHAUSTED: memory. */
CT_MUST_USE ct_status sdtm_rejects_open(const char *path, struct sdtm_rejects **ret_rejects,
					const char **ret_why);

/* FAILED_PRECONDITION: something could not be written. Frees. NULL ok. */
CT_MUST_USE ct_status sdtm_rejects_close(struct sdtm_rejects *r, const char **ret_why);

/* True: this row was shown on stderr, too, as "file:line:column: reason". */
bool sdtm_rejects_add(struct sdtm_rejects *r, const char *file, const struct sdtm_reject *why);

/* A new table: its first rows are shown again. Returns how many rows of the one
 * before were not. */
uint64_t sdtm_rejects_next_table(struct sdtm_rejects *r);

#endif
