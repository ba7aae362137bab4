/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEN_OUT_H
#define GEN_OUT_H

#include "base/attrs.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One .csv.gz that is being written, field by field. The gzip header bears no
 * time and no name, so equal rows make equal bytes. Written beside its place and
 * moved there when complete: a run that is killed leaves no half table behind.
 * The first error is kept and told by gen_out_close(); what follows is ignored.
 */
struct gen_out;

/* <dir>/<name>.csv.gz with this header line. FAILED_PRECONDITION: it cannot be
 * created, *ret_why says why. RESOURCE_EXHAUSTED: memory. */
CT_MUST_USE ct_status gen_out_open(const char *dir, const char *name, const char *header,
				   struct gen_out **ret_out, const char **ret_why);

/* Quoted where RFC 4180 asks for it. */
void gen_out_text(struct gen_out *o, const char *text);
void gen_out_int(struct gen_out *o, int64_t value);
/* value / 10^decimals: (3712, 1) is "371.2". */
void gen_out_scaled(struct gen_out *o, int64_t value, int decimals);
/* Verbatim fields, commas and all: constant pieces of a row. */
void gen_out_raw(struct gen_out *o, const char *fields);
void gen_out_end_row(struct gen_out *o);

uint64_t gen_out_rows(const struct gen_out *o);

/* keep: move it to its place; else remove it. Frees in any case; NULL ok. */
CT_MUST_USE ct_status gen_out_close(struct gen_out *o, bool keep, const char **ret_why);

#endif
