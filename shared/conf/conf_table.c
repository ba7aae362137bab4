/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_internal.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *ending, *unit;
} units[] = {
	{ "_ms", "ms" },       { "_us", "µs" },     { "_s", "s" },
	{ "_bytes", "bytes" }, { "_percent", "%" }, { "_per_s", "per second" },
};

const char *ct_conf_unit(const char *path)
{
	const size_t len = strlen(path);
	const char *unit = "";
	size_t longest = 0;

	for (size_t i = 0; i < CT_ARRAY_N(units); i++) {
		const size_t n = strlen(units[i].ending);

		if (len > n && n > longest && strcmp(path + len - n, units[i].ending) == 0) {
			unit = units[i].unit;
			longest = n;
		}
	}
	return unit;
}

/* ---- rows -------------------------------------------------------------------------- */

size_t ct_conf__items_n(const struct ct_conf_schema *schema)
{
	size_t n = 0;

	for (size_t i = 0; i < schema->tables_n; i++)
		n += schema->tables[i].rows_n;
	return n;
}

void ct_conf__item(const struct ct_conf_schema *schema, size_t i, struct ct_conf__item *ret_item)
{
	const struct ct_conf_table *t = schema->tables;
	int len;

	while (i >= t->rows_n) {
		i -= t->rows_n;
		t++;
	}
	CT_CHECK(t < schema->tables + schema->tables_n);
	ret_item->row = &t->rows[i];
	ret_item->at = t->base + t->rows[i].offset;
	len = snprintf(ret_item->path, sizeof(ret_item->path), "%s%s%s",
		       t->prefix != NULL ? t->prefix : "", t->prefix != NULL ? "." : "",
		       t->rows[i].path);
	CT_CHECK(len > 0 && (size_t)len < sizeof(ret_item->path));
}

bool ct_conf__find(const struct ct_conf_schema *schema, const char *path,
		   struct ct_conf__item *ret_item)
{
	struct ct_conf__item item;

	for (size_t i = 0; i < ct_conf__items_n(schema); i++) {
		ct_conf__item(schema, i, &item);
		if (strcmp(item.path, path) == 0) {
			*ret_item = item;
			return true;
		}
	}
	return false;
}

bool ct_conf__is_group(const struct ct_conf_schema *schema, const char *path)
{
	const size_t len = strlen(path);
	struct ct_conf__item item;

	for (size_t i = 0; i < ct_conf__items_n(schema); i++) {
		ct_conf__item(schema, i, &item);
		if (strncmp(item.path, path, len) == 0 && item.path[len] == '.')
			return true;
	}
	return false;
}

/* ---- defaults, entries, the end ----------------------------------------------------------- */

static size_t list_len(const char *const *list)
{
	size_t n = 0;

	while (list != NULL && list[n] != NULL)
		n++;
	return n;
}

static bool set_default(const struct ct_conf_row *row, void *field)
{
	char *copy;

	switch (row->type) {
	case CT_CONF_TYPE_BOOL:
	case CT_CONF_TYPE_INT:
	case CT_CONF_TYPE_UINT:
	case CT_CONF_TYPE_ENUM:
		ct_conf__put_int(row, field, row->def);
		return true;
	case CT_CONF_TYPE_STRING:
		copy = ct_mem_strdup(row->def_text);
		*(char **)field = copy;
		return copy != NULL;
	case CT_CONF_TYPE_STRINGS:
		return ct_conf__put_strings(field, row->def_list, list_len(row->def_list));
	case CT_CONF_TYPE_MAP:
		return true;
	}
	return true;
}

bool ct_conf__set_defaults(const struct ct_conf_schema *schema, void *conf)
{
	struct ct_conf__item item;

	for (size_t i = 0; i < ct_conf__items_n(schema); i++) {
		ct_conf__item(schema, i, &item);
		if (!set_default(item.row, (char *)conf + item.at))
			return false;
	}
	return true;
}

static char **name_of(const struct ct_conf_row *row, const struct ct_conf_map *map, size_t i)
{
	return (char **)(void *)((char *)map->entries + i * row->entry->size + row->name_offset);
}

static void *add_entry(struct ct_conf__load *l, const struct ct_conf_row *row,
		       struct ct_conf_map *map, const char *name)
{
	const size_t size = row->entry->size;
	char *entries = ct_mem_realloc(map->entries, (map->n + 1) * size);
	char *entry;

	if (entries == NULL)
		goto oom;
	map->entries = entries;
	entry = entries + map->n * size;
	memset(entry, 0, size);
	map->n++; /* from here on ct_conf_fini() frees what it holds */
	*name_of(row, map, map->n - 1) = ct_mem_strdup(name);
	if (*name_of(row, map, map->n - 1) == NULL || !ct_conf__set_defaults(row->entry, entry))
		goto oom;
	return entry;
oom:
	l->oom = true;
	return NULL;
}

void *ct_conf__map_entry(struct ct_conf__load *l, const char *where,
			 const struct ct_conf__item *item, void *conf, const char *name)
{
	struct ct_conf_map *map = (void *)((char *)conf + item->at);
	char must[CT_CONF__MUST_SIZE];

	for (size_t i = 0; i < map->n; i++) {
		if (strcmp(*name_of(item->row, map, i), name) == 0)
			return (char *)map->entries + i * item->row->entry->size;
	}
	if ((int64_t)map->n >= item->row->max) {
		ct_conf__must_be(item->row, must);
		ct_conf_report_add(l->report, "%s'%s' has more than that, must be %s", where,
				   item->path, must);
		return NULL;
	}
	return add_entry(l, item->row, map, name);
}

static void fini_map(const struct ct_conf_row *row, struct ct_conf_map *map)
{
	for (size_t i = 0; i < map->n; i++) {
		ct_conf_fini(row->entry, (char *)map->entries + i * row->entry->size);
		ct_mem_free(*name_of(row, map, i));
	}
	ct_mem_free(map->entries);
}

void ct_conf_fini(const struct ct_conf_schema *schema, void *conf)
{
	struct ct_conf__item item;

	for (size_t i = 0; i < ct_conf__items_n(schema); i++) {
		void *field;

		ct_conf__item(schema, i, &item);
		field = (char *)conf + item.at;
		if (item.row->type == CT_CONF_TYPE_STRING)
			ct_mem_free(*(char **)field);
		else if (item.row->type == CT_CONF_TYPE_STRINGS)
			ct_conf__free_strings(field);
		else if (item.row->type == CT_CONF_TYPE_MAP)
			fini_map(item.row, field);
		memset(field, 0, item.row->size);
	}
}
