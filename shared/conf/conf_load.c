/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_internal.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	WHERE_SIZE = CT_CONF__SHOWN_SIZE + 8,
	SCOPE_SIZE = CT_CONF__PATH_SIZE + CT_CONF__NAME_MAX + 2,
	SHOWN_PATH_SIZE = SCOPE_SIZE + CT_CONF__PATH_SIZE,
	ERROR_TEXT_SIZE = 128,
};

/* ---- the command line -------------------------------------------------------------------- */

/* What libconfig takes for a name, so that a printed file can be read. */
static bool is_entry_name(const char *s)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-_";

	return s[0] != '\0' && strlen(s) <= CT_CONF__NAME_MAX && strspn(s, first) > 0 &&
	       s[strspn(s, rest)] == '\0';
}

/* The map whose entries lie below path: *ret_entry is what follows its name. */
static bool find_map(const struct ct_conf_schema *schema, char *path, struct ct_conf__item *ret_map,
		     char **ret_entry)
{
	for (size_t i = 0; i < ct_conf__items_n(schema); i++) {
		size_t len;

		ct_conf__item(schema, i, ret_map);
		len = strlen(ret_map->path);
		if (ret_map->row->type == CT_CONF_TYPE_MAP &&
		    strncmp(path, ret_map->path, len) == 0 && path[len] == '.') {
			*ret_entry = path + len + 1;
			return true;
		}
	}
	return false;
}

static void set_from_text(struct ct_conf__load *l, const char *where, const char *shown,
			  const struct ct_conf__item *item, void *conf, char *text)
{
	struct ct_conf__value v;

	ct_conf__value_of_text(item->row, text, &v);
	ct_conf__set(l, where, shown, item->row, (char *)conf + item->at, &v);
}

/* entry: "report-svc.timeout_ms", of the map; split here. */
static void override_entry(struct ct_conf__load *l, const char *where,
			   const struct ct_conf__item *map, void *conf, char *entry, char *text)
{
	char scope[SCOPE_SIZE], shown[SHOWN_PATH_SIZE];
	char *setting = strchr(entry, '.');
	struct ct_conf__item item;
	void *entry_conf;

	if (setting == NULL) {
		ct_conf_report_add(l->report, "%smust name a setting of the entry, %s.NAME.SETTING",
				   where, map->path);
		return;
	}
	*setting++ = '\0';
	if (!is_entry_name(entry)) {
		ct_conf_report_add(l->report,
				   "%san entry's name is 1..64 letters, digits, '-' and '_'",
				   where);
		return;
	}
	(void)snprintf(scope, sizeof(scope), "%s.%s.", map->path, entry);
	if (!ct_conf__find(map->row->entry, setting, &item)) {
		ct_conf__report_unknown(l, map->row->entry, where, scope, setting);
		return;
	}
	entry_conf = ct_conf__map_entry(l, where, map, conf, entry);
	if (entry_conf == NULL)
		return;
	(void)snprintf(shown, sizeof(shown), "%s%s", scope, setting);
	set_from_text(l, where, shown, &item, entry_conf, text);
}

static void override_one(struct ct_conf__load *l, const struct ct_conf_schema *schema, void *conf,
			 const char *override)
{
	char where[WHERE_SIZE], shown[CT_CONF__SHOWN_SIZE];
	char *path = ct_mem_strdup(override), *text, *entry;
	struct ct_conf__item item;

	if (path == NULL) {
		l->oom = true;
		return;
	}
	(void)snprintf(where, sizeof(where), "-s %s: ", ct_conf__show(override, shown));
	text = strchr(path, '=');
	if (text == NULL) {
		ct_conf_report_add(l->report, "%smust be path=value", where);
		goto out;
	}
	*text++ = '\0';
	if (ct_conf__find(schema, path, &item))
		set_from_text(l, where, path, &item, conf, text);
	else if (find_map(schema, path, &item, &entry))
		override_entry(l, where, &item, conf, entry, text);
	else
		ct_conf__report_unknown(l, schema, where, "", path);
out:
	ct_mem_free(path);
}

/* ---- what must hold in the end -------------------------------------------------------------- */

static void check_whole(struct ct_conf__load *l, const struct ct_conf_schema *schema,
			const void *conf, const char *scope);

static void check_entries(struct ct_conf__load *l, const struct ct_conf__item *item,
			  const struct ct_conf_map *map)
{
	for (size_t i = 0; i < map->n; i++) {
		const char *entry = (const char *)map->entries + i * item->row->entry->size;
		const char *name = *(char *const *)(const void *)(entry + item->row->name_offset);
		char scope[SCOPE_SIZE];

		(void)snprintf(scope, sizeof(scope), "%s.%s.", item->path, name);
		check_whole(l, item->row->entry, entry, scope);
	}
}

/* How much a field holds, of a type that may be unset; -1: always set. */
static int64_t filled(const struct ct_conf_row *row, const void *field)
{
	switch (row->type) {
	case CT_CONF_TYPE_STRING:
		return (int64_t)strlen(*(char *const *)field);
	case CT_CONF_TYPE_STRINGS:
		return (int64_t)((const struct ct_conf_strings *)field)->n;
	case CT_CONF_TYPE_MAP:
		return (int64_t)((const struct ct_conf_map *)field)->n;
	default:
		return -1;
	}
}

