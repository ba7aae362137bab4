/* SPDX-License-Identifier: Apache-2.0 */
#include "comment.h"

#include <string.h>

enum { LINE_BYTES_MAX = 90 };

/* What would end the comment, open one in it, or start a trigraph is pulled apart. */
static bool is_split_between(char a, char b)
{
	return (a == '*' && b == '/') || (a == '/' && b == '*') || (a == '?' && b == '?');
}

static char *harmless(struct gen *g, const char *comment)
{
	char *out = gen_alloc(g, 2 * strlen(comment) + 1, 1);
	size_t n = 0;

	for (const char *s = comment; *s != '\0'; s++) {
		const bool is_control = (unsigned char)*s < ' ' && *s != '\n';

		if (n > 0 && is_split_between(out[n - 1], *s))
			out[n++] = ' ';
		out[n++] = is_control ? ' ' : *s;
	}
	while (n > 0 && (out[n - 1] == ' ' || out[n - 1] == '\n'))
		out[--n] = '\0';
	return out;
}

static void add_line(struct gen_text *out, const char *s, size_t len)
{
	while (len > 0 && s[len - 1] == ' ')
		len--;
	gen_text_addf(out, "%s", out->len == 0 ? "/*" : "\n *");
	if (len > 0)
		gen_text_addf(out, " %.*s", (int)len, s);
}

/* Where to break: the last space that lets the line fit, else the first one after. */
static size_t fit(const char *s, size_t len)
{
	size_t at = LINE_BYTES_MAX;

	if (len <= LINE_BYTES_MAX)
		return len;
	while (at > 0 && s[at] != ' ')
		at--;
	if (at > 0 && strspn(s, " ") < at)
		return at;
	at = LINE_BYTES_MAX;
	while (at < len && s[at] != ' ')
		at++;
	return at;
}

static void add_wrapped(struct gen_text *out, const char *s, size_t len)
{
	for (;;) {
		const size_t n = fit(s, len);

		add_line(out, s, n);
		s += n;
		len -= n;
		while (len > 0 && *s == ' ') {
			s++;
			len--;
		}
		if (len == 0)
			return;
	}
}

void gen_comment_add(struct gen *g, struct gen_text *out, const char *comment, const char *fact)
{
	struct gen_text text = { .data = NULL };
	const char *s = comment != NULL ? harmless(g, comment) : "";

	while (*s == '\n')
		s++;
	while (*s != '\0') {
		const size_t len = strcspn(s, "\n");
		const size_t skip = s[0] == ' '; /* "// text" arrives as " text" */

		add_wrapped(&text, s + skip, len - skip);
		s += len + (s[len] == '\n');
	}
	if (fact != NULL)
		add_wrapped(&text, fact, strlen(fact));
	if (text.len > 0)
		gen_text_addf(out, "%s */\n", text.data);
	gen_text_fini(&text);
}
