/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/rejects.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_MAX = 20 }; /* of a table, on stderr */

struct sdtm_rejects {
	FILE *file; /* NULL: none */
	uint64_t of_table;
};

ct_status sdtm_rejects_open(const char *path, struct sdtm_rejects **ret_rejects,
			    const char **ret_why)
{
	struct sdtm_rejects *r = ct_mem_zalloc(1, sizeof(*r));

	*ret_why = "out of memory";
	if (r == NULL)
		return CT_RESOURCE_EXHAUSTED;
	if (path != NULL) {
		r->file = fopen(path, "we");
		if (r->file == NULL) {
			*ret_why = strerror(errno);
			ct_mem_free(r);
			return CT_FAILED_PRECONDITION;
		}
		fputs("file,line,column,reason\n", r->file);
	}
	*ret_rejects = r;
	return CT_OK;
}

ct_status sdtm_rejects_close(struct sdtm_rejects *r, const char **ret_why)
{
	ct_status st = CT_OK;

	if (r == NULL)
		return CT_OK;
	if (r->file != NULL) {
		const bool bad = ferror(r->file) != 0;

		errno = 0;
		if (fclose(r->file) != 0 || bad) {
			*ret_why = errno != 0 ? strerror(errno) : "it could not be written";
			st = CT_FAILED_PRECONDITION;
		}
	}
	ct_mem_free(r);
	return st;
}

static void put_field(FILE *f, const char *text)
{
	if (strpbrk(text, ",\"\r\n") == NULL) {
		fputs(text, f);
		return;
	}
	fputc('"', f);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			fputc('"', f);
		fputc(*text, f);
	}
	fputc('"', f);
}

bool sdtm_rejects_add(struct sdtm_rejects *r, const char *file, const struct sdtm_reject *why)
{
	char field[16] = "";
	const char *column = why->column != NULL ? why->column : field;

	if (why->column == NULL && why->field > 0)
		snprintf(field, sizeof(field), "%u", why->field);
	if (r->file != NULL) {
		put_field(r->file, file);
		fprintf(r->file, ",%llu,", (unsigned long long)why->line);
		put_field(r->file, column);
		fputc(',', r->file);
		put_field(r->file, why->reason);
		fputc('\n', r->file);
	}
	if (++r->of_table > SHOWN_MAX)
		return false;
	fprintf(stderr, "%s:%llu:%s%s %s\n", file, (unsigned long long)why->line, column,
		column[0] != '\0' ? ":" : "", why->reason);
	return true;
}

uint64_t sdtm_rejects_next_table(struct sdtm_rejects *r)
{
	const uint64_t hidden = r->of_table > SHOWN_MAX ? r->of_table - SHOWN_MAX : 0;

	r->of_table = 0;
	return hidden;
}
