/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_internal.h"

#include "base/check.h"

#include <libconfig.h>

#include <stdio.h>
#include <string.h>

enum {
	WHERE_SIZE = 512,
	SUGGESTIONS_MAX = 32, /* in one report: looking for them takes time */
};

/* Where the walk is: a group of the file and what it stands for. */
struct place {
	const struct ct_conf_schema *schema;
	void *conf;        /* the schema's struct */
	const char *scope; /* put before paths in messages: "peers.report-svc." or "" */
	const char *path;  /* of the group within the schema, "" at its top */
};

void ct_conf__report_unknown(struct ct_conf__load *l, const struct ct_conf_schema *schema,
			     const char *where, const char *scope, const char *path)
{
	char shown[CT_CONF__SHOWN_SIZE], nearest[CT_CONF__PATH_SIZE];

	if (schema->partial)
		return;
	ct_conf__show(path, shown);
	if (l->report->errors_n < SUGGESTIONS_MAX && ct_conf__suggest(schema, path, nearest))
		ct_conf_report_add(l->report, "%sunknown setting '%s%s' (did you mean '%s%s'?)",
				   where, scope, shown, scope, nearest);
	else
		ct_conf_report_add(l->report, "%sunknown setting '%s%s'", where, scope, shown);
}

static void where_of(const struct ct_conf__load *l, const config_setting_t *s, char out[WHERE_SIZE])
{
	(void)snprintf(out, WHERE_SIZE, "%s:%u: ", l->name, config_setting_source_line(s));
}

static void value_of_list(const config_setting_t *s, struct ct_conf__value *v)
{
	v->is = CT_CONF__IS_LIST;
	v->list_n = (size_t)config_setting_length(s);
	for (size_t i = 0; i < v->list_n && i < CT_CONF__LIST_MAX; i++)
		v->list[i] = config_setting_get_string_elem(s, (int)i); /* NULL: not text */
}

static void value_of(const config_setting_t *s, struct ct_conf__value *v)
{
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_BOOL:
		v->is = CT_CONF__IS_BOOL;
		v->b = config_setting_get_bool(s) != 0;
		break;
	case CONFIG_TYPE_INT:
		v->is = CT_CONF__IS_INT;
		v->i = config_setting_get_int(s);
		break;
	case CONFIG_TYPE_INT64:
		v->is = CT_CONF__IS_INT;
		v->i = config_setting_get_int64(s);
		break;
	case CONFIG_TYPE_FLOAT:
		v->is = CT_CONF__IS_FLOAT;
		v->f = config_setting_get_float(s);
		break;
	case CONFIG_TYPE_STRING:
		v->is = CT_CONF__IS_TEXT;
		v->text = config_setting_get_string(s);
		break;
	case CONFIG_TYPE_GROUP:
		v->is = CT_CONF__IS_GROUP;
		break;
	default:
		value_of_list(s, v);
		break;
	}
}

static void read_group(struct ct_conf__load *l, const struct place *p, const config_setting_t *g);

static void read_map(struct ct_conf__load *l, const struct ct_conf__item *item, void *conf,
		     const config_setting_t *map)
{
	char where[WHERE_SIZE], scope[CT_CONF__PATH_SIZE + CT_CONF__NAME_MAX + 2];

	for (int i = 0; i < config_setting_length(map) && !l->oom; i++) {
		const config_setting_t *s = config_setting_get_elem((config_setting_t *)map,
								    (unsigned)i);
		const char *name = config_setting_name(s);
		char shown[CT_CONF__SHOWN_SIZE];
		struct place inside = { .schema = item->row->entry, .scope = scope, .path = "" };

		where_of(l, s, where);
		if (strlen(name) > CT_CONF__NAME_MAX || !config_setting_is_group(s)) {
			ct_conf_report_add(l->report,
					   "%s'%s.%s' must be a group with a name of 1..64 bytes",
					   where, item->path, ct_conf__show(name, shown));
			continue;
		}
		inside.conf = ct_conf__map_entry(l, where, item, conf, name);
		if (inside.conf == NULL)
			return;
		(void)snprintf(scope, sizeof(scope), "%s.%s.", item->path, name);
		read_group(l, &inside, s);
	}
}

static void read_setting(struct ct_conf__load *l, const struct place *p, const char *path,
			 const config_setting_t *s)
{
	char where[WHERE_SIZE], shown[2 * CT_CONF__PATH_SIZE];
	struct ct_conf__value v;
	struct ct_conf__item item;
	struct place below = *p;

	where_of(l, s, where);
	(void)snprintf(shown, sizeof(shown), "%s%s", p->scope, path);
	if (ct_conf__find(p->schema, path, &item)) {
		if (item.row->type == CT_CONF_TYPE_MAP && config_setting_is_group(s)) {
			read_map(l, &item, p->conf, s);
			return;
		}
		value_of(s, &v);
		ct_conf__set(l, where, shown, item.row, (char *)p->conf + item.at, &v);
	} else if (!ct_conf__is_group(p->schema, path)) {
		ct_conf__report_unknown(l, p->schema, where, p->scope, path);
	} else if (!config_setting_is_group(s)) {
		ct_conf_report_add(l->report, "%s'%s' must be a group", where, shown);
	} else {
		below.path = path;
		read_group(l, &below, s);
	}
}

/* No deeper than the schema's paths are: an unknown group is not entered. */
static void read_group(struct ct_conf__load *l, const struct place *p, const config_setting_t *g)
{
	char path[CT_CONF__PATH_SIZE + CT_CONF__NAME_MAX + 2], where[WHERE_SIZE];

	for (int i = 0; i < config_setting_length(g) && !l->oom; i++) {
		const config_setting_t *s = config_setting_get_elem((config_setting_t *)g,
								    (unsigned)i);
		const char *name = config_setting_name(s);

		if (strlen(name) > CT_CONF__NAME_MAX) {
			where_of(l, s, where);
			ct_conf__report_unknown(l, p->schema, where, p->scope, name);
			continue;
		}
		(void)snprintf(path, sizeof(path), "%s%s%s", p->path, p->path[0] != '\0' ? "." : "",
			       name);
		read_setting(l, p, path, s);
	}
}

/* The text of a line, without the spaces around it. */
static void line_of(const char *text, int line, char out[CT_CONF__SHOWN_SIZE])
{
	char copy[2 * CT_CONF__SHOWN_SIZE];
	size_t len;

	for (int i = 1; i < line && *text != '\0'; text++)
		i += *text == '\n';
	text += strspn(text, " \t");
	len = strcspn(text, "\r\n");
	if (len > sizeof(copy) - 1)
		len = sizeof(copy) - 1;
	memcpy(copy, text, len);
	copy[len] = '\0';
	ct_conf__show(copy, out);
}

void ct_conf__read_tree(struct ct_conf__load *l, const struct ct_conf_schema *schema,
			const char *clean, void *conf)
{
	const struct place top = { .schema = schema, .conf = conf, .scope = "", .path = "" };
	char shown[CT_CONF__SHOWN_SIZE];
	config_t config;

	config_init(&config);
	if (config_read_string(&config, clean) == CONFIG_TRUE) {
		read_group(l, &top, config_root_setting(&config));
	} else {
		line_of(clean, config_error_line(&config), shown);
		ct_conf_report_add(l->report, "%s:%d: %s at '%s'", l->name,
				   config_error_line(&config), config_error_text(&config), shown);
	}
	config_destroy(&config);
}
