/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_internal.h"

#include "base/check.h"

#include <inttypes.h>
#include <string.h>

/* ---- values ------------------------------------------------------------------------------ */

static const char *choice_name(const struct ct_conf_row *row, int64_t value)
{
	const struct ct_conf_choice *c = row->choices;

	while (c->name != NULL && c->value != value)
		c++;
	CT_CHECK(c->name != NULL); /* only choices are stored */
	return c->name;
}

static void print_text(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text != '\0'; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void print_list(const char *const *v, size_t n, FILE *out)
{
	fputs(n > 0 ? "[ " : "[ ]", out);
	for (size_t i = 0; i < n; i++) {
		print_text(v[i], out);
		fputs(i + 1 < n ? ", " : " ]", out);
	}
}

static void print_number(const struct ct_conf_row *row, int64_t v, FILE *out)
{
	if (row->type == CT_CONF_TYPE_BOOL)
		fputs(v != 0 ? "true" : "false", out);
	else if (row->type == CT_CONF_TYPE_ENUM)
		print_text(choice_name(row, v), out);
	else
		fprintf(out, "%" PRId64, v);
}

static void print_value(const struct ct_conf_row *row, const void *field, FILE *out)
{
	const struct ct_conf_strings *list = field;

	if (row->type == CT_CONF_TYPE_STRING)
		print_text(*(char *const *)field, out);
	else if (row->type == CT_CONF_TYPE_STRINGS)
		print_list((const char *const *)list->v, list->n, out);
	else
		print_number(row, ct_conf__get_int(row, field), out);
}

/* False: the row has no default, it must be set. */
static bool has_default(const struct ct_conf_row *row)
{
	size_t n = 0;

	if (row->type == CT_CONF_TYPE_STRING)
		return (int64_t)strlen(row->def_text) >= row->min;
	if (row->type == CT_CONF_TYPE_MAP)
		return row->min == 0;
	if (row->type != CT_CONF_TYPE_STRINGS)
		return true;
	while (row->def_list != NULL && row->def_list[n] != NULL)
		n++;
	return (int64_t)n >= row->min;
}

static void print_default(const struct ct_conf_row *row, FILE *out)
{
	size_t n = 0;

	if (row->type == CT_CONF_TYPE_STRING) {
		print_text(row->def_text, out);
	} else if (row->type == CT_CONF_TYPE_STRINGS) {
		while (row->def_list != NULL && row->def_list[n] != NULL)
			n++;
		print_list(row->def_list, n, out);
	} else if (row->type == CT_CONF_TYPE_MAP) {
		fputs("{ }", out);
	} else {
		print_number(row, row->def, out);
	}
}

/* ---- --print-config ------------------------------------------------------------------------- */

struct page {
	const struct ct_conf_schema *schema;
	const void *conf;
	FILE *out;
	unsigned depth; /* tabs */
};

static void indent(const struct page *p)
{
	for (unsigned i = 0; i < p->depth; i++)
		fputc('\t', p->out);
}

static void print_comment(const struct page *p, const struct ct_conf_row *row)
{
	char must[CT_CONF__MUST_SIZE];

	ct_conf__must_be(row, must);
	indent(p);
	fprintf(p->out, "# %s: %s", row->help, must);
	if (has_default(row)) {
		fputs(", default ", p->out);
		print_default(row, p->out);
	} else {
		fputs(", must be set", p->out);
	}
	fputc('\n', p->out);
}

static void open_group(struct page *p, const char *name, size_t len)
{
	indent(p);
	fprintf(p->out, "%.*s:\n", (int)len, name);
	indent(p);
	fputs("{\n", p->out);
	p->depth++;
}

static void close_group(struct page *p)
{
	p->depth--;
	indent(p);
	fputs("};\n", p->out);
}

static void print_level(struct page *p, const char *group);

/* What an entry may hold, as comments, where there is none to show it. */
static void print_entry_rows(const struct page *p, const struct ct_conf_schema *entry)
{
	struct ct_conf__item item;

	indent(p);
	fputs("# NAME:\n", p->out);
	indent(p);
	fputs("# {\n", p->out);
	for (size_t i = 0; i < ct_conf__items_n(entry); i++) {
		char must[CT_CONF__MUST_SIZE];

		ct_conf__item(entry, i, &item);
		ct_conf__must_be(item.row, must);
		indent(p);
		fprintf(p->out, "#\t%s = ", item.path);
		print_default(item.row, p->out);
		fprintf(p->out, "; # %s: %s\n", item.row->help, must);
	}
	indent(p);
	fputs("# };\n", p->out);
}

static void print_map(struct page *p, const struct ct_conf__item *item, const char *name)
{
	const struct ct_conf_map *map = (const void *)((const char *)p->conf + item->at);

	open_group(p, name, strlen(name));
	if (map->n == 0)
		print_entry_rows(p, item->row->entry);
	for (size_t i = 0; i < map->n; i++) {
		const char *entry = (const char *)map->entries + i * item->row->entry->size;
		const char *entry_name = *(char *const *)(const void *)(entry +
									item->row->name_offset);
		struct page inside = { item->row->entry, entry, p->out, p->depth };

		open_group(&inside, entry_name, strlen(entry_name));
		print_level(&inside, "");
		close_group(&inside);
	}
	close_group(p);
}

static void print_row(struct page *p, const struct ct_conf__item *item, const char *name)
{
	print_comment(p, item->row);
	if (item->row->type == CT_CONF_TYPE_MAP) {
		print_map(p, item, name);
		return;
	}
	indent(p);
	fprintf(p->out, "%s = ", name);
	print_value(item->row, (const char *)p->conf + item->at, p->out);
	fputs(";\n", p->out);
}

/* The part of path below group ("" or "pool."); NULL: it is not below. */
static const char *below(const char *path, const char *group)
{
	const size_t len = strlen(group);

	return strncmp(path, group, len) == 0 ? path + len : NULL;
}

/* Some row before number i lies below group already. */
static bool was_shown(const struct ct_conf_schema *schema, size_t i, const char *group)
{
	struct ct_conf__item item;

	for (size_t k = 0; k < i; k++) {
		ct_conf__item(schema, k, &item);
		if (below(item.path, group) != NULL)
			return true;
	}
	return false;
}

/* All rows below a group. Rows of one group may stand apart in the tables, the
 * file has them together, where the first one stands. */
static void print_level(struct page *p, const char *group)
{
	struct ct_conf__item item;

	for (size_t i = 0; i < ct_conf__items_n(p->schema); i++) {
		char inner[CT_CONF__PATH_SIZE];
		const char *name, *dot;

		ct_conf__item(p->schema, i, &item);
		name = below(item.path, group);
		if (name == NULL)
			continue;
		dot = strchr(name, '.');
		if (dot == NULL) {
			print_row(p, &item, name);
			continue;
		}
		(void)snprintf(inner, sizeof(inner), "%.*s", (int)(dot + 1 - item.path), item.path);
		if (was_shown(p->schema, i, inner))
			continue;
		open_group(p, name, (size_t)(dot - name));
		print_level(p, inner);
		close_group(p);
	}
}

ct_status ct_conf_print(const struct ct_conf_schema *schema, const void *conf, FILE *out)
{
	struct page p = { .schema = schema, .conf = conf, .out = out };

	ct_conf__check_schema(schema);
	print_level(&p, "");
	return fflush(out) == 0 && !ferror(out) ? CT_OK : CT_UNAVAILABLE;
}

/* ---- docs/configuration.md ------------------------------------------------------------------- */

/* A cell of a markdown table: '|' would end it. */
static void print_cell(const char *text, FILE *out)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void print_doc_row(const char *scope, const struct ct_conf__item *item, FILE *out)
{
	char must[CT_CONF__MUST_SIZE];

	ct_conf__must_be(item->row, must);
	fprintf(out, "| `%s%s` | ", scope, item->path);
	print_cell(must, out);
	if (has_default(item->row)) {
		fputs(" | `", out);
		print_default(item->row, out);
		fputs("` | ", out);
	} else {
		fputs(" | none, must be set | ", out);
	}
	print_cell(item->row->help, out);
	fputs(" |\n", out);
}

static void print_doc_rows(const struct ct_conf_schema *schema, const char *section, FILE *out)
{
	struct ct_conf__item item, inner;
	char scope[CT_CONF__PATH_SIZE + sizeof(".NAME.")];

	for (size_t i = 0; i < ct_conf__items_n(schema); i++) {
		ct_conf__item(schema, i, &item);
		if (strncmp(item.path, section, strlen(section)) != 0 ||
		    (item.path[strlen(section)] != '.' && item.path[strlen(section)] != '\0'))
			continue;
		print_doc_row("", &item, out);
		if (item.row->type != CT_CONF_TYPE_MAP)
			continue;
		(void)snprintf(scope, sizeof(scope), "%s.NAME.", item.path);
		for (size_t k = 0; k < ct_conf__items_n(item.row->entry); k++) {
			ct_conf__item(item.row->entry, k, &inner);
			print_doc_row(scope, &inner, out);
		}
	}
}

ct_status ct_conf_print_docs(const struct ct_conf_schema *schema, FILE *out)
{
	struct ct_conf__item item, before;

	ct_conf__check_schema(schema);
	for (size_t i = 0; i < ct_conf__items_n(schema); i++) {
		bool shown = false;

		ct_conf__item(schema, i, &item);
		item.path[strcspn(item.path, ".")] = '\0';
		for (size_t k = 0; k < i && !shown; k++) {
			ct_conf__item(schema, k, &before);
			before.path[strcspn(before.path, ".")] = '\0';
			shown = strcmp(before.path, item.path) == 0;
		}
		if (shown)
			continue;
		fprintf(out, "### %s\n\n", item.path);
		fputs("| setting | value | default | meaning |\n|---|---|---|---|\n", out);
		print_doc_rows(schema, item.path, out);
		fputc('\n', out);
	}
	return fflush(out) == 0 && !ferror(out) ? CT_OK : CT_UNAVAILABLE;
}
