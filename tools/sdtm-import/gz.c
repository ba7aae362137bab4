/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/gz.h"

#include "base/check.h"
#include "base/mem.h"

#include <zlib.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes asked of zlib at once: what a damaged stream can lose of good data. */
enum { READ_BYTES = 16 * 1024, ZLIB_BUFFER_BYTES = 64 * 1024 };

struct sdtm_gz {
	gzFile file;
	uint64_t size;
	bool failed;
};

static ct_status open_fd(const char *path, int *ret_fd, uint64_t *ret_size, const char **ret_why)
{
	struct stat sb;
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not block */

	if (fd < 0) {
		*ret_why = strerror(errno);
		return errno == ENOENT ? CT_NOT_FOUND : CT_FAILED_PRECONDITION;
	}
	if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode)) {
		*ret_why = "not a regular file";
		(void)close(fd); /* only read from */
		return CT_FAILED_PRECONDITION;
	}
	*ret_fd = fd;
	*ret_size = (uint64_t)sb.st_size;
	return CT_OK;
}

ct_status sdtm_gz_open(const char *path, struct sdtm_gz **ret_gz, const char **ret_why)
{
	struct sdtm_gz *g = NULL;
	uint64_t size = 0;
	int fd = -1;
	ct_status st;

	st = open_fd(path, &fd, &size, ret_why);
	if (st != CT_OK)
		goto out;
	st = CT_RESOURCE_EXHAUSTED;
	*ret_why = "out of memory";
	g = ct_mem_zalloc(1, sizeof(*g));
	if (g == NULL)
		goto out;
	g->size = size;
	g->file = gzdopen(fd, "rb");
	if (g->file == NULL)
		goto out;
	fd = -1; /* gzclose() closes it */
	CT_CHECK(gzbuffer(g->file, ZLIB_BUFFER_BYTES) == 0);
	*ret_gz = g;
	g = NULL; /* the caller's */
	st = CT_OK;
out:
	if (fd >= 0)
		(void)close(fd); /* only read from */
	ct_mem_free(g);
	return st;
}

struct sdtm_gz *sdtm_gz_close(struct sdtm_gz *g)
{
	if (g == NULL)
		return NULL;
	(void)gzclose(g->file); /* only read from; an early end was told by read */
	ct_mem_free(g);
	return NULL;
}

/* zlib's verdict on what it read so far; NULL: fine. */
static const char *verdict(struct sdtm_gz *g)
{
	int err = Z_OK;

	(void)gzerror(g->file, &err);
	switch (err) {
	case Z_OK:
	case Z_STREAM_END:
		return NULL;
	case Z_BUF_ERROR:
		return "the gzip data end early, the file is truncated";
	case Z_DATA_ERROR:
		return "the gzip data are damaged";
	case Z_ERRNO:
		return strerror(errno);
	default:
		return "zlib cannot read it";
	}
}

static int64_t gz_read(void *arg, void *buf, size_t size, const char **ret_why)
{
	struct sdtm_gz *g = arg;
	int n = -1;

	if (!g->failed)
		n = gzread(g->file, buf, (unsigned)(size < READ_BYTES ? size : READ_BYTES));
	if (n > 0)
		return n; /* an early end is told by the next read */
	*ret_why = verdict(g);
	if (n == 0 && *ret_why == NULL)
		return 0;
	g->failed = true;
	return -1;
}

struct sdtm_csv_source sdtm_gz_source(struct sdtm_gz *g)
{
	return (struct sdtm_csv_source){ .read = gz_read, .arg = g };
}

uint64_t sdtm_gz_offset(const struct sdtm_gz *g)
{
	const z_off_t at = gzoffset(g->file);

	return at < 0 ? 0 : (uint64_t)at;
}

uint64_t sdtm_gz_size(const struct sdtm_gz *g)
{
	return g->size;
}
