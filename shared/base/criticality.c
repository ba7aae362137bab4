/* SPDX-License-Identifier: Apache-2.0 */
#include "base/criticality.h"

#include <string.h>

static const struct {
	const char *name;
	int rank;
} rows[CT_CRITICALITIES_N] = {
	[CT_CRIT_SHEDDABLE] = { "sheddable", 0 },
	[CT_CRIT_DEFAULT] = { "default", 1 },
	[CT_CRIT_CRITICAL] = { "critical", 2 },
};

enum ct_criticality ct_criticality_lower(enum ct_criticality a, enum ct_criticality b)
{
	return rows[a].rank < rows[b].rank ? a : b;
}

const char *ct_criticality_name(enum ct_criticality c)
{
	return rows[c].name;
}

bool ct_criticality_parse(const char *name, enum ct_criticality *ret)
{
	for (int i = 0; i < CT_CRITICALITIES_N; i++) {
		if (strcmp(rows[i].name, name) == 0) {
			*ret = (enum ct_criticality)i;
			return true;
		}
	}
	return false;
}
