/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/study.h"

#include "sdtm-import/loader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void complain(const char *path, uint64_t line, const char *why)
{
	if (line > 0)
		fprintf(stderr, "sdtm-import: %s:%llu: %s\n", path, (unsigned long long)line, why);
	else
		fprintf(stderr, "sdtm-import: %s: %s\n", path, why);
}

/* False: the path is too long. */
static bool look(const char *dir, const char *table, const char *suffix, struct sdtm_file *f)
{
	struct stat sb;
	int n;

	*f = (struct sdtm_file){ .present = false };
	n = snprintf(f->path, sizeof(f->path), "%s/%s%s", dir, table, suffix);
	if (n < 0 || (size_t)n >= sizeof(f->path))
		return false;
	f->name = strrchr(f->path, '/') + 1;
	if (stat(f->path, &sb) == 0) {
		f->present = true;
		f->bytes = (uint64_t)sb.st_size;
	}
	return true;
}

/* One table's file, in one of its two forms. */
static bool find_file(const char *dir, const struct sdtm_table *table, struct sdtm_file *ret_file)
{
	struct sdtm_file plain, packed;

	if (!look(dir, table->name, ".csv", &plain) ||
	    !look(dir, table->name, ".csv.gz", &packed)) {
		complain(dir, 0, "the path is too long");
		return false;
	}
	if (plain.present && packed.present) {
		complain(plain.path, 0, "there is a .csv.gz of the table, too; remove one of them");
		return false;
	}
	*ret_file = plain.present ? plain : packed;
	ret_file->name = strrchr(ret_file->path, '/') + 1;
	return true;
}

static bool check_file(const struct sdtm_table *table, const struct sdtm_file *f)
{
	struct sdtm_load_result r;

	if (!f->present || sdtm_load_check(table, f->path, &r) == CT_OK)
		return true;
	complain(f->path, r.line, r.why[0] != '\0' ? r.why : "out of memory");
	return false;
}

bool sdtm_study_find(const char *dir, struct sdtm_study *ret_study)
{
	struct stat sb;
	bool good = true;
	int n = 0;

	*ret_study = (struct sdtm_study){ .bytes = 0 };
	if (stat(dir, &sb) != 0) {
		complain(dir, 0, strerror(errno));
		return false;
	}
	if (!S_ISDIR(sb.st_mode)) {
		complain(dir, 0, "not a folder");
		return false;
	}
	for (int i = 0; i < SDTM_TABLES_N; i++) {
		const struct sdtm_table *table = sdtm_table((enum sdtm_table_id)i);
		struct sdtm_file *f = &ret_study->files[i];

		good = find_file(dir, table, f) && check_file(table, f) && good;
		n += f->present;
		ret_study->bytes += f->bytes;
	}
	if (good && n == 0) {
		complain(dir, 0, "none of dm, ae, mh, cm, lb, vs, sv is here as .csv or .csv.gz");
		return false;
	}
	return good;
}
