/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_CONF_CONF_H
#define CT_CONF_CONF_H

#include "base/attrs.h"
#include "base/bytes.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Settings by table. A row says all there is to say about one setting: path,
 * type, default, limits, help, and where it goes in the service's own struct.
 * The rows are the only list of settings: the loader, --print-config and
 * docs/configuration.md read them, and a name that no row knows is refused.
 *
 *   struct rsvc_conf {
 *           struct ct_log_conf log;
 *           uint16_t workers;
 *           struct ct_conf_map peers;        // of struct peer_conf
 *   };
 *   static const struct ct_conf_row rsvc_rows[] = {
 *           CT_CONF_UINT(struct rsvc_conf, workers, "pool.workers", 8, 1, 256,
 *                        "threads behind the socket"),
 *           CT_CONF_MAP(struct rsvc_conf, peers, "peers", struct peer_conf, &peer_schema, 0, 16,
 *                       "services called by this one"),
 *   };
 *   static const struct ct_conf_table rsvc_tables[] = {
 *           CT_LOG_CONF_TABLE(struct rsvc_conf, log),
 *           { rsvc_rows, CT_ARRAY_N(rsvc_rows), 0, NULL },
 *   };
 *   static const struct ct_conf_schema rsvc_schema = {
 *           .tables = rsvc_tables, .tables_n = CT_ARRAY_N(rsvc_tables),
 *           .size = sizeof(struct rsvc_conf),
 *   };
 *
 * The file is libconfig's format without @include, at most 1 MiB, 4096 settings
 * and 16 levels deep. Functions here keep no state: any thread; they block on files alone.
 */
enum ct_conf_type {
	CT_CONF_TYPE_BOOL,    /* bool */
	CT_CONF_TYPE_INT,     /* int8_t .. int64_t */
	CT_CONF_TYPE_UINT,    /* uint8_t .. uint64_t, to INT64_MAX */
	CT_CONF_TYPE_ENUM,    /* an enum, by the names in choices */
	CT_CONF_TYPE_STRING,  /* char *, owned, never NULL */
	CT_CONF_TYPE_STRINGS, /* struct ct_conf_strings */
	CT_CONF_TYPE_MAP,     /* struct ct_conf_map: named groups that have a schema of their own */
};

/* Both own what they hold, until ct_conf_fini(). */
struct ct_conf_strings {
	char **v;
	size_t n;
};
struct ct_conf_map {
	void *entries; /* n structs of the row's entry type, in the file's order */
	size_t n;
};

/* A name for a value of an enum; an array of them ends with { NULL, 0 }. */
struct ct_conf_choice {
	const char *name;
	int value;
};

struct ct_conf_schema;

/* Made by the macros below, which also check the field's type. A string or a list
 * whose default is shorter than min has none: it must be set. */
struct ct_conf_row {
	const char *path; /* words joined by '.', the last may end in a unit (ct_conf_unit) */
	enum ct_conf_type type;
	const char *help; /* half a sentence, without range and default */
	size_t offset;    /* of the field, from the table's base */
	size_t size;      /* of the field */

	int64_t def;                 /* BOOL, INT, UINT, ENUM: the value */
	const char *def_text;        /* STRING */
	const char *const *def_list; /* STRINGS: ends with NULL; NULL: empty */
	int64_t min, max;            /* INT, UINT: value; STRING: bytes; STRINGS, MAP: count */
	const struct ct_conf_choice *choices; /* ENUM */
	const struct ct_conf_schema *entry;   /* MAP: of one entry; has no MAP itself */
	size_t name_offset; /* MAP: of the entry's `char *name`, the group's name */
};

/* clang-format off */
#define CT_CONF_ROW_(s, f, type_, path_, help_)                                               \
	.path = (path_), .type = (type_), .help = (help_), .offset = offsetof(s, f),          \
	.size = sizeof(((s *)0)->f)
#define CT_CONF_TYPED_ROW_(s, f, ctype, type_, path_, help_)                                  \
	.path = (path_), .type = (type_), .help = (help_), .offset = offsetof(s, f),          \
	.size = sizeof(*(1 ? &((s *)0)->f : (ctype *)0))

#define CT_CONF_BOOL(s, f, path_, def_, help_) \
	{ CT_CONF_TYPED_ROW_(s, f, bool, CT_CONF_TYPE_BOOL, path_, help_), .def = (def_) }
#define CT_CONF_INT(s, f, path_, def_, min_, max_, help_)                                 \
	{                                                                                     \
		CT_CONF_ROW_(s, f, CT_CONF_TYPE_INT, path_, help_),                        \
		.def = (def_), .min = (min_), .max = (max_)                                   \
	}
#define CT_CONF_UINT(s, f, path_, def_, min_, max_, help_)                                \
	{                                                                                     \
		CT_CONF_ROW_(s, f, CT_CONF_TYPE_UINT, path_, help_),                       \
		.def = (def_), .min = (min_), .max = (max_)                                   \
	}
#define CT_CONF_ENUM(s, f, path_, def_, choices_, help_)                                      \
	{                                                                                     \
		CT_CONF_ROW_(s, f, CT_CONF_TYPE_ENUM, path_, help_),                          \
		.def = (def_), .choices = (choices_)                                          \
	}
