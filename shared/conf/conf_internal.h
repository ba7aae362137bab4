/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_CONF_CONF_INTERNAL_H
#define CT_CONF_CONF_INTERNAL_H

#include "conf/conf.h"

/*
 * How a load goes: conf_load.c gets the text and applies what follows in order;
 * conf_text.c reads it before libconfig does; conf_tree.c walks what libconfig
 * made of it; conf_table.c knows the rows, conf_value.c one value of a row.
 * conf_schema.c holds the tables themselves to account.
 */
enum {
	CT_CONF__FILE_MAX = 1024 * 1024,
	CT_CONF__DEPTH_MAX = 16,
	CT_CONF__SETTINGS_MAX = 4096, /* in one file; libconfig's lookups are linear */
	CT_CONF__LIST_MAX = 256,      /* elements of a list that a row may allow */
	CT_CONF__NAME_MAX = 64,       /* bytes of one word of a path in a file */
	CT_CONF__PATH_SIZE = 128,     /* of a row's full path */
	CT_CONF__SHOWN_SIZE = 72,     /* 64 bytes of foreign text, "…" and a NUL */
	CT_CONF__MUST_SIZE = 256,
};

/* ---- conf_report.c ------------------------------------------------------------ */

/* Foreign text for a message: cut, and without control characters. */
const char *ct_conf__show(const char *text, char out[CT_CONF__SHOWN_SIZE]);

/* One load. `oom` stands beside the report: memory is nobody's wrong setting. */
struct ct_conf__load {
	struct ct_conf_report *report;
	const char *name; /* of the file */
	bool oom;
};

/* ---- conf_table.c ------------------------------------------------------------- */

/* A row with its full path and its place in the schema's struct. */
struct ct_conf__item {
	const struct ct_conf_row *row;
	size_t at;
	char path[CT_CONF__PATH_SIZE];
};

size_t ct_conf__items_n(const struct ct_conf_schema *schema);
void ct_conf__item(const struct ct_conf_schema *schema, size_t i, struct ct_conf__item *ret_item);
bool ct_conf__find(const struct ct_conf_schema *schema, const char *path,
		   struct ct_conf__item *ret_item);
/* A row's path goes on below this one: it is a group. */
bool ct_conf__is_group(const struct ct_conf_schema *schema, const char *path);

/* Into zeroed memory. False: no memory; what is there is good for ct_conf_fini(). */
bool ct_conf__set_defaults(const struct ct_conf_schema *schema, void *conf);

/* The entry of that name, made with its defaults when there is none. NULL: it may
 * not be (told in the report, after `where`) or there is no memory. */
void *ct_conf__map_entry(struct ct_conf__load *l, const char *where,
			 const struct ct_conf__item *item, void *conf, const char *name);

/* ---- conf_suggest.c ----------------------------------------------------------- */

/* The known path that is most like this one; false: none is near. */
bool ct_conf__suggest(const struct ct_conf_schema *schema, const char *path,
		      char out[CT_CONF__PATH_SIZE]);

/* ---- conf_schema.c -------------------------------------------------------------- */

/* Aborts on a table that contradicts itself. */
void ct_conf__check_schema(const struct ct_conf_schema *schema);

/* ---- conf_value.c ---------------------------------------------------------------- */

/* A value as the file or the command line has it, before a row looks at it. */
struct ct_conf__value {
	enum {
		CT_CONF__IS_BOOL,
		CT_CONF__IS_INT,
		CT_CONF__IS_FLOAT,
		CT_CONF__IS_TEXT,
		CT_CONF__IS_LIST,
		CT_CONF__IS_GROUP,
	} is;
	bool b;
	int64_t i;
	double f;
	const char *text;
	const char *list[CT_CONF__LIST_MAX]; /* NULL: not text */
	size_t list_n;                       /* may be more than there is room for */
};

/* What a row allows: "a whole number 0..600000 ms". */
void ct_conf__must_be(const struct ct_conf_row *row, char out[CT_CONF__MUST_SIZE]);

/* Checks v against the row and stores it; else reports
 * "<where>'<path>' is …, must be …" and changes nothing. */
void ct_conf__set(struct ct_conf__load *l, const char *where, const char *path,
		  const struct ct_conf_row *row, void *field, const struct ct_conf__value *v);

/* A text of the command line as the row's type reads it. Lists are split inside
 * text, which is written to. */
void ct_conf__value_of_text(const struct ct_conf_row *row, char *text,
			    struct ct_conf__value *ret_v);

int64_t ct_conf__get_int(const struct ct_conf_row *row, const void *field);
void ct_conf__put_int(const struct ct_conf_row *row, void *field, int64_t v);
/* A copy of n texts. False: no memory; the field is unchanged. */
bool ct_conf__put_strings(struct ct_conf_strings *field, const char *const *v, size_t n);
void ct_conf__free_strings(struct ct_conf_strings *field);

/* ---- conf_text.c -------------------------------------------------------------------- */

/* Text that libconfig may see: no @include, bounded in depth and settings, and
 * with an 'L' behind each number beyond 32 bits, which libconfig would otherwise
 * wrap without a word. NULL: reported, or no memory. Free with ct_mem_free(). */
char *ct_conf__clean_text(struct ct_conf__load *l, struct ct_bytes text);

/* ---- conf_tree.c -------------------------------------------------------------------- */

/* Parses a clean text and stores every setting of it. */
void ct_conf__read_tree(struct ct_conf__load *l, const struct ct_conf_schema *schema,
			const char *clean, void *conf);

void ct_conf__report_unknown(struct ct_conf__load *l, const struct ct_conf_schema *schema,
			     const char *where, const char *scope, const char *path);

#endif
