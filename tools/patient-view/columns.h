/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATIENT_VIEW_COLUMNS_H
#define PATIENT_VIEW_COLUMNS_H

#include <stddef.h>

/*
 * Rows of a table on a terminal. A cell is cut or filled up to its column by
 * what it takes on the screen, where a Chinese character is two wide, and
 * nothing in it can move the cursor. Needs a UTF-8 locale. One thread.
 */
enum { VIEW_COLUMNS_MAX = 8 };

struct view_column {
	const char *title;
	int width; /* 0: the last one, as wide as it comes */
};

/* Prints the titles. */
void view_columns_head(const struct view_column *columns, size_t n);
/* Prints a row; a NULL cell is empty. */
void view_columns_row(const struct view_column *columns, size_t n, const char *const *cells);

/* Text by itself, as a cell shows it. */
void view_text(const char *text);

#endif
