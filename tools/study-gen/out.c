/* SPDX-License-Identifier: Apache-2.0 */
#include "study-gen/out.h"

#include "base/check.h"
#include "base/mem.h"

#include <zlib.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 * 1024, PATH_BYTES = 1024 };

struct gen_out {
	gzFile file;
	const char *why; /* the first error; NULL: none */
	uint64_t rows;
	size_t len;
	bool row_begun;
	char path[PATH_BYTES], part[PATH_BYTES + 8];
	char buffer[BUFFER_BYTES];
};

ct_status gen_out_open(const char *dir, const char *name, const char *header,
		       struct gen_out **ret_out, const char **ret_why)
{
	struct gen_out *o = ct_mem_zalloc(1, sizeof(*o));

	*ret_why = "out of memory";
	if (o == NULL)
		return CT_RESOURCE_EXHAUSTED;
	if (snprintf(o->path, sizeof(o->path), "%s/%s.csv.gz", dir, name) >= PATH_BYTES) {
		*ret_why = "the path is too long";
		goto fail;
	}
	snprintf(o->part, sizeof(o->part), "%s.part", o->path);
	errno = 0;
	o->file = gzopen(o->part, "wbe6");
	if (o->file == NULL) {
		*ret_why = errno != 0 ? strerror(errno) : "out of memory";
		goto fail;
	}
	gen_out_raw(o, header);
	gen_out_end_row(o);
	o->rows = 0;
	*ret_out = o;
	return CT_OK;
fail:
	ct_mem_free(o);
	return CT_FAILED_PRECONDITION;
}

static void flush(struct gen_out *o)
{
	int err = Z_OK;

	if (o->why == NULL && o->len > 0 && gzwrite(o->file, o->buffer, (unsigned)o->len) == 0) {
		(void)gzerror(o->file, &err);
		o->why = err == Z_ERRNO ? strerror(errno) : "zlib cannot write it";
	}
	o->len = 0;
}

static void put(struct gen_out *o, const char *bytes, size_t len)
{
	CT_CHECK(len <= BUFFER_BYTES);
	if (o->len + len > BUFFER_BYTES)
		flush(o);
	memcpy(o->buffer + o->len, bytes, len);
	o->len += len;
}

static void begin_field(struct gen_out *o)
{
	if (o->row_begun)
		put(o, ",", 1);
	o->row_begun = true;
}

void gen_out_text(struct gen_out *o, const char *text)
{
	begin_field(o);
	if (strpbrk(text, ",\"\r\n") == NULL) {
		put(o, text, strlen(text));
		return;
	}
	put(o, "\"", 1);
	for (const char *p = text; *p != '\0'; p++)
		put(o, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
	put(o, "\"", 1);
}

void gen_out_int(struct gen_out *o, int64_t value)
{
	gen_out_scaled(o, value, 0);
}

void gen_out_scaled(struct gen_out *o, int64_t value, int decimals)
{
	const int64_t size = value < 0 ? -value : value;
	int64_t unit = 1;
	char text[48];
	int n;

	for (int i = 0; i < decimals; i++)
		unit *= 10;
	n = snprintf(text, sizeof(text), "%s%lld", value < 0 ? "-" : "", (long long)(size / unit));
	if (decimals > 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ".%0*lld", decimals,
			      (long long)(size % unit));
	begin_field(o);
	put(o, text, (size_t)n);
}

void gen_out_raw(struct gen_out *o, const char *fields)
{
	begin_field(o);
	put(o, fields, strlen(fields));
}

void gen_out_end_row(struct gen_out *o)
{
	put(o, "\n", 1);
	o->row_begun = false;
	o->rows++;
}

uint64_t gen_out_rows(const struct gen_out *o)
{
	return o->rows;
}

ct_status gen_out_close(struct gen_out *o, bool keep, const char **ret_why)
{
	ct_status st = CT_OK;

	if (o == NULL)
		return CT_OK;
	flush(o);
	if (gzclose(o->file) != Z_OK && o->why == NULL)
		o->why = strerror(errno);
	if (keep && o->why == NULL && rename(o->part, o->path) != 0)
		o->why = strerror(errno);
	if (!keep || o->why != NULL)
		(void)unlink(o->part); /* it may be gone already */
	if (o->why != NULL) {
		*ret_why = o->why;
		st = CT_FAILED_PRECONDITION;
	}
	ct_mem_free(o);
	return st;
}
