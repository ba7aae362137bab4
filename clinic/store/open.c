/* SPDX-License-Identifier: Apache-2.0 */
#include "clinic/store/open.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { FOLDER_MODE = 0750 };

/* Makes every folder of the path that is missing; the last part is the file. */
static ct_status make_folders(const char *path, struct ct_store_why *why)
{
	char *copy = ct_mem_strdup(path);
	ct_status st = CT_OK;

	if (copy == NULL)
		return CT_RESOURCE_EXHAUSTED;
	for (char *slash = strchr(copy + 1, '/'); slash != NULL && st == CT_OK;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, FOLDER_MODE) != 0 && errno != EEXIST) {
			st = ct_status_from_errno(errno);
			(void)snprintf(why->text, sizeof(why->text),
				       "cannot make the folder %s: %s", copy,
				       strerrordesc_np(errno));
		}
		*slash = '/';
	}
	ct_mem_free(copy);
	return st;
}

ct_status clinic_store_open(const struct ct_store_opts *opts, struct ct_store_why *why,
			    struct ct_store **ret_store)
{
	ct_status st = make_folders(opts->path, why);

	if (st == CT_OK)
		st = ct_store_new(opts, why, ret_store);
	return st;
}