/* What was set is within its limits, so what is below them was not set. */
static void check_whole(struct ct_conf__load *l, const struct ct_conf_schema *schema,
			const void *conf, const char *scope)
{
	char must[CT_CONF__MUST_SIZE];
	struct ct_conf__item item;

	for (size_t i = 0; i < ct_conf__items_n(schema); i++) {
		const void *field;
		int64_t n;

		ct_conf__item(schema, i, &item);
		field = (const char *)conf + item.at;
		n = filled(item.row, field);
		if (n >= 0 && n < item.row->min) {
			ct_conf__must_be(item.row, must);
			ct_conf_report_add(l->report, "%s: '%s%s' must be set, %s", l->name, scope,
					   item.path, must);
		}
		if (item.row->type == CT_CONF_TYPE_MAP)
			check_entries(l, &item, field);
	}
	if (schema->check != NULL && l->report->errors_n == 0)
		schema->check(conf, l->report);
}

/* ---- loading --------------------------------------------------------------------------- */

static void fill(struct ct_conf__load *l, const struct ct_conf_schema *schema,
		 const struct ct_bytes *text, const struct ct_conf_source *src, void *conf)
{
	char *clean;

	if (!ct_conf__set_defaults(schema, conf)) {
		l->oom = true;
		return;
	}
	if (text != NULL) {
		clean = ct_conf__clean_text(l, *text);
		if (clean == NULL)
			return;
		ct_conf__read_tree(l, schema, clean, conf);
		ct_mem_free(clean);
	}
	for (size_t i = 0; src != NULL && i < src->overrides_n && !l->oom; i++)
		override_one(l, schema, conf, src->overrides[i]);
	if (!l->oom && l->report->errors_n == 0)
		check_whole(l, schema, conf, "");
}

static void move_fields(const struct ct_conf_schema *schema, void *from, void *to)
{
	struct ct_conf__item item;

	for (size_t i = 0; i < ct_conf__items_n(schema); i++) {
		ct_conf__item(schema, i, &item);
		memcpy((char *)to + item.at, (char *)from + item.at, item.row->size);
		memset((char *)from + item.at, 0, item.row->size);
	}
}

static ct_status load(const struct ct_conf_schema *schema, const char *name,
		      const struct ct_bytes *text, const struct ct_conf_source *src, void *dst,
		      struct ct_conf_report *report)
{
	struct ct_conf__load l = { .report = report, .name = name };
	void *conf;

	ct_conf__check_schema(schema);
	conf = ct_mem_zalloc(1, schema->size);
	if (conf == NULL)
		l.oom = true;
	else
		fill(&l, schema, text, src, conf);
	if (l.oom)
		ct_conf_report_add(report, "%s: out of memory", name);
	else if (report->errors_n == 0)
		move_fields(schema, conf, dst);
	if (conf != NULL)
		ct_conf_fini(schema, conf);
	ct_mem_free(conf);
	if (l.oom)
		return CT_RESOURCE_EXHAUSTED;
	return report->errors_n == 0 ? CT_OK : CT_INVALID_ARGUMENT;
}

static ct_status report_errno(struct ct_conf_report *r, const char *path, int err)
{
	char text[ERROR_TEXT_SIZE];

	ct_conf_report_add(r, "%s: cannot be read: %s", path, strerror_r(err, text, sizeof(text)));
	if (err == ENOENT || err == ENOTDIR)
		return CT_NOT_FOUND;
	if (err == EACCES || err == EPERM)
		return CT_PERMISSION_DENIED;
	return err == EISDIR ? CT_INVALID_ARGUMENT : CT_UNAVAILABLE;
}

/* *ret_text is the caller's, CT_CONF__FILE_MAX bytes at most. */
static ct_status read_file(const char *path, struct ct_conf_report *r, char **ret_text,
			   size_t *ret_len)
{
	char *text = NULL;
	size_t len = 0;
	ssize_t n = 1;
	ct_status st = CT_RESOURCE_EXHAUSTED;
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return report_errno(r, path, errno);
	text = ct_mem_alloc(CT_CONF__FILE_MAX + 1);
	if (text == NULL) {
		ct_conf_report_add(r, "%s: out of memory", path);
		goto out;
	}
	while (n != 0 && len <= CT_CONF__FILE_MAX) {
		n = read(fd, text + len, CT_CONF__FILE_MAX + 1 - len);
		if (n < 0 && errno != EINTR) {
			st = report_errno(r, path, errno);
			goto out;
		}
		len += n > 0 ? (size_t)n : 0;
	}
	st = CT_INVALID_ARGUMENT;
	if (len > CT_CONF__FILE_MAX) {
		ct_conf_report_add(r, "%s: larger than 1 MiB", path);
		goto out;
	}
	st = CT_OK;
	*ret_text = text;
	*ret_len = len;
	text = NULL; /* the caller's */
out:
	ct_mem_free(text);
	(void)close(fd); /* only read from */
	return st;
}

ct_status ct_conf_load(const struct ct_conf_schema *schema, const struct ct_conf_source *src,
		       void *dst, struct ct_conf_report *ret_report)
{
	struct ct_bytes bytes;
	char *text = NULL;
	size_t len = 0;
	ct_status st;

	*ret_report = (struct ct_conf_report){ 0 };
	if (src->path == NULL)
		return load(schema, "settings", NULL, src, dst, ret_report);
	st = read_file(src->path, ret_report, &text, &len);
	if (st != CT_OK)
		return st;
	bytes = ct_bytes_of(text, len);
	st = load(schema, src->path, &bytes, src, dst, ret_report);
	ct_mem_free(text);
	return st;
}

ct_status ct_conf_load_text(const struct ct_conf_schema *schema, const char *name,
			    struct ct_bytes text, const struct ct_conf_source *src, void *dst,
			    struct ct_conf_report *ret_report)
{
	*ret_report = (struct ct_conf_report){ 0 };
	if (text.len > CT_CONF__FILE_MAX) {
		ct_conf_report_add(ret_report, "%s: larger than 1 MiB", name);
		return CT_INVALID_ARGUMENT;
	}
	return load(schema, name, &text, src, dst, ret_report);
}
