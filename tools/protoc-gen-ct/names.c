/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <string.h>

/* <ctype.h> follows the locale; names in a .proto are ASCII. */
static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char to_upper(char c)
{
	return is_lower(c) ? (char)(c - 'a' + 'A') : c;
}

static char to_lower(char c)
{
	return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

/* protoc-c's ToCamel, piece by piece: underscores go, what follows one is upper case. */
const char *gen_message_type(struct gen *g, const char *full_name)
{
	char *out = gen_alloc(g, 2 * strlen(full_name) + 1, 1);
	size_t n = 0;
	bool next_is_upper = true;

	for (const char *s = full_name + (full_name[0] == '.'); *s != '\0'; s++) {
		if (*s == '.') {
			out[n++] = '_';
			out[n++] = '_';
			next_is_upper = true;
		} else if (*s == '_') {
			next_is_upper = true;
		} else {
			out[n++] = next_is_upper ? to_upper(*s) : *s;
			next_is_upper = false;
		}
	}
	return out;
}

/* protoc-c's CamelToLower: '_' where an upper case letter follows anything else. */
const char *gen_message_descriptor(struct gen *g, const char *full_name)
{
	char *out = gen_alloc(g, 2 * strlen(full_name) + 1, 1);
	size_t n = 0;
	bool was_upper = true;

	for (const char *s = full_name + (full_name[0] == '.'); *s != '\0'; s++) {
		if (*s == '.') {
			out[n++] = '_';
			out[n++] = '_';
			was_upper = true;
			continue;
		}
		if (is_upper(*s) && !was_upper)
			out[n++] = '_';
		out[n++] = to_lower(*s);
		was_upper = is_upper(*s);
	}
	return gen_strf(g, "%s__descriptor", out);
}

/* A word begins at an upper case letter after a lower one or a digit, and at
 * the last of several when a lower case letter follows it. */
static bool word_begins(const char *name, size_t i)
{
	const char prev = i > 0 ? name[i - 1] : '_';

	if (!is_upper(name[i]) || prev == '_')
		return false;
	return !is_upper(prev) || is_lower(name[i + 1]);
}

const char *gen_snake_case(struct gen *g, const char *name)
{
	char *out = gen_alloc(g, 2 * strlen(name) + 1, 1);
	size_t n = 0;

	for (size_t i = 0; name[i] != '\0'; i++) {
		if (word_begins(name, i))
			out[n++] = '_';
		out[n++] = to_lower(name[i]);
	}
	return out;
}

const char *gen_service_prefix(struct gen *g, const char *service)
{
	static const char tail[] = "Service";
	const size_t len = strlen(service), tail_len = sizeof(tail) - 1;

	if (len > tail_len && strcmp(service + len - tail_len, tail) == 0)
		service = gen_strf(g, "%.*s", (int)(len - tail_len), service);
	return gen_snake_case(g, service);
}

const char *gen_include_guard(struct gen *g, const char *stem)
{
	char *guard = gen_strf(g, "%s%s_CT_H", is_digit(stem[0]) ? "PROTO_" : "", stem);

	for (char *s = guard; *s != '\0'; s++)
		*s = is_upper(to_upper(*s)) || is_digit(*s) ? to_upper(*s) : '_';
	return guard;
}

static size_t identifier_len(const char *s)
{
	size_t n = 0;

	if (is_digit(s[0]))
		return 0;
	while (is_upper(s[n]) || is_lower(s[n]) || is_digit(s[n]) || s[n] == '_')
		n++;
	return n;
}

bool gen_is_identifier(const char *s)
{
	const size_t n = identifier_len(s);

	return n > 0 && s[n] == '\0';
}

bool gen_is_dotted_identifier(const char *s)
{
	for (;;) {
		const size_t n = identifier_len(s);

		if (n == 0)
			return false;
		if (s[n] == '\0')
			return true;
		if (s[n] != '.')
			return false;
		s += n + 1;
	}
}

bool gen_is_proto_path(const char *s)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./";
	static const char tail[] = ".proto";
	const size_t len = strlen(s), tail_len = sizeof(tail) - 1;

	return len > tail_len && strcmp(s + len - tail_len, tail) == 0 && s[0] != '/' &&
	       strspn(s, plain) == len && strstr(s, "..") == NULL && strstr(s, "//") == NULL;
}

static bool is_in(const char *s, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (strcmp(s, *list) == 0)
			return true;
	}
	return false;
}

bool gen_is_c_keyword(const char *s)
{
	static const char *const keywords[] = {
		"auto",    "break",  "case",     "char",   "const",    "continue", "default",
		"do",      "double", "else",     "enum",   "extern",   "float",    "for",
		"goto",    "if",     "inline",   "int",    "long",     "register", "restrict",
		"return",  "short",  "signed",   "sizeof", "static",   "struct",   "switch",
		"typedef", "union",  "unsigned", "void",   "volatile", "while",    "asm",
		"bool",    "errno",  "false",    "true",   NULL,
	};

	return is_in(s, keywords);
}

bool gen_is_reserved_prefix(const char *s)
{
	static const char *const prefixes[] = { "ct", "nng", "protobuf_c", "ret", NULL };

	return is_in(s, prefixes);
}
