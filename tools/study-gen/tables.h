/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEN_TABLES_H
#define GEN_TABLES_H

#include "study-gen/out.h"
#include "study-gen/subject.h"

/* All rows of one subject in one table. Among ordinary rows stand those that
 * real studies trip importers with: docs/import.md lists them. */
typedef void(gen_table_fn)(struct gen_out *o, const struct gen_subject *s);

void gen_dm(struct gen_out *o, const struct gen_subject *s);
void gen_ae(struct gen_out *o, const struct gen_subject *s);
void gen_mh(struct gen_out *o, const struct gen_subject *s);
void gen_cm(struct gen_out *o, const struct gen_subject *s);
void gen_lb(struct gen_out *o, const struct gen_subject *s);
void gen_vs(struct gen_out *o, const struct gen_subject *s);
void gen_sv(struct gen_out *o, const struct gen_subject *s);

struct gen_table {
	const char *name, *header;
	gen_table_fn *fn;
};

enum { GEN_TABLES_N = 7 };
extern const struct gen_table gen_tables[GEN_TABLES_N];

#endif