#define CT_CONF_STRING(s, f, path_, def_, min_, max_, help_)                                  \
	{                                                                                     \
		CT_CONF_TYPED_ROW_(s, f, char *, CT_CONF_TYPE_STRING, path_, help_),          \
		.def_text = (def_), .min = (min_), .max = (max_)                              \
	}
#define CT_CONF_STRINGS(s, f, path_, def_, min_, max_, help_)                                 \
	{                                                                                     \
		CT_CONF_TYPED_ROW_(s, f, struct ct_conf_strings, CT_CONF_TYPE_STRINGS,        \
				   path_, help_),                                             \
		.def_list = (def_), .min = (min_), .max = (max_)                              \
	}
#define CT_CONF_MAP(s, f, path_, entry_type, entry_, min_, max_, help_)                       \
	{                                                                                     \
		CT_CONF_TYPED_ROW_(s, f, struct ct_conf_map, CT_CONF_TYPE_MAP, path_, help_), \
		.entry = (entry_), .name_offset = offsetof(entry_type, name),                 \
		.min = (min_), .max = (max_)                                                  \
	}
/* clang-format on */

/* Rows that go together; a runtime's struct may be a member of the service's. */
struct ct_conf_table {
	const struct ct_conf_row *rows;
	size_t rows_n;
	size_t base;        /* where the rows' struct lies in the schema's */
	const char *prefix; /* put with a '.' before each row's path; NULL: none */
};

struct ct_conf_report;

/* All tables of one struct. No path appears twice (checked at each load). */
struct ct_conf_schema {
	const struct ct_conf_table *tables;
	size_t tables_n;
	size_t size;  /* of the struct */
	bool partial; /* names that no row knows are somebody else's, not errors */
	/* What no row can say, such as "a <= b"; reports with ct_conf_report_add().
	 * Runs when all else is right, before the values are the caller's; that of an
	 * entry's schema for each entry. May be NULL. */
	void (*check)(const void *conf, struct ct_conf_report *report);
};

/* ---- what is wrong ------------------------------------------------------------ */

enum { CT_CONF_REPORT_SIZE = 4096 };

/* One line for each error, complete as it stands:
 *   configs/x.cfg:12: unknown setting 'pool.wrokers' (did you mean 'pool.workers'?)
 *   configs/x.cfg:14: 'server.drain_ms' is 900000, must be a whole number 0..600000 ms
 *   -s pool.workers=many: 'pool.workers' is "many", must be a whole number 1..256
 * Text from the file is cut to 64 bytes and shown without control characters. */
struct ct_conf_report {
	unsigned errors_n; /* may be more than the lines that fit */
	size_t len;
	char text[CT_CONF_REPORT_SIZE]; /* NUL-terminated, each line ends in '\n' */
};

/* Adds one line; the newline is added here. */
void ct_conf_report_add(struct ct_conf_report *r, const char *fmt, ...) CT_PRINTF(2, 3);

/* ---- loading --------------------------------------------------------------------- */

struct ct_conf_source {
	const char *path; /* the file; NULL: defaults and overrides alone */
	/* "path=value", later ones win. A list's values are joined by ','; an entry of
	 * a map: peers.report-svc.timeout_ms=300, made when the file does not have it. */
	const char *const *overrides;
	size_t overrides_n;
};

/*
 * Defaults, then the file, then the overrides, then schema->check(). dst gets the
 * fields that rows name, and what they held before is not freed; the caller calls
 * ct_conf_fini() in the end. On an error dst is unchanged and *ret_report tells
 * each thing that is wrong:
 *   NOT_FOUND           no such file
 *   PERMISSION_DENIED   it may not be read
 *   INVALID_ARGUMENT    its text, a value or an override
 *   RESOURCE_EXHAUSTED  no memory
 *   UNAVAILABLE         reading failed
 * *ret_report is written in any case; without an error it is empty.
 */
CT_MUST_USE ct_status ct_conf_load(const struct ct_conf_schema *schema,
				   const struct ct_conf_source *src, void *dst,
				   struct ct_conf_report *ret_report);

/* The same from memory; name stands where the file's would in the report, and
 * src->path is not used. src may be NULL. */
CT_MUST_USE ct_status ct_conf_load_text(const struct ct_conf_schema *schema, const char *name,
					struct ct_bytes text, const struct ct_conf_source *src,
					void *dst, struct ct_conf_report *ret_report);

/* Frees what the fields own and zeroes those. Harmless on zeroed memory and when
 * called twice. */
void ct_conf_fini(const struct ct_conf_schema *schema, void *conf);

/* ---- showing ----------------------------------------------------------------------- */

/* A complete file with the values of conf, each under a comment with help, range,
 * unit and default. Loading it gives the same values. UNAVAILABLE: out failed. */
CT_MUST_USE ct_status ct_conf_print(const struct ct_conf_schema *schema, const void *conf,
				    FILE *out);

/* A markdown table of all settings, one section for each top-level group. */
CT_MUST_USE ct_status ct_conf_print_docs(const struct ct_conf_schema *schema, FILE *out);

/* What a name's ending says of its unit: "ms", "bytes", …; "" when nothing. Static. */
const char *ct_conf_unit(const char *path);

#endif
