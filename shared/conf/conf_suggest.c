/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_internal.h"

#include <string.h>

/* How many letters must be put in, taken out or changed to get from a to b. */
static size_t edits(const char *a, const char *b)
{
	size_t row[CT_CONF__PATH_SIZE];
	const size_t b_len = strlen(b);

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			const size_t above = row[j];
			size_t least = diagonal + (a[i - 1] != b[j - 1]);

			if (above + 1 < least)
				least = above + 1;
			if (row[j - 1] + 1 < least)
				least = row[j - 1] + 1;
			diagonal = above;
			row[j] = least;
		}
	}
	return row[b_len];
}

/* Near is also what lacks its group, or its unit. */
static size_t distance(const char *path, const char *known)
{
	const char *dot = strrchr(known, '.');
	const size_t len = strlen(path);
	size_t d = edits(path, known);

	if (strchr(path, '.') == NULL && dot != NULL) {
		const size_t without_group = edits(path, dot + 1);

		d = without_group < d ? without_group : d;
	}
	if (strncmp(path, known, len) == 0 && known[len] == '_')
		return 1;
	return d;
}

bool ct_conf__suggest(const struct ct_conf_schema *schema, const char *path,
		      char out[CT_CONF__PATH_SIZE])
{
	const size_t far = strlen(path) / 3 + 1;
	size_t nearest = far;
	struct ct_conf__item item;

	for (size_t i = 0; i < ct_conf__items_n(schema); i++) {
		ct_conf__item(schema, i, &item);
		for (char *dot = item.path + strlen(item.path); dot != NULL;
		     dot = strrchr(item.path, '.')) { /* the row, then each group above it */
			size_t d;

			*dot = '\0';
			d = distance(path, item.path);
			if (d < nearest) {
				nearest = d;
				memcpy(out, item.path, strlen(item.path) + 1);
			}
		}
	}
	return nearest < far;
}
