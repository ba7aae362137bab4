/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_internal.h"

#include "base/mem.h"

#include <ctype.h>
#include <string.h>

/*
 * Reads a file's text before libconfig does. It knows comments, strings, names,
 * numbers and brackets, no grammar; what is not right beyond that libconfig says.
 */
struct scan {
	struct ct_conf__load *l;
	const char *at, *end;
	char *out; /* room for all that is left, and an 'L' for each long number */
	unsigned line, depth, settings;
};

static const char bom[] = "\xef\xbb\xbf";

static bool fail(struct scan *s, unsigned line, const char *what)
{
	ct_conf_report_add(s->l->report, "%s:%u: %s", s->l->name, line, what);
	return false;
}

static char peek(const struct scan *s, size_t ahead)
{
	return (size_t)(s->end - s->at) > ahead ? s->at[ahead] : '\0';
}

static void copy(struct scan *s, size_t n)
{
	for (size_t i = 0; i < n && s->at < s->end; i++) {
		s->line += *s->at == '\n';
		*s->out++ = *s->at++;
	}
}

static void skip_line(struct scan *s)
{
	while (s->at < s->end && *s->at != '\n')
		copy(s, 1);
}

static bool skip_comment(struct scan *s)
{
	const unsigned line = s->line;

	copy(s, 2);
	while (s->at < s->end) {
		if (peek(s, 0) == '*' && peek(s, 1) == '/') {
			copy(s, 2);
			return true;
		}
		copy(s, 1);
	}
	return fail(s, line, "a comment without its end");
}

static bool skip_string(struct scan *s)
{
	const unsigned line = s->line;

	copy(s, 1);
	while (s->at < s->end && *s->at != '"') {
		if (*s->at == '\\') {
			if (tolower((unsigned char)peek(s, 1)) == 'x' && peek(s, 2) == '0' &&
			    peek(s, 3) == '0')
				return fail(s, s->line, "a string with a NUL");
			copy(s, 1);
		}
		copy(s, 1);
	}
	if (s->at == s->end)
		return fail(s, line, "a string without its end");
	copy(s, 1);
	return true;
}

static bool is_name_begin(char c)
{
	return isalpha((unsigned char)c) || c == '*';
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '*' || c == '-' || c == '_';
}

static int digit_of(char c, unsigned base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (base == 16 && isxdigit((unsigned char)c))
		return tolower((unsigned char)c) - 'a' + 10;
	return -1;
}

static bool is_fraction(char c)
{
	return isalnum((unsigned char)c) || c == '.' || c == '+' || c == '-';
}

/* A number of 64 bits that has no 'L' gets one where it needs it; one beyond is
 * refused. Fractions are left to libconfig. */
static bool take_number(struct scan *s)
{
	const bool negative = peek(s, 0) == '-';
	const uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
	uint64_t v = 0;
	unsigned base = 10;
	bool fits = true;
	int d;

	if (negative || peek(s, 0) == '+')
		copy(s, 1);
	if (peek(s, 0) == '0' && (peek(s, 1) == 'x' || peek(s, 1) == 'X')) {
		base = 16;
		copy(s, 2);
	}
	for (; (d = digit_of(peek(s, 0), base)) >= 0; copy(s, 1)) {
		fits = fits && v <= (limit - (uint64_t)d) / base;
		v = fits ? v * base + (uint64_t)d : v;
	}
	if (peek(s, 0) == '.' || (base == 10 && (peek(s, 0) == 'e' || peek(s, 0) == 'E'))) {
		while (is_fraction(peek(s, 0)))
			copy(s, 1);
		return true;
	}
	if (!fits)
		return fail(s, s->line, "a number beyond 64 bits");
	if (peek(s, 0) == 'L')
		copy(s, peek(s, 1) == 'L' ? 2 : 1);
	else if (v > INT32_MAX)
		*s->out++ = 'L';
	return true;
}

static bool take_sign(struct scan *s)
{
	const char c = *s->at;

	if (c == '@')
		return fail(s, s->line, "@include is not allowed");
	if (c == '\0')
		return fail(s, s->line, "a NUL byte");
	if (strchr("{[(", c) != NULL && ++s->depth > CT_CONF__DEPTH_MAX)
		return fail(s, s->line, "nested more than 16 levels deep");
	if (strchr("}])", c) != NULL && s->depth > 0)
		s->depth--;
	if ((c == '=' || c == ':') && ++s->settings > CT_CONF__SETTINGS_MAX)
		return fail(s, s->line, "more than 4096 settings");
	copy(s, 1);
	return true;
}

static bool take_one(struct scan *s)
{
	const char c = *s->at, next = peek(s, 1);

	if (c == '#' || (c == '/' && next == '/')) {
		skip_line(s);
		return true;
	}
	if (c == '/' && next == '*')
		return skip_comment(s);
	if (c == '"')
		return skip_string(s);
	if (isdigit((unsigned char)c) || ((c == '-' || c == '+') && isdigit((unsigned char)next)))
		return take_number(s);
	if (is_name_begin(c)) {
		while (s->at < s->end && is_name(*s->at))
			copy(s, 1);
		return true;
	}
	return take_sign(s);
}

char *ct_conf__clean_text(struct ct_conf__load *l, struct ct_bytes text)
{
	struct scan s = { .l = l, .line = 1 };
	bool ok = true;
	char *out;

	/* A number that needs an 'L' has ten digits or more. */
	out = ct_mem_alloc(text.len + text.len / 10 + 1);
	if (out == NULL) {
		l->oom = true;
		return NULL;
	}
	s.out = out;
	s.at = (const char *)text.ptr;
	s.end = s.at + text.len;
	if (text.len >= sizeof(bom) - 1 && memcmp(text.ptr, bom, sizeof(bom) - 1) == 0)
		s.at += sizeof(bom) - 1; /* some editors put one */
	while (ok && s.at < s.end)
		ok = take_one(&s);
	if (ok && memchr(out, '\0', (size_t)(s.out - out)) != NULL)
		ok = fail(&s, s.line, "a NUL byte in a comment or string");
	*s.out = '\0';
	if (!ok) {
		ct_mem_free(out);
		out = NULL;
	}
	return out;
}
