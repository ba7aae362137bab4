/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-view/columns.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

enum { GAP = 2, INDENT = 2 };

static const char ellipsis[] = "\xe2\x80\xa6";   /* one wide */
static const char unreadable[] = "\xef\xbf\xbd"; /* U+FFFD, one wide */

/* One character at the front of text. */
struct glyph {
	const char *show;
	size_t show_len, used;
	int width;
};

static struct glyph next_glyph(const char *text)
{
	struct glyph g = { unreadable, sizeof(unreadable) - 1, 1, 1 };
	mbstate_t state = { 0 };
	wchar_t c;
	const size_t used = mbrtowc(&c, text, strnlen(text, MB_LEN_MAX), &state);
	int width;

	if (used == (size_t)-1 || used == (size_t)-2)
		return g;
	g.used = used;
	width = wcwidth(c);
	if (width < 0) /* a control character: of a stranger, for all we know */
		return g;
	g.show = text;
	g.show_len = used;
	g.width = width;
	return g;
}

static int width_of(const char *text)
{
	int width = 0;

	while (*text != '\0' && width < INT_MAX - 2) {
		const struct glyph g = next_glyph(text);

		width += g.width;
		text += g.used;
	}
	return width;
}

/* Up to `room` wide, with an ellipsis where something is cut off. Returns how
 * wide it was. */
static int put(const char *text, int room)
{
	const int whole = width_of(text);
	const int limit = whole > room ? room - 1 : room;
	int width = 0;

	while (*text != '\0') {
		const struct glyph g = next_glyph(text);

		if (width + g.width > limit)
			break;
		(void)fwrite(g.show, 1, g.show_len, stdout);
		width += g.width;
		text += g.used;
	}
	if (whole > room) {
		fputs(ellipsis, stdout);
		width++;
	}
	return width;
}

static void fill(int n)
{
	printf("%*s", n, "");
}

void view_text(const char *text)
{
	(void)put(text, INT_MAX);
}

void view_columns_row(const struct view_column *columns, size_t n, const char *const *cells)
{
	int owed = INDENT; /* blanks before the next cell that has something */

	for (size_t i = 0; i < n; i++) {
		const char *cell = cells[i] != NULL ? cells[i] : "";
		int width = 0;

		if (*cell != '\0') {
			fill(owed);
			width = put(cell, columns[i].width > 0 ? columns[i].width : INT_MAX);
			owed = 0;
		}
		owed += columns[i].width - width + GAP;
	}
	puts("");
}

void view_columns_head(const struct view_column *columns, size_t n)
{
	const char *titles[VIEW_COLUMNS_MAX];

	for (size_t i = 0; i < n; i++)
		titles[i] = columns[i].title;
	view_columns_row(columns, n, titles);
}
