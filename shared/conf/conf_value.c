/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_internal.h"

#include "base/check.h"
#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DECIMAL = 10, IS_SIZE = CT_CONF__SHOWN_SIZE + 16 };

/* ---- numbers of any width ------------------------------------------------------------ */

int64_t ct_conf__get_int(const struct ct_conf_row *row, const void *field)
{
	const bool sign = row->type == CT_CONF_TYPE_INT;

	if (row->type == CT_CONF_TYPE_BOOL)
		return *(const bool *)field;
	if (row->type == CT_CONF_TYPE_ENUM)
		return *(const int *)field;
	switch (row->size) {
	case 1:
		return sign ? *(const int8_t *)field : *(const uint8_t *)field;
	case 2:
		return sign ? *(const int16_t *)field : *(const uint16_t *)field;
	case 4:
		return sign ? *(const int32_t *)field : (int64_t) * (const uint32_t *)field;
	default:
		return *(const int64_t *)field; /* a uint64_t goes to INT64_MAX only */
	}
}

/* v fits: the range of a row does (ct_conf__check_schema). */
void ct_conf__put_int(const struct ct_conf_row *row, void *field, int64_t v)
{
	if (row->type == CT_CONF_TYPE_BOOL) {
		*(bool *)field = v != 0;
		return;
	}
	switch (row->size) {
	case 1:
		*(uint8_t *)field = (uint8_t)v;
		break;
	case 2:
		*(uint16_t *)field = (uint16_t)v;
		break;
	case 4:
		*(uint32_t *)field = (uint32_t)v;
		break;
	default:
		*(uint64_t *)field = (uint64_t)v;
		break;
	}
}

/* ---- lists ------------------------------------------------------------------------------ */

void ct_conf__free_strings(struct ct_conf_strings *field)
{
	for (size_t i = 0; i < field->n; i++)
		ct_mem_free(field->v[i]);
	ct_mem_free(field->v);
	*field = (struct ct_conf_strings){ NULL, 0 };
}

bool ct_conf__put_strings(struct ct_conf_strings *field, const char *const *v, size_t n)
{
	struct ct_conf_strings copy = { NULL, 0 };

	if (n > 0) {
		copy.v = ct_mem_zalloc(n, sizeof(copy.v[0]));
		if (copy.v == NULL)
			return false;
	}
	while (copy.n < n) {
		copy.v[copy.n] = ct_mem_strdup(v[copy.n]);
		if (copy.v[copy.n] == NULL) {
			ct_conf__free_strings(&copy);
			return false;
		}
		copy.n++;
	}
	ct_conf__free_strings(field);
	*field = copy;
	return true;
}

/* ---- messages ----------------------------------------------------------------------------- */

static void choices_text(const struct ct_conf_choice *c, char out[CT_CONF__MUST_SIZE])
{
	size_t len = (size_t)snprintf(out, CT_CONF__MUST_SIZE, "one of");

	for (; c->name != NULL; c++) {
		len += (size_t)snprintf(out + len, CT_CONF__MUST_SIZE - len, " %s%s", c->name,
					c[1].name != NULL ? "," : "");
		CT_CHECK(len < CT_CONF__MUST_SIZE); /* tables are ours */
	}
}

void ct_conf__must_be(const struct ct_conf_row *row, char out[CT_CONF__MUST_SIZE])
{
	const char *unit = ct_conf_unit(row->path);
	const char *before = "", *after = "";

	switch (row->type) {
	case CT_CONF_TYPE_BOOL:
		(void)snprintf(out, CT_CONF__MUST_SIZE, "true or false");
		return;
	case CT_CONF_TYPE_ENUM:
		choices_text(row->choices, out);
		return;
	case CT_CONF_TYPE_INT:
	case CT_CONF_TYPE_UINT:
		before = "a whole number ";
		break;
	case CT_CONF_TYPE_STRING:
		before = "text of ";
		after = " bytes";
		unit = "";
		break;
	case CT_CONF_TYPE_STRINGS:
		before = "a list of ";
		after = " texts";
		unit = "";
		break;
	case CT_CONF_TYPE_MAP:
		before = "a group of ";
		after = " named groups";
		unit = "";
		break;
	}
	(void)snprintf(out, CT_CONF__MUST_SIZE, "%s%" PRId64 "..%" PRId64 "%s%s%s", before,
		       row->min, row->max, after, unit[0] != '\0' ? " " : "", unit);
}

static void describe(const struct ct_conf__value *v, char out[IS_SIZE])
{
	char shown[CT_CONF__SHOWN_SIZE];

	switch (v->is) {
	case CT_CONF__IS_BOOL:
		(void)snprintf(out, IS_SIZE, "%s", v->b ? "true" : "false");
		break;
	case CT_CONF__IS_INT:
		(void)snprintf(out, IS_SIZE, "%" PRId64, v->i);
		break;
	case CT_CONF__IS_FLOAT:
		(void)snprintf(out, IS_SIZE, "the fraction %g", v->f);
		break;
	case CT_CONF__IS_TEXT:
		(void)snprintf(out, IS_SIZE, "\"%s\"", ct_conf__show(v->text, shown));
		break;
	case CT_CONF__IS_LIST:
		(void)snprintf(out, IS_SIZE, "a list of %zu", v->list_n);
		break;
	case CT_CONF__IS_GROUP:
		(void)snprintf(out, IS_SIZE, "a group");
		break;
	}
}

