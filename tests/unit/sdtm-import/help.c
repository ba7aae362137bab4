/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include <criterion/criterion.h>
#include <zlib.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int64_t read_text(void *arg, void *buf, size_t size, const char **ret_why)
{
	struct text_source *t = arg;
	size_t n = t->len - t->at;

	if (n == 0 && t->fails != NULL) {
		*ret_why = t->fails;
		return -1;
	}
	if (n > size)
		n = size;
	if (t->step > 0 && n > t->step)
		n = t->step;
	if (n > 0)
		memcpy(buf, t->text + t->at, n);
	t->at += n;
	return (int64_t)n;
}

struct sdtm_csv_source text_source_of(struct text_source *t)
{
	return (struct sdtm_csv_source){ .read = read_text, .arg = t };
}

static char path[256];

static void make_path(const char *suffix)
{
	char dir[] = "/tmp/sdtm-test-XXXXXX";

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/table.csv%s", dir, suffix);
}

const char *file_of(const char *text, size_t len)
{
	FILE *f;

	make_path("");
	f = fopen(path, "wb");
	cr_assert_not_null(f);
	cr_assert_eq(fwrite(text, 1, len, f), len);
	cr_assert_eq(fclose(f), 0);
	return path;
}

const char *gz_file_of(const char *text, size_t len, size_t drop_at_end)
{
	struct stat sb;
	gzFile f;

	make_path(".gz");
	f = gzopen(path, "wb");
	cr_assert_not_null(f);
	cr_assert_eq(gzwrite(f, text, (unsigned)len), (int)len);
	cr_assert_eq(gzclose(f), Z_OK);
	cr_assert_eq(stat(path, &sb), 0);
	cr_assert_eq(truncate(path, sb.st_size - (off_t)drop_at_end), 0);
	return path;
}

void file_remove(const char *file)
{
	char dir[256];

	snprintf(dir, sizeof(dir), "%s", file);
	*strrchr(dir, '/') = '\0';
	(void)unlink(file);
	(void)rmdir(dir);
}

static void settle_line(struct tally *t, uint64_t line)
{
	if (line < sizeof(t->lines_seen))
		t->lines_seen[line]++;
}

static ct_status take_item(void *arg, struct sdtm_item *item)
{
	struct tally *t = arg;

	t->items++;
	t->item_rows += item->rows_n;
	for (uint32_t i = 0; i < item->rows_n; i++)
		settle_line(t, item->lines[i]);
	if (t->kept_n < sizeof(t->kept) / sizeof(t->kept[0]))
		t->kept[t->kept_n++] = item;
	else
		(void)sdtm_item_free(item);
	return t->items == t->stop_at_item ? CT_UNAVAILABLE : CT_OK;
}

static ct_status take_reject(void *arg, const struct sdtm_reject *why)
{
	struct tally *t = arg;

	t->rejects++;
	t->last = *why;
	settle_line(t, why->line);
	return CT_OK;
}

static ct_status is_known(void *arg, const char *study_id, const char *usubjid, bool *ret_known)
{
	const struct tally *t = arg;

	(void)study_id;
	*ret_known = t->unknown == NULL || strcmp(usubjid, t->unknown) != 0;
	return CT_OK;
}

void tally_init(struct tally *t)
{
	memset(t, 0, sizeof(*t));
	t->sink = (struct sdtm_sink){
		.arg = t,
		.item = take_item,
		.reject = take_reject,
		.known = is_known,
	};
}

void tally_fini(struct tally *t)
{
	for (size_t i = 0; i < t->kept_n; i++)
		(void)sdtm_item_free(t->kept[i]);
}

ct_status load_text(enum sdtm_table_id id, const char *text, struct tally *t,
		    const struct sdtm_group_limits *limits, struct sdtm_load_result *ret_result)
{
	const char *file = file_of(text, strlen(text));
	const struct sdtm_load_opts opts = {
		.table = sdtm_table(id),
		.path = file,
		.sink = &t->sink,
		.limits = limits,
	};
	const ct_status st = sdtm_load(&opts, ret_result);

	file_remove(file);
	return st;
}

static FILE *captured;
static int stderr_kept;

void capture_begin(void)
{
	captured = tmpfile();
	cr_assert_not_null(captured);
	fflush(stderr);
	stderr_kept = dup(STDERR_FILENO);
	cr_assert_geq(stderr_kept, 0);
	cr_assert_eq(dup2(fileno(captured), STDERR_FILENO), STDERR_FILENO);
}

void capture_end(char *out, size_t size)
{
	fflush(stderr);
	cr_assert_eq(dup2(stderr_kept, STDERR_FILENO), STDERR_FILENO);
	cr_assert_eq(close(stderr_kept), 0);
	rewind(captured);
	out[fread(out, 1, size - 1, captured)] = '\0';
	cr_assert_eq(fclose(captured), 0);
}

const char *study_dir(void)
{
	const char *dir = getenv("STUDY");
	struct stat sb;

	if (dir == NULL)
		dir = "../shared/data/cdiscpilot01";
	return stat(dir, &sb) == 0 ? dir : NULL;
}
