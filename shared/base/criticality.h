/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_BASE_CRITICALITY_H
#define CT_BASE_CRITICALITY_H

#include "base/attrs.h"

#include <stdbool.h>

/* How much a call matters to who makes it. The numbers travel in the code field of a
 * CALL; they are not in the order of what they mean. */
enum ct_criticality {
	CT_CRIT_DEFAULT = 0,
	CT_CRIT_SHEDDABLE = 1, /* matters least: is refused first when work piles up */
	CT_CRIT_CRITICAL = 2,  /* matters most */
};
enum { CT_CRITICALITIES_N = 3 };

/* Of two, the one that matters less. */
enum ct_criticality ct_criticality_lower(enum ct_criticality a, enum ct_criticality b);

const char *ct_criticality_name(enum ct_criticality c); /* "default", … static */
/* False: no such name. */
CT_MUST_USE bool ct_criticality_parse(const char *name, enum ct_criticality *ret);

#endif
