/* SPDX-License-Identifier: Apache-2.0 */
#include "json_internal.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum { WIDE_DIGITS = 19 }; /* 18 always fit 64 bits */

/* One pass over the text, which need not be JSON: jansson finds that out. */
struct pass {
	struct ct_json__scan *scan;
	size_t at, depth, values, containers;
	char *err;
	size_t err_size;
};

static ct_status over(struct pass *p, const char *what, int limit)
{
	ct_json__error_at(p->scan->text, p->at, p->err, p->err_size, "more than %d %s", limit,
			  what);
	return CT_RESOURCE_EXHAUSTED;
}

/* p->at is behind the opening quote; leaves it behind the closing one. */
static ct_status skip_string(struct pass *p)
{
	const struct ct_bytes t = p->scan->text;

	while (p->at < t.len && t.ptr[p->at] != '"') {
		if (t.ptr[p->at] != '\\') {
			p->at++;
			continue;
		}
		if (t.len - p->at >= 6 && memcmp(t.ptr + p->at, "\\u0000", 6) == 0) {
			ct_json__error_at(t, p->at, p->err, p->err_size,
					  "a string cannot hold the character NUL");
			return CT_INVALID_ARGUMENT;
		}
		p->at += 2;
	}
	p->at++;
	return CT_OK;
}

/* Same length as the number: quote, escaped NUL, offset in decimal, quote. */
static ct_status replace(struct pass *p, size_t from, size_t len)
{
	struct ct_json__scan *s = p->scan;
	char text[CT_JSON__NUMBER_CHARS];

	if (s->copy == NULL) {
		s->copy = ct_mem_alloc(s->text.len);
		if (s->copy == NULL) {
			(void)snprintf(p->err, p->err_size, "out of memory");
			return CT_RESOURCE_EXHAUSTED;
		}
		memcpy(s->copy, s->text.ptr, s->text.len);
	}
	memset(s->copy + from, '0', len);
	memcpy(s->copy + from, "\"\\u0000", 7);
	(void)snprintf(text, sizeof(text), "%08zu\"", from); /* an offset has 7 digits at most */
	memcpy(s->copy + from + len - 9, text, 9);
	return CT_OK;
}

static size_t number_len(struct ct_bytes t, size_t at, size_t *ret_digits)
{
	size_t n = t.ptr[at] == '-', digits = 0;

	while (at + n < t.len && t.ptr[at + n] >= '0' && t.ptr[at + n] <= '9') {
		n++;
		digits++;
	}
	*ret_digits = digits;
	return n;
}

static ct_status take_number(struct pass *p)
{
	const struct ct_bytes t = p->scan->text;
	const size_t from = p->at;
	size_t digits;

	p->at += number_len(t, from, &digits);
	if (p->at < t.len && memchr(".eE", t.ptr[p->at], 3) != NULL) {
		while (p->at < t.len && memchr("0123456789+-.eE", t.ptr[p->at], 15) != NULL)
			p->at++;
		return CT_OK;
	}
	return digits >= WIDE_DIGITS ? replace(p, from, p->at - from) : CT_OK;
}

static ct_status take_punctuation(struct pass *p, uint8_t c)
{
	switch (c) {
	case '{':
	case '[':
		p->depth++;
		p->containers++;
		p->values++;
		if (p->depth > CT_JSON_DEPTH_MAX)
			return over(p, "levels of objects and arrays", CT_JSON_DEPTH_MAX);
		if (p->containers > CT_JSON_INPUT_CONTAINERS_MAX)
			return over(p, "objects and arrays", CT_JSON_INPUT_CONTAINERS_MAX);
		break;
	case '}':
	case ']':
		p->depth -= p->depth > 0;
		break;
	case ',':
		p->values++;
		break;
	default:
		break;
	}
	if (p->values > CT_JSON_INPUT_VALUES_MAX)
		return over(p, "values", CT_JSON_INPUT_VALUES_MAX);
	return CT_OK;
}

ct_status ct_json__scan_init(struct ct_json__scan *s, struct ct_bytes text, char err[],
			     size_t err_size)
{
	struct pass p = { .scan = s, .err = err, .err_size = err_size };
	ct_status st = CT_OK;

	*s = (struct ct_json__scan){ .text = text };
	if (text.len > CT_JSON_INPUT_BYTES_MAX) {
		(void)snprintf(err, err_size, "the text has %zu bytes, the limit is %d", text.len,
			       CT_JSON_INPUT_BYTES_MAX);
		return CT_RESOURCE_EXHAUSTED;
	}
	while (st == CT_OK && p.at < text.len) {
		const uint8_t c = text.ptr[p.at];

		if (c == '"') {
			p.at++;
			st = skip_string(&p);
		} else if (c == '-' || (c >= '0' && c <= '9')) {
			st = take_number(&p);
		} else {
			st = take_punctuation(&p, c);
			p.at++;
		}
	}
	return st;
}

void ct_json__scan_fini(struct ct_json__scan *s)
{
	ct_mem_free(s->copy);
	s->copy = NULL;
}

bool ct_json__scan_wide(const struct ct_json__scan *s, const json_t *v, struct ct_bytes *ret)
{
	const char *text = json_string_value(v);
	size_t offset = 0, digits;

	if (text == NULL || text[0] != '\0' || json_string_length(v) == 0)
		return false;
	for (size_t i = 1; i < json_string_length(v); i++)
		offset = offset * 10 + (size_t)(text[i] - '0');
	*ret = ct_bytes_of(s->text.ptr + offset, number_len(s->text, offset, &digits));
	return true;
}