/* ---- one value into its field ----------------------------------------------------------- */

static bool in_range(const struct ct_conf_row *row, int64_t v)
{
	return v >= row->min && v <= row->max;
}

static bool set_choice(const struct ct_conf_row *row, void *field, const char *name)
{
	for (const struct ct_conf_choice *c = row->choices; c->name != NULL; c++) {
		if (strcmp(c->name, name) == 0) {
			ct_conf__put_int(row, field, c->value);
			return true;
		}
	}
	return false;
}

static bool set_text(struct ct_conf__load *l, const struct ct_conf_row *row, char **field,
		     const char *text)
{
	char *copy;

	if (!in_range(row, (int64_t)strlen(text)))
		return false;
	copy = ct_mem_strdup(text);
	if (copy == NULL) {
		l->oom = true;
		return true;
	}
	ct_mem_free(*field);
	*field = copy;
	return true;
}

static bool set_list(struct ct_conf__load *l, const struct ct_conf_row *row,
		     struct ct_conf_strings *field, const struct ct_conf__value *v)
{
	if (!in_range(row, (int64_t)v->list_n))
		return false;
	for (size_t i = 0; i < v->list_n; i++) {
		if (v->list[i] == NULL)
			return false;
	}
	if (!ct_conf__put_strings(field, v->list, v->list_n))
		l->oom = true;
	return true;
}

/* False: the row does not allow it. */
static bool set_allowed(struct ct_conf__load *l, const struct ct_conf_row *row, void *field,
			const struct ct_conf__value *v)
{
	switch (row->type) {
	case CT_CONF_TYPE_BOOL:
		if (v->is != CT_CONF__IS_BOOL)
			return false;
		ct_conf__put_int(row, field, v->b);
		return true;
	case CT_CONF_TYPE_INT:
	case CT_CONF_TYPE_UINT:
		if (v->is != CT_CONF__IS_INT || !in_range(row, v->i))
			return false;
		ct_conf__put_int(row, field, v->i);
		return true;
	case CT_CONF_TYPE_ENUM:
		return v->is == CT_CONF__IS_TEXT && set_choice(row, field, v->text);
	case CT_CONF_TYPE_STRING:
		return v->is == CT_CONF__IS_TEXT && set_text(l, row, field, v->text);
	case CT_CONF_TYPE_STRINGS:
		return v->is == CT_CONF__IS_LIST && set_list(l, row, field, v);
	case CT_CONF_TYPE_MAP:
		return false; /* its entries are set one by one */
	}
	return false;
}

void ct_conf__set(struct ct_conf__load *l, const char *where, const char *path,
		  const struct ct_conf_row *row, void *field, const struct ct_conf__value *v)
{
	char is[IS_SIZE], must[CT_CONF__MUST_SIZE];

	if (set_allowed(l, row, field, v))
		return;
	describe(v, is);
	ct_conf__must_be(row, must);
	ct_conf_report_add(l->report, "%s'%s' is %s, must be %s", where, path, is, must);
}

/* ---- the command line ------------------------------------------------------------------------ */

static bool parse_int(const char *text, int64_t *ret_v)
{
	char *end;
	long long v;

	if (text[0] != '-' && (text[0] < '0' || text[0] > '9'))
		return false; /* strtoll() would skip spaces */
	errno = 0;
	v = strtoll(text, &end, DECIMAL);
	if (errno != 0 || end == text || *end != '\0')
		return false;
	*ret_v = v;
	return true;
}

static void split(char *text, struct ct_conf__value *v)
{
	v->is = CT_CONF__IS_LIST;
	v->list_n = 0;
	if (text[0] == '\0')
		return;
	for (char *next = text; next != NULL; v->list_n++) {
		char *item = next, *comma = strchr(item, ',');

		next = comma != NULL ? comma + 1 : NULL;
		if (comma != NULL)
			*comma = '\0';
		if (v->list_n < CT_CONF__LIST_MAX)
			v->list[v->list_n] = item;
	}
}

void ct_conf__value_of_text(const struct ct_conf_row *row, char *text, struct ct_conf__value *ret_v)
{
	ret_v->is = CT_CONF__IS_TEXT;
	ret_v->text = text;
	switch (row->type) {
	case CT_CONF_TYPE_BOOL:
		ret_v->b = strcmp(text, "true") == 0;
		if (ret_v->b || strcmp(text, "false") == 0)
			ret_v->is = CT_CONF__IS_BOOL;
		break;
	case CT_CONF_TYPE_INT:
	case CT_CONF_TYPE_UINT:
		if (parse_int(text, &ret_v->i))
			ret_v->is = CT_CONF__IS_INT;
		break;
	case CT_CONF_TYPE_STRINGS:
		split(text, ret_v);
		break;
	case CT_CONF_TYPE_ENUM:
	case CT_CONF_TYPE_STRING:
	case CT_CONF_TYPE_MAP:
		break;
	}
}
