/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-view/columns.h"

#include "base/attrs.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <locale.h>
#include <stdio.h>

static void begin(void)
{
	cr_assert_not_null(setlocale(LC_CTYPE, "C.UTF-8"));
	cr_redirect_stdout();
}

TestSuite(columns, .init = begin, .fini = leak_check, .timeout = 60);

static const struct view_column two[] = { { "name", 6 }, { "rest", 0 } };

static void expect_row(const char *name, const char *rest, const char *line)
{
	const char *cells[] = { name, rest };

	view_columns_row(two, CT_ARRAY_N(two), cells);
	fflush(stdout);
	cr_assert_stdout_eq_str(line);
}

Test(columns, cells_are_filled_up_to_their_column)
{
	expect_row("abc", "x", "  abc     x\n");
}

Test(columns, a_cell_that_fits_exactly_is_not_cut)
{
	expect_row("abcdef", "x", "  abcdef  x\n");
}

Test(columns, a_longer_cell_is_cut_and_says_so)
{
	expect_row("abcdefg", "x", "  abcde…  x\n");
}

Test(columns, a_chinese_character_is_two_wide)
{
	expect_row("张三", "x", "  张三    x\n");
}

Test(columns, a_wide_character_that_half_fits_is_left_out)
{
	expect_row("协和医院", "x", "  协和…   x\n");
}

Test(columns, the_last_column_is_never_cut)
{
	expect_row("a", "0123456789 0123456789", "  a       0123456789 0123456789\n");
}

Test(columns, nothing_stands_behind_the_last_cell_that_has_something)
{
	expect_row("a", NULL, "  a\n");
}

Test(columns, an_empty_cell_keeps_its_place)
{
	expect_row("", "x", "          x\n");
}

Test(columns, text_of_strangers_cannot_move_the_cursor)
{
	expect_row("a\033[2J",
		   "b\r\n\x9b"
		   "c",
		   "  a\xef\xbf\xbd[2J   b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
		   "c\n");
}

Test(columns, bytes_that_are_no_utf8_are_shown_as_unreadable)
{
	expect_row("\xe5\xbc", "\xff", "  \xef\xbf\xbd\xef\xbf\xbd      \xef\xbf\xbd\n");
}

Test(columns, titles_stand_above_their_columns)
{
	view_columns_head(two, CT_ARRAY_N(two));
	fflush(stdout);
	cr_assert_stdout_eq_str("  name    rest\n");
}
