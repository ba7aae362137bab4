/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/log_internal.h"

#include "base/check.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define US_PER_S INT64_C(1000000)

enum {
	TAIL_BYTES = 40, /* kept free for the field `cut`, a '}' and the newline */
	SCALAR_SIZE = 48,
	ESCAPED_MAX = 6, /* bytes of one character as shown: \u202e */
};

/* A line that grows. What does not fit sets `full` and adds nothing. */
struct line {
	char *buf;
	size_t len, cap;
	enum ct_log_format format;
	bool full;
};

static void put(struct line *l, const void *bytes, size_t n)
{
	if (l->full || l->cap - l->len < n) {
		l->full = true;
		return;
	}
	if (n > 0)
		memcpy(l->buf + l->len, bytes, n);
	l->len += n;
}

static void put_cstr(struct line *l, const char *s)
{
	put(l, s, strlen(s));
}

CT_PRINTF(2, 3) static void put_fmt(struct line *l, const char *fmt, ...)
{
	char text[SCALAR_SIZE];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	CT_CHECK(len >= 0 && (size_t)len < sizeof(text));
	put(l, text, (size_t)len);
}

static void put_char(struct line *l, uint32_t c, struct ct_bytes raw)
{
	if (c == '"' || c == '\\')
		put_fmt(l, "\\%c", (char)c);
	else if (c == '\n')
		put_cstr(l, "\\n");
	else if (c == '\r')
		put_cstr(l, "\\r");
	else if (c == '\t')
		put_cstr(l, "\\t");
	else if (c == CT_TEXT_NOT_UTF8)
		put_cstr(l, "\xef\xbf\xbd");
	else if (ct_text_unsafe(c))
		put_fmt(l, "\\u%04" PRIx32, c);
	else
		put(l, raw.ptr, raw.len);
}

static void put_quoted(struct line *l, struct ct_bytes s)
{
	size_t at = 0, shown_max;

	put_cstr(l, "\"");
	shown_max = l->len + CT_LOG_VALUE_MAX - ESCAPED_MAX;
	while (at < s.len && l->len <= shown_max && !l->full) {
		struct ct_bytes c_raw = { s.ptr + at, s.len - at };
		uint32_t c;

		c_raw.len = ct_text_take(c_raw, &c);
		put_char(l, c, c_raw);
		at += c_raw.len;
	}
	if (at < s.len)
		put_fmt(l, "\xe2\x80\xa6(+%zu)", s.len - at);
	put_cstr(l, "\"");
}

/* True: logfmt needs no quotes around it. */
static bool is_bare(struct ct_bytes s)
{
	for (size_t i = 0; i < s.len; i++) {
		const uint8_t c = s.ptr[i];

		if (c <= ' ' || c > '~' || c == '"' || c == '=' || c == '\\')
			return false;
	}
	return s.len > 0 && s.len <= CT_LOG_VALUE_MAX;
}

static void put_text(struct line *l, struct ct_bytes s)
{
	if (l->format == CT_LOG_LOGFMT && is_bare(s))
		put(l, s.ptr, s.len);
	else
		put_quoted(l, s);
}

static void put_key(struct line *l, const char *key)
{
	if (l->format == CT_LOG_JSON) {
		put_cstr(l, l->len == 0 ? "{\"" : ",\"");
		put_cstr(l, key);
		put_cstr(l, "\":");
	} else {
		put_cstr(l, l->len == 0 ? "" : " ");
		put_cstr(l, key);
		put_cstr(l, "=");
	}
}

static void put_field(struct line *l, const struct ct_log_field *f)
{
	char hex[CT_ID_HEX_SIZE];

	put_key(l, f->key);
	switch (f->kind) {
	case CT_LOG_KIND_STR:
		put_text(l, f->v.str.ptr != NULL ? f->v.str : CT_BYTES_NONE);
		break;
	case CT_LOG_KIND_INT:
		put_fmt(l, "%" PRId64, f->v.i);
		break;
	case CT_LOG_KIND_UINT:
		put_fmt(l, "%" PRIu64, f->v.u);
		break;
	case CT_LOG_KIND_HEX:
		(void)snprintf(hex, sizeof(hex), "%016" PRIx64, f->v.u);
		put_text(l, ct_bytes_of_str(hex));
		break;
	case CT_LOG_KIND_BOOL:
		put_cstr(l, f->v.b ? "true" : "false");
		break;
	case CT_LOG_KIND_ID:
		ct_id_to_hex(&f->v.id, hex);
		put_text(l, ct_bytes_of_str(hex));
		break;
	}
}

/* RFC 3339, UTC, six digits: 2025-03-01T08:00:00.000123Z */
static void put_time(struct line *l, int64_t wall_us)
{
	const int64_t us = wall_us > 0 ? wall_us : 0; /* a clock that was never set */
	const time_t s = (time_t)(us / US_PER_S);
	char text[SCALAR_SIZE];
	struct tm tm;
	size_t len;

	CT_CHECK(gmtime_r(&s, &tm) != NULL);
	len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text + len, sizeof(text) - len, ".%06dZ", (int)(us % US_PER_S));
	put_key(l, "ts");
	put_text(l, ct_bytes_of_str(text));
}

static void put_head(struct line *l, const struct ct_log__head *head, const char *msg)
{
	const struct ct_log_field fields[] = {
		CT_STR("level", ct_log_level_name(head->level)),
		CT_STR("service", head->service),
		CT_STR("msg", msg),
	};

	put_time(l, head->wall_us);
	for (size_t i = 0; i < CT_ARRAY_N(fields); i++) {
		if (fields[i].v.str.len > 0)
			put_field(l, &fields[i]);
	}
	CT_CHECK(!l->full); /* each is bounded, see the limits of log.h */
}

size_t ct_log__format_line(char out[CT_LOG_LINE_MAX], const struct ct_log__head *head,
			   const char *msg, const struct ct_log_field *fields, size_t n)
{
	struct line l = { .buf = out, .cap = CT_LOG_LINE_MAX - TAIL_BYTES, .format = head->format };
	uint64_t cut = 0;

	put_head(&l, head, msg);
	for (size_t i = 0; i < n; i++) {
		const size_t before = l.len;

		put_field(&l, &fields[i]);
		if (l.full) {
			l.len = before;
			l.full = false;
			cut++;
		}
	}
	l.cap = CT_LOG_LINE_MAX;
	if (cut > 0) {
		const struct ct_log_field f = CT_UINT("cut", cut);

		put_field(&l, &f);
	}
	put_cstr(&l, l.format == CT_LOG_JSON ? "}\n" : "\n");
	CT_CHECK(!l.full);
	return l.len;
}
