/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_internal.h"

#include "base/check.h"

#include <string.h>

static bool is_int_size(size_t size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static int64_t largest(const struct ct_conf_row *row)
{
	const unsigned bits = (unsigned)row->size * 8 - (row->type == CT_CONF_TYPE_INT ? 1 : 0);

	return bits >= 63 ? INT64_MAX : (int64_t)((UINT64_C(1) << bits) - 1);
}

static void check_int_row(const struct ct_conf_row *row)
{
	CT_CHECK(is_int_size(row->size));
	CT_CHECK(row->min <= row->max);
	CT_CHECK(row->max <= largest(row));
	CT_CHECK(row->min >= (row->type == CT_CONF_TYPE_INT ? -largest(row) - 1 : 0));
	CT_CHECK(row->def >= row->min && row->def <= row->max);
}

static void check_enum_row(const struct ct_conf_row *row)
{
	const struct ct_conf_choice *c = row->choices;

	CT_CHECK(row->size == sizeof(int));
	while (c->name != NULL && c->value != row->def)
		c++;
	CT_CHECK(c->name != NULL); /* the default is a choice */
}

static void check_row(const struct ct_conf_row *row)
{
	CT_CHECK(row->help != NULL);
	switch (row->type) {
	case CT_CONF_TYPE_BOOL:
		CT_CHECK(row->def == 0 || row->def == 1);
		break;
	case CT_CONF_TYPE_INT:
	case CT_CONF_TYPE_UINT:
		check_int_row(row);
		break;
	case CT_CONF_TYPE_ENUM:
		check_enum_row(row);
		break;
	case CT_CONF_TYPE_STRING:
		CT_CHECK(row->min >= 0 && row->min <= row->max);
		CT_CHECK(row->def_text != NULL && (int64_t)strlen(row->def_text) <= row->max);
		break;
	case CT_CONF_TYPE_STRINGS:
	case CT_CONF_TYPE_MAP:
		CT_CHECK(row->min >= 0 && row->min <= row->max);
		CT_CHECK(row->max <= CT_CONF__LIST_MAX);
		break;
	}
}

static bool has_map(const struct ct_conf_schema *schema)
{
	struct ct_conf__item item;

	for (size_t i = 0; i < ct_conf__items_n(schema); i++) {
		ct_conf__item(schema, i, &item);
		if (item.row->type == CT_CONF_TYPE_MAP)
			return true;
	}
	return false;
}

void ct_conf__check_schema(const struct ct_conf_schema *schema)
{
	struct ct_conf__item item, same;

	for (size_t i = 0; i < ct_conf__items_n(schema); i++) {
		ct_conf__item(schema, i, &item);
		check_row(item.row);
		CT_CHECK(item.at + item.row->size <= schema->size);
		CT_CHECK(ct_conf__find(schema, item.path, &same));
		CT_CHECK(same.row == item.row && same.at == item.at); /* the first of its path */
		CT_CHECK(!ct_conf__is_group(schema, item.path));
		if (item.row->type == CT_CONF_TYPE_MAP) {
			ct_conf__check_schema(item.row->entry);
			CT_CHECK(!has_map(item.row->entry));
		}
	}
}
