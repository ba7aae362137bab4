/* SPDX-License-Identifier: Apache-2.0 */
#include "json_internal.h"

#include <stdarg.h>
#include <stdio.h>

void ct_json__error_at(struct ct_bytes text, size_t offset, char err[], size_t err_size,
		       const char *fmt, ...)
{
	size_t line = 1, column = 1;
	va_list ap;
	int n;

	for (size_t i = 0; i < offset && i < text.len; i++) {
		if (text.ptr[i] == '\n') {
			line++;
			column = 1;
		} else if ((text.ptr[i] & 0xc0) != 0x80) { /* not inside a character */
			column++;
		}
	}
	if (err_size == 0)
		return;
	n = snprintf(err, err_size, "line %zu, column %zu: ", line, column);
	if (n < 0 || (size_t)n >= err_size)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(err + n, err_size - (size_t)n, fmt, ap); /* cut off at worst */
	va_end(ap);
}

struct text {
	char *at;
	size_t size, len;
};

static void put(struct text *t, char c)
{
	if (t->len + 1 < t->size)
		t->at[t->len++] = c;
}

/* A name from the text: shortened, and without what could forge a log line. */
static void put_name(struct text *t, const char *name)
{
	enum { CHARS_MAX = 48 };

	for (size_t i = 0; name[i] != '\0'; i++) {
		if (i == CHARS_MAX) {
			put(t, '~');
			return;
		}
		put(t, name[i] < ' ' || name[i] > '~' ? '?' : name[i]);
	}
}

static void put_path(struct text *t, const struct ct_json__path *p)
{
	char index[24];

	if (p == NULL)
		return;
	put_path(t, p->up);
	if (p->name != NULL) {
		if (p->up != NULL)
			put(t, '.');
		put_name(t, p->name);
		return;
	}
	(void)snprintf(index, sizeof(index), "[%zu]", p->index);
	for (const char *c = index; *c != '\0'; c++)
		put(t, *c);
}

ct_status ct_json__refuse(struct ct_json__decoder *d, const struct ct_json__path *at,
			  const char *fmt, ...)
{
	struct text t = { .at = d->err, .size = d->err_size };
	va_list ap;

	if (d->err_size == 0)
		return CT_INVALID_ARGUMENT;
	put_path(&t, at);
	if (at == NULL)
		put(&t, '$');
	put(&t, ':');
	put(&t, ' ');
	va_start(ap, fmt);
	(void)vsnprintf(t.at + t.len, t.size - t.len, fmt, ap); /* cut off at worst */
	va_end(ap);
	return CT_INVALID_ARGUMENT;
}

ct_status ct_json__no_memory(struct ct_json__decoder *d)
{
	(void)snprintf(d->err, d->err_size, "out of memory");
	return CT_RESOURCE_EXHAUSTED;
}
