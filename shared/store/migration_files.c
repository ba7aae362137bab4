/* SPDX-License-Identifier: Apache-2.0 */
#include "store/migration.h"

#include "store/store_internal.h"

#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSION_MAX = 999999 };

struct loaded {
	struct ct_migration_set set; /* first: the public part */
	struct ct_migration steps[CT_MIGRATIONS_MAX];
};

/* "0002-add-visits.sql" -> 2 and where the name begins; 0: not a step. */
static uint32_t step_number(const char *file, const char **ret_name)
{
	const size_t len = strlen(file);
	uint32_t n = 0;
	const char *p = file;

	if (len < 4 || strcmp(file + len - 4, ".sql") != 0)
		return 0;
	for (; *p >= '0' && *p <= '9'; p++)
		n = n <= VERSION_MAX ? n * 10 + (uint32_t)(*p - '0') : n; /* stays too big */
	if (p == file || *p != '-' || p + 1 == file + len - 4)
		return 0;
	*ret_name = p + 1;
	return n;
}

/* The whole file with a NUL. */
static ct_status read_script(int folder, const char *file, char **ret_text)
{
	const int fd = openat(folder, file, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	ct_status st = CT_OK;
	struct stat sb;
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &sb) != 0) {
		st = ct_status_from_errno(errno);
		goto out;
	}
	if (!S_ISREG(sb.st_mode) || sb.st_size > CT_MIGRATION_BYTES_MAX) {
		st = CT_INVALID_ARGUMENT;
		goto out;
	}
	text = ct_mem_zalloc(1, (size_t)sb.st_size + 1);
	if (text == NULL) {
		st = CT_RESOURCE_EXHAUSTED;
		goto out;
	}
	while (n > 0 && len < (size_t)sb.st_size) {
		n = read(fd, text + len, (size_t)sb.st_size - len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (n < 0)
		st = ct_status_from_errno(errno);
	else if (strlen(text) != len)
		st = CT_INVALID_ARGUMENT; /* a NUL would hide the rest */
	if (st == CT_OK) {
		*ret_text = text;
		text = NULL; /* handed over */
	}
out:
	ct_mem_free(text);
	if (fd >= 0)
		(void)close(fd); /* only read */
	return st;
}

static ct_status add_step(struct loaded *l, int folder, const char *file, struct ct_store_why *why)
{
	const char *name = NULL;
	const uint32_t version = step_number(file, &name);
	char *sql = NULL, *copy;
	ct_status st = CT_INVALID_ARGUMENT;

	if (version == 0 && name == NULL)
		return CT_OK; /* not a step */
	if (version > 0 && version <= VERSION_MAX && l->set.steps_n < CT_MIGRATIONS_MAX)
		st = read_script(folder, file, &sql);
	if (st != CT_OK) {
		ct_why__set(why, "%s: %s", file,
			    st == CT_INVALID_ARGUMENT ? "number out of range, too many or too big "
							"steps, or not text"
						      : ct_status_text(st));
		return st;
	}
	copy = ct_mem_strdup(name);
	if (copy == NULL) {
		ct_mem_free(sql);
		return CT_RESOURCE_EXHAUSTED;
	}
	copy[strlen(copy) - 4] = '\0'; /* without ".sql" */
	l->steps[l->set.steps_n++] = (struct ct_migration){ .version = version,
							    .name = copy,
							    .sql = sql };
	return CT_OK;
}

static int by_version(const void *a, const void *b)
{
	const struct ct_migration *x = a, *y = b;

	return (x->version > y->version) - (x->version < y->version);
}

static ct_status sort_steps(struct loaded *l, struct ct_store_why *why)
{
	if (l->set.steps_n == 0) {
		ct_why__set(why, "no <number>-<name>.sql in the folder");
		return CT_NOT_FOUND;
	}
	qsort(l->steps, l->set.steps_n, sizeof(l->steps[0]), by_version);
	for (size_t i = 1; i < l->set.steps_n; i++) {
		if (l->steps[i].version == l->steps[i - 1].version) {
			ct_why__set(why, "step %u is there twice", (unsigned)l->steps[i].version);
			return CT_INVALID_ARGUMENT;
		}
	}
	return CT_OK;
}

ct_status ct_migration_set_load(const char *folder, struct ct_store_why *why,
				struct ct_migration_set **ret_set)
{
	struct loaded *l = NULL;
	DIR *dir = opendir(folder);
	ct_status st = CT_OK;
	struct dirent *e;

	if (dir == NULL) {
		st = ct_status_from_errno(errno);
		ct_why__set(why, "%s: %s", folder, ct_status_text(st));
		goto out;
	}
	l = ct_mem_zalloc(1, sizeof(*l));
	if (l == NULL) {
		st = CT_RESOURCE_EXHAUSTED;
		goto out;
	}
	l->set.steps = l->steps;
	while (st == CT_OK && (e = readdir(dir)) != NULL)
		st = add_step(l, dirfd(dir), e->d_name, why);
	if (st == CT_OK)
		st = sort_steps(l, why);
	if (st == CT_OK) {
		*ret_set = &l->set;
		l = NULL; /* handed over */
	}
out:
	if (l != NULL)
		(void)ct_migration_set_free(&l->set);
	if (dir != NULL)
		(void)closedir(dir); /* only read */
	return st;
}

struct ct_migration_set *ct_migration_set_free(struct ct_migration_set *set)
{
	struct loaded *l = (struct loaded *)(void *)set;

	if (l == NULL)
		return NULL;
	for (size_t i = 0; i < l->set.steps_n; i++) {
		ct_mem_free((char *)(uintptr_t)l->steps[i].name); /* ours, const to others */
		ct_mem_free((char *)(uintptr_t)l->steps[i].sql);
	}
	ct_mem_free(l);
	return NULL;
}
